// Lists that people of the office sort, filter, search and leaf through: GET /v1/lists/{coll}.
// docs/protocol.md, "Lists".
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "server/service.h"
#include "sync/limits.h"
#include "sync/personal.h"
#include "sync/wire.h"

namespace waystation {
namespace {

constexpr std::string_view kLists = "/v1/lists/";
constexpr std::int64_t kComeBackMs = 1000;

Error invalid(std::string_view key, std::string_view reason) {
  return Error{Code::kMessageInvalid, fmt::format("{}: {}", key, reason)};
}

// A whole number of at least 0 into `into`.
Status take_number(std::string_view key, const std::string& text, std::size_t& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  if (error != std::errc() || end != text.data() + text.size()) return invalid(key, "no number");
  return {};
}

std::size_t points(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

Status take_scope(std::string_view key, const std::string& text, std::string& into) {
  if (!valid_scope_id(text)) return invalid(key, "no scope id");
  into = text;
  return {};
}

// "field", "field.from" or "field.to".
Status take_filter(const std::string& key, const std::string& value, ListQuery& query) {
  ListFilter filter;
  filter.value = value;
  const std::size_t dot = key.find('.');
  filter.field = key.substr(0, dot);
  const std::string_view range =
      dot == std::string::npos ? std::string_view() : std::string_view(key).substr(dot + 1);
  if (range == "from") filter.kind = ListFilter::Kind::kFrom;
  if (range == "to") filter.kind = ListFilter::Kind::kTo;
  if (!valid_name(filter.field) ||
      (dot != std::string::npos && filter.kind == ListFilter::Kind::kEquals)) {
    return Error{Code::kListField, "a filter is the name of a field, or of one with .from or .to"};
  }
  if (query.filters.size() >= limits::kListFilters) {
    return invalid("filters", fmt::format("at most {}", limits::kListFilters));
  }
  if (value.size() > limits::kStringBytes) return invalid(filter.field, "is too long");
  query.filters.push_back(std::move(filter));
  return {};
}

Status take_member(const std::string& key, const std::string& value, ListAsk& ask) {
  ListQuery& query = ask.query;
  if (key == "offset") return take_number(key, value, query.offset);
  if (key == "limit") {
    auto taken = take_number(key, value, query.limit);
    query.limit = std::clamp<std::size_t>(query.limit, 1, limits::kListRows);
    return taken;
  }
  if (key == "scope") return take_scope(key, value, query.scope);
  if (key == "under") return take_scope(key, value, ask.under);
  if (key == "deleted") {
    query.deleted = value == "1" || value == "true";
    return {};
  }
  if (key == "q") {
    if (points(value) > limits::kListQueryPoints) {
      return invalid(key, fmt::format("at most {} characters", limits::kListQueryPoints));
    }
    query.text = value;
    return {};
  }
  if (key == "sort") {
    query.descending = value.starts_with('-');
    query.sort = value.substr(query.descending ? 1 : 0);
    if (!valid_name(query.sort)) return Error{Code::kListField, "sort: no name of a field"};
    return {};
  }
  return take_filter(key, value, query);
}

}  // namespace

bool Service::is_table_path(std::string_view path) { return path.starts_with(kLists); }

ApiReply Service::table_reply(const Result<ListReply>& reply) const {
  if (!reply) return problem(reply.error());
  if (!reply->text.empty()) return ApiReply{200, reply->text, false, 0};
  ApiReply warming = problem_with(Error{Code::kListWarming, "it is read once after a start"},
                                  fmt::format(R"("done":{:.2f})", std::min(reply->done, 0.99)));
  warming.retry_after_ms = kComeBackMs;
  return warming;
}

void Service::table(const ApiRequest& request, const Caller& caller, ApiDone done) {
  if (caller.is_device()) {
    return done(problem(Error{Code::kAuthForbidden, "lists are for people of the office"}));
  }
  ListAsk ask;
  ask.query.coll = request.path.substr(kLists.size());
  if (!valid_name(ask.query.coll)) return done(problem(Error{Code::kHttpNotFound, request.path}));
  for (const auto& [key, value] : request.query) {
    if (auto taken = take_member(key, value, ask); !taken) return done(problem(taken.error()));
  }
  for (const std::string& scope : {ask.query.scope, ask.under}) {
    if (scope.empty()) continue;
    if (const auto error = wall(caller, scope)) return done(problem(*error));
  }
  if (const auto error = wall(caller, "", ask.query.coll, "")) return done(problem(*error));
  ask.view = &store_->policy().view_of(caller.role);
  ask.allowed = [this, caller](std::string_view scope) { return sees(caller, scope); };
  const auto looked = lists_->look(ask.query.coll);
  if (!looked || looked->done < 1) return done(table_reply(looked));
  auto job = [this, ask] { return table_reply(lists_->ask(ask)); };
  const std::vector<Collection>* versions = schemas_.versions(ask.query.coll);
  if (versions == nullptr || !holds_personal(*versions)) return read(std::move(done), job);
  const std::string on = (ask.query.scope.empty() ? "*" : ask.query.scope) + "/" + ask.query.coll;
  read_in_bulk(caller, on, std::move(done), std::move(job));
}

}  // namespace waystation
