#include "storage/access.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "storage/codec.h"
#include "storage/keys.h"
#include "sync/canonical.h"
#include "sync/device_id.h"
#include "sync/wire.h"

namespace waystation {
namespace {

std::string text_of(const Decision& decision, const std::vector<std::string_view>* does = nullptr) {
  std::string out = fmt::format(R"({{"allowed":{},"reason":)", decision.allowed);
  append_json_string(out, decision.reason);
  if (does != nullptr) {
    out += ",\"does\":";
    append_string_array(out, {does->begin(), does->end()});
  }
  return out + '}';
}

std::vector<std::string_view> words_for(MergeType merge) {
  switch (merge) {
    case MergeType::kRegister: return {"set", "settle", "reopen"};
    case MergeType::kCounter: return {"inc", "settle", "reopen"};
    case MergeType::kSet: return {"add", "remove", "settle", "reopen"};
    case MergeType::kLog: return {"append", "settle", "reopen"};
    case MergeType::kQuota: return {"grant", "lease", "spend", "return", "reclaim"};
  }
  WS_CHECK(false);
}

class Explanation {
 public:
  Explanation(const Store& store, const Collection& collection, const Account& account,
              const AccessQuery& query)
      : policy_(store.policy()),
        collection_(collection),
        account_(account),
        query_(query),
        scope_(of_scope()) {}

  std::string text(const std::optional<Record>& record) const {
    std::string out = fmt::format(R"({{"device":"{}","name":)", format_device_id(account_.device));
    append_json_string(out, account_.name);
    out += ",\"role\":";
    append_json_string(out, account_.role());
    out += ",\"earlier\":[";
    bool first = true;
    for (const RoleTerm& term : account_.roles) {
      if (term.left == 0) continue;
      out += first ? "{\"role\":" : ",{\"role\":";
      append_json_string(out, term.role);
      out += fmt::format(R"(,"until":{}}})", term.left_ms);
      first = false;
    }
    const bool exists = record && record->exists();
    out += fmt::format(R"(],"scope":"{}","coll":"{}","id":"{}","exists":{},"read":{},"write":{},)",
                       query_.scope, query_.coll, query_.id, exists, text_of(read("")),
                       text_of(any_write()));
    out += fmt::format(R"("delete":{},"fields":[)", text_of(erase()));
    first = true;
    for (const FieldSpec& spec : collection_.fields) append_field(out, first, spec.name, &spec);
    if (exists) {
      for (const Field& field : record->fields) {
        if (collection_.field(field.name) == nullptr) {
          append_field(out, first, field.name, nullptr);
        }
      }
    }
    return out + "]}";
  }

 private:
  Decision of_scope() const {
    if (account_.closed()) return {false, "refused because the device is shut out"};
    if (!account_.active()) return {false, "refused because the office has ended its work"};
    if (!account_.holds(query_.scope)) {
      return {false,
              fmt::format("refused because the device does not hold scope {}", query_.scope)};
    }
    if (!policy_.enters(account_.role(), query_.scope)) {
      return {false, fmt::format("refused because of /roles/{}/system: the role does not enter "
                                 "scopes of the system",
                                 account_.role())};
    }
    return {true, ""};
  }

  Decision read(std::string_view field) const {
    return scope_.allowed ? policy_.may_read(account_.role(), query_.coll, field) : scope_;
  }

  Decision write(std::string_view field, std::string_view word) const {
    const auto one = deed(word);
    WS_CHECK(one.has_value());
    return scope_.allowed ? policy_.may_write(account_.role(), query_.coll, field, *one) : scope_;
  }

  // Of the record as a whole: whether there is anything that the role may write.
  Decision any_write() const {
    Decision last = scope_;
    for (const FieldSpec& spec : collection_.fields) {
      std::vector<std::string_view> does;
      last = write_field(spec.name, &spec, does);
      if (last.allowed) return last;
    }
    return last;
  }

  Decision erase() const {
    if (!collection_.deletable) {
      return {false, "refused because records of this collection are not deleted"};
    }
    return write("", "delete");
  }

  Decision write_field(std::string_view name, const FieldSpec* spec,
                       std::vector<std::string_view>& does) const {
    if (spec != nullptr && spec->by_server) {
      return {false, "refused because only the server writes this field"};
    }
    Decision decision;
    for (const std::string_view word :
         words_for(spec == nullptr ? MergeType::kRegister : spec->merge)) {
      Decision one = write(name, word);
      if (one.allowed) does.push_back(word);
      if (decision.reason.empty() || (one.allowed && !decision.allowed)) decision = std::move(one);
    }
    return decision;
  }

  void append_field(std::string& out, bool& first, std::string_view name,
                    const FieldSpec* spec) const {
    out += first ? "{\"field\":" : ",{\"field\":";
    first = false;
    append_json_string(out, name);
    std::vector<std::string_view> does;
    const Decision written = write_field(name, spec, does);
    out += fmt::format(R"(,"read":{},"write":{}}})", text_of(read(name)), text_of(written, &does));
  }

  const Policy& policy_;
  const Collection& collection_;
  const Account& account_;
  const AccessQuery& query_;
  Decision scope_;
};

}  // namespace

Result<std::string> explain_access(const Store& store, const Schemas& schemas,
                                   const AccessQuery& query) {
  const AccountPtr account = store.accounts().find(query.device);
  if (account == nullptr) return Error{Code::kHttpNotFound, "no such device"};
  const Collection* collection = schemas.find(query.coll);
  if (collection == nullptr) {
    return Error{Code::kCollectionUnknown,
                 fmt::format("there is no collection \"{}\"", query.coll)};
  }
  std::string bytes;
  const auto found =
      store.kv().get(Column::kRecords, keys::record(query.scope, query.coll, query.id), bytes);
  if (!found) return found.error();
  std::optional<Record> record;
  if (*found) {
    auto decoded = decode_record(bytes);
    if (!decoded) return decoded.error();
    record = std::move(*decoded);
  }
  return Explanation(store, *collection, *account, query).text(record);
}

}  // namespace waystation
