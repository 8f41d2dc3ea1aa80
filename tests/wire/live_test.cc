// Live changes: who gets them, what a slow reader gets, and what happens when its scopes change, it
// is shut out, or its connection breaks.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "sync/limits.h"
#include "sync/replica.h"
#include "tests/process/live_client.h"
#include "tests/process/messages.h"

namespace waystation::testing {
namespace {

// A device that reads live, and checks every digest that it is told.
class Reader {
 public:
  Reader(const TestServer& server, const Enrolled& account, const LiveOptions& options = {})
      : server_(server), options_(options), replica_(account.device, account.token) {
    connect();
  }

  void connect() {
    live_ = std::make_unique<LiveClient>(server_, options_);
    ASSERT_TRUE(live_->send(replica_.hello(clock_now())));
    ASSERT_TRUE(take().contains("welcome"));
  }

  // Pulls until it holds all. Gives the number of changes that came.
  std::size_t catch_up(std::size_t page = 1000) {
    std::size_t count = 0;
    do {
      EXPECT_TRUE(live_->send(replica_.pull(page)));
      const Json answer = take();
      EXPECT_TRUE(answer.contains("changes")) << answer;
      if (!answer.contains("changes")) return count;
      count += answer["changes"]["changes"].size();
    } while (replica_.more());
    return count;
  }

  // The next frame, taken in. An empty object when none comes.
  Json take(std::chrono::milliseconds patience = kPatience) {
    const auto frame = live_->receive(patience);
    if (!frame) return Json::object();
    largest_ = std::max(largest_, frame->size());
    (void)replica_.receive(*frame);
    EXPECT_TRUE(replica_.digest_faults().empty()) << "digest of " << replica_.digest_faults()[0];
    return parse_json(*frame);
  }

  // Reads on until the field of the note has this value; gives the number of frames it took.
  std::size_t read_until(const std::string& scope, const std::string& id, const std::string& field,
                         const std::string& value) {
    for (std::size_t frames = 0;; ++frames) {
      if (text(scope, id, field) == value) return frames;
      const Json frame = take();
      EXPECT_FALSE(frame.empty()) << "waited in vain for " << value;
      if (frame.empty()) return frames;
      if (frame.contains("changes") && frame["changes"]["more"] == true) catch_up();
    }
  }

  [[nodiscard]] std::string text(const std::string& scope, const std::string& id,
                                 const std::string& field = "text") const {
    const HeldRecord* held = replica_.find({scope, "note", id});
    return held == nullptr || held->fields.empty() ? "" : parse_json(held->fields).value(field, "");
  }

  [[nodiscard]] bool nothing_comes() { return take(std::chrono::milliseconds(300)).empty(); }
  LiveClient& live() { return *live_; }
  Replica& replica() { return replica_; }
  [[nodiscard]] std::size_t largest() const { return largest_; }

 private:
  const TestServer& server_;
  LiveOptions options_;
  std::unique_ptr<LiveClient> live_;
  Replica replica_;
  std::size_t largest_ = 0;
};

class Live : public ::testing::Test {
 protected:
  Live() : office_(server_) { office_.make_scopes({"a", "b"}); }

  void write(const std::string& scope, const std::string& id, const std::string& text) {
    office_.write(scope, "note", id, Json{{"set", {{"text", text}}}});
  }

