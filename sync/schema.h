// The schemas of collections: what fields there are, how each merges, and within which limits.
//
// Read once from JSON texts (schemas/collections/*.json; format in schemas/collection.schema.json),
// then immutable: any thread. Errors name the file, the path inside it and the reason.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sync/op.h"
#include "sync/result.h"

namespace waystation {

enum class MergeType : std::uint8_t { kRegister, kCounter, kSet, kLog };
enum class FieldType : std::uint8_t { kString, kInteger, kNumber, kBoolean, kTime, kDate };

struct Title {
  std::string zh;
  std::string en;
};

struct FieldSpec {
  std::string name;
  MergeType merge = MergeType::kRegister;
  FieldType type = FieldType::kString;
  Title title;
  bool required = false;
  std::map<std::string, Title> choices;  // empty: not an enumeration
  std::uint32_t max_length = 0;          // strings: code points
  double min = 0;                        // integers and numbers; for counters the bounds of one inc
  double max = 0;
  std::size_t max_items = 0;  // set, log
};

struct Collection {
  std::string name;
  std::uint32_t version = 1;
  Title title;
  bool facts = false;
  bool deletable = true;
  std::vector<std::string> key;   // natural key, empty: the device makes the id
  std::vector<FieldSpec> fields;  // in the file's order

  [[nodiscard]] const FieldSpec* field(std::string_view name) const;
};

struct SchemaFile {
  std::string name;  // for errors
  std::string text;
};

// The merge type that an edit speaks of.
[[nodiscard]] MergeType merge_type_of(EditKind kind);
[[nodiscard]] std::string_view to_string(MergeType type);

class Schemas {
 public:
  // Errors: kSchemaInvalid.
  [[nodiscard]] static Result<Schemas> parse(const std::vector<SchemaFile>& files);

  [[nodiscard]] const Collection* find(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, Collection, std::less<>>& collections() const {
    return collections_;
  }

  // What the schema has against an op, judged by the op alone (what needs the record's state is
  // judged when it is applied). Unknown fields pass.
  [[nodiscard]] std::optional<Refusal> check(const Op& op) const;

 private:
  std::map<std::string, Collection, std::less<>> collections_;
};

}  // namespace waystation
