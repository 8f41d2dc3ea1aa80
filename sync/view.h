// A view: what somebody sees of records, by collection and field. Roles that see the same share
// one. A view that is not whole has digests of its own (docs/access.md, docs/storage-format.md).
// Immutable once made; any thread.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "sync/result.h"

namespace waystation {

using FieldNames = std::set<std::string, std::less<>>;

// Whether it is one of `names`, or holds what a migration could not place of one: <name>_v<version>
// (docs/merge-rules.md, "Schema versions"), with _<count> where that was taken.
[[nodiscard]] bool among(const FieldNames& names, std::string_view field);

// What is seen of one collection.
struct Sight {
  bool seen = true;
  FieldNames hidden;  // of a seen one

  [[nodiscard]] bool whole() const { return seen && hidden.empty(); }
  [[nodiscard]] bool shows(std::string_view field) const { return seen && !among(hidden, field); }
  friend bool operator==(const Sight&, const Sight&) = default;
};

class View {
 public:
  // Sees everything.
  View() : View(Sight{}, {}) {}
  // `others`: collections that have no entry of their own; all of such a one or nothing.
  View(Sight others, std::map<std::string, Sight, std::less<>> collections);

  [[nodiscard]] const Sight& of(std::string_view coll) const;
  [[nodiscard]] bool whole() const { return collections_.empty() && others_.seen; }

  // Canonical JSON: {"collections":{coll: true, false or [hidden fields]},"others":…}. Equal views
  // have equal texts.
  [[nodiscard]] const std::string& text() const { return text_; }
  // 16 hex digits of the text's hash: what its digests are kept under.
  [[nodiscard]] const std::string& name() const { return name_; }
  // Errors: kStoreCorrupt.
  [[nodiscard]] static Result<View> parse(std::string_view text);

  // The place among Policy::views(), for those that are.
  std::size_t index = 0;

 private:
  Sight others_;
  std::map<std::string, Sight, std::less<>> collections_;
  std::string text_;
  std::string name_;
};

// `object` (canonical JSON) without the members that are among `hidden`.
[[nodiscard]] std::string without(std::string_view object, const FieldNames& hidden);

// An op (canonical JSON) without what it says of the hidden fields, and without members that the
// protocol does not know. Errors: kStoreCorrupt, where it never was a valid op.
[[nodiscard]] Result<std::string> op_without(std::string_view op, const FieldNames& hidden);

}  // namespace waystation