  TestServer server_;
  Office office_;
};

TEST_F(Live, AChangeReachesAReaderOfItsScopeAndNoOther) {
  Reader of_a(server_, office_.enroll({"a"}));
  Reader of_b(server_, office_.enroll({"b"}));
  Reader of_all(server_, office_.enroll({"*"}));
  for (Reader* reader : {&of_a, &of_b, &of_all}) reader->catch_up();
  write("a", "n1", "水");
  EXPECT_EQ(of_a.take()["changes"]["changes"][0]["fields"]["text"], "水");
  EXPECT_EQ(of_all.take()["changes"]["changes"][0]["fields"]["text"], "水");
  EXPECT_TRUE(of_b.nothing_comes());
}

TEST_F(Live, NothingComesBeforeTheFirstPullIsThrough) {
  for (int i = 0; i < 5; ++i) write("a", fmt::format("n{}", i), "old");
  Reader reader(server_, office_.enroll({"a"}));
  write("a", "n0", "new");
  EXPECT_TRUE(reader.nothing_comes());
  ASSERT_TRUE(reader.live().send(reader.replica().pull(2)));
  EXPECT_EQ(reader.take()["changes"]["more"], true);
  write("a", "n1", "newer");
  EXPECT_TRUE(reader.nothing_comes()) << "in the midst of a pull";
  reader.catch_up(2);
  reader.read_until("a", "n1", "text", "newer");
  EXPECT_EQ(reader.text("a", "n0"), "new");
}

TEST_F(Live, ADeviceReceivesItsOwnChangesToo) {
  Reader reader(server_, office_.enroll({"a"}));
  reader.catch_up();
  const Draft draft{"a", "note", "mine", R"("set":{"text":"echo"})"};
  reader.replica().edit(draft, clock_now());
  ASSERT_TRUE(reader.live().send(reader.replica().push(10)));
  reader.read_until("a", "mine", "text", "echo");
  while (reader.replica().waiting() > 0) ASSERT_FALSE(reader.take().empty());
  EXPECT_EQ(reader.replica().applied(), 1U);
}

TEST_F(Live, TwoConnectionsOfOneDeviceBothGetTheChange) {
  const Enrolled device = office_.enroll({"a"});
  Reader first(server_, device);
  Reader second(server_, device);
  first.catch_up();
  second.catch_up();
  write("a", "n1", "for both");
  first.read_until("a", "n1", "text", "for both");
  second.read_until("a", "n1", "text", "for both");
}

TEST_F(Live, AnotherHelloOnTheConnectionMakesItAnotherDevices) {
  Reader reader(server_, office_.enroll({"a"}));
  reader.catch_up();
  ASSERT_TRUE(reader.live().ask(hello_frame(office_.enroll({"b"}))).contains("welcome"));
  write("a", "n1", "not for b");
  EXPECT_TRUE(reader.nothing_comes());
  const Json changes = reader.live().ask(pull_frame(""))["changes"];
  for (const Json& change : changes["changes"]) EXPECT_EQ(change["scope"], "b");
}

TEST_F(Live, TwoHundredReadersAllGetAChange) {
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < 200; ++i) {
    readers.push_back(std::make_unique<Reader>(server_, office_.enroll({i % 2 == 0 ? "a" : "*"})));
    readers.back()->catch_up();
  }
  for (const char* text : {"first", "second"}) {
    write("a", "n1", text);
    for (auto& reader : readers) reader->read_until("a", "n1", "text", text);
  }
}

TEST_F(Live, AReaderThatWasAwayGetsWhatItMissedAndNothingElse) {
  for (int i = 0; i < 50; ++i) write("a", fmt::format("n{}", i), "old");
  Reader reader(server_, office_.enroll({"a"}));
  EXPECT_EQ(reader.catch_up(), 51U) << "with the scope's own record";
  for (const bool drop : {true, false}) {
    drop ? reader.live().drop() : reader.live().close();
    const std::string text = drop ? "missed" : "missed again";
    for (int i = 0; i < 3; ++i) {
      write("a", fmt::format("n{}", i), "in between");
      write("a", fmt::format("n{}", i), text);
    }
    reader.connect();
    EXPECT_EQ(reader.catch_up(), 3U);
    EXPECT_EQ(reader.text("a", "n2"), text);
    write("a", "n9", text);
    reader.read_until("a", "n9", "text", text);
  }
}

TEST_F(Live, AStoppedServerSaysGoodbyeAndCursorsOutliveIt) {
  Reader reader(server_, office_.enroll({"a"}));
  write("a", "n1", "before");
  reader.catch_up();
  EXPECT_EQ(server_.stop(), 0) << server_.log();
  EXPECT_EQ(reader.live().close_code(), 1001);
  server_.start();
  Office office(server_);
  office.write("a", "note", "n2", Json{{"set", {{"text", "after"}}}});
  reader.connect();
  EXPECT_EQ(reader.catch_up(), 1U);
  EXPECT_EQ(reader.text("a", "n2"), "after");
}

TEST_F(Live, WhenItsScopesChangeAReaderIsToldToPull) {
  const Enrolled device = office_.enroll({"a"});
  write("a", "n1", "in a");
  write("b", "n1", "in b");
  Reader reader(server_, device);
  reader.catch_up();
  office_.set_scopes(device, {"b"});
  const Json told = reader.take()["changes"];
  EXPECT_EQ(told["more"], true);
  EXPECT_TRUE(told["changes"].empty());
  write("b", "n2", "later");
  EXPECT_TRUE(reader.nothing_comes()) << "before it has pulled";
  ASSERT_TRUE(reader.live().send(reader.replica().pull(1000)));
  const Json pulled = reader.take()["changes"];
  EXPECT_EQ(pulled["left"], Json::array({"a"}));
  EXPECT_EQ(pulled["more"], false);
  EXPECT_EQ(reader.text("a", "n1"), "");
  EXPECT_EQ(reader.text("b", "n1"), "in b");
  EXPECT_EQ(reader.text("b", "n2"), "later");
  write("a", "n1", "no longer its business");
  write("b", "n3", "its business");
  const Json next = reader.take()["changes"]["changes"];
  ASSERT_EQ(next.size(), 1U);
  EXPECT_EQ(next[0]["id"], "n3");
}

TEST_F(Live, AScopeGivenBackIsFilledFromTheStart) {
  const Enrolled device = office_.enroll({"a", "b"});
  write("a", "n1", "in a");
  Reader reader(server_, device);
  reader.catch_up();
  office_.set_scopes(device, {"b"});
  office_.set_scopes(device, {"a", "b"});
  reader.read_until("a", "n1", "text", "in a");
  write("a", "n1", "in a again");
  reader.read_until("a", "n1", "text", "in a again");
}

TEST_F(Live, AReaderThatIsShutOutIsToldAndClosed) {
  const Enrolled device = office_.enroll({"a"});
  Reader reader(server_, device);
  reader.catch_up();
  Reader other(server_, office_.enroll({"a"}));
  other.catch_up();
  office_.revoke(device);
  EXPECT_EQ(reader.take()["error"]["code"], "auth.revoked");
  EXPECT_EQ(reader.live().close_code(), 4403);
  write("a", "n1", "for the others");
  other.read_until("a", "n1", "text", "for the others");
}

TEST_F(Live, AMessageNeverHoldsARecordTwiceAndSeqsRise) {
  Reader reader(server_, office_.enroll({"a"}));
  reader.catch_up();
  Seq last = 0;
  for (int round = 0; round < 40; ++round) {
    std::vector<Json> ops;
    for (int i = 0; i < 50; ++i) {
      ops.push_back(note_of(0, "a", fmt::format("n{}", i % 7), fmt::format("{} {}", round, i)));
    }
    office_.write_all(ops);
  }
  while (reader.text("a", "n0") != "39 49") {
    const Json frame = reader.take();
    ASSERT_FALSE(frame.empty());
    std::set<std::string> ids;
    for (const Json& change : frame["changes"]["changes"]) {
      EXPECT_TRUE(ids.insert(change["id"]).second);
      EXPECT_GT(change["seq"].get<Seq>(), last);
      last = change["seq"];
    }
  }
}

TEST_F(Live, MoreThanAPageAtOnceIsPulled) {
  Reader reader(server_, office_.enroll({"a"}));
  reader.catch_up();
  std::vector<Json> ops;
  for (int i = 0; i < 80; ++i) {
    const Json fields{{"text", "heavy"}, {"extra", std::string(9000, 'a')}};
    ops.push_back(op_of(0, "a", "note", fmt::format("n{:02}", i), Json{{"set", fields}}));
  }
  office_.write_all(ops);
  const Json told = reader.take()["changes"];
  EXPECT_EQ(told["more"], true);
  reader.catch_up();
  for (int i = 0; i < 80; ++i) EXPECT_EQ(reader.text("a", fmt::format("n{:02}", i)), "heavy");
  EXPECT_LE(reader.largest(), limits::kFrameBytes);
  write("a", "n00", "live again");
  reader.read_until("a", "n00", "text", "live again");
}

// Readers that do not read while much changes: each gets the latest state in few messages, and the
// server keeps no queue for them.
class SlowReaders : public Live {
 protected:
  static constexpr int kNotes = 40;
  static constexpr int kRounds = 250;
  static constexpr int kReaders = 6;

