#include "tools/desk.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <filesystem>

#include "storage/schema_files.h"
#include "sync/canonical.h"
#include "sync/device_id.h"
#include "tools/json_view.h"
#include "tools/terminal_text.h"

namespace waystation::cli {
namespace {

constexpr const char* kDeviceName = "office";
constexpr const char* kPageSize = "500";

}  // namespace

std::string query(const std::vector<std::pair<std::string_view, std::string_view>>& members) {
  std::string out;
  for (const auto& [name, value] : members) {
    if (value.empty()) continue;
    out += out.empty() ? '?' : '&';
    out += name;
    out += '=';
    out += percent_encode(value);
  }
  return out;
}

Result<std::unique_ptr<Desk>> Desk::open(const Config& config, const std::string& server) {
  spdlog::set_level(spdlog::level::warn);  // of a store opened here
  std::unique_ptr<Desk> desk(new Desk(config));
  auto schemas = load_schemas(schemas_folder(config));
  if (!schemas) return schemas.error();
  desk->schemas_ = std::move(*schemas);
  auto exchange = open_exchange(config, server);
  if (!exchange) return exchange.error();
  desk->exchange_ = std::move(*exchange);
  return desk;
}

Result<std::string> Desk::look_up(const std::string& target) {
  const auto answer = exchange_->ask("GET", target);
  if (!answer) return answer.error();
  return canonicalize(*answer);
}

Result<std::vector<std::string>> Desk::all(const std::string& target, std::string_view key) {
  std::vector<std::string> items;
  std::string after;
  do {
    const std::string page =
        fmt::format("{}{}limit={}{}{}", target, target.find('?') == std::string::npos ? '?' : '&',
                    kPageSize, after.empty() ? "" : "&after=", after);
    const auto answer = look_up(page);
    if (!answer) return answer.error();
    const JsonObject object(*answer);
    for (const std::string_view item : json_items(object.raw(key))) items.emplace_back(item);
    after = object.text("next");
  } while (!after.empty());
  return items;
}

Result<std::string> Desk::record(std::string_view scope, std::string_view coll,
                                 std::string_view id) {
  const auto answer =
      look_up("/v1/records" + query({{"scope", scope}, {"coll", coll}, {"id", id}}));
  if (!answer) return answer.error();
  const auto items = json_items(JsonObject(*answer).raw("records"));
  return items.empty() ? std::string() : std::string(items.front());
}

std::string Desk::who(const std::string& device) {
  if (!names_known_) {
    names_known_ = true;
    if (const auto answer = look_up("/v1/devices?desks=1")) {
      for (const std::string_view text : json_items(JsonObject(*answer).raw("devices"))) {
        const JsonObject row(text);
        names_[row.text("device")] = row.text("name");
      }
    }
    names_[format_device_id(kServerDevice)] = "the server";
  }
  const std::string& name = names_[device];
  return name.empty() ? device : fmt::format("{} ({})", name, device);
}

Result<std::vector<OpVerdict>> Desk::hand_in(std::vector<OpDraft> drafts) {
  for (OpDraft& draft : drafts) {
    const Collection* collection = schemas_.find(draft.coll);
    if (draft.schema == 0 && collection != nullptr) draft.schema = collection->version;
  }
  std::error_code ignored;
  std::filesystem::create_directories(config_.data, ignored);
  auto saved = SavedDevice::open(config_.data + "/office.device");
  if (!saved) return saved.error();
  auto pusher = greet_as(*exchange_, *saved, kDeviceName, fmt::format("waystation {}", WS_VERSION));
  if (!pusher) return pusher.error();
  auto verdicts = (*pusher)->push(drafts);
  // For people; the next run asks the server.
  if (auto kept = saved->save(*saved->device(), (*pusher)->next_n()); !kept) return kept.error();
  return verdicts;
}

int print_verdicts(const std::vector<OpVerdict>& verdicts, bool json, const std::string& done) {
  bool all_taken = true;
  std::string items;
  for (const OpVerdict& verdict : verdicts) {
    all_taken = all_taken && verdict.ok();
    items += items.empty() ? "" : ",";
    items += verdict.text;
    if (json) continue;
    if (verdict.ok()) {
      fmt::print("taken as op {} of the office\n", verdict.n);
      for (const std::string& field : verdict.lost) {
        fmt::print("  {}: lost to a value that came meanwhile, and is a conflict now\n",
                   printable(field));
      }
    } else {
      fmt::print("refused: {}: {}\n", verdict.code, printable(verdict.detail));
    }
  }
  if (json) {
    fmt::print("{{\"verdicts\":[{}]}}\n", items);
  } else if (all_taken) {
    fmt::print("{}\n", printable(done));
  }
  return all_taken ? 0 : 1;
}

void print_items(std::string_view key, const std::vector<std::string>& items) {
  fmt::print("{{\"{}\":[{}]}}\n", key, fmt::join(items, ","));
}

std::string clipped(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
    if (display_width(out) + display_width(text.substr(at, end - at)) + 1 > columns) break;
    out += text.substr(at, end - at);
    at = end;
  }
  return out + "…";
}

}  // namespace waystation::cli
