#include "tests/support/counted.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "storage/projections.h"
#include "storage/sums.h"

namespace waystation::testing {
namespace {

std::string words(std::string key) {
  if (key.front() == 's') key.erase(0, 1);
  if (!key.empty() && key.back() == '\0') key.pop_back();
  std::replace(key.begin(), key.end(), '\0', ' ');
  return key;
}

std::string told(const KeptRow& row) {
  return fmt::format("{}{} born {}", row.deleted ? "deleted" : "", fmt::join(row.fields, " "),
                     row.born);
}

class Collect final : public RecountSink {
 public:
  Status sums(const std::string& key, const Sums& sums) override {
    add_to(sums_[key], sums);
    return {};
  }
  Status row(const std::string& key, const std::string& value) override {
    rows_[words(key)] = key.front() == 'k' ? told(*decode_kept(value)) : value;
    return {};
  }
  Counted all() const {
    Counted rows = rows_;
    for (const auto& [key, sums] : sums_) {
      if (!all_zero(sums)) rows[words(key)] = fmt::format("{}", fmt::join(sums, " "));
    }
    return rows;
  }

 private:
  Counted rows_;
  std::map<std::string, Sums> sums_;
};

}  // namespace

Counted kept_rows(const Store& store) {
  Collect collect;
  const auto rows = store.kv().iterate(Column::kProjections);
  for (rows->seek(""); rows->valid(); rows->next()) {
    const std::string key(rows->key());
    Status taken;
    if (key.front() == 's') {
      taken = collect.sums(key, *decode_sums(rows->value()));
    } else {
      taken = collect.row(key, std::string(rows->value()));
    }
    WS_CHECK(taken.ok());
  }
  return collect.all();
}

Counted recounted_rows(const Store& store, const Projections& projections) {
  Collect collect;
  const auto snapshot = store.kv().snapshot();
  WS_CHECK(recount(store, *snapshot, projections, collect, [] {}).ok());
  return collect.all();
}

Counted without_births(Counted rows) {
  for (auto& [key, value] : rows) {
    if (key.front() == 'k') value.resize(value.rfind(" born "));
  }
  return rows;
}

Counted of_projection(const Counted& rows, const std::string& projection) {
  Counted found;
  for (const auto& [key, value] : rows) {
    if (key.starts_with(projection + " ")) found[key.substr(projection.size() + 1)] = value;
  }
  return found;
}

}  // namespace waystation::testing
