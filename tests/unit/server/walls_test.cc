// Roles × collections × ways out: through every door somebody sees of every collection what the
// shipped policy says for their role, and nothing else. What it says is read here from its text.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "server/service.h"
#include "storage/memory_kv.h"
#include "storage/schema_files.h"
#include "sync/device_id.h"
#include "sync/digest.h"
#include "tests/support/json.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

using Json = nlohmann::json;
using Fields = std::set<std::string>;

constexpr char kAdmin[] = "admin";

// What a role sees of a collection; nothing: no record of it.
std::optional<Fields> shown(const Json& policy, const std::string& role, const std::string& coll,
                            const Fields& all) {
  const Json& rules = policy["roles"][role];
  const Json& rule =
      rules["collections"].contains(coll) ? rules["collections"][coll] : rules["others"];
  if (rule["read"] == "none") return std::nullopt;
  Fields fields = all;
  if (rule["read"].is_object()) {
    for (const auto& hidden : rule["read"]["all_but"]) fields.erase(hidden.get<std::string>());
  }
  return fields;
}

Fields names_in(const Json& object) {
  Fields names;
  for (const auto& [name, value] : object.items()) names.insert(name);
  return names;
}

struct Listener final : LiveSink {
  void deliver(Frame frame, std::uint64_t) override { heard.push_back(*frame); }
  void shut_out(Code /*why*/) override {}
  std::vector<std::string> heard;
};

class Walls : public ::testing::Test {
 protected:
  Walls() {
    Surroundings around;
    around.now_ms = [this] { return now += 1000; };
    around.threads = Threads::kStepped;
    around.schemas = std::make_shared<const Schemas>(schemas());
    Config config;
    config.schemas = WS_SOURCE_DIR "/schemas";
    auto opened = Service::over(std::make_unique<MemoryKv>(), config, kAdmin, std::move(around));
    service = std::move(*opened);
    office = enroll({"*"}, "office");
    other = enroll({"*"}, "office");
    for (const std::string_view role : kRoles) {
      Phone phone = enroll({"*"}, std::string(role));
      go_live(phone);
      phones.emplace(role, std::move(phone));
    }
    fill();
  }

  struct Phone {
    std::string device;
    std::string token;
    std::uint64_t n = 0;
    std::shared_ptr<Listener> listener = std::make_shared<Listener>();
    [[nodiscard]] std::string bearer() const { return device + "." + token; }
  };

  void go_live(const Phone& phone) {
    const auto id = service->fanout().attach(phone.listener, *parse_device_id(phone.device));
    service->fanout().go_live(id, *service->store().position(), 1);
  }

  void run() {
    while (service->step_writer() || service->step_reader()) {
    }
  }

  Json call(const std::string& method, const std::string& path,
            const std::map<std::string, std::string>& query, const std::string& bearer,
            const Json& body = nullptr) {
    std::optional<ApiReply> reply;
    service->api({method, path, query, bearer, body.is_null() ? "" : body.dump()},
                 [&](ApiReply answer) { reply = std::move(answer); });
    run();
    Json answer = Json::parse(reply.value().body);
    answer["status"] = reply->status;
    return answer;
  }
  Json get(const std::string& path, const std::map<std::string, std::string>& query,
           const Phone& phone) {
    return call("GET", path, query, phone.bearer());
  }

  Phone enroll(const std::vector<std::string>& scopes, const std::string& role) {
    const Json code = call("POST", "/v1/codes", {}, kAdmin, {{"scopes", scopes}, {"role", role}});
    const Json made = call("POST", "/v1/enroll", {}, "",
                           {{"code", code["code"]}, {"request", "0123456789abcdef" + role}});
    EXPECT_EQ(made["role"], role);
    return {made["device"], made["token"]};
  }

  Json hello(const Phone& phone) const {
    return {{"v", 1},
            {"device", phone.device},
            {"token", phone.token},
            {"clock", {{"wall", now}, {"mono", 1}, {"boot", "b"}}}};
  }

  // The verdict's code, or "ok".
  std::string push(Phone& phone, const std::string& scope, const std::string& coll,
                   const std::string& id, const Json& edits) {
    Json one{{"n", ++phone.n}, {"scope", scope},
             {"coll", coll},   {"id", id},
             {"wall", now},    {"mono", 1},
             {"boot", "b"},    {"schema", schemas().find(coll)->version}};
    one.update(edits);
    const Json answer =
        call("POST", "/v1/sync", {}, "", {{"hello", hello(phone)}, {"push", {{"ops", {one}}}}});
    const Json& verdict = answer["receipt"]["results"][0];
    return verdict.contains("refused") ? verdict["refused"]["code"].get<std::string>() : "ok";
  }

