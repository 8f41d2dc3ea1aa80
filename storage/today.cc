#include "storage/today.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "storage/codec.h"
#include "storage/keys.h"
#include "storage/projections.h"
#include "storage/sums.h"
#include "sync/limits.h"

namespace waystation {
namespace {

constexpr std::size_t kDistrictDigits = 6;  // of a division's code

// The fields that are kept of one record, by name.
class Kept {
 public:
  Kept() = default;
  Kept(const KeptFields& fields, std::vector<std::string> values)
      : fields_(&fields), values_(std::move(values)) {}

  [[nodiscard]] std::string text(std::string_view field) const {
    if (fields_ == nullptr) return {};
    for (std::size_t i = 0; i < fields_->fields.size() && i < values_.size(); ++i) {
      if (fields_->fields[i] == field) return json_text(values_[i]);
    }
    return {};
  }

 private:
  const KeptFields* fields_ = nullptr;
  std::vector<std::string> values_;
};

class Reader {
 public:
  Reader(const Store& store, std::int64_t now_ms)
      : kv_(store.kv()), snapshot_(kv_.snapshot()), projections_(*store.projections()) {
    today_.day = bucket_of(now_ms, Bucket::kDay, projections_.zone());
  }

  Result<Today> run() {
    Status done = read_stations();
    if (done.ok()) done = read_visits();
    if (done.ok()) done = read_people();
    if (done.ok()) done = name_events();
    if (done.ok()) done = name_districts();
    if (!done) return done.error();
    gather();
    return std::move(today_);
  }

 private:
  // Of the records of a collection with one id that which was made first, as it is kept, and its
  // scope; nothing where that was deleted. docs/reports.md, "Whose name an id has".
  template <typename Use>
  Status first_kept(std::string_view coll, std::string_view id, const Use& use) {
    const KeptFields* fields = projections_.kept(coll);
    if (fields == nullptr) return {};
    KeptRow first;
    std::string scope;
    const Status read = each_kept(kv_, *snapshot_, keys::kept(coll, id, ""),
                                  [&](const keys::KeptKey& key, KeptRow row) {
                                    if (first.born != 0 && row.born >= first.born) return true;
                                    first = std::move(row);
                                    scope = std::string(key.scope);
                                    return true;
                                  });
    if (!read) return read;
    if (first.born != 0 && !first.deleted) use(scope, Kept(*fields, std::move(first.fields)));
    return {};
  }

  // The rows of a projection whose first part begins with the day.
  template <typename Each>
  Status each_sum(const Projection& projection, const Each& each) {
    const std::string prefix = keys::sums(row_name(projection.name, {})) + today_.day;
    auto rows = kv_.iterate(Column::kProjections, snapshot_.get(), keys::prefix_end(prefix));
    for (rows->seek(prefix); rows->valid(); rows->next()) {
      const auto parts = parts_of(rows->key().substr(keys::kSumsPrefix.size()), projection.name);
      const auto sums = decode_sums(rows->value());
      if (!parts || !sums || parts->size() != projection.by.size()) {
        return Error{Code::kStoreCorrupt, "a damaged row of a projection"};
      }
      each(*parts, *sums);
    }
    return rows->status();
  }

  Status read_stations() {
    const KeptFields* fields = projections_.kept("station");
    if (fields == nullptr) return {};
    std::map<std::string, Seq> born;  // of the one that a scope is named by
    return each_kept(kv_, *snapshot_, keys::kept_prefix("station"),
                     [&](const keys::KeptKey& key, KeptRow row) {
                       Seq& first = born[std::string(key.scope)];
                       if (row.deleted || (first != 0 && first <= row.born)) return true;
                       first = row.born;
                       const Kept kept(*fields, std::move(row.fields));
                       StationToday& station = stations_[std::string(key.scope)];
                       station.scope = std::string(key.scope);
                       station.id = std::string(key.id);
                       station.name = kept.text("name");
                       station.division = kept.text("division");
                       return true;
                     });
  }

  Status read_visits() {
    const Projection* visits = projections_.find("visits_hour");
    if (visits == nullptr) return {};
    const auto hour = visits->part("hour");
    const auto scope = visits->part("station");
    const auto count = visits->measure("visits");
    if (!hour || !scope || !count) return {};
    return each_sum(*visits, [&](const auto& parts, const Sums& sums) {
      const std::size_t at = hour_in(parts[*hour]);
      if (at >= today_.hours.size() || *count >= sums.size()) return;
      StationToday& station = stations_[std::string(parts[*scope])];
      if (station.scope.empty()) station.scope = std::string(parts[*scope]);
      station.hours.at(at) += sums[*count];
      station.total += sums[*count];
      today_.hours.at(at) += sums[*count];
      today_.visits += sums[*count];
    });
  }

