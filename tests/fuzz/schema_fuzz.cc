// Files of collections, with a line "====" between them: loaded, or refused with a file's name; and
// what is loaded can judge ops of any version and carry them forward.
#include <fmt/format.h>

#include <set>

#include "sync/result.h"
#include "sync/schema.h"
#include "sync/wire.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/json.h"

namespace {

using waystation::Edit;
using waystation::EditKind;
using waystation::Op;
using waystation::SchemaFile;
using waystation::Schemas;
using waystation::Value;
using waystation::ValueType;

constexpr std::string_view kBetween = "\n====\n";

std::vector<SchemaFile> files_of(std::string_view text) {
  static const std::string kScope =
      waystation::testing::read_source("schemas/collections/scope.v1.json");
  std::vector<SchemaFile> files{{"scope.v1.json", kScope}};
  while (files.size() < 8) {
    const std::size_t end = text.find(kBetween);
    files.push_back({fmt::format("fuzz{}.json", files.size()), std::string(text.substr(0, end))});
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + kBetween.size());
  }
  return files;
}

// Words that may be names of fields: what stands in quotes.
std::set<std::string> words_of(std::string_view text) {
  std::set<std::string> words{"later"};
  for (std::size_t at = text.find('"'); at != std::string_view::npos && words.size() < 30;) {
    const std::size_t end = text.find('"', at + 1);
    if (end == std::string_view::npos) break;
    const std::string word(text.substr(at + 1, end - at - 1));
    if (waystation::valid_name(word)) words.insert(word);
    at = end;
  }
  return words;
}

const std::vector<Value>& values() {
  static const std::vector<Value> all{{ValueType::kString, R"("Li \"M\" ing")", 0, 0, 10},
                                      {ValueType::kString, R"("12")", 0, 0, 2},
                                      {ValueType::kInteger, "12", 12, 12, 0},
                                      {ValueType::kNumber, "0.5", 0, 0.5, 0},
                                      {ValueType::kBool, "true", 0, 0, 0},
                                      {ValueType::kNull, "null", 0, 0, 0},
                                      {ValueType::kString, R"("2028-02-29")", 0, 0, 10}};
  return all;
}

// One edit of each field, of the kind and with a value that its turn has.
Op op_of(const std::string& coll, const std::set<std::string>& words, std::size_t turn) {
  constexpr EditKind kKinds[] = {EditKind::kSet, EditKind::kSet,    EditKind::kInc,
                                 EditKind::kAdd, EditKind::kAppend, EditKind::kLease};
  Op op;
  op.coll = coll;
  op.id = "a~b";
  for (const std::string& word : words) {
    Edit edit;
    edit.kind = kKinds[turn % std::size(kKinds)];
    edit.field = word;
    edit.values.push_back(values()[(turn++ / 2) % values().size()]);
    op.edits.push_back(std::move(edit));
    op.settlements.push_back({word, {5, 1}, 0, false});
  }
  return op;
}

void judge(const Schemas& schemas, const std::string& coll, const std::set<std::string>& words) {
  const std::string_view now = schemas.current_name(coll);
  const auto* current = schemas.find(now);
  WS_CHECK(current != nullptr);
  const std::uint32_t known = std::min(current->version, 6U);
  for (std::uint32_t version = 0; version <= known + 1; ++version) {
    for (std::size_t turn = 0; turn < 3; ++turn) {
      // Most ops are refused for one of their edits, so each goes alone too.
      Op whole = op_of(coll, words, turn);
      whole.schema = version;
      std::vector<Op> ops{whole};
      for (const Edit& edit : whole.edits) {
        ops.push_back(whole);
        ops.back().edits = {edit};
      }
      for (Op& op : ops) {
        const std::size_t settlements = op.settlements.size();
        schemas.admit(op,
                      turn % 2 == 0 ? waystation::Author::kDevice : waystation::Author::kServer);
        if (op.refusal) continue;
        WS_CHECK(op.coll == now && op.settlements.size() == settlements && !op.edits.empty());
        std::set<std::string> fields;
        for (const Edit& edit : op.edits) {
          WS_CHECK(waystation::valid_name(edit.field) && fields.insert(edit.field).second);
          WS_CHECK(!edit.values.empty());
        }
      }
    }
  }
  Op gone;
  gone.coll = coll;
  gone.id = "a";
  gone.del = true;
  schemas.admit(gone);
  WS_CHECK(gone.refusal || (gone.edits.empty() && gone.coll == now));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = waystation::fuzz::text_of(data, size);
  const auto loaded = Schemas::parse(files_of(text));
  if (!loaded) {
    WS_CHECK(loaded.error().code == waystation::Code::kSchemaInvalid);
    WS_CHECK(loaded.error().context.starts_with("fuzz") ||
             loaded.error().context.starts_with("the collection \"scope\" is missing"));
    return 0;
  }
  const std::set<std::string> words = words_of(text);
  for (const auto& [name, collection] : loaded->collections()) {
    judge(*loaded, name, words);
    for (const std::string& former : loaded->former_names(name)) judge(*loaded, former, words);
  }
  return 0;
}