  static Json value(const FieldSpec& field, int which) {
    if (!field.choices.empty()) return std::next(field.choices.begin(), which)->first;
    switch (field.type) {
      case FieldType::kString: return which == 0 ? "a" : "b";
      case FieldType::kInteger: return static_cast<std::int64_t>(field.min) + which;
      case FieldType::kNumber: return field.min + which;
      case FieldType::kBoolean: return which == 0;
      case FieldType::kTime: return fmt::format("2026-01-0{}T08:00:00+08:00", 1 + which);
      case FieldType::kDate: return fmt::format("2026-01-0{}", 1 + which);
    }
    return nullptr;
  }

  // Every field that a device may write, each by an op of its own; a record of its own for each of
  // two devices that do not see each other gives conflicts in all registers.
  void write_all(Phone& phone, const Collection& collection, const std::string& id, int which) {
    Json first{{"set", Json::object()}};
    std::vector<Json> later;
    for (const FieldSpec& field : collection.fields) {
      const bool key = std::find(collection.key.begin(), collection.key.end(), field.name) !=
                       collection.key.end();
      if (field.by_server || key || field.redirect) continue;
      const Json given = value(field, which);
      switch (field.merge) {
        case MergeType::kRegister: first["set"][field.name] = given; break;
        case MergeType::kCounter: later.push_back({{"inc", {{field.name, 1}}}}); break;
        case MergeType::kSet: later.push_back({{"add", {{field.name, {given}}}}}); break;
        case MergeType::kLog: later.push_back({{"append", {{field.name, {given}}}}}); break;
        case MergeType::kQuota: later.push_back({{"grant", {{field.name, 5}}}}); break;
      }
    }
    if (!first["set"].empty()) {
      ASSERT_EQ(push(phone, "t", collection.name, id, first), "ok") << collection.name;
    }
    for (const Json& edits : later) {
      ASSERT_EQ(push(phone, "t", collection.name, id, edits), "ok") << collection.name;
    }
  }

  static std::string id_of(const Collection& collection) {
    if (collection.name == "station_day") return "s1~2026-01-01";
    return collection.key.empty() ? "r1" : "k1~k2";
  }

  void fill() {
    ASSERT_EQ(push(office, "t", "scope", "t", {{"set", {{"title", "t"}}}}), "ok");
    for (const auto& [name, collection] : schemas().collections()) {
      if (collection.derived || name == "scope") continue;
      write_all(office, collection, id_of(collection), 0);
      if (!collection.facts) write_all(other, collection, id_of(collection), 1);
    }
    // What the server writes by itself: the ledger has come with the quotas; here a possible
    // duplicate and a refused op.
    for (const char* id : {"same1", "same2"}) {
      ASSERT_EQ(push(office, "t", "volunteer", id, {{"set", {{"name", "陈一"}}}}), "ok");
    }
    EXPECT_NE(push(office, "t", "note", "bad", {{"set", {{"text", 5}}}}), "ok");
  }

  // {scope/coll/id: fields} of changes or records.
  static void collect(const Json& items, std::map<std::string, Json>& into) {
    for (const Json& item : items) {
      const std::string name =
          fmt::format("{}/{}/{}", item["scope"].get<std::string>(), item["coll"].get<std::string>(),
                      item["id"].get<std::string>());
      into[name] = item["fields"];
    }
  }

  std::map<std::string, Json> pulled(const Phone& phone) {
    std::map<std::string, Json> held;
    std::map<std::string, Digest> sums;
    std::string cursor;
    for (bool more = true; more;) {
      const Json answer =
          call("POST", "/v1/sync", {}, "",
               {{"hello", hello(phone)}, {"pull", {{"cursor", cursor}, {"limit", 7}}}});
      const Json& changes = answer["changes"];
      collect(changes["changes"], held);
      for (const Json& item : changes["changes"]) {
        sums[item["scope"]].add(
            digest_of_record(item["scope"].get<std::string>(), item["coll"].get<std::string>(),
                             item["id"].get<std::string>(), item["fields"].dump()));
      }
      cursor = changes["cursor"];
      more = changes["more"];
      if (more) continue;
      EXPECT_FALSE(changes["digests"].empty());
      for (const Json& digest : changes["digests"]) {
        EXPECT_EQ(digest["digest"], sums[digest["scope"]].hex()) << digest["scope"];
      }
    }
    return held;
  }

