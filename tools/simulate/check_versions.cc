#include <fmt/format.h>
#include <simdjson.h>

#include "tools/simulate/checks.h"
#include "tools/simulate/store_view.h"

namespace waystation::simulate {

namespace dom = simdjson::dom;

// Every op is carried forward, so whatever an old app wrote stands under today's name, or under one
// that says which version it is from.
void check_versions(const Store& store, const Schemas& newest, Findings& findings) {
  dom::parser parser;
  for (const auto& [name, record] : stored_records(store)) {
    const Collection* now = newest.find(name.coll);
    dom::object fields;
    if (now == nullptr || now->version == 1 || record.visible.empty() ||
        parser.parse(record.visible).get(fields) != simdjson::SUCCESS) {
      continue;
    }
    for (const auto field : fields) {
      const std::string_view word = field.key;
      const bool known = now->field(word) != nullptr || word == kUnknownField ||
                         word.find("_v") != std::string_view::npos;
      if (known) continue;
      findings.report(10,
                      fmt::format("{}/{}/{} shows nothing under the old name {}", name.scope,
                                  name.coll, name.id, word),
                      record.visible);
    }
  }
}

}  // namespace waystation::simulate
