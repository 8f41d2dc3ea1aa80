// What lists sort and filter by: the plain values that a record shows. Pure; any thread (one
// simdjson parser a thread).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "sync/result.h"

namespace waystation {

// An element of a set comes by itself.
struct ListedValue {
  enum class Kind : std::uint8_t { kText, kNumber, kFlag };
  Kind kind = Kind::kText;
  std::string_view text;  // kText: without quotes and escapes
  double number = 0;
  bool flag = false;
};

// Visits the scalars of each field of `visible` (what a record shows, canonical JSON), in the order
// of the fields' names. Objects are passed over, null too. Errors: kStoreCorrupt.
using VisitListed = std::function<void(std::string_view field, const ListedValue& value)>;
[[nodiscard]] Status for_each_listed(std::string_view visible, const VisitListed& visit);

}  // namespace waystation
