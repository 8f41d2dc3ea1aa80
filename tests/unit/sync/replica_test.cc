// The device's side: what it sends, and what it makes of what it is told.
#include "sync/replica.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sync/limits.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

using ::testing::HasSubstr;

const ClockReading kClock{kStart, 5000, "b1"};
const Replica::Key kNote{"t", "note", "n1"};

std::string welcome(std::uint64_t applied, const std::string& incarnation = "life 1") {
  return encode_welcome({incarnation, kStart, applied, {"t"}});
}

std::string change(const std::string& id, Seq seq, const std::string& fields,
                   std::size_t conflicts = 0, const std::string& scope = "t") {
  std::string item;
  append_change(item, scope, "note", id, seq, fields, conflicts);
  return item;
}

class Phone : public ::testing::Test {
 protected:
  Phone() : phone("7K3M9QX2PA", "secret") { phone.keep_verdicts(); }

  std::uint64_t edit(const std::string& text) {
    return phone.edit({"t", "note", "n1", fmt::format(R"("set":{{"text":"{}"}})", text)}, kClock);
  }
  void hears(const std::string& frame) {
    const Status taken = phone.receive(frame);
    ASSERT_TRUE(taken.ok()) << taken.error().context;
  }
  void hears_changes(const std::string& items, ChangesHead head = {"c1", false, false, {}, {}}) {
    hears(encode_changes(head, items));
  }
  [[nodiscard]] std::vector<std::uint64_t> pushed(std::size_t max = 1000) const {
    std::vector<std::uint64_t> numbers;
    const std::string frame = phone.push(max);
    if (frame.empty()) return numbers;
    const auto decoded = decode_frame(frame);
    for (const Op& op : decoded->push->ops) numbers.push_back(op.n);
    return numbers;
  }

  Replica phone;
};

using Numbers = std::vector<std::uint64_t>;

TEST_F(Phone, NumbersItsEditsFromOneWithoutGaps) {
  EXPECT_EQ(edit("a"), 1U);
  EXPECT_EQ(edit("b"), 2U);
  EXPECT_EQ(pushed(), (Numbers{1, 2}));
  EXPECT_EQ(pushed(1), (Numbers{1}));
  EXPECT_EQ(phone.waiting(), 2U);
}

TEST_F(Phone, SaysHelloAsTheProtocolWants) {
  const auto frame = decode_frame(phone.hello(kClock));
  ASSERT_TRUE(frame.ok()) << frame.error().context;
  EXPECT_EQ(frame->hello->device, "7K3M9QX2PA");
  EXPECT_EQ(frame->hello->token, "secret");
  EXPECT_EQ(frame->hello->clock.mono_ms, 5000);
}

TEST_F(Phone, ExchangesAllInOneFrame) {
  edit("a");
  const auto frame = decode_frame(phone.exchange(kClock, 10, 50));
  ASSERT_TRUE(frame.ok()) << frame.error().context;
  EXPECT_EQ(frame->hello->queued, 1U);
  EXPECT_EQ(frame->push->ops.size(), 1U);
  EXPECT_EQ(frame->pull->limit, 50U);
}

TEST_F(Phone, TellsWhatItHadSeen) {
  edit("blind");
  hears_changes(change("n1", 4711, R"({"text":"x"})"));
  edit("seen");
  const auto frame = decode_frame(phone.push(10));
  EXPECT_EQ(frame->push->ops[0].base, 0);
  EXPECT_EQ(frame->push->ops[1].base, 4711);
}

TEST_F(Phone, DropsWhatAReceiptCovers) {
  edit("a");
  edit("b");
  hears(encode_receipt({1, 0, {encode_verdict_ok(1, 10, {})}}));
  EXPECT_EQ(pushed(), (Numbers{2}));
  EXPECT_EQ(phone.applied(), 1U);
}

TEST_F(Phone, DropsWhatAWelcomeCovers) {
  edit("a");
  edit("b");
  hears(welcome(2));
  EXPECT_EQ(phone.waiting(), 0U);
  EXPECT_EQ(phone.push(10), "");
}