  std::int64_t now = kStart;
  std::unique_ptr<Service> service;
  Phone office;
  Phone other;
  std::map<std::string, Phone> phones;  // by role; each was live while all was written
  const Json policy = Json::parse(read_source("schemas/policy.json"));
};

// The records that there are, as the administrator's own role shows them.
struct Cell {
  std::string scope, coll, id;
  Json fields;
};

TEST_F(Walls, EveryRoleSeesOfEveryCollectionWhatThePolicySaysThroughEveryDoor) {
  std::vector<Cell> cells;
  std::set<std::string> collections;
  for (const auto& [name, collection] : schemas().collections()) {
    const Json all = call("GET", "/v1/records", {{"coll", name}, {"limit", "1000"}}, kAdmin);
    for (const Json& item : all["records"]) {
      cells.push_back({item["scope"], item["coll"], item["id"], item["fields"]});
      collections.insert(name);
    }
  }
  ASSERT_EQ(collections.size(), schemas().collections().size()) << "a record of each";
  const Json lost = call("GET", "/v1/conflicts", {{"limit", "1000"}}, kAdmin)["conflicts"];
  ASSERT_GT(lost.size(), 20U);

  while (service->step_fanout()) {
  }
  std::size_t allowed = 0;
  std::size_t refused = 0;
  for (const std::string_view name : kRoles) {
    const std::string role(name);
    SCOPED_TRACE(role);
    const Phone& phone = phones.at(role);
    const bool system = policy["roles"][role].value("system", false);

    // A pull with its digests, and what came by itself.
    const auto by_pull = pulled(phone);
    std::map<std::string, Json> by_live;
    for (const std::string& frame : phone.listener->heard) {
      collect(Json::parse(frame)["changes"]["changes"], by_live);
    }

    for (const Cell& cell : cells) {
      SCOPED_TRACE(cell.scope + "/" + cell.coll + "/" + cell.id);
      const bool wall = cell.scope.starts_with("system:") && !system;
      const auto fields =
          wall ? std::nullopt : shown(policy, role, cell.coll, names_in(cell.fields));
      const auto check = [&](const std::map<std::string, Json>& seen) {
        const auto at = seen.find(cell.scope + "/" + cell.coll + "/" + cell.id);
        ASSERT_EQ(at != seen.end(), fields.has_value());
        if (fields) {
          EXPECT_EQ(names_in(at->second), *fields);
        }
        ++(fields ? allowed : refused);
      };
      check(by_pull);
      check(by_live);
      const std::string code = wall ? "scope.forbidden" : "access.denied";
      const auto check_listed = [&](const Json& answer, bool named) {
        if (!fields && named) {
          EXPECT_EQ(answer.value("code", ""), code);
          EXPECT_EQ(answer.dump().find("fields"), std::string::npos);
          ++refused;
          return;
        }
        std::map<std::string, Json> seen;
        if (answer.contains("records")) collect(answer["records"], seen);
        check(seen);
      };
      const std::map<std::string, std::string> one{
          {"scope", cell.scope}, {"coll", cell.coll}, {"id", cell.id}};
      check_listed(get("/v1/records", one, phone), true);
      auto followed = one;
      followed["follow"] = "1";
      check_listed(get("/v1/records", followed, phone), true);
      check_listed(get("/v1/records", {{"scope", cell.scope}, {"limit", "1000"}}, phone), wall);
      if (!wall) {
        check_listed(get("/v1/records", {{"coll", cell.coll}, {"limit", "1000"}}, phone), true);
      }
      // Its history: in no op a field that is hidden.
      const Json history = get("/v1/history", one, phone);
      if (!fields) {
        EXPECT_EQ(history.value("code", ""), code);
        ++refused;
        continue;
      }
      EXPECT_FALSE(history["history"].empty());
      for (const Json& entry : history["history"]) {
        for (const char* kind : {"set", "inc", "add", "append", "grant"}) {
          if (!entry["op"].contains(kind)) continue;
          for (const std::string& field : names_in(entry["op"][kind])) {
            EXPECT_TRUE(fields->contains(field)) << field;
          }
        }
      }
      ++allowed;
    }

    // Conflicts, listed and shown.
    std::set<std::string> listed;
    const Json listing = get("/v1/conflicts", {{"limit", "1000"}}, phone);
    for (const Json& item : listing["conflicts"]) {
      listed.insert(item["coll"].get<std::string>() + "." + item["field"].get<std::string>());
    }
    for (const Json& conflict : lost) {
      const std::string field = conflict["field"];
      SCOPED_TRACE(conflict["coll"].get<std::string>() + "." + field);
      const bool may =
          shown(policy, role, conflict["coll"], {field}).value_or(Fields{}) == Fields{field};
      EXPECT_EQ(listed.contains(conflict["coll"].get<std::string>() + "." + field), may);
      const Json shown_one = get("/v1/conflicts/show",
                                 {{"scope", conflict["scope"]},
                                  {"coll", conflict["coll"]},
                                  {"id", conflict["id"]},
                                  {"field", field},
                                  {"by", conflict["by"]},
                                  {"n", std::to_string(conflict["n"].get<int>())}},
                                 phone);
      EXPECT_EQ(shown_one["status"], may ? 200 : 403);
      if (!may) {
        EXPECT_EQ(shown_one["code"], "access.denied");
      }
      ++(may ? allowed : refused);
    }

    // Of the quarantine a device sees its own alone, whatever its role.
    EXPECT_TRUE(get("/v1/quarantine", {}, phone)["quarantine"].empty());
    EXPECT_EQ(get("/v1/quarantine", {{"device", office.device}}, phone)["code"], "auth.forbidden");
    // And what only the administrator asks for is closed to every device.
    for (const char* path : {"/v1/devices", "/v1/access"}) {
      EXPECT_EQ(get(path, {}, phone)["code"], "auth.forbidden");
    }
  }
  EXPECT_GT(allowed, 300U);
  EXPECT_GT(refused, 90U);
}

