// A store that is opened with newer schemas: an op counts the same whether it arrived before the
// upgrade or after it (law 10).

#include "storage/upgrade.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "storage/applier.h"
#include "storage/codec.h"
#include "storage/keys.h"
#include "storage/verify.h"
#include "sync/digest.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

std::string file(const std::string& coll, int version, const std::string& fields,
                 const std::string& more = "") {
  return fmt::format(
      R"({{"collection":"{}","version":{},"title":{{"zh":"{}","en":"{}"}}{},"fields":{{{}}}}})",
      coll, version, coll, coll, more, fields);
}

std::string text_field(const std::string& name, const std::string& type = "string") {
  const std::string limits = type == "string" ? R"("max_length":50)" : R"("min":0,"max":200)";
  return fmt::format(R"("{}":{{"merge":"register","type":"{}","title":{{"zh":"x","en":"x"}},{}}})",
                     name, type, limits);
}

std::vector<SchemaFile> versions(int newest) {
  const std::string scope = file("scope", 1, text_field("kind"));
  std::vector<SchemaFile> files{{"scope.v1.json", scope}};
  files.push_back(
      {"person.v1.json",
       file("person", 1, text_field("name") + "," + text_field("tel") + "," + text_field("age"))});
  if (newest >= 2) {
    files.push_back(
        {"person.v2.json",
         file("person", 2, text_field("name") + "," + text_field("phone") + "," + text_field("age"),
              R"(,"migrate":[{"rename":{"from":"tel","to":"phone"}}])")});
  }
  if (newest >= 3) {
    files.push_back(
        {"person.v3.json",
         file("person", 3,
              text_field("family") + "," + text_field("given") + "," + text_field("phone") + "," +
                  text_field("age", "integer"),
              R"(,"migrate":[{"split":{"from":"name","into":["family","given"],"at":" "}},)"
              R"({"retype":{"field":"age"}}])")});
  }
  if (newest >= 4) {
    files.push_back(
        {"member.v4.json", file("member", 4,
                                text_field("family") + "," + text_field("given") + "," +
                                    text_field("phone") + "," + text_field("age", "integer"),
                                R"(,"moved_from":"person")")});
  }
  return files;
}

// A server whose schemas grow.
class Growing {
 public:
  explicit Growing(int version) {
    open(version);
    enroll(1, {"*"});
    push(1, R"({"n":1,"scope":"t","coll":"scope","id":"t","wall":0,"mono":0,"boot":"b",)"
            R"("set":{"kind":"x"}})");
    for (const std::uint64_t device : {2, 3, 4}) enroll(device, {"t"});
  }

  UpgradeReport open(int version) {
    applier_.reset();
    store_.reset();
    auto parsed = Schemas::parse(versions(version));
    EXPECT_TRUE(parsed.ok()) << parsed.error().context;
    schemas_ = std::move(*parsed);
    auto opened = Store::open(share(disk_), std::string(kIncarnation));
    EXPECT_TRUE(opened.ok());
    store_ = std::move(*opened);
    const auto report = upgrade(*store_, schemas_, now_);
    EXPECT_TRUE(report.ok()) << report.error().context;
    applier_ = std::make_unique<Applier>(*store_, schemas_);
    EXPECT_TRUE(applier_->start().ok());
    return *report;
  }

  std::string push(std::uint64_t device, const std::string& json) {
    auto op = decode_op(json);
    EXPECT_TRUE(op.ok());
    schemas_.admit(*op);
    std::string receipt;
    ExchangeRequest request;
    request.device = device;
    request.push = Push{{std::move(*op)}};
    request.done = [&](Result<ExchangeRequest::Reply> reply) { receipt = reply->receipt; };
    std::vector<Request> group;
    group.emplace_back(std::move(request));
    applier_->apply(group, now_ += 1000);
    return receipt;
  }

  [[nodiscard]] std::string visible(const std::string& coll) const {
    std::string bytes;
    const auto found = disk_->get(Column::kRecords, keys::record("t", coll, "p1"), bytes, nullptr);
    if (!*found) return "nothing";
    const auto head = decode_record_head(bytes);
    return head->visible.empty() ? "deleted" : std::string(head->visible);
  }
  [[nodiscard]] std::size_t conflicts(const std::string& coll) const {
    std::string bytes;
    (void)disk_->get(Column::kRecords, keys::record("t", coll, "p1"), bytes, nullptr);
    return decode_record_head(bytes)->conflicts;
  }
  void expect_sound() const {
    const auto report = verify(*store_, [](std::uint64_t) {});
    ASSERT_TRUE(report.ok());
    EXPECT_EQ(report->faults, 0U) << (report->faults > 0 ? report->first_faults[0] : "");
  }
  [[nodiscard]] Seq position() const { return *store_->position(); }

 private:
  void enroll(std::uint64_t device, const std::vector<std::string>& scopes) {
    const std::string code = fmt::format("code {}", device);
    std::vector<Request> group;
    group.emplace_back(
        CodeRequest{sha256(code), CodeRow{scopes, "", 1, now_ + 1000}, [](const Status&) {}});
    EnrollRequest request;
    request.code_hash = sha256(code);
    request.new_device = device;
    request.done = [](const auto&) {};
    group.emplace_back(std::move(request));
    applier_->apply(group, now_);
  }