TEST_F(Phone, KeepsWhatARefusalSaid) {
  edit("a");
  hears(encode_receipt({1, 0, {encode_verdict_refused(1, {Code::kScopeForbidden, "no"})}}));
  ASSERT_EQ(phone.refused().size(), 1U);
  EXPECT_EQ(phone.refused()[0].code, "scope.forbidden");
  EXPECT_THAT(phone.refused()[0].op, HasSubstr(R"("text":"a")"));
}

TEST_F(Phone, CountsAVerdictOnceHoweverOftenItIsTold) {
  edit("a");
  const std::string receipt =
      encode_receipt({1, 0, {encode_verdict_refused(1, {Code::kScopeForbidden, "no"})}});
  hears(receipt);
  hears(receipt);
  EXPECT_EQ(phone.refused().size(), 1U);
  EXPECT_EQ(phone.verdict_faults(), 0U);
}

// The answer to the first push was lost: the welcome says that the op is applied, and the receipt
// of the same exchange what became of it.
TEST_F(Phone, HearsAVerdictThatAWelcomeWasAheadOf) {
  edit("a");
  const std::string receipt =
      encode_receipt({1, 0, {encode_verdict_refused(1, {Code::kScopeForbidden, "no"})}});
  hears(welcome(1));
  hears(receipt);
  hears(receipt);
  ASSERT_EQ(phone.refused().size(), 1U);
  EXPECT_EQ(phone.refused()[0].n, 1U);
  EXPECT_EQ(phone.view(kNote), std::nullopt);
}

TEST_F(Phone, NoticesAVerdictThatChanged) {
  edit("a");
  hears(encode_receipt({1, 0, {encode_verdict_ok(1, 10, {})}}));
  hears(encode_receipt({1, 0, {encode_verdict_ok(1, 11, {})}}));
  EXPECT_EQ(phone.verdict_faults(), 1U);
}

TEST_F(Phone, CountsValuesThatLost) {
  edit("a");
  hears(encode_receipt({1, 0, {encode_verdict_ok(1, 10, {"text", "about"})}}));
  EXPECT_EQ(phone.lost_values(), 2U);
}

TEST_F(Phone, HandsInAgainAfterARestoreWhatItStillHolds) {
  hears(welcome(0));
  edit("a");
  edit("b");
  edit("c");
  hears(encode_receipt({1, 0, {encode_verdict_ok(1, 10, {})}}));
  hears(welcome(1, "life 2"));
  EXPECT_EQ(phone.applied(), 1U);
  EXPECT_EQ(pushed(), (Numbers{2, 3}));
}

TEST_F(Phone, ThatWasSetUpAnewGoesOnFromTheServersNumber) {
  hears(welcome(41));
  EXPECT_EQ(edit("a"), 42U);
}

TEST_F(Phone, ReplacesAWholeRecordByAChange) {
  hears_changes(change("n1", 5, R"({"about":"y","text":"x"})", 2));
  hears_changes(change("n1", 6, R"({"text":"z"})"));
  ASSERT_NE(phone.find(kNote), nullptr);
  EXPECT_EQ(phone.find(kNote)->fields, R"({"text":"z"})");
  EXPECT_EQ(phone.find(kNote)->seq, 6);
  EXPECT_EQ(phone.find(kNote)->conflicts, 0U);
}

TEST_F(Phone, HoldsDeletedRecordsForTheirSeqOnly) {
  hears_changes(change("n1", 5, R"({"text":"x"})"));
  hears_changes(change("n1", 6, ""));
  EXPECT_EQ(phone.find(kNote)->fields, "");
  EXPECT_EQ(phone.digest("t"), Digest{});
  edit("again");
  EXPECT_EQ(decode_frame(phone.push(10))->push->ops[0].base, 6);
}

TEST_F(Phone, RemovesTheRecordsOfAScopeThatItLeftButNotWhatWaits) {
  hears_changes(change("n1", 5, R"({"text":"x"})") + "," +
                change("n2", 6, R"({"text":"y"})", 0, "u"));
  edit("waits");
  hears_changes("", {"c2", false, false, {"t"}, {}});
  EXPECT_EQ(phone.find(kNote), nullptr);
  EXPECT_EQ(phone.digest("t"), Digest{});
  EXPECT_NE(phone.find({"u", "note", "n2"}), nullptr);
  EXPECT_EQ(phone.waiting(), 1U);
}