  // About 90 MB of changes, in small ops on large records.
  void rush(const std::string& name) {
    for (int round = 0; round < kRounds; ++round) {
      std::vector<Json> ops;
      for (int i = 0; i < kNotes; ++i) {
        const std::string text = fmt::format("{} {}", name, round);
        ops.push_back(
            op_of(0, "a", "note", fmt::format("n{}", i), Json{{"set", {{"about", text}}}}));
      }
      office_.write_all(ops);
    }
  }
};

TEST_F(SlowReaders, GetTheLatestStateAndTakeNoMemory) {
  std::vector<Json> ops;
  for (int i = 0; i < kNotes; ++i) {
    ops.push_back(op_of(0, "a", "note", fmt::format("n{}", i),
                        Json{{"set", {{"extra", std::string(9000, 'a')}}}}));
  }
  office_.write_all(ops);
  // What the same costs when nobody reads.
  rush("alone");
  rush("alone again");
  const std::uint64_t alone = server_.resident_bytes();

  LiveOptions options;
  options.receive_buffer = 4096;
  options.check_schemas = false;
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.push_back(std::make_unique<Reader>(server_, office_.enroll({"a"}), options));
    readers.back()->catch_up();
  }
  rush("watched");
  EXPECT_LT(server_.resident_bytes(), alone + (64U << 20U));

  const std::string last = fmt::format("watched {}", kRounds - 1);
  for (auto& reader : readers) {
    std::size_t frames = 0;
    for (int i = 0; i < kNotes; ++i) {
      frames += reader->read_until("a", fmt::format("n{}", i), "about", last);
    }
    // What fits the sockets' buffers, and then all at once.
    EXPECT_LT(frames, kRounds / 2);
    EXPECT_GE(frames, 1U);
  }
  write("a", "n0", "still live");
  for (auto& reader : readers) reader->read_until("a", "n0", "text", "still live");
}

}  // namespace
}  // namespace waystation::testing
