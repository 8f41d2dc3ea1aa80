// The list of devices over HTTP: whole, or filtered, sorted and page by page.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "server/service.h"
#include "storage/keys.h"
#include "sync/device_id.h"
#include "sync/limits.h"

namespace waystation {
namespace {

struct DeviceQuery {
  std::string text;   // stands in the name or the id
  std::string state;  // empty: any
  std::string sort;   // empty: by id
  bool descending = false;
  bool desks = false;  // also those by which people of the office write
  std::optional<std::size_t> offset;
  std::optional<std::size_t> limit;
  [[nodiscard]] bool whole() const { return !offset && !limit; }
};

constexpr std::array kSorts{std::string_view("last_seen"), std::string_view("queued"),
                            std::string_view("oldest"),    std::string_view("skew_ms"),
                            std::string_view("name"),      std::string_view("enrolled")};

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

Result<DeviceQuery> device_query(const ApiRequest& request) {
  DeviceQuery query;
  const auto text = [&](const char* key) {
    const auto at = request.query.find(key);
    return at == request.query.end() ? std::string() : at->second;
  };
  query.text = lower(text("q"));
  query.state = text("state");
  query.sort = text("sort");
  query.desks = text("desks") == "1";
  query.descending = query.sort.starts_with('-');
  if (query.descending) query.sort.erase(0, 1);
  if (!query.sort.empty() && std::find(kSorts.begin(), kSorts.end(), query.sort) == kSorts.end()) {
    return Error{Code::kListField, "sort: last_seen, queued, oldest, skew_ms, name or enrolled"};
  }
  for (auto [key, into] : {std::pair("offset", &query.offset), std::pair("limit", &query.limit)}) {
    const std::string value = text(key);
    if (value.empty()) continue;
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size()) {
      return Error{Code::kMessageInvalid, fmt::format("{}: no number", key)};
    }
    *into = number;
  }
  return query;
}

struct DeviceRow {
  AccountPtr account;
  std::int64_t rank = 0;  // what it is sorted by, but for the name
};

Result<std::int64_t> rank_of(const Store& store, const Account& account, std::string_view sort) {
  if (sort.empty() || sort == "name") return 0;
  if (sort == "enrolled") return account.enrolled_ms;
  std::string bytes;
  const auto found = store.kv().get(Column::kDevices, keys::device_state(account.device), bytes);
  if (!found) return found.error();
  const auto state = *found ? decode_device_state(bytes) : Result<DeviceState>(DeviceState{});
  if (!state) return state.error();
  if (sort == "last_seen") return state->last_seen_ms;
  if (sort == "queued") return static_cast<std::int64_t>(state->queued);
  if (sort == "oldest") return state->oldest_ms;
  return state->clock.skew_ms;
}

void sort_rows(std::vector<DeviceRow>& rows, const DeviceQuery& query) {
  if (query.sort.empty()) return;  // they come by id
  const bool by_name = query.sort == "name";
  std::stable_sort(rows.begin(), rows.end(), [&](const DeviceRow& a, const DeviceRow& b) {
    const DeviceRow& one = query.descending ? b : a;
    const DeviceRow& other = query.descending ? a : b;
    return by_name ? one.account->name < other.account->name : one.rank < other.rank;
  });
}

}  // namespace

ApiReply Service::device_page(const ApiRequest& request) const {
  const auto query = device_query(request);
  if (!query) return problem(query.error());
  const OfficeTablesPtr office = store_->office().get();
  std::set<std::uint64_t> desks;
  for (const auto& [name, device] : office->desks) desks.insert(device);
  std::vector<DeviceRow> rows;
  std::size_t total = 0;
  for (const AccountPtr& account : store_->accounts().all()) {
    if (!query->desks && desks.contains(account->device)) continue;
    ++total;
    if (!query->state.empty() && name(account->standing) != query->state) continue;
    if (!query->text.empty() && lower(account->name).find(query->text) == std::string::npos &&
        lower(format_device_id(account->device)).find(query->text) == std::string::npos) {
      continue;
    }
    const auto rank = rank_of(*store_, *account, query->sort);
    if (!rank) return problem(rank.error());
    rows.push_back(DeviceRow{account, *rank});
  }
  sort_rows(rows, *query);
  const std::size_t offset = std::min(query->offset.value_or(0), rows.size());
  const std::size_t most =
      query->whole() ? rows.size()
                     : std::clamp<std::size_t>(query->limit.value_or(50), 1, limits::kPageRecords);
  ApiReply reply;
  reply.body = "{";
  if (!query->whole()) {
    reply.body +=
        fmt::format(R"("total":{},"matching":{},"offset":{},)", total, rows.size(), offset);
  }
  reply.body += R"("devices":[)";
  for (std::size_t i = offset; i < std::min(rows.size(), offset + most); ++i) {
    const Account& account = *rows[i].account;
    auto text = describe_device(*store_, account);
    if (!text) return problem(text.error());
    if (i > offset) reply.body += ',';
    text->pop_back();
    reply.body += *text;
    reply.body += fmt::format(R"(,"online":{})", fanout_->online(account.device));
    if (desks.contains(account.device)) reply.body += R"(,"desk":true)";
    reply.body += '}';
  }
  reply.body += "]}";
  return reply;
}

void Service::devices(const ApiRequest& request, ApiDone done) {
  read(std::move(done), [this, request] { return device_page(request); });
}

}  // namespace waystation
