#include "server/config.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <charconv>
#include <filesystem>
#include <optional>

#include "server/networks.h"

#if !defined(WS_SCHEMAS_SOURCE) || !defined(WS_WEB_SOURCE)
#error "the build says where the schemas and the pages lie"
#endif

namespace waystation {
namespace {

Error wrong(const std::string& path, const toml::key& key, std::string_view reason) {
  return Error{Code::kConfigInvalid, fmt::format("{}:{}: {}: {}", path, key.source().begin.line,
                                                 std::string_view(key.str()), reason)};
}

template <typename T>
bool take(const toml::node& node, T& into) {
  if constexpr (std::is_same_v<T, std::string>) {
    const auto value = node.value_exact<std::string>();
    if (!value) return false;
    into = *value;
  } else if constexpr (std::is_same_v<T, bool>) {
    const auto value = node.value_exact<bool>();
    if (!value) return false;
    into = *value;
  } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
    const toml::array* values = node.as_array();
    if (values == nullptr) return false;
    into.clear();
    for (const toml::node& one : *values) {
      const auto value = one.value_exact<std::string>();
      if (!value) return false;
      into.push_back(*value);
    }
  } else {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < 0 || *value > 1'000'000) return false;
    into = static_cast<T>(*value);
  }
  return true;
}

// The keys of the edge. Nothing: it is none of them.
std::optional<bool> take_edge(std::string_view word, const toml::node& node, Config& config) {
  if (word == "tls_certificate") return take(node, config.tls_certificate);
  if (word == "tls_key") return take(node, config.tls_key);
  if (word == "plain_http") return take(node, config.plain_http);
  if (word == "trusted_proxies") {
    return take(node, config.trusted_proxies) && Networks::parse(config.trusted_proxies).ok();
  }
  const auto at_least_one = [&](std::size_t& into) { return take(node, into) && into > 0; };
  if (word == "connections_per_address") return at_least_one(config.connections_per_address);
  if (word == "connects_per_minute") return at_least_one(config.connects_per_minute);
  if (word == "ops_per_second") return at_least_one(config.ops_per_second);
  if (word == "kib_per_second") return at_least_one(config.kib_per_second);
  if (word == "blob_mib") return at_least_one(config.blob_mib) && config.blob_mib <= 1024;
  if (word == "blob_floor_mib") return take(node, config.blob_floor_mib);
  if (word == "blob_kib_per_second") return at_least_one(config.blob_kib_per_second);
  if (word == "list_mib") return take(node, config.list_mib);
  if (word == "limit_loopback") return take(node, config.limit_loopback);
  return std::nullopt;
}

// What the program came with: installed beside it, or where it was built.
std::string came_with(const std::string& name, const std::string& source) {
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const auto installed = program.parent_path().parent_path() / "share/waystation" / name;
  return std::filesystem::exists(installed, ignored) ? installed.string() : source;
}

}  // namespace

Status load_config(const std::string& path, Config& config) {
  std::error_code missing;
  if (!std::filesystem::exists(path, missing)) {
    return Error{Code::kIo, fmt::format("{}: no such file", path)};
  }
  toml::table table;
  try {
    table = toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    return Error{Code::kConfigInvalid,
                 fmt::format("{}:{}: {}", path, error.source().begin.line, error.description())};
  }
  for (const auto& [key, node] : table) {
    const std::string_view word = key.str();
    bool good = false;
    if (word == "listen") {
      good = take(node, config.listen) && parse_endpoint(config.listen).ok();
    } else if (word == "data") {
      good = take(node, config.data);
    } else if (word == "schemas") {
      good = take(node, config.schemas);
    } else if (word == "policy") {
      good = take(node, config.policy);
    } else if (word == "web") {
      good = take(node, config.web);
    } else if (word == "master_key") {
      good = take(node, config.master_key);
    } else if (word == "erasures") {
      good = take(node, config.erasures);
    } else if (word == "io_threads") {
      good = take(node, config.io_threads);
    } else if (word == "reader_threads") {
      good = take(node, config.reader_threads);
    } else if (word == "connections") {
      good = take(node, config.connections) && config.connections > 0;
    } else if (word == "offline_days") {
      good = take(node, config.offline_days) && config.offline_days > 0;
    } else if (word == "zone") {
      good = take(node, config.zone) && parse_zone(config.zone).has_value();
    } else if (word == "log_level") {
      good = take(node, config.log_level);
    } else if (const auto edge = take_edge(word, node, config)) {
      good = *edge;
    } else {
      return wrong(path, key, "unknown key");
    }
    if (!good) return wrong(path, key, "not a value that this key takes");
  }
  return {};
}

Result<Endpoint> parse_endpoint(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  Endpoint endpoint;
  if (colon == std::string::npos || colon == 0) {
    return Error{Code::kConfigInvalid, fmt::format("\"{}\" is not address:port", text)};
  }
  endpoint.address = text.substr(0, colon);
  if (endpoint.address.front() == '[' && endpoint.address.back() == ']') {
    endpoint.address = endpoint.address.substr(1, endpoint.address.size() - 2);
  }
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, endpoint.port);
  if (parsed.ec != std::errc() || parsed.ptr != end) {
    return Error{Code::kConfigInvalid, fmt::format("\"{}\" is not address:port", text)};
  }
  return endpoint;
}

std::string master_key_file(const Config& config) {
  return config.master_key.empty() ? config.data + "/master.key" : config.master_key;
}

std::string erasures_file(const Config& config) {
  return config.erasures.empty() ? config.data + "/erasures.log" : config.erasures;
}

std::string schemas_folder(const Config& config) {
  return config.schemas.empty() ? came_with("schemas", WS_SCHEMAS_SOURCE) : config.schemas;
}

std::string web_folder(const Config& config) {
  return config.web.empty() ? came_with("web", WS_WEB_SOURCE) : config.web;
}

Zone zone_of(const Config& config) {
  const auto zone = parse_zone(config.zone);
  WS_CHECK(zone.has_value());
  return *zone;
}

std::string policy_file(const Config& config) {
  return config.policy.empty() ? schemas_folder(config) + "/policy.json" : config.policy;
}

}  // namespace waystation
