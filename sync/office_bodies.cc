#include "sync/office_bodies.h"

#include <algorithm>

#include "sync/body_reader.h"
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

}  // namespace waystation
