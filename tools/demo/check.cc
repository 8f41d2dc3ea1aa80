#include "tools/demo/check.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <cstdlib>
#include <functional>

namespace waystation::demo {
namespace {

namespace dom = simdjson::dom;

std::string text_of(dom::element object, std::string_view key) {
  std::string_view value;
  return object[key].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
}

std::int64_t number_of(dom::element object, std::string_view key) {
  std::int64_t value = 0;
  return object[key].get(value) == simdjson::SUCCESS ? value : 0;
}

class Checker {
 public:
  Checker(const std::string& address, const std::string& token, const City& city,
          const Expected& expected, const std::vector<std::unique_ptr<Device>>& devices)
      : http_(address, token), city_(city), expected_(expected), devices_(devices) {}

  Result<Findings> run() {
    for (const auto part : {&Checker::visits, &Checker::taps, &Checker::attendance, &Checker::notes,
                            &Checker::conflicts, &Checker::quarantine, &Checker::device_list}) {
      if (auto done = (this->*part)(); !done) return done.error();
    }
    digests();
    return std::move(findings_);
  }

 private:
  void add(std::string what, std::int64_t expected, std::int64_t found) {
    findings_.checks.push_back(Check{std::move(what), expected, found});
  }

  // Visits every item of a list over all its pages.
  Status each(const std::string& path, std::string_view key,
              const std::function<void(dom::element)>& visit) {
    std::string after;
    do {
      const auto answer = http_.request("GET", path + (after.empty() ? "" : "&after=" + after));
      if (!answer) return answer.error();
      if (answer->status != 200) return problem_of(*answer);
      dom::parser parser;
      dom::element root;
      dom::array items;
      if (parser.parse(answer->body).get(root) != simdjson::SUCCESS ||
          root[key].get(items) != simdjson::SUCCESS) {
        return Error{Code::kIo, path + ": not a list"};
      }
      for (const dom::element item : items) visit(item);
      after = text_of(root, "next");
    } while (!after.empty());
    return {};
  }

  Status records(const std::string& scope, const std::string& coll,
                 const std::function<void(const std::string& id, dom::element fields)>& visit) {
    return each(fmt::format("/v1/records?scope={}&coll={}&limit=1000", scope, coll), "records",
                [&](dom::element item) {
                  dom::element fields;
                  if (item["fields"].get(fields) == simdjson::SUCCESS)
                    visit(text_of(item, "id"), fields);
                });
  }

  Status visits() {
    for (const Station& station : city_.stations) {
      auto& hours = findings_.visits[station.id];
      const Status read =
          records(station.scope, "visit", [&](const std::string&, dom::element fields) {
            const std::string at = text_of(fields, "at");
            const auto hour = static_cast<std::size_t>(std::atoi(at.substr(11, 2).c_str()));
            if (hour < kFirstHour || hour >= kFirstHour + kHours) return;
            hours.at(hour - kFirstHour) += text_of(fields, "corrects").empty() ? 1 : -1;
          });
      if (!read) return read;
    }
    std::int64_t expected = 0;
    std::int64_t found = 0;
    std::int64_t differing = 0;
    for (const auto& [station, hours] : findings_.visits) {
      const auto at = expected_.visits.find(station);
      for (std::size_t hour = 0; hour < kHours; ++hour) {
        const std::int64_t wanted = at == expected_.visits.end() ? 0 : at->second.at(hour);
        expected += wanted;
        found += hours.at(hour);
        differing += wanted != hours.at(hour) ? 1 : 0;
      }
    }
    add("visits", expected, found);
    add("station-hours that differ", 0, differing);
    return {};
  }

  Status taps() {
    std::int64_t expected = 0;
    for (const auto& [key, count] : expected_.taps) expected += count;
    std::int64_t found = 0;
    std::int64_t differing = 0;
    for (const Station& station : city_.stations) {
      const Status read =
          records(station.scope, "station_day", [&](const std::string&, dom::element fields) {
            for (const auto& [key, count] : expected_.taps) {
              if (key.first != station.id) continue;
              const std::int64_t counter = number_of(fields, key.second);
              found += counter;
              differing += counter != count ? 1 : 0;
            }
          });
      if (!read) return read;
    }
    add("taps on all counters", expected, found);
    add("counters that differ", 0, differing);
    return {};
  }

