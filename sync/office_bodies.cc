#include "sync/office_bodies.h"

#include <algorithm>
#include <array>

#include "sync/body_reader.h"
#include "sync/canonical.h"
#include "sync/limits.h"
#include "sync/wire.h"

namespace waystation {
namespace {

using json::BodyReader;
using json::decode_body;

std::optional<std::string> given(BodyReader& reader, std::string_view key, std::size_t most) {
  if (!reader.has(key)) return std::nullopt;
  return reader.text(key, most, true);
}

AccountSeen read_seen_account(BodyReader& reader) {
  AccountSeen seen;
  const auto was = reader.object("was");
  if (!was) return seen;
  BodyReader inside(*was, "was", reader.mark());
  seen.display = given(inside, "display", limits::kDeviceNameBytes);
  seen.role = given(inside, "role", limits::kNameBytes);
  seen.disabled = inside.flag("disabled");
  if (!inside.problem().empty()) reader.fail("was", inside.problem());
  return seen;
}

// What an op says of its author's device: here the server says it.
constexpr std::array kGivenByServer{std::string_view("n"), std::string_view("wall"),
                                    std::string_view("mono"), std::string_view("boot"),
                                    std::string_view("lost")};

// Its text has a canonical form.
PersonEdit read_edit(BodyReader& reader, json::dom::object object,
                     const json::SurrogateMark& mark) {
  PersonEdit edit;
  edit.scope = reader.text("scope", 256, true);
  edit.coll = reader.text("coll", 256, true);
  edit.id = reader.text("id", 4096, true);
  if (reader.has("if_seq")) edit.if_seq = reader.integer("if_seq", 0, true);
  edit.has_schema = reader.has("schema");
  edit.has_base = reader.has("base");
  for (const auto member : object) {
    if (std::find(kGivenByServer.begin(), kGivenByServer.end(), member.key) !=
        kGivenByServer.end()) {
      reader.fail(member.key, "is given by the server");
    }
    if (member.key == "if_seq") continue;
    if (!edit.members.empty()) edit.members += ',';
    append_json_string(edit.members, member.key);
    edit.members += ':';
    WS_CHECK(!json::append_canonical(edit.members, member.value, limits::kOpDepth, mark));
  }
  return edit;
}

ExpectedRecord read_expected(BodyReader& reader) {
  ExpectedRecord record;
  record.scope = reader.text("scope", limits::kScopeIdBytes, true);
  record.coll = reader.text("coll", limits::kNameBytes, true);
  record.id = reader.text("id", limits::kRecordIdBytes, true);
  record.seq = reader.integer("if_seq", 0, true);
  if (!valid_scope_id(record.scope)) reader.fail("scope", "is no scope id");
  if (!valid_name(record.coll)) reader.fail("coll", "is no name of a collection");
  if (!valid_record_id(record.id)) reader.fail("id", "is no record id");
  return record;
}

// "expect": may be left out. What it says is part of what was asked for.
Status read_expectations(json::dom::object object, const json::SurrogateMark& mark,
                         EditsBody& body) {
  const auto expect = json::find(object, "expect");
  if (!expect) return {};
  json::dom::array items;
  if (expect->get(items) != simdjson::SUCCESS || items.size() > limits::kEditsPerRequest) {
    return Error{Code::kMessageInvalid, fmt::format("body.expect must be an array of at most {}",
                                                    limits::kEditsPerRequest)};
  }
  if (auto none = json::append_canonical(body.text, *expect, limits::kOpDepth + 1, mark)) {
    return Error{none->code, none->detail};
  }
  for (const json::dom::element item : items) {
    json::dom::object record;
    const std::string path = fmt::format("body.expect[{}]", body.expected.size());
    if (item.get(record) != simdjson::SUCCESS) {
      return Error{Code::kMessageInvalid, path + ": must be an object"};
    }
    BodyReader inside(record, path, mark);
    body.expected.push_back(read_expected(inside));
    if (!inside.problem().empty()) return Error{Code::kMessageInvalid, inside.problem()};
  }
  return {};
}

}  // namespace

std::optional<std::string> login_name(std::string_view typed) {
  if (typed.empty() || typed.size() > limits::kOfficeNameBytes) return std::nullopt;
  std::string name(typed);
  for (char& c : name) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '/' || c == 0x7F) return std::nullopt;
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

Result<SignInBody> decode_sign_in(std::string_view bytes) {
  return decode_body<SignInBody>(bytes, [](BodyReader& reader, json::dom::object) {
    SignInBody body;
    body.name = reader.text("name", limits::kOfficeNameBytes, true);
    body.password = reader.text("password", limits::kPasswordBytes, true);
    body.code = reader.text("code", 64, false);
    return body;
  });
}

Result<SetupBody> decode_setup(std::string_view bytes) {
  return decode_body<SetupBody>(bytes, [](BodyReader& reader, json::dom::object) {
    SetupBody body;
    body.secret = reader.text("secret", 256, true);
    body.password = reader.text("password", limits::kPasswordBytes, true);
    body.name = reader.text("name", limits::kOfficeNameBytes, false);
    body.display = reader.text("display", limits::kDeviceNameBytes, false);
    return body;
  });
}

Result<PasswordBody> decode_password_change(std::string_view bytes) {
  return decode_body<PasswordBody>(bytes, [](BodyReader& reader, json::dom::object) {
    PasswordBody body;
    body.password = reader.text("password", limits::kPasswordBytes, true);
    body.new_password = reader.text("new_password", limits::kPasswordBytes, true);
    return body;
  });
}

Result<SecondFactorBody> decode_second_factor(std::string_view bytes) {
  return decode_body<SecondFactorBody>(bytes, [](BodyReader& reader, json::dom::object) {
    SecondFactorBody body;
    body.password = reader.text("password", limits::kPasswordBytes, false);
    body.code = reader.text("code", 64, false);
    return body;
  });
}

Result<AccountBody> decode_account_body(std::string_view bytes) {
  return decode_body<AccountBody>(bytes, [](BodyReader& reader, json::dom::object) {
    AccountBody body;
    body.name = given(reader, "name", limits::kOfficeNameBytes);
    body.display = given(reader, "display", limits::kDeviceNameBytes);
    body.role = given(reader, "role", limits::kNameBytes);
    body.disabled = reader.flag("disabled");
    body.was = read_seen_account(reader);
    return body;
  });
}

Result<ExportBody> decode_export_note(std::string_view bytes) {
  return decode_body<ExportBody>(bytes, [](BodyReader& reader, json::dom::object) {
    ExportBody body;
    body.coll = reader.text("coll", limits::kNameBytes, true);
    if (!valid_name(body.coll)) reader.fail("coll", "is no name of a collection");
    body.scope = reader.text("scope", limits::kScopeIdBytes, false);
    if (!body.scope.empty() && !valid_scope_id(body.scope)) reader.fail("scope", "is no scope id");
    return body;
  });
}

Result<EditsBody> decode_edits(std::string_view bytes) {
  auto document = json::parse(bytes);
  if (!document) return document.error();
  const json::SurrogateMark& mark = document->mark;
  json::dom::object object;
  if (document->root.get(object) != simdjson::SUCCESS) {
    return Error{Code::kJsonInvalid, "the body is a JSON object"};
  }
  BodyReader reader(object, "body", mark);
  EditsBody body;
  body.request = reader.text("request", limits::kRequestNameBytes, true);
  if (body.request.size() < limits::kRequestNameLeastBytes) {
    reader.fail("request",
                fmt::format("must have at least {} characters", limits::kRequestNameLeastBytes));
  }
  const auto ops = json::find(object, "ops");
  json::dom::array items;
  if (!ops || ops->get(items) != simdjson::SUCCESS || items.size() == 0) {
    reader.fail("ops", "must be a filled array");
  }
  if (!reader.problem().empty()) return Error{Code::kMessageInvalid, reader.problem()};
  if (items.size() > limits::kEditsPerRequest) {
    return Error{Code::kPushTooManyOps,
                 fmt::format("at most {} edits at once", limits::kEditsPerRequest)};
  }
  if (auto none = json::append_canonical(body.text, *ops, limits::kOpDepth + 1, mark)) {
    return Error{none->code, none->detail};
  }
  for (const json::dom::element item : items) {
    json::dom::object op;
    const std::string path = fmt::format("body.ops[{}]", body.edits.size());
    if (item.get(op) != simdjson::SUCCESS) {
      return Error{Code::kMessageInvalid, path + ": an op is an object"};
    }
    BodyReader inside(op, path, mark);
    body.edits.push_back(read_edit(inside, op, mark));
    if (!inside.problem().empty()) return Error{Code::kMessageInvalid, inside.problem()};
  }
  if (auto read = read_expectations(object, mark, body); !read) return read.error();
  return body;
}

}  // namespace waystation