TEST_F(Phone, TakesInTheChangesOfAScopeThatItLeftAndEnteredAgain) {
  hears_changes(change("n1", 5, R"({"text":"x"})"));
  hears_changes(change("n2", 7, R"({"text":"new"})"), {"c2", false, false, {"t"}, {}});
  EXPECT_EQ(phone.find(kNote), nullptr);
  EXPECT_NE(phone.find({"t", "note", "n2"}), nullptr);
}

TEST_F(Phone, ForgetsAllRecordsAtAResetButNotWhatWaits) {
  hears_changes(change("n1", 5, R"({"text":"x"})"));
  edit("waits");
  hears_changes(change("n2", 2, R"({"text":"new"})"), {"c2", true, true, {}, {}});
  EXPECT_EQ(phone.find(kNote), nullptr);
  EXPECT_EQ(phone.records().size(), 1U);
  EXPECT_EQ(phone.waiting(), 1U);
  EXPECT_EQ(phone.cursor(), "c2");
  EXPECT_TRUE(phone.more());
}

TEST_F(Phone, ComparesDigests) {
  const Digest right = digest_of_record("t", "note", "n1", R"({"text":"x"})");
  hears_changes(change("n1", 5, R"({"text":"x"})"), {"c1", false, false, {}, {{"t", 5, right}}});
  EXPECT_EQ(phone.digests_checked(), 1U);
  EXPECT_TRUE(phone.digest_faults().empty());
  hears_changes("", {"c2", false, false, {}, {{"t", 6, Digest{}}}});
  EXPECT_EQ(phone.digest_faults(), std::vector<std::string>{"t"});
}

TEST_F(Phone, TellsThatARecordWasNotThereByTheScopesLastDigest) {
  hears(welcome(0));
  edit("before it holds anything");
  hears_changes("", {"c1", false, false, {}, {{"t", 77, Digest{}}}});
  edit("knowing that it is not there");
  const auto frame = decode_frame(phone.push(10));
  EXPECT_EQ(frame->push->ops[0].base, 0);
  EXPECT_EQ(frame->push->ops[1].base, 77);
}

TEST_F(Phone, GoesBackToTheNumberThatTheServerWaitsFor) {
  hears(welcome(0));
  edit("a");
  edit("b");
  hears(encode_receipt({2, 0, {encode_verdict_ok(1, 10, {}), encode_verdict_ok(2, 11, {})}}));
  EXPECT_EQ(pushed(), Numbers{});
  hears(encode_receipt({0, 1, {}}));
  EXPECT_EQ(pushed(), (Numbers{1, 2}));
}

TEST_F(Phone, KeepsAnOpUntilItIsBackedUpWhereABackupIsSetUp) {
  const auto receipt = [](int applied, int backed_up) {
    return fmt::format(R"({{"receipt":{{"applied":{},"backed_up":{},"count":0,"results":[]}}}})",
                       applied, backed_up);
  };
  hears(welcome(0));
  edit("a");
  hears(encode_receipt({1, 0, {encode_verdict_refused(1, {Code::kScopeForbidden, "no"})}}));
  EXPECT_EQ(phone.kept(), 0U);
  edit("b");
  hears(receipt(2, 0));
  hears_changes(change("n1", 50, R"({"text":"b"})"));
  EXPECT_EQ(phone.waiting(), 0U);
  EXPECT_EQ(phone.kept(), 1U);
  hears(receipt(2, 2));
  hears_changes("");
  hears(welcome(2));
  hears_changes("");
  EXPECT_EQ(phone.kept(), 0U);
}