  Status attendance() {
    std::int64_t found = 0;
    std::int64_t unexpected = 0;
    for (const Event& event : city_.events) {
      const Status read =
          records(event.scope, "attendance", [&](const std::string&, dom::element fields) {
            ++found;
            unexpected += static_cast<std::int64_t>(
                expected_.attendance.count(
                    {text_of(fields, "event"), text_of(fields, "volunteer")}) == 0);
          });
      if (!read) return read;
    }
    add("people present at events", static_cast<std::int64_t>(expected_.attendance.size()), found);
    add("people who should not be there", 0, unexpected);
    return {};
  }

  Status notes() {
    std::int64_t found = 0;
    const auto count = [&](const std::string&, dom::element) { ++found; };
    for (const Station& station : city_.stations) {
      if (auto read = records(station.scope, "note", count); !read) return read;
    }
    for (const Event& event : city_.events) {
      if (auto read = records(event.scope, "note", count); !read) return read;
    }
    add("notes", static_cast<std::int64_t>(expected_.notes), found);
    return {};
  }

  Status conflicts() {
    std::int64_t found = 0;
    const Status read = each("/v1/conflicts?limit=1000", "conflicts", [&](dom::element item) {
      ++found;
      if (findings_.sample_conflicts.size() >= 3 || found % 17 != 1) return;
      findings_.sample_conflicts.push_back(
          fmt::format("{} {}.{}: {} lost by {} ({})", text_of(item, "scope"), text_of(item, "id"),
                      text_of(item, "field"), simdjson::minify(item["value"].value()),
                      text_of(item, "by"), text_of(item, "kind")));
    });
    add("conflicts", static_cast<std::int64_t>(expected_.conflicts), found);
    return read;
  }

  Status quarantine() {
    std::int64_t found = 0;
    const Status read = each("/v1/quarantine?limit=1000", "quarantine", [&](dom::element item) {
      ++found;
      if (findings_.sample_quarantine.size() >= 2) return;
      findings_.sample_quarantine.push_back(
          fmt::format("device {} op {}: {} ({})", text_of(item, "device"), number_of(item, "n"),
                      text_of(item, "code"), text_of(item, "detail")));
    });
    add("refused ops in the quarantine", static_cast<std::int64_t>(expected_.quarantine), found);
    return read;
  }

  Status device_list() {
    std::int64_t applied = 0;
    std::map<std::string, std::int64_t> by_device;
    const Status read = each("/v1/devices?", "devices", [&](dom::element item) {
      by_device[text_of(item, "device")] = number_of(item, "applied");
      bool wrong = false;
      if (item["clock_wrong"].get(wrong) == simdjson::SUCCESS && wrong) ++findings_.wrong_clocks;
    });
    for (const auto& device : devices_) applied += by_device[device->replica().device()];
    add("edits with a verdict", static_cast<std::int64_t>(expected_.edits), applied);
    return read;
  }

  // Each device against the server, and devices of one scope against each other.
  void digests() {
    std::int64_t faults = 0;
    std::int64_t checked = 0;
    std::int64_t apart = 0;
    std::int64_t waiting = 0;
    std::map<std::string, std::string> by_scope;
    for (const auto& device : devices_) {
      const Replica& replica = device->replica();
      faults += static_cast<std::int64_t>(replica.digest_faults().size());
      checked += replica.digests_checked() > 0 ? 1 : 0;
      waiting += static_cast<std::int64_t>(replica.waiting());
      std::string scope;
      for (const auto& [key, record] : replica.records()) {
        if (std::get<0>(key) == scope) continue;
        scope = std::get<0>(key);
        const std::string digest = replica.digest(scope).hex();
        apart += by_scope.emplace(scope, digest).first->second != digest ? 1 : 0;
      }
    }
    add("devices that checked themselves", static_cast<std::int64_t>(devices_.size()), checked);
    add("digests that differ from the server's", 0, faults);
    add("devices that differ from each other", 0, apart);
    add("edits still waiting", 0, waiting);
  }

  HttpClient http_;
  const City& city_;
  const Expected& expected_;
  const std::vector<std::unique_ptr<Device>>& devices_;
  Findings findings_;
};

}  // namespace

Result<Findings> check_day(const std::string& address, const std::string& admin_token,
                           const City& city, const Expected& expected,
                           const std::vector<std::unique_ptr<Device>>& devices) {
  return Checker(address, admin_token, city, expected, devices).run();
}

}  // namespace waystation::demo
