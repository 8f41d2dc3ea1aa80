// The schemas of collections: what fields there are, how each merges, and within which limits.
//
// Read once from JSON texts (schemas/collections/*.json; format in schemas/collection.schema.json),
// then immutable: any thread. Errors name the file, the path inside it and the reason. Every
// version that was released is a file of its own, for ops come in under all of them
// (docs/merge-rules.md, "Schema versions").
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

enum class MergeType : std::uint8_t { kRegister, kCounter, kSet, kLog, kQuota };
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
  bool by_server = false;     // only the server's own ops write it
  bool redirect = false;      // holds the id of the record that this one was merged into
  bool personal = false;      // lies in the store under the key of the collection's person alone

  // Quota: `max` bounds what may be granted in all.
  std::int64_t max_lease = 0;         // most that one lease op is given
  std::int64_t lease_ms = 0;          // from the lease to its expiry
  std::int64_t reclaim_after_ms = 0;  // from the expiry until a lost device's lease comes back
};

// Open records are closed by the server (docs/merge-rules.md, "Open sign-ins").
struct CloseRule {
  std::string opened;  // time fields of this collection
  std::string closed;
  std::string flag;    // a server's field: until when an open one counts
  std::string parent;  // the field that names the record of parent_coll, in the same scope
  std::string parent_coll;
  std::string parent_ends;      // its time field
  std::int64_t after_ms = 0;    // the cap: so long after the parent's end it is closed
  std::int64_t longest_ms = 0;  // nothing stays open for longer
};

// Who may be entered twice (docs/merge-rules.md, "Duplicates").
struct DuplicateRule {
  std::string same;            // register that must be equal, but for case and white space
  std::string like;            // register that must be equal where both have it
  std::int64_t within_ms = 0;  // first written so close to each other
};

// One step from the version before, in the file's order (docs/merge-rules.md, "Schema versions").
struct Migration {
  enum class Kind : std::uint8_t { kRename, kSplit, kDefault, kRetype };
  Kind kind = Kind::kRename;
  std::string field;              // as it was; of a default: as it is
  std::vector<std::string> into;  // rename: one; split: two or more
  std::string at;                 // split: the separator
  std::string value;              // default: canonical JSON, for ops that create and lack it
};

struct Collection {
  std::string name;
  std::uint32_t version = 1;
  Title title;
  bool facts = false;
  bool deletable = true;
  bool derived = false;           // records are created by the server's own ops alone
  std::vector<std::string> key;   // natural key, empty: the device makes the id
  std::string person;             // whom a record is about: "id" or a part of the key; or nobody
  std::vector<FieldSpec> fields;  // in the file's order
  std::optional<CloseRule> close;
  std::optional<DuplicateRule> duplicates;
  std::vector<Migration> migrations;  // from version - 1
  std::string moved_from;             // the collection whose records these were

  [[nodiscard]] const FieldSpec* field(std::string_view name) const;
};

struct SchemaFile {
  std::string name;  // for errors
  std::string text;
};

// The merge type that an edit speaks of.
[[nodiscard]] MergeType merge_type_of(EditKind kind);
[[nodiscard]] std::string_view to_string(MergeType type);

// Who wrote an op. Some fields are the server's own.
enum class Author : std::uint8_t { kDevice, kServer };

class Schemas {
 public:
  // Errors: kSchemaInvalid.
  [[nodiscard]] static Result<Schemas> parse(const std::vector<SchemaFile>& files);

  // The current version.
  [[nodiscard]] const Collection* find(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, Collection, std::less<>>& collections() const {
    return collections_;
  }

  // What the schema has against an op, judged by the op alone (what needs the record's state is
  // judged when it is applied). The op is held to the version it was written under; one of a newer
  // version than any here to what no version changes. Unknown fields pass.
  [[nodiscard]] std::optional<Refusal> check(const Op& op, Author author = Author::kDevice) const;

  // As an op is taken in: checked, which sets op.refusal, then carried forward to the current
  // version, which changes op.coll, op.edits and the fields that op.settlements name. An op with a
  // refusal stays as it is.
  void admit(Op& op, Author author = Author::kDevice) const;
  // The second half alone, for ops that were accepted before.
  void bring_forward(Op& op) const;
  // Whether a version after `from` changes what ops say, or how what they say is kept.
  [[nodiscard]] bool migrates(std::string_view name, std::uint32_t from) const;
  // The fields that the current version knows and version `from` did not.
  [[nodiscard]] std::vector<std::string> new_fields(std::string_view name,
                                                    std::uint32_t from) const;

  // All versions of the collection that has or had this name, oldest first; null where none did.
  [[nodiscard]] const std::vector<Collection>* versions(std::string_view name) const;

  // What a collection that has or had this name is called now; empty where none did.
  [[nodiscard]] std::string_view current_name(std::string_view name) const;
  // What it was called before, oldest first.
  [[nodiscard]] std::vector<std::string> former_names(std::string_view name) const;

 private:
  // Versions first to last of a line have one name.
  struct Place {
    std::size_t line;
    std::uint32_t first;
    std::uint32_t last;
  };
  // The version that an op is held to: it was written under that, or (newer) under one after it.
  struct Written {
    const std::vector<Collection>* line;
    std::uint32_t version;
    bool newer;
  };
  [[nodiscard]] std::optional<Written> written(const Op& op) const;

  std::vector<std::vector<Collection>> lines_;  // all versions of each collection, from 1 on
  std::map<std::string, Place, std::less<>> names_;
  std::map<std::string, Collection, std::less<>> collections_;
};

}  // namespace waystation