  // Of "2026-01-31T08".
  [[nodiscard]] std::size_t hour_in(std::string_view bucket) const {
    const std::string_view digits = bucket.substr(std::min(today_.day.size() + 1, bucket.size()));
    std::size_t hour = today_.hours.size();  // not one
    std::from_chars(digits.data(), digits.data() + digits.size(), hour);
    return hour;
  }

  Status read_people() {
    const Projection* people = projections_.find("events_day");
    if (people == nullptr) return {};
    const auto event = people->part("event");
    const auto came = people->measure("attendances");
    const auto present = people->measure("present");
    if (!event || !came || !present) return {};
    return each_sum(*people, [&](const auto& parts, const Sums& sums) {
      EventToday& row = events_[std::string(parts[*event])];
      row.id = std::string(parts[*event]);
      if (*came < sums.size()) row.came += sums[*came];
      if (*present < sums.size()) row.present += sums[*present];
    });
  }

  Status name_events() {
    for (auto& named : events_) {
      EventToday& event = named.second;
      const Status read =
          first_kept("event", event.id, [&](const std::string& scope, const Kept& kept) {
            event.scope = scope;
            event.title = kept.text("title");
            event.division = kept.text("division");
            event.state = kept.text("state");
            event.starts = kept.text("starts");
            event.ends = kept.text("ends");
          });
      if (!read) return read;
    }
    return {};
  }

  // Null: the division is no code.
  DistrictToday* district(std::string_view division) {
    const std::string_view code = division.substr(0, kDistrictDigits);
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    if (code.size() < kDistrictDigits || !std::all_of(code.begin(), code.end(), digit)) {
      return nullptr;
    }
    return &districts_[std::string(code)];
  }

  Status name_districts() {
    for (const auto& [scope, station] : stations_) {
      if (DistrictToday* found = district(station.division)) found->visits += station.total;
    }
    for (const auto& [id, event] : events_) {
      if (DistrictToday* found = district(event.division)) found->present += event.present;
    }
    for (auto& named : districts_) {
      DistrictToday& found = named.second;
      found.code = named.first;
      const Status read = first_kept(
          "scope", found.code,
          [&](const std::string&, const Kept& kept) { found.name = kept.text("title"); });
      if (!read) return read;
    }
    return {};
  }

  void gather() {
    for (auto& named : events_) {
      today_.came += named.second.came;
      today_.present += named.second.present;
      if (named.second.came != 0) today_.events.push_back(std::move(named.second));
    }
    for (auto& named : stations_) today_.stations.push_back(std::move(named.second));
    for (auto& named : districts_) today_.districts.push_back(std::move(named.second));
    const auto by_size = [](const auto& size) {
      return [&size](const auto& a, const auto& b) {
        return size(a) != size(b) ? size(a) > size(b) : a.scope < b.scope;
      };
    };
    const auto total = [](const StationToday& station) { return station.total; };
    const auto present = [](const EventToday& event) {
      return std::pair(event.present, event.came);
    };
    std::sort(today_.stations.begin(), today_.stations.end(), by_size(total));
    std::sort(today_.events.begin(), today_.events.end(), by_size(present));
    if (today_.stations.size() > limits::kTodayRows) today_.stations.resize(limits::kTodayRows);
    if (today_.events.size() > limits::kTodayRows) today_.events.resize(limits::kTodayRows);
  }

  const Kv& kv_;
  std::unique_ptr<Snapshot> snapshot_;
  const Projections& projections_;
  Today today_;
  std::map<std::string, StationToday> stations_;    // by scope
  std::map<std::string, EventToday> events_;        // by id
  std::map<std::string, DistrictToday> districts_;  // by code
};

}  // namespace

Result<Today> read_today(const Store& store, std::int64_t now_ms) {
  return Reader(store, now_ms).run();
}

Result<Waiting> read_waiting(const Store& store) {
  Waiting waiting;
  std::string bytes;
  const OfficeTablesPtr office = store.office().get();
  for (const AccountPtr& account : store.accounts().all()) {
    if (account->closed() || office->is_desk(account->device)) continue;
    ++waiting.known;
    const auto found = store.kv().get(Column::kDevices, keys::device_state(account->device), bytes);
    if (!found) return found.error();
    if (!*found) continue;
    const auto state = decode_device_state(bytes);
    if (!state) return state.error();
    if (state->queued == 0) continue;
    ++waiting.devices;
    waiting.ops += static_cast<std::uint64_t>(state->queued);
    if (state->oldest_ms > 0 && (waiting.oldest_ms == 0 || state->oldest_ms < waiting.oldest_ms)) {
      waiting.oldest_ms = state->oldest_ms;
    }
  }
  return waiting;
}

}  // namespace waystation