// An answer must not tell whether there is what may not be seen.
TEST_F(Walls, ARefusalIsTheSameWhetherTheRecordIsThereOrNot) {
  const Phone phone = enroll({"t"}, "volunteer");
  for (const char* path : {"/v1/records", "/v1/history"}) {
    const auto ask = [&](const char* id) {
      return get(path, {{"scope", "t"}, {"coll", "visit"}, {"id", id}}, phone);
    };
    EXPECT_EQ(ask("r1"), ask("no-such-visit"));
    EXPECT_EQ(ask("r1")["code"], "access.denied");
  }
  Phone writer = enroll({"t"}, "volunteer");
  EXPECT_EQ(push(writer, "t", "visit", "r1", {{"append", {{"remarks", {"x"}}}}}), "access.denied");
  EXPECT_EQ(push(writer, "t", "visit", "rx", {{"append", {{"remarks", {"x"}}}}}), "access.denied");
  const Json kept = get("/v1/quarantine", {}, writer)["quarantine"];
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0]["code"], "access.denied");
  EXPECT_EQ(kept[0]["detail"], kept[1]["detail"]);
}

// How many conflicts a record has in fields that are hidden is hidden too.
TEST_F(Walls, ConflictsOfHiddenFieldsAreNotCounted) {
  const auto count = [&](const Phone& phone) {
    return get("/v1/records", {{"scope", "t"}, {"coll", "volunteer"}, {"id", "r1"}},
               phone)["records"][0]["conflicts"]
        .get<int>();
  };
  EXPECT_EQ(count(enroll({"t"}, "lead")) - count(enroll({"t"}, "volunteer")), 2);
}

TEST_F(Walls, ANewDeviceIsToldOfTheScopesThatItsRoleEnters) {
  ASSERT_EQ(push(office, "t", "note", "refused", {{"set", {{"text", 1}}}}), "field.type");
  for (const auto& [role, told] :
       {std::pair<std::string, Json>{"lead", {"t"}}, {"office", {"system:office", "t"}}}) {
    const Json code =
        call("POST", "/v1/codes", {}, kAdmin, {{"scopes", {"system:office", "t"}}, {"role", role}});
    const Json made = call("POST", "/v1/enroll", {}, "",
                           {{"code", code["code"]}, {"request", "fedcba9876543210" + role}});
    EXPECT_EQ(made["scopes"], told) << role;
    const Json answer =
        call("POST", "/v1/sync", {}, "", {{"hello", hello(Phone{made["device"], made["token"]})}});
    EXPECT_EQ(answer["welcome"]["scopes"], told) << role;
    EXPECT_EQ(answer["welcome"]["role"], role);
  }
}

