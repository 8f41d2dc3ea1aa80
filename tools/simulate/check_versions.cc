#include <fmt/format.h>
#include <simdjson.h>

#include "tools/simulate/checks.h"
#include "tools/simulate/store_view.h"

namespace waystation::simulate {

namespace dom = simdjson::dom;

// Every op is carried forward, so whatever an old app wrote stands under today's name, or under one
// that says which version it is from.
void check_versions(const Store& store, const Schemas& first, const Schemas& newest,
                    Findings& findings) {
  dom::parser parser;
  for (const auto& [name, record] : stored_records(store)) {
    const Collection* before = first.find(name.coll);
    const Collection* now = newest.find(name.coll);
    if (before == nullptr || now == nullptr || record.visible.empty()) continue;
    for (const FieldSpec& field : before->fields) {
      if (now->field(field.name) != nullptr) continue;
      dom::element value;
      if (parser.parse(record.visible)[field.name].get(value) != simdjson::SUCCESS) continue;
      findings.report(10,
                      fmt::format("{}/{}/{} shows nothing under the old name {}", name.scope,
                                  name.coll, name.id, field.name),
                      record.visible);
    }
  }
}

}  // namespace waystation::simulate
