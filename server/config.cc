#include "server/config.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <charconv>
#include <filesystem>

#ifndef WS_SCHEMAS_SOURCE
#error "the build says where the schemas lie"
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
  } else {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < 0 || *value > 1'000'000) return false;
    into = static_cast<T>(*value);
  }
  return true;
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
    } else if (word == "log_level") {
      good = take(node, config.log_level);
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
  if (!config.schemas.empty()) return config.schemas;
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const auto installed = program.parent_path().parent_path() / "share/waystation/schemas";
  if (std::filesystem::exists(installed, ignored)) return installed.string();
  return WS_SCHEMAS_SOURCE;
}

}  // namespace waystation
