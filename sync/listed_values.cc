#include "sync/listed_values.h"

#include "sync/json_dom.h"

namespace waystation {
namespace {

namespace dom = simdjson::dom;

void visit_value(std::string_view field, dom::element element, const VisitListed& visit) {
  ListedValue value;
  switch (element.type()) {
    case dom::element_type::STRING: value.text = std::string_view(element); break;
    case dom::element_type::BOOL:
      value.kind = ListedValue::Kind::kFlag;
      value.flag = bool(element);
      break;
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
    case dom::element_type::DOUBLE:
      value.kind = ListedValue::Kind::kNumber;
      value.number = double(element);
      break;
    case dom::element_type::ARRAY:
      for (const dom::element item : dom::array(element)) {
        if (!item.is_array()) visit_value(field, item, visit);
      }
      return;
    case dom::element_type::OBJECT:
    case dom::element_type::NULL_VALUE: return;
  }
  visit(field, value);
}

}  // namespace

Status for_each_listed(std::string_view visible, const VisitListed& visit) {
  auto document = json::parse(visible);
  dom::object fields;
  if (!document || document->root.get(fields) != simdjson::SUCCESS) {
    return Error{Code::kStoreCorrupt, "what a record shows is no JSON object"};
  }
  for (const auto field : fields) visit_value(field.key, field.value, visit);
  return {};
}

}  // namespace waystation
