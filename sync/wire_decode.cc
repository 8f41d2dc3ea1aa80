#include <fmt/format.h>

#include <algorithm>

#include "sync/body_reader.h"
#include "sync/canonical.h"
#include "sync/device_id.h"
#include "sync/frame_admission.h"
#include "sync/json_dom.h"
#include "sync/limits.h"
#include "sync/policy.h"
#include "sync/wire.h"

namespace waystation {
namespace {

namespace dom = simdjson::dom;
using json::decode_body;
using Reader = json::BodyReader;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_word(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z') || is_digit(c); }

template <typename Predicate>
bool all(std::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}

Error invalid(std::string path, std::string_view reason) {
  return Error{Code::kMessageInvalid, fmt::format("{}: {}", path, reason)};
}

Result<ClockReading> decode_clock(dom::object object, const json::SurrogateMark& mark) {
  Reader reader(object, "hello.clock", mark);
  ClockReading clock;
  clock.wall_ms = reader.integer("wall", -limits::kMaxInteger, true);
  clock.mono_ms = reader.integer("mono", 0, true);
  clock.boot = reader.text("boot", limits::kBootBytes, true);
  if (!reader.problem().empty()) return Error{Code::kMessageInvalid, reader.problem()};
  return clock;
}

Result<Hello> decode_hello(dom::object object, const json::SurrogateMark& mark) {
  Reader reader(object, "hello", mark);
  const std::int64_t version = reader.integer("v", 0, true);
  if (reader.problem().empty() && version != kProtocolVersion) {
    return Error{Code::kVersionUnsupported,
                 fmt::format("version {}; this server speaks {}", version, kProtocolVersion)};
  }
  Hello hello;
  hello.device = reader.text("device", limits::kNameBytes, true);
  hello.token = reader.text("token", 256, true);
  hello.schema = static_cast<std::uint32_t>(
      std::min<std::int64_t>(reader.integer("schema", 0, false, 1), std::int64_t{1} << 31));
  hello.app = reader.text("app", limits::kAppBytes, false);
  hello.cursor = reader.text("cursor", limits::kStringBytes, false);
  hello.queued = static_cast<std::uint64_t>(reader.integer("queued", 0, false));
  hello.oldest_ms = reader.integer("oldest", -limits::kMaxInteger, false);
  const auto clock_object = reader.object("clock");
  if (!clock_object) reader.fail("clock", "is required");
  if (!reader.problem().empty()) return Error{Code::kMessageInvalid, reader.problem()};
  auto clock = decode_clock(*clock_object, mark);
  if (!clock) return clock.error();
  hello.clock = std::move(*clock);
  return hello;
}

Result<Pull> decode_pull(dom::object object, const json::SurrogateMark& mark) {
  Reader reader(object, "pull", mark);
  Pull pull;
  pull.cursor = reader.text("cursor", limits::kStringBytes, false);
  pull.limit = static_cast<std::size_t>(reader.integer("limit", 1, false, 0));
  if (!reader.problem().empty()) return Error{Code::kMessageInvalid, reader.problem()};
  return pull;
}

Result<Wiped> decode_wiped(dom::object object, const json::SurrogateMark& mark) {
  Reader reader(object, "wiped", mark);
  Wiped wiped;
  wiped.discarded = static_cast<std::uint64_t>(reader.integer("discarded", 0, false));
  if (!reader.problem().empty()) return Error{Code::kMessageInvalid, reader.problem()};
  return wiped;
}

// A value inside an op. The op's canonical text was made before, so numbers, depth, duplicate keys
// and surrogates are known to be good.
Value decode_value(dom::element element, const json::SurrogateMark& mark) {
  Value value;
  const auto refusal = json::append_canonical(value.json, element, limits::kOpDepth, mark);
  WS_CHECK(!refusal);
  switch (element.type()) {
    case dom::element_type::NULL_VALUE: value.type = ValueType::kNull; break;
    case dom::element_type::BOOL: value.type = ValueType::kBool; break;
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
    case dom::element_type::DOUBLE:
      if (const auto integer = json::integer(element)) {
        value.type = ValueType::kInteger;
        value.integer = *integer;
        value.number = static_cast<double>(*integer);
      } else {
        value.type = ValueType::kNumber;
        value.number = double(element);
      }
      break;
    case dom::element_type::STRING:
      value.type = ValueType::kString;
      value.length_points = json::count_code_points(std::string_view(element));
      break;
    case dom::element_type::ARRAY: value.type = ValueType::kArray; break;
    case dom::element_type::OBJECT: value.type = ValueType::kObject; break;
  }
  return value;
}

std::string_view unquoted(std::string_view json) { return json.substr(1, json.size() - 2); }

struct EditGroup {
  std::string_view key;
  EditKind kind;
  bool array;  // values come as an array
};
constexpr EditGroup kEditGroups[] = {
    {"set", EditKind::kSet, false},       {"inc", EditKind::kInc, false},
    {"add", EditKind::kAdd, true},        {"remove", EditKind::kRemove, true},
    {"append", EditKind::kAppend, true},  {"grant", EditKind::kGrant, false},
    {"lease", EditKind::kLease, false},   {"spend", EditKind::kSpend, false},
    {"return", EditKind::kReturn, false}, {"reclaim", EditKind::kReclaim, false}};

// A role by name; the default where it is not there.
std::string read_role(Reader& reader, bool required) {
  std::string role = reader.text("role", limits::kNameBytes, required);
  if (role.empty() && !required) return std::string(kRoleVolunteer);
  if (!is_role(role)) reader.fail("role", fmt::format("\"{}\" is not a role", role));
  return role;
}

// What is refused here and below is told without a value: which fields are personal is known to
// the schema alone, and a refusal is read by many.
std::optional<Refusal> decode_edit(Edit& edit, dom::element element, bool array,
                                   const json::SurrogateMark& mark) {
  if (!valid_name(edit.field)) {
    return Refusal{Code::kFieldName, "a field's name has 1 to 64 characters of a-z 0-9 _"};
  }
  if (!array) {
    edit.values.push_back(decode_value(element, mark));
    const ValueType type = edit.values[0].type;
    if (edit.kind == EditKind::kReclaim) {
      if (type == ValueType::kString && parse_device_id(unquoted(edit.values[0].json))) {
        return std::nullopt;
      }
      return Refusal{Code::kFieldType, fmt::format("{}: reclaim names a device", edit.field)};
    }
    if (edit.kind == EditKind::kSet || type == ValueType::kInteger) return std::nullopt;
    return Refusal{Code::kFieldType, fmt::format("{}: must be an integer", edit.field)};
  }
  dom::array items;
  if (element.get(items) != simdjson::SUCCESS || items.size() == 0) {
    return Refusal{Code::kOpInvalid, fmt::format("{}: must be a filled array", edit.field)};
  }
  if (items.size() > limits::kEntriesPerField) {
    return Refusal{Code::kFieldFull, fmt::format("{}: at most {} values at once", edit.field,
                                                 limits::kEntriesPerField)};
  }
  edit.values.reserve(items.size());
  for (const dom::element item : items) edit.values.push_back(decode_value(item, mark));
  return std::nullopt;
}

std::optional<Refusal> decode_edits(Op& op, dom::object object, const json::SurrogateMark& mark) {
  for (const EditGroup& group : kEditGroups) {
    const auto found = json::find(object, group.key);
    if (!found) continue;
    dom::object fields;
    if (found->get(fields) != simdjson::SUCCESS) {
      return Refusal{Code::kOpInvalid, fmt::format("{} must be an object", group.key)};
    }
    // Before anything is made of them: also who has not said who he is may send this.
    if (op.edits.size() + fields.size() > limits::kFieldsPerRecord) {
      return Refusal{Code::kFieldFull,
                     fmt::format("an op edits at most {} fields", limits::kFieldsPerRecord)};
    }
    for (const auto field : fields) {
      Edit edit;
      edit.kind = group.kind;
      edit.field = std::string(field.key);
      if (auto refusal = decode_edit(edit, field.value, group.array, mark)) return refusal;
      op.edits.push_back(std::move(edit));
    }
  }
  return std::nullopt;
}

// "settle" and "reopen".
std::optional<Refusal> decode_settlements(Op& op, dom::object object, std::string_view key,
                                          const json::SurrogateMark& mark) {
  const auto found = json::find(object, key);
  if (!found) return std::nullopt;
  dom::array items;
  if (found->get(items) != simdjson::SUCCESS || items.size() == 0) {
    return Refusal{Code::kOpInvalid, fmt::format("{} must be a filled array", key)};
  }
  if (op.settlements.size() + items.size() > limits::kSettlementsPerOp) {
    return Refusal{Code::kOpInvalid,
                   fmt::format("an op settles at most {} conflicts", limits::kSettlementsPerOp)};
  }
  for (const dom::element item : items) {
    dom::object names;
    if (item.get(names) != simdjson::SUCCESS) {
      return Refusal{Code::kOpInvalid, fmt::format("{} holds what is no object", key)};
    }
    Reader reader(names, key, mark);
    Settlement settlement;
    settlement.field = reader.text("field", limits::kNameBytes, true);
    if (!valid_name(settlement.field)) reader.fail("field", "must be the name of a field");
    const auto device = parse_writer_id(reader.text("by", limits::kNameBytes, true));
    if (!device) reader.fail("by", "must be a device id");
    settlement.dot.device = device.value_or(0);
    settlement.dot.n = static_cast<std::uint64_t>(reader.integer("n", 1, true));
    settlement.part = static_cast<std::uint32_t>(
        std::min<std::int64_t>(reader.integer("part", 0, false), std::int64_t{1} << 31));
    settlement.reopen = key == "reopen";
    if (!reader.problem().empty()) return Refusal{Code::kOpInvalid, reader.problem()};
    op.settlements.push_back(std::move(settlement));
  }
  return std::nullopt;
}

std::optional<Refusal> decode_replays(Op& op, dom::object object, const json::SurrogateMark& mark) {
  const auto found = json::find(object, "replays");
  if (!found) return std::nullopt;
  dom::object names;
  if (found->get(names) != simdjson::SUCCESS) {
    return Refusal{Code::kOpInvalid, "replays must be an object with device and n"};
  }
  Reader reader(names, "replays", mark);
  RefusedName refused;
  const auto device = parse_device_id(reader.text("device", limits::kNameBytes, true));
  if (!device) reader.fail("device", "must be a device id");
  refused.device = device.value_or(0);
  refused.n = static_cast<std::uint64_t>(reader.integer("n", 1, true));
  if (!reader.problem().empty()) return Refusal{Code::kOpInvalid, reader.problem()};
  op.replays = refused;
  return std::nullopt;
}

bool may_stand_together(EditKind a, EditKind b) {
  return (a == EditKind::kAdd && b == EditKind::kRemove) ||
         (a == EditKind::kRemove && b == EditKind::kAdd);
}

std::optional<Refusal> check_edits(const Op& op) {
  if (op.del && (!op.edits.empty() || !op.settlements.empty())) {
    return Refusal{Code::kOpInvalid, "a delete stands alone"};
  }
  if (!op.del && op.edits.empty() && op.settlements.empty())
    return Refusal{Code::kOpInvalid, "the op edits nothing"};
  // Side by side in order of their fields: a push may hold very many.
  std::vector<const Edit*> edits;
  edits.reserve(op.edits.size());
  for (const Edit& edit : op.edits) edits.push_back(&edit);
  std::sort(edits.begin(), edits.end(),
            [](const Edit* a, const Edit* b) { return a->field < b->field; });
  for (std::size_t i = 1; i < edits.size(); ++i) {
    const bool third = i > 1 && edits[i - 2]->field == edits[i]->field;
    if (edits[i - 1]->field == edits[i]->field &&
        (third || !may_stand_together(edits[i - 1]->kind, edits[i]->kind))) {
      return Refusal{Code::kOpInvalid,
                     fmt::format("the field {} is edited twice", edits[i]->field)};
    }
  }
  return std::nullopt;
}

bool is_true(dom::element element) {
  bool value = false;
  return element.get(value) == simdjson::SUCCESS && value;
}

std::optional<Refusal> decode_op_body(Op& op, dom::element element, dom::object object,
                                      const json::SurrogateMark& mark) {
  auto uncanonical = json::append_canonical(op.canonical, element, limits::kOpDepth, mark);
  if (uncanonical) op.canonical = simdjson::minify(element);
  // In any case: whom it is about decides how it is kept, and who may read it.
  Reader reader(object, "op", mark);
  op.scope = reader.text("scope", 256, true);
  op.coll = reader.text("coll", 256, true);
  op.id = reader.text("id", 4096, true);
  op.wall_ms = reader.integer("wall", -limits::kMaxInteger, true);
  op.mono_ms = reader.integer("mono", 0, true);
  op.boot = reader.text("boot", limits::kBootBytes, true);
  op.schema = static_cast<std::uint32_t>(
      std::min<std::int64_t>(reader.integer("schema", 1, false, 1), std::int64_t{1} << 31));
  op.base = reader.integer("base", 0, false);
  if (uncanonical) return uncanonical;
  if (const auto lost = json::find(object, "lost"); lost && is_true(*lost)) {
    return Refusal{Code::kOpLost, "acknowledged before the server was restored, and dropped then"};
  }
  if (const auto del = json::find(object, "del")) {
    if (!is_true(*del)) reader.fail("del", "must be true");
    op.del = true;
  }
  if (!reader.problem().empty()) return Refusal{Code::kOpInvalid, reader.problem()};
  if (!valid_record_id(op.id)) {
    return Refusal{Code::kRecordId,
                   op.id.size() > limits::kRecordIdBytes
                       ? fmt::format("the id has {} characters, at most {} are allowed",
                                     op.id.size(), limits::kRecordIdBytes)
                       : "an id has 1 to 128 characters of A-Z a-z 0-9 . _ : ~ -"};
  }
  if (auto refusal = decode_edits(op, object, mark)) return refusal;
  for (const std::string_view key : {"settle", "reopen"}) {
    if (auto refusal = decode_settlements(op, object, key, mark)) return refusal;
  }
  if (auto refusal = decode_replays(op, object, mark)) return refusal;
  return check_edits(op);
}

Result<Op> decode_op_element(dom::element element, std::string_view path,
                             const json::SurrogateMark& mark) {
  dom::object object;
  if (element.get(object) != simdjson::SUCCESS) {
    return invalid(std::string(path), "an op is an object");
  }
  Reader reader(object, path, mark);
  Op op;
  op.n = static_cast<std::uint64_t>(reader.integer("n", 1, true));
  if (!reader.problem().empty()) return Error{Code::kMessageInvalid, reader.problem()};
  op.refusal = decode_op_body(op, element, object, mark);
  if (op.refusal) {
    op.unreadable = true;
    op.edits.clear();
    op.settlements.clear();
    op.replays.reset();
  }
  return op;
}

Result<Push> decode_push(dom::object object, const json::SurrogateMark& mark) {
  const auto found = json::find(object, "ops");
  dom::array items;
  if (!found || found->get(items) != simdjson::SUCCESS) {
    return invalid("push.ops", "must be an array");
  }
  if (items.size() > limits::kOpsPerPush) {
    return Error{Code::kPushTooManyOps,
                 fmt::format("at most {} ops fit a push", limits::kOpsPerPush)};
  }
  Push push;
  push.ops.reserve(items.size());
  for (const dom::element item : items) {
    auto op = decode_op_element(item, fmt::format("push.ops[{}]", push.ops.size()), mark);
    if (!op) return op.error();
    push.ops.push_back(std::move(*op));
  }
  return push;
}

// What the push of a frame holds, before it is decoded.
std::size_t count_ops(dom::object frame) {
  const auto push = json::find(frame, "push");
  dom::object inside;
  if (!push || push->get(inside) != simdjson::SUCCESS) return 0;
  const auto ops = json::find(inside, "ops");
  dom::array items;
  return ops && ops->get(items) == simdjson::SUCCESS ? items.size() : 0;
}

template <typename T, typename Decode>
Status take(std::optional<T>& into, dom::object frame, std::string_view key,
            const json::SurrogateMark& mark, Decode decode) {
  const auto found = json::find(frame, key);
  if (!found) return {};
  dom::object object;
  if (found->get(object) != simdjson::SUCCESS)
    return invalid(std::string(key), "must be an object");
  Result<T> decoded = decode(object, mark);
  if (!decoded) return decoded.error();
  into = std::move(*decoded);
  return {};
}

}  // namespace

bool valid_scope_id(std::string_view id) {
  return !id.empty() && id.size() <= limits::kScopeIdBytes && all(id, [](char c) {
    return is_word(c) || c == '.' || c == '_' || c == ':' || c == '/' || c == '-';
  });
}

bool valid_record_id(std::string_view id) {
  return !id.empty() && id.size() <= limits::kRecordIdBytes && all(id, [](char c) {
    return is_word(c) || c == '.' || c == '_' || c == ':' || c == '~' || c == '-';
  });
}

bool valid_name(std::string_view name) {
  return !name.empty() && name.size() <= limits::kNameBytes && is_lower(name[0]) &&
         all(name, [](char c) { return is_lower(c) || is_digit(c) || c == '_'; });
}

Result<ClientFrame> decode_frame(std::string_view bytes) {
  auto frame = decode_frame(bytes, [](const FrameOutline&) { return true; });
  if (!frame) return frame.error();
  return std::move(**frame);
}

Result<std::optional<ClientFrame>> decode_frame(std::string_view bytes, const AdmitFrame& admit) {
  auto document = json::parse(bytes);
  if (!document) return document.error();
  dom::object object;
  if (document->root.get(object) != simdjson::SUCCESS) {
    return Error{Code::kJsonInvalid, "a frame is a JSON object"};
  }
  const auto holds = [&](std::string_view key) { return json::find(object, key).has_value(); };
  if (!holds("hello") && !holds("wiped") && !holds("push") && !holds("pull")) {
    return Error{Code::kMessageUnknown, "a frame holds hello, push, pull or wiped"};
  }
  const json::SurrogateMark& mark = document->mark;
  ClientFrame frame;
  if (auto taken = take(frame.hello, object, "hello", mark, decode_hello); !taken) {
    return taken.error();
  }
  if (!admit({frame.hello ? &*frame.hello : nullptr, count_ops(object)})) {
    return std::optional<ClientFrame>();
  }
  if (auto taken = take(frame.wiped, object, "wiped", mark, decode_wiped); !taken) {
    return taken.error();
  }
  if (auto taken = take(frame.push, object, "push", mark, decode_push); !taken) {
    return taken.error();
  }
  if (auto taken = take(frame.pull, object, "pull", mark, decode_pull); !taken) {
    return taken.error();
  }
  return std::optional<ClientFrame>(std::move(frame));
}

namespace {

std::vector<std::string> read_scopes(Reader& reader, dom::object object, std::string_view key) {
  std::vector<std::string> scopes;
  const auto found = json::find(object, key);
  dom::array items;
  if (!found || found->get(items) != simdjson::SUCCESS) {
    reader.fail(key, "must be an array of scope ids");
    return scopes;
  }
  if (items.size() > limits::kScopesPerDevice) {
    reader.fail(key, fmt::format("holds more than {}", limits::kScopesPerDevice));
    return scopes;
  }
  for (const dom::element item : items) {
    std::string_view scope;
    if (item.get(scope) != simdjson::SUCCESS || (scope != "*" && !valid_scope_id(scope))) {
      reader.fail(key, "holds something that is not a scope id");
      break;
    }
    scopes.emplace_back(scope);
  }
  return scopes;
}

std::optional<StandingSeen> read_standing(Reader& reader) {
  const auto was = reader.object("was");
  if (!was) return std::nullopt;
  Reader inside(*was, "was", reader.mark());
  StandingSeen seen;
  seen.state = inside.text("state", limits::kNameBytes, true);
  const auto wipe = json::find(*was, "wipe");
  if (wipe && !wipe->is_null()) seen.wipe_ms = inside.integer("wipe", 1, true);
  if (!inside.problem().empty()) reader.fail("was", inside.problem());
  return seen;
}

}  // namespace

Result<EnrollBody> decode_enroll(std::string_view bytes) {
  return decode_body<EnrollBody>(bytes, [](Reader& reader, dom::object) {
    EnrollBody body;
    body.code = reader.text("code", 64, true);
    body.request = reader.text("request", 256, true);
    if (body.request.size() < 16) reader.fail("request", "must have at least 16 characters");
    body.name = reader.label("name", limits::kDeviceNameBytes);
    body.app = reader.label("app", limits::kAppBytes);
    return body;
  });
}

Result<CodeBody> decode_code_request(std::string_view bytes) {
  return decode_body<CodeBody>(bytes, [](Reader& reader, dom::object object) {
    constexpr std::int64_t kMostUses = 10'000;
    constexpr std::int64_t kLongestS = 366 * 86'400;
    CodeBody body;
    body.replaces = reader.text("replaces", limits::kNameBytes, false);
    if (body.replaces.empty()) {
      body.scopes = read_scopes(reader, object, "scopes");
      if (body.scopes.empty()) reader.fail("scopes", "must name at least one");
      body.role = read_role(reader, false);
    } else {
      for (const char* key : {"scopes", "role"}) {
        if (json::find(object, key)) {
          reader.fail(key, "comes from the device that is replaced");
        }
      }
    }
    body.name = reader.label("name", limits::kDeviceNameBytes);
    const std::int64_t uses = reader.integer("uses", 1, false, 1);
    if (uses > kMostUses) reader.fail("uses", fmt::format("must be at most {}", kMostUses));
    if (uses != 1 && !body.replaces.empty()) reader.fail("uses", "must be 1 to replace a device");
    body.uses = static_cast<std::uint64_t>(uses);
    body.expires_s = reader.integer("expires_s", 1, false, 86'400);
    if (body.expires_s > kLongestS) reader.fail("expires_s", "must be within a year");
    return body;
  });
}

Result<ScopesBody> decode_scopes_request(std::string_view bytes) {
  return decode_body<ScopesBody>(bytes, [](Reader& reader, dom::object object) {
    ScopesBody body;
    body.scopes = read_scopes(reader, object, "scopes");
    if (reader.has("was")) body.was = read_scopes(reader, object, "was");
    return body;
  });
}

Result<RoleBody> decode_role_request(std::string_view bytes) {
  return decode_body<RoleBody>(bytes, [](Reader& reader, dom::object) {
    RoleBody body;
    body.role = read_role(reader, true);
    if (reader.has("was")) body.was = reader.text("was", limits::kNameBytes, true);
    return body;
  });
}

Result<std::optional<StandingSeen>> decode_standing_request(std::string_view bytes) {
  using Seen = std::optional<StandingSeen>;
  if (bytes.empty()) return Seen();
  return decode_body<Seen>(bytes,
                           [](Reader& reader, dom::object) { return read_standing(reader); });
}

Result<WipeBody> decode_wipe_request(std::string_view bytes) {
  if (bytes.empty()) return WipeBody();
  return decode_body<WipeBody>(bytes, [](Reader& reader, dom::object) {
    WipeBody body;
    body.now = reader.flag("now").value_or(false);
    body.was = read_standing(reader);
    return body;
  });
}

Result<std::string> decode_backup_request(std::string_view bytes) {
  return decode_body<std::string>(bytes, [](Reader& reader, dom::object) {
    return reader.text("to", limits::kPathBytes, true);
  });
}

std::optional<EditKind> edit_kind(std::string_view member) {
  for (const EditGroup& group : kEditGroups) {
    if (group.key == member) return group.kind;
  }
  return std::nullopt;
}

std::string_view member_of(EditKind kind) {
  for (const EditGroup& group : kEditGroups) {
    if (group.kind == kind) return group.key;
  }
  WS_CHECK(false);
}

std::optional<Seq> seq_of_verdict(std::string_view verdict) {
  auto document = json::parse(verdict);
  dom::object object;
  if (!document || document->root.get(object) != simdjson::SUCCESS) return std::nullopt;
  const auto found = json::find(object, "seq");
  return found ? json::integer(*found) : std::nullopt;
}

std::optional<std::int64_t> leased_of_verdict(std::string_view verdict) {
  auto document = json::parse(verdict);
  dom::object object;
  if (!document || document->root.get(object) != simdjson::SUCCESS) return std::nullopt;
  const auto found = json::find(object, "leased");
  dom::object leased;
  if (!found || found->get(leased) != simdjson::SUCCESS || leased.size() != 1) return std::nullopt;
  return json::integer((*leased.begin()).value);
}

Result<std::optional<Push>> decode_handover(
    std::string_view bytes, const std::function<bool(const HandoverOutline&)>& admit) {
  auto document = json::parse(bytes);
  if (!document) return document.error();
  const json::SurrogateMark& mark = document->mark;
  dom::object object;
  if (document->root.get(object) != simdjson::SUCCESS) {
    return Error{Code::kJsonInvalid, "the body is a JSON object"};
  }
  Reader reader(object, "body", mark);
  HandoverOutline outline;
  outline.device = reader.text("device", limits::kNameBytes, true);
  outline.mac = reader.text("mac", limits::kNameBytes, true);
  if (!reader.problem().empty()) return Error{Code::kMessageInvalid, reader.problem()};
  const auto ops = json::find(object, "ops");
  dom::array items;
  if (!ops || ops->get(items) != simdjson::SUCCESS) return invalid("body.ops", "must be an array");
  outline.ops = items.size();
  outline.text = R"({"device":)";
  append_json_string(outline.text, outline.device);
  outline.text += R"(,"ops":)";
  if (auto none = json::append_canonical(outline.text, *ops, limits::kOpDepth + 1, mark)) {
    return Error{none->code, none->detail};
  }
  outline.text += '}';
  if (!admit(outline)) return std::optional<Push>();
  auto push = decode_push(object, mark);
  if (!push) return push.error();
  return std::optional<Push>(std::move(*push));
}

Result<Op> decode_op(std::string_view json) {
  auto document = json::parse(json);
  if (!document) return document.error();
  return decode_op_element(document->root, "op", document->mark);
}

}  // namespace waystation