TEST_F(Phone, ShowsItsOwnOpOverTheRecordUntilAChangeBringsIt) {
  hears(welcome(0));
  hears_changes(change("n1", 5, R"({"about":"x","text":"old"})"));
  edit("mine");
  EXPECT_EQ(phone.view(kNote), R"({"about":"x","text":"mine"})");
  hears(encode_receipt({1, 0, {encode_verdict_ok(1, 20, {})}}));
  EXPECT_EQ(phone.view(kNote), R"({"about":"x","text":"mine"})");
  hears_changes(change("n1", 19, R"({"text":"somebody else's, on the way"})"));
  EXPECT_EQ(phone.view(kNote), R"({"text":"mine"})");
  hears_changes(change("n1", 21, R"({"text":"newer"})"));
  EXPECT_EQ(phone.view(kNote), R"({"text":"newer"})");
  EXPECT_EQ(phone.kept(), 0U);
}

TEST_F(Phone, ShowsCountersSetsAndDeletesOverTheRecord) {
  hears_changes(change("n1", 5, R"({"cups":3,"tags":["a","b"]})"));
  phone.edit({"t", "note", "n1", R"("inc":{"cups":-1},"add":{"tags":["c"]})"}, kClock);
  phone.edit({"t", "note", "n1", R"("remove":{"tags":["a"]},"set":{"text":"x"})"}, kClock);
  EXPECT_EQ(phone.view(kNote), R"({"cups":2,"tags":["b","c"],"text":"x"})");
  phone.edit({"t", "note", "n1", R"("del":true)"}, kClock);
  EXPECT_EQ(phone.view(kNote), std::nullopt);
}

TEST_F(Phone, ShowsNothingOfARefusedOp) {
  hears(welcome(0));
  edit("mine");
  hears(encode_receipt({1, 0, {encode_verdict_refused(1, {Code::kScopeForbidden, "no"})}}));
  EXPECT_EQ(phone.view(kNote), std::nullopt);
}

TEST_F(Phone, ShowsAnOpWithoutAVerdictUntilTheNextWholePull) {
  edit("mine");
  hears(welcome(1));  // the receipt was lost
  EXPECT_EQ(phone.view(kNote), R"({"text":"mine"})");
  hears_changes(change("n2", 6, "{}"), {"c1", true, false, {}, {}});
  EXPECT_EQ(phone.view(kNote), R"({"text":"mine"})");
  hears_changes(change("n1", 7, R"({"text":"a later one"})"));
  EXPECT_EQ(phone.view(kNote), R"({"text":"a later one"})");
}

TEST_F(Phone, AfterARestoreTellsWhichOpsItHoldsNoMoreAndNeverUsesANumberTwice) {
  hears(welcome(0));
  for (int i = 0; i < 4; ++i) edit("a");
  hears(encode_receipt({3,
                        0,
                        {encode_verdict_ok(1, 10, {}), encode_verdict_ok(2, 11, {}),
                         encode_verdict_ok(3, 12, {})}}));
  hears_changes(change("n1", 12, R"({"text":"a"})"));
  phone.saved();
  hears(welcome(1, "life 2"));
  EXPECT_EQ(pushed(), (Numbers{2, 3, 4}));
  EXPECT_THAT(phone.push(10), HasSubstr(R"({"n":2,"lost":true},{"n":3,"lost":true},{"n":4,"sc)"));
  EXPECT_TRUE(phone.unsaved());
  EXPECT_EQ(edit("next"), 5U);
}

TEST_F(Phone, ThatTheServerDoesNotKnowHandsInWhatItHoldsUnderItsNewName) {
  hears(welcome(0));
  edit("a");
  edit("b");
  hears(encode_receipt({1, 0, {encode_verdict_refused(1, {Code::kScopeForbidden, "no"})}}));
  phone.enrolled_anew("0123456789", "new");
  EXPECT_EQ(pushed(), Numbers{1});
  EXPECT_EQ(phone.cursor(), "");
  EXPECT_EQ(edit("c"), 2U);
}

TEST_F(Phone, IsTheSameAfterItWasSavedAndLoaded) {
  hears(welcome(0));
  edit("a \"quoted\" 水");
  edit("b");
  hears(encode_receipt({1, 0, {encode_verdict_ok(1, 10, {})}}));
  hears_changes(change("n2", 5, R"({"text":"x"})", 2) + "," + change("n3", 6, ""),
                {"c7", true, false, {}, {{"t", 5, Digest{}}}});
  const auto loaded = Replica::load(phone.save());
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->save(), phone.save());
  EXPECT_EQ(loaded->push(10), phone.push(10));
  EXPECT_EQ(loaded->hello(kClock), phone.hello(kClock));
  EXPECT_EQ(loaded->digest("t"), phone.digest("t"));
  EXPECT_EQ(loaded->view(kNote), phone.view(kNote));
}

TEST_F(Phone, LoadsMoreThanOneFrameHolds) {
  const std::string text(60'000, 'x');
  for (int i = 0; i < 40; ++i) edit(text);
  const std::string saved = phone.save();
  ASSERT_GT(saved.size(), 2 * limits::kFrameBytes);
  const auto loaded = Replica::load(saved);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->save(), saved);
}

TEST_F(Phone, LoadsNothingThatIsNotASavedState) {
  for (const char* text :
       {"", "{}", "[]", R"({"next_n":1,"scopes":[],"records":[[1]],"ops":[]})",
        R"({"next_n":1,"scopes":[],"records":[],"ops":[["a"]],"held_up_to":{}})"}) {
    EXPECT_FALSE(Replica::load(text).ok()) << text;
  }
}

TEST_F(Phone, PassesOnBusyAndErrors) {
  const Status busy = phone.receive(encode_busy(1370));
  ASSERT_FALSE(busy.ok());
  EXPECT_EQ(busy.error().code, Code::kBusy);
  EXPECT_EQ(busy.error().context, "1370");
  const Status error = phone.receive(encode_error({Code::kAuthRevoked, "gone"}));
  ASSERT_FALSE(error.ok());
  EXPECT_EQ(error.error().context, "auth.revoked: gone");
}

TEST_F(Phone, TakesInNothingOfAFrameThatIsNotRight) {
  for (const char* frame :
       {"", "[]", "{", R"({"welcome":5})", R"({"welcome":{}})", R"({"receipt":{}})",
        R"({"receipt":{"results":[5]}})", R"({"changes":{}})", R"({"changes":{"changes":[5]}})",
        R"({"changes":{"changes":[{"scope":"t"}]}})"}) {
    EXPECT_FALSE(phone.receive(frame).ok()) << frame;
  }
  EXPECT_TRUE(phone.records().empty());
  EXPECT_EQ(phone.cursor(), "");
  EXPECT_TRUE(phone.receive(R"({"news":{"x":1}})").ok());
}

TEST_F(Phone, FillsAFrameAndNoMore) {
  const std::string big(60'000, 'x');
  for (int i = 0; i < 40; ++i) edit(big);
  const std::string frame = phone.push(1000);
  EXPECT_LE(frame.size(), std::size_t{1024} * 1024);
  const auto decoded = decode_frame(frame);
  ASSERT_TRUE(decoded.ok());
  EXPECT_GE(decoded->push->ops.size(), 15U);
  EXPECT_LT(decoded->push->ops.size(), 40U);
}

// A whole round with the applier.
TEST_F(Phone, HandsItsOpsInWithoutDoubtEvenWhenAnswersAreLost) {
  World world;
  const std::uint64_t device = world.enroll({"t"});
  const auto send = [&] {
    auto frame = decode_frame(phone.push(1000));
    for (Op& op : frame->push->ops) op.refusal = schemas().check(op);
    return world.push_together({PushOf{device, frame->push->ops}})[0];
  };
  phone.edit({"t", "note", "n1", R"("inc":{"cups":1})"}, kClock);
  phone.edit({"t", "note", "n1", R"("inc":{"cups":1})"}, kClock);
  send();  // the answer is lost
  phone.edit({"t", "note", "n1", R"("inc":{"cups":1})"}, kClock);
  send();  // and again
  hears(send().receipt);
  EXPECT_EQ(phone.waiting(), 0U);
  EXPECT_EQ(world.visible(), R"({"cups":3})");
}

}  // namespace
}  // namespace waystation::testing