  std::int64_t now_ = kStart;
  std::shared_ptr<MemoryKv> disk_ = std::make_shared<MemoryKv>();
  Schemas schemas_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Applier> applier_;
};

std::string edit(std::uint64_t n, const std::string& what, int schema, Seq base = 0,
                 const std::string& coll = "person") {
  return fmt::format(
      R"({{"n":{},"scope":"t","coll":"{}","id":"p1","wall":{},"mono":0,"boot":"b","schema":{},)"
      R"("base":{},{}}})",
      n, coll, kStart + static_cast<std::int64_t>(n), schema, base, what);
}

struct Arrival {
  std::uint64_t device;
  std::string op;
};

// Two phones of version 1 that had not seen each other, and one more edit of the first.
const std::vector<Arrival> kOps{
    {2, edit(1, R"("set":{"name":"陈 伟 明","tel":"138","age":"41"})", 1)},
    {3, edit(1, R"("set":{"tel":"139","age":"about 40"})", 1)},
    {2, edit(2, R"("set":{"note":"kept"})", 1)}};

TEST(AnUpgrade, CarriesForwardWhatWasWrittenBefore) {
  Growing server(1);
  for (const Arrival& arrival : kOps) server.push(arrival.device, arrival.op);
  EXPECT_EQ(server.open(3).records, 1U);
  const std::string shown = server.visible("person");
  EXPECT_NE(shown.find(R"("family":"陈","given":"伟 明")"), std::string::npos) << shown;
  EXPECT_NE(shown.find(R"("phone":)"), std::string::npos) << shown;
  EXPECT_NE(shown.find(R"("note":"kept")"), std::string::npos) << shown;
  EXPECT_EQ(shown.find("tel"), std::string::npos) << shown;
  server.expect_sound();
  EXPECT_EQ(server.open(3).records, 0U);
}

// E18-like for schemas: whether an op came before the upgrade or after it makes no difference.
TEST(AnUpgrade, MakesNoDifferenceToWhenAnOpArrives) {
  for (const int newest : {2, 3, 4}) {
    const std::string coll = newest == 4 ? "member" : "person";
    std::string shown;
    std::size_t conflicts = 0;
    for (std::size_t before = 0; before <= kOps.size(); ++before) {
      Growing server(1);
      for (std::size_t i = 0; i < kOps.size(); ++i) {
        if (i == before) server.open(newest);
        EXPECT_NE(server.push(kOps[i].device, kOps[i].op).find("\"ok\":true"), std::string::npos);
      }
      if (before == kOps.size()) server.open(newest);
      server.expect_sound();
      if (before == 0) {
        shown = server.visible(coll);
        conflicts = server.conflicts(coll);
      }
      EXPECT_EQ(server.visible(coll), shown) << newest << " after " << before;
      EXPECT_EQ(server.conflicts(coll), conflicts) << newest << " after " << before;
    }
  }
}

TEST(AnUpgrade, ThatMovesACollectionDeletesTheRecordWhereItWas) {
  Growing server(1);
  for (const Arrival& arrival : kOps) server.push(arrival.device, arrival.op);
  const Seq before = server.position();
  server.open(4);
  EXPECT_EQ(server.visible("person"), "deleted");
  EXPECT_NE(server.visible("member").find("陈"), std::string::npos);
  EXPECT_GT(server.position(), before) << "devices must be told";
  // An old phone goes on in the old collection.
  EXPECT_NE(
      server.push(4, edit(1, R"("set":{"tel":"137"})", 1, server.position())).find("\"ok\":true"),
      std::string::npos);
  EXPECT_NE(server.visible("member").find(R"("phone":"137")"), std::string::npos);
  EXPECT_EQ(server.visible("person"), "deleted");
  server.expect_sound();
}

TEST(AnUpgrade, GoesOnStepByStepLikeInOneGo) {
  Growing steps(1);
  Growing leap(1);
  for (const Arrival& arrival : kOps) {
    steps.push(arrival.device, arrival.op);
    leap.push(arrival.device, arrival.op);
  }
  for (const int version : {2, 3, 4}) steps.open(version);
  leap.open(4);
  EXPECT_EQ(steps.visible("member"), leap.visible("member"));
  steps.expect_sound();
}

// What a newer client wrote before the server knew the field, in another shape than it has now.
TEST(AnUpgrade, LooksAtFieldsThatWereUnknownBefore) {
  Growing server(1);
  server.push(2, edit(1, R"("add":{"phone":["1"]})", 1));
  server.open(2);
  Growing late(2);
  late.push(2, edit(1, R"("add":{"phone":["1"]})", 1));
  EXPECT_EQ(server.visible("person"), late.visible("person"));
  server.expect_sound();
}

TEST(AnUpgrade, IsRefusedBackwards) {
  auto disk = std::make_shared<MemoryKv>();
  auto store = Store::open(share(disk), std::string(kIncarnation));
  auto newer = Schemas::parse(versions(3));
  auto older = Schemas::parse(versions(2));
  ASSERT_TRUE(newer.ok() && older.ok());
  ASSERT_TRUE(upgrade(**store, *newer, kStart).ok());
  const auto refused = upgrade(**store, *older, kStart);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kSchemaInvalid);
}

}  // namespace
}  // namespace waystation::testing
