// A phone without Internet gives its day to another, which hands it in.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "server/secrets.h"
#include "sync/canonical.h"
#include "sync/digest.h"
#include "tests/process/messages.h"
#include "tests/process/test_server.h"

namespace waystation::testing {
namespace {

class Handover : public ::testing::Test {
 protected:
  Handover() : office(server) {
    office.make_scopes({"t", "u"});
    author = office.enroll({"t"}, "in the hills", "volunteer");
    carrier = office.enroll({"u"}, "back in town", "volunteer");
  }

  // What the author's phone writes into the file.
  [[nodiscard]] static Json file_of(const Enrolled& device, const std::vector<Json>& ops) {
    const std::string text =
        canonicalize(Json({{"device", device.device}, {"ops", ops}}).dump()).value();
    return {
        {"device", device.device}, {"ops", ops}, {"mac", handover_mac(sha256(device.token), text)}};
  }
  [[nodiscard]] Reply hand_in(const Json& file) const {
    HttpCaller http(server, carrier.device + "." + carrier.token);
    return http.call("POST", "/v1/handover", file);
  }

  TestServer server;
  Office office;
  Enrolled author;
  Enrolled carrier;
};

TEST_F(Handover, IsJudgedAsIfTheAuthorHadPushedIt) {
  const Json file = file_of(author, {note_of(1, "t", "n1", "a"), note_of(2, "u", "n2", "b")});
  const Reply reply = hand_in(file);
  EXPECT_EQ(reply.status, 200) << reply.text;
  EXPECT_EQ(verdict_codes(reply.body["receipt"]), "ok scope.forbidden") << "by the author's scopes";
  EXPECT_EQ(reply.body["receipt"]["applied"], 2);
  // Once more, and then by the author itself: the first verdicts, word for word.
  EXPECT_EQ(hand_in(file).text, reply.text);
  HttpCaller http(server);
  const Reply pushed =
      http.sync(sync_body(author, {file["ops"][0].get<Json>(), file["ops"][1].get<Json>()}));
  EXPECT_EQ(pushed.body["receipt"]["results"], reply.body["receipt"]["results"]);
  EXPECT_EQ(office.record("t", "note", "n1")["fields"]["text"], "a");
}

TEST_F(Handover, IsTakenForTheAuthorsOwnAlone) {
  const Json good = file_of(author, {note_of(1, "t", "n1", "a")});
  Json changed = good;
  changed["ops"][0]["set"]["text"] = "b";
  EXPECT_EQ(hand_in(changed).code(), "handover.mac");
  Json another = good;
  another["device"] = carrier.device;
  EXPECT_EQ(hand_in(another).code(), "handover.mac");
  Json nobody = good;
  nobody["device"] = "0000000000";
  EXPECT_EQ(hand_in(nobody).code(), "handover.mac");
  Json unsigned_one = good;
  unsigned_one["mac"] = std::string(64, '0');
  EXPECT_EQ(hand_in(unsigned_one).code(), "handover.mac");
  HttpCaller open(server);
  EXPECT_EQ(open.call("POST", "/v1/handover", good).status, 401);
  EXPECT_EQ(office.http().call("POST", "/v1/handover", good).status, 403) << "a device carries it";
  EXPECT_TRUE(office.record("t", "note", "n1").is_null());
  // However its JSON is written anew on the way.
  HttpCaller http(server, carrier.device + "." + carrier.token);
  EXPECT_EQ(http.unchecked("POST", "/v1/handover", good.dump(2)).status, 200);
}

TEST_F(Handover, OfADrainingDeviceBringsWhatItWroteBefore) {
  const Json before = file_of(author, {note_of(1, "t", "n1", "a")});
  office.http().call("POST", "/v1/devices/" + author.device + "/drain");
  EXPECT_EQ(verdict_codes(hand_in(before).body["receipt"]), "ok");
  Json late = note_of(2, "t", "n2", "b");
  late["wall"] = late["wall"].get<std::int64_t>() + 60'000;
  EXPECT_EQ(verdict_codes(hand_in(file_of(author, {late})).body["receipt"]), "device.draining");
  office.revoke(author);
  EXPECT_EQ(hand_in(file_of(author, {note_of(3, "t", "n3", "c")})).code(), "handover.closed");
}

TEST_F(Handover, IsInTheAuditLogWithWhoCarriedIt) {
  const Json file = file_of(author, {note_of(1, "t", "n1", "a")});
  ASSERT_EQ(hand_in(file).status, 200);
  ASSERT_EQ(hand_in(file).status, 200);
  std::size_t entries = 0;
  const Json log = office.http().call("GET", "/v1/audit?limit=1000").body["audit"];
  for (const Json& entry : log) {
    if (entry["what"] != "device.handover") continue;
    ++entries;
    EXPECT_EQ(entry["who"], "device " + carrier.device);
    EXPECT_EQ(entry["on"], "device " + author.device);
  }
  EXPECT_EQ(entries, 1U) << "what was known before is no news";
}

}  // namespace
}  // namespace waystation::testing