TEST_F(Walls, TheAdministratorIsToldWhy) {
  const Phone phone = enroll({"t"}, "volunteer");
  const auto explain = [&](const std::string& scope, const std::string& coll) {
    return call("GET", "/v1/access",
                {{"device", phone.device}, {"scope", scope}, {"coll", coll}, {"id", "r1"}}, kAdmin);
  };
  const auto field = [](const Json& answer, const std::string& name) -> Json {
    for (const Json& one : answer["fields"]) {
      if (one["field"] == name) return one;
    }
    return nullptr;
  };
  const Json person = explain("t", "volunteer");
  EXPECT_EQ(person["role"], "volunteer");
  EXPECT_TRUE(person["exists"]);
  EXPECT_TRUE(person["read"]["allowed"]);
  EXPECT_FALSE(person["write"]["allowed"]);
  EXPECT_TRUE(field(person, "name")["read"]["allowed"]);
  const Json phone_tail = field(person, "phone_tail")["read"];
  EXPECT_FALSE(phone_tail["allowed"]);
  EXPECT_EQ(phone_tail["reason"],
            "refused because of /roles/volunteer/collections/volunteer/read: all but note, "
            "phone_tail");
  const Json remarks = field(explain("t", "event"), "remarks")["write"];
  EXPECT_TRUE(remarks["allowed"]);
  EXPECT_EQ(remarks["does"], Json({"append"}));
  EXPECT_EQ(explain("u", "note")["read"]["reason"],
            "refused because the device does not hold scope u");
  EXPECT_EQ(explain("t", "no_such")["code"], "collection.unknown");
  (void)call("PUT", "/v1/devices/" + phone.device + "/role", {}, kAdmin, {{"role", "lead"}});
  const Json later = explain("t", "volunteer");
  EXPECT_EQ(later["role"], "lead");
  EXPECT_EQ(later["earlier"][0]["role"], "volunteer");
  EXPECT_TRUE(field(later, "phone_tail")["read"]["allowed"]);
}

TEST_F(Walls, ANewRoleReachesADeviceThatIsLive) {
  const Phone phone = enroll({"t"}, "lead");
  EXPECT_TRUE(pulled(phone).contains("t/visit/r1"));
  go_live(phone);
  const Json changed =
      call("PUT", "/v1/devices/" + phone.device + "/role", {}, kAdmin, {{"role", "volunteer"}});
  EXPECT_EQ(changed["role"], "volunteer");
  while (service->step_fanout()) {
  }
  ASSERT_EQ(phone.listener->heard.size(), 1U);
  const Json told = Json::parse(phone.listener->heard[0])["changes"];
  EXPECT_TRUE(told["more"]);
  EXPECT_TRUE(told["changes"].empty());
  const Json answer = call("POST", "/v1/sync", {}, "",
                           {{"hello", hello(phone)}, {"pull", {{"cursor", told["cursor"]}}}});
  EXPECT_TRUE(answer["changes"]["reset"]);
  std::map<std::string, Json> held;
  collect(answer["changes"]["changes"], held);
  EXPECT_TRUE(held.contains("t/note/r1"));
  EXPECT_FALSE(held.contains("t/visit/r1"));
  EXPECT_FALSE(held["t/volunteer/r1"].contains("phone_tail"));
}

TEST(AServer, DoesNotStartWithAPolicyThatIsWrong) {
  Config config;
  config.schemas = WS_SOURCE_DIR "/schemas";
  config.policy = WS_SOURCE_DIR "/schemas/openapi.json";
  const auto wrong = Service::over(std::make_unique<MemoryKv>(), config, kAdmin);
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, Code::kPolicyInvalid);
  config.policy = "/no/such/policy.json";
  const auto missing = Service::over(std::make_unique<MemoryKv>(), config, kAdmin);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, Code::kIo);
}

TEST(AServer, DoesNotStartWithoutThePolicyThatItHad) {
  std::string folder = std::filesystem::temp_directory_path() / "waystation-schemas-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::filesystem::path from = WS_SOURCE_DIR "/schemas";
  std::filesystem::copy(from / "collections", folder + "/collections",
                        std::filesystem::copy_options::recursive);
  std::filesystem::copy(from / "policy.json", folder + "/policy.json");
  Config config;
  config.schemas = folder;
  const auto disk = std::make_shared<MemoryKv>();
  ASSERT_TRUE(Service::over(share(disk), config, kAdmin).ok());
  std::filesystem::remove(folder + "/policy.json");
  const auto opened = Service::over(share(disk), config, kAdmin);
  ASSERT_FALSE(opened.ok()) << "volunteers' phones would fetch nothing, leads' phones everything";
  EXPECT_EQ(opened.error().code, Code::kPolicyInvalid);
  EXPECT_TRUE(Service::over(std::make_unique<MemoryKv>(), config, kAdmin).ok())
      << "a store that never had one";
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace waystation::testing
