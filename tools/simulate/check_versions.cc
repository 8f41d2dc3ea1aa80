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
    const std::vector<Collection>* versions = newest.versions(name.coll);
    dom::object shown;
    if (now == nullptr || versions == nullptr || record.visible.empty() ||
        parser.parse(record.visible).get(shown) != simdjson::SUCCESS) {
      continue;
    }
    for (const Collection& version : *versions) {
      for (const FieldSpec& field : version.fields) {
        if (now->field(field.name) != nullptr) continue;
        if (shown[field.name].error() == simdjson::NO_SUCH_FIELD) continue;
        findings.report(10,
                        fmt::format("{}/{}/{} shows nothing under the old name {}", name.scope,
                                    name.coll, name.id, field.name),
                        record.visible);
      }
    }
  }
}

}  // namespace waystation::simulate
