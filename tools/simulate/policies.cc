#include "tools/simulate/policies.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

namespace waystation::simulate {
namespace {

std::string quoted_list(const std::vector<std::string>& words) {
  return fmt::format("[\"{}\"]", fmt::join(words, "\",\""));
}

std::vector<std::string> some(Random& random, const std::vector<std::string>& all,
                              std::uint64_t per_mille) {
  std::vector<std::string> chosen;
  for (const std::string& one : all) {
    if (random.chance(per_mille)) chosen.push_back(one);
  }
  if (chosen.empty()) chosen.push_back(random.pick(all));
  return chosen;
}

constexpr std::string_view kNothing = R"({"read":"none","write":"none"})";

struct Rule {
  std::string text;
  bool reads_all = true;
};

// `key`: the fields that make up the id, which cannot be hidden.
Rule draw_rule(Random& random, const std::vector<std::string>& fields,
               const std::vector<std::string>& key) {
  static const std::vector<std::string> kDeeds{"set",    "inc",    "add",    "remove", "append",
                                               "grant",  "lease",  "spend",  "return", "reclaim",
                                               "settle", "reopen", "create", "delete"};
  std::string read = "\"all\"";
  std::vector<std::string> hidden;
  bool seen = true;
  if (random.chance(100)) {
    read = "\"none\"";
    seen = false;
  } else if (random.chance(300)) {
    hidden = some(random, fields, 250);
    std::erase_if(hidden, [&](const std::string& field) {
      return std::find(key.begin(), key.end(), field) != key.end();
    });
  }
  if (!hidden.empty()) {
    read = fmt::format(R"({{"all_but":{}}})", quoted_list(hidden));
  }
  std::string write = "\"all\"";
  if (!seen || !hidden.empty()) {
    // What is not read is not written either: a policy that says otherwise does not load.
    std::vector<std::string> shown;
    for (const std::string& field : fields) {
      const bool is_hidden = std::find(hidden.begin(), hidden.end(), field) != hidden.end();
      if (seen && !is_hidden) shown.push_back(field);
    }
    write = shown.empty() ? "\"none\""
                          : fmt::format(R"({{"fields":{},"does":["create","set","inc","add"]}})",
                                        quoted_list(shown));
  } else if (random.chance(100)) {
    write = "\"none\"";
  } else if (random.chance(150)) {
    write = fmt::format(R"({{"fields":{}}})", quoted_list(some(random, fields, 700)));
  } else if (random.chance(150)) {
    write = fmt::format(R"({{"does":{}}})", quoted_list(some(random, kDeeds, 700)));
  }
  return {fmt::format(R"({{"read":{},"write":{}}})", read, write), seen && hidden.empty()};
}

}  // namespace

std::string draw_policy(Random& random, const SchemaSets& schemas) {
  std::string roles;
  for (const std::string_view role : kRoles) {
    const bool office = role == kRoleOffice;
    const bool sees = office || random.chance(850);
    const bool writes = sees && (office || random.chance(850));
    std::map<std::string, std::string> rules;
    bool reads_all = sees;
    for (const auto& [name, collection] : schemas.first->collections()) {
      const Collection* newest = schemas.newest->find(name);
      if (office || newest == nullptr || random.chance(300)) continue;
      // By the oldest names: a rule follows a field to what it is called later.
      std::vector<std::string> fields;
      for (const FieldSpec& field : collection.fields) fields.push_back(field.name);
      const Rule rule = draw_rule(random, fields, newest->key);
      reads_all = reads_all && rule.reads_all;
      rules[name] = rule.text;
    }
    // What the server writes about others' records is for who reads those.
    if (!reads_all) {
      for (const char* tale : {"duplicate", "ledger"}) rules[tale] = kNothing;
    }
    std::string collections;
    for (const auto& [name, rule] : rules) {
      collections += fmt::format("{}\"{}\":{}", collections.empty() ? "" : ",", name, rule);
    }
    roles += fmt::format(R"({}"{}":{{"title":{{"zh":"样","en":"Sample"}},"system":{},)"
                         R"("others":{{"read":"{}","write":"{}"}},"collections":{{{}}}}})",
                         roles.empty() ? "" : ",", role, office || random.chance(300),
                         sees ? "all" : "none", writes ? "all" : "none", collections);
  }
  return fmt::format(R"({{"version":1,"roles":{{{}}}}})", roles);
}

std::shared_ptr<const Policy> policy_for(const std::string& text, const Schemas& schemas) {
  auto policy = Policy::parse(SchemaFile{"a drawn policy", text}, schemas);
  WS_CHECK(policy.ok());
  return std::make_shared<const Policy>(std::move(*policy));
}

}  // namespace waystation::simulate
