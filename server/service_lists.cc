// What is read over HTTP: records, their history, conflicts, the quarantine, and why somebody may
// read what. Everybody sees what the policy shows to their role; a device, of that, what lies in
// its scopes.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "server/query_number.h"
#include "server/service.h"
#include "storage/access.h"
#include "storage/review.h"
#include "sync/bytes.h"
#include "sync/device_id.h"
#include "sync/digest.h"
#include "sync/limits.h"
#include "sync/personal.h"

namespace waystation {
namespace {

constexpr std::size_t kPolicyVersionDigits = 24;  // told apart by anybody who changes a file

std::string query_text(const ApiRequest& request, const std::string& key) {
  const auto at = request.query.find(key);
  return at == request.query.end() ? std::string() : at->second;
}

std::size_t query_limit(const ApiRequest& request) {
  const std::string text = query_text(request, "limit");
  std::size_t limit = 100;
  std::from_chars(text.data(), text.data() + text.size(), limit);
  return std::clamp<std::size_t>(limit, 1, limits::kPageRecords);
}

bool query_flag(const ApiRequest& request, const std::string& key) {
  const std::string text = query_text(request, key);
  return text == "1" || text == "true";
}

// Whether a list names people, by the schemas; a list of all collections does.
bool holds_personal_data(const Schemas& schemas, const std::string& coll) {
  const std::vector<Collection>* versions = schemas.versions(coll);
  return versions == nullptr ? coll.empty() : holds_personal(*versions);
}

ApiReply list_reply(std::string_view key, const Result<ListPage>& page) {
  if (!page) return problem(page.error());
  ApiReply reply;
  reply.body = fmt::format(R"({{"{}":[{}])", key, page->items);
  if (!page->next.empty()) reply.body += fmt::format(R"(,"next":"{}")", page->next);
  reply.body += '}';
  return reply;
}

std::optional<ConflictName> conflict_name(const ApiRequest& request) {
  ConflictName name;
  name.scope = query_text(request, "scope");
  name.coll = query_text(request, "coll");
  name.id = query_text(request, "id");
  name.field = query_text(request, "field");
  const auto by = parse_writer_id(query_text(request, "by"));
  const auto n = query_number(request, "n");
  const auto part = query_text(request, "part").empty() ? 0 : query_number(request, "part");
  if (!valid_scope_id(name.scope) || !valid_name(name.coll) || !valid_record_id(name.id) ||
      !valid_name(name.field) || !by || !n || !part ||
      *part > std::numeric_limits<std::uint32_t>::max()) {
    return std::nullopt;
  }
  name.dot = Dot{*by, *n};
  name.part = static_cast<std::uint32_t>(*part);
  return name;
}

}  // namespace

Service::Lister Service::lister_of(std::string_view path) {
  if (path == "/v1/records") return &Service::records;
  if (path == "/v1/history") return &Service::history;
  if (path == "/v1/conflicts") return &Service::conflicts;
  if (path == "/v1/conflicts/show") return &Service::show_conflict;
  if (path == "/v1/quarantine") return &Service::quarantine;
  return nullptr;
}

bool Service::sees(const Caller& caller, std::string_view scope) const {
  return caller.is_device() ? store_->sees(*caller.account, scope)
                            : store_->policy().enters(caller.role, scope);
}

std::optional<Error> Service::wall(const Caller& caller, const std::string& scope) const {
  if (!sees(caller, scope)) return Error{Code::kScopeForbidden, ""};
  if (!store_->scopes().exists(scope)) return Error{Code::kScopeUnknown, ""};
  return std::nullopt;
}

std::optional<Error> Service::wall(const Caller& caller, const std::string& scope,
                                   const std::string& coll, const std::string& field) const {
  if (!scope.empty()) {
    if (auto error = wall(caller, scope)) return error;
  }
  if (coll.empty()) return std::nullopt;
  const Decision decision = store_->policy().may_read(caller.role, coll, field);
  if (decision.allowed) return std::nullopt;
  return Error{Code::kAccessDenied, fmt::format("the role \"{}\" does not read {}{}{}", caller.role,
                                                coll, field.empty() ? "" : ".", field)};
}

void Service::records(const ApiRequest& request, const Caller& caller, ApiDone done) {
  RecordQuery query;
  query.scope = query_text(request, "scope");
  query.coll = query_text(request, "coll");
  query.id = query_text(request, "id");
  query.after = query_text(request, "after");
  query.limit = query_limit(request);
  const bool follow = query_flag(request, "follow");
  const bool everywhere = query.scope.empty() && !query.coll.empty() && query.id.empty();
  if ((!everywhere && !valid_scope_id(query.scope)) ||
      (!query.coll.empty() && !valid_name(query.coll)) ||
      (!query.id.empty() && (query.coll.empty() || !valid_record_id(query.id))) ||
      (follow && query.id.empty())) {
    return done(problem(Error{Code::kMessageInvalid,
                              "scope or coll is required; id goes with both, follow with id"}));
  }
  if (const auto error = wall(caller, query.scope, query.coll, "")) return done(problem(*error));
  query.view = &store_->policy().view_of(caller.role);
  auto job = [this, query, follow, caller] {
    const auto allowed = [&](std::string_view scope) { return sees(caller, scope); };
    return list_reply("records", follow ? follow_record(*store_, schemas_, query)
                                        : list_records(*store_, query, allowed));
  };
  if (!caller.is_device() && query.id.empty() && holds_personal_data(schemas_, query.coll)) {
    const std::string on =
        (query.scope.empty() ? "*" : query.scope) + "/" + (query.coll.empty() ? "*" : query.coll);
    return read_in_bulk(caller, on, std::move(done), std::move(job));
  }
  read(std::move(done), std::move(job));
}

void Service::history(const ApiRequest& request, const Caller& caller, ApiDone done) {
  HistoryQuery query;
  query.scope = query_text(request, "scope");
  query.coll = query_text(request, "coll");
  query.id = query_text(request, "id");
  query.after = query_text(request, "after");
  query.limit = query_limit(request);
  if (!valid_scope_id(query.scope) || !valid_name(query.coll) || !valid_record_id(query.id)) {
    return done(problem(Error{Code::kMessageInvalid, "scope, coll and id are required"}));
  }
  if (const auto error = wall(caller, query.scope, query.coll, "")) return done(problem(*error));
  query.rule = &store_->policy().role(caller.role).rule(query.coll);
  read(std::move(done),
       [this, query] { return list_reply("history", list_history(*store_, schemas_, query)); });
}

void Service::conflicts(const ApiRequest& request, const Caller& caller, ApiDone done) {
  ConflictQuery query;
  query.scope = query_text(request, "scope");
  query.settled = query_flag(request, "settled");
  query.after = query_text(request, "after");
  query.limit = query_limit(request);
  if (!query.scope.empty()) {
    if (const auto error = wall(caller, query.scope)) return done(problem(*error));
  }
  query.view = &store_->policy().view_of(caller.role);
  auto job = [this, query, caller] {
    const auto allowed = [&](std::string_view scope) { return sees(caller, scope); };
    return list_reply("conflicts", list_conflicts(*store_, query, allowed));
  };
  if (!caller.is_device()) {
    const std::string on = (query.scope.empty() ? "*" : query.scope) + "/conflicts";
    return read_in_bulk(caller, on, std::move(done), std::move(job));
  }
  read(std::move(done), std::move(job));
}

void Service::show_conflict(const ApiRequest& request, const Caller& caller, ApiDone done) {
  const auto name = conflict_name(request);
  if (!name) {
    return done(problem(
        Error{Code::kMessageInvalid, "scope, coll, id, field, by and n are required; part is 0"}));
  }
  if (const auto error = wall(caller, name->scope, name->coll, name->field)) {
    return done(problem(*error));
  }
  read(std::move(done), [this, name = *name] {
    auto text = waystation::show_conflict(*store_, schemas_, name);
    return text ? ApiReply{200, std::move(*text), false, 0} : problem(text.error());
  });
}

void Service::quarantine(const ApiRequest& request, const Caller& caller, ApiDone done) {
  QuarantineQuery query;
  query.after = query_text(request, "after");
  query.limit = query_limit(request);
  const std::string device = query_text(request, "device");
  if (!device.empty()) {
    query.device = parse_device_id(device);
    if (!query.device)
      return done(problem(Error{Code::kMessageInvalid, "device: not a device id"}));
  }
  if (!caller.is_device()) {
    // Of others' ops a role is told what it may read of records.
    const Role& role = store_->policy().role(caller.role);
    if (!role.system) {
      return done(problem(Error{Code::kAccessDenied, "the quarantine is the office's"}));
    }
    if (!store_->policy().view_of(caller.role).whole()) query.role = &role;
  } else {
    if (query.device && *query.device != caller.account->device) {
      return done(problem(Error{Code::kAuthForbidden, "a device sees its own quarantine"}));
    }
    query.device = caller.account->device;
  }
  auto job = [this, query] { return list_reply("quarantine", list_quarantine(*store_, query)); };
  if (!caller.is_device()) {
    const std::string on = (device.empty() ? "*" : device) + "/quarantine";
    return read_in_bulk(caller, on, std::move(done), std::move(job));
  }
  read(std::move(done), std::move(job));
}

void Service::access(const ApiRequest& request, ApiDone done) {
  AccessQuery query;
  query.scope = query_text(request, "scope");
  query.coll = query_text(request, "coll");
  query.id = query_text(request, "id");
  const auto device = parse_device_id(query_text(request, "device"));
  if (!device || !valid_scope_id(query.scope) || !valid_name(query.coll) ||
      !valid_record_id(query.id)) {
    return done(problem(Error{Code::kMessageInvalid, "device, scope, coll and id are required"}));
  }
  query.device = *device;
  read(std::move(done), [this, query] {
    auto text = explain_access(*store_, schemas_, query);
    return text ? ApiReply{200, std::move(*text), false, 0} : problem(text.error());
  });
}

// What the server goes by, which need not be what the pages were built with.
void Service::policy(const Caller& caller, const ApiDone& done) const {
  if (caller.is_device()) {
    return done(problem(Error{Code::kAuthForbidden, "the policy is for people of the office"}));
  }
  const std::string& document = store_->policy().document();
  const std::string version = hex_of(sha256(document)).substr(0, kPolicyVersionDigits);
  done(ApiReply{200, fmt::format(R"({{"version":"{}","policy":{}}})", version, document)});
}

}  // namespace waystation
