// Texts come back as they were written, byte for byte: nothing is normalised, cut or escaped away.

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

#include "sync/replica.h"
#include "tests/process/live_client.h"
#include "tests/process/messages.h"

namespace waystation::testing {
namespace {

using namespace std::string_literals;

struct Text {
  const char* name;
  std::string bytes;
  friend void PrintTo(const Text& row, std::ostream* out) { *out << row.name; }
};

const std::vector<Text> kTexts{
    {"Chinese", "潮州市湘桥区 骑手驿站，水不够"},
    {"TraditionalAndRare", "臺灣 㐀 𠮷 𡃁 〇"},
    {"Emoji", "📱🚴‍♀️👨‍👩‍👧‍👦🇨🇳❤️"},
    {"Composed", "caf\xC3\xA9 \xE1\xBA\xAD"},
    {"Decomposed", "cafe\xCC\x81 a\xCC\xA3\xCC\x82"},
    {"HangulInParts", "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB"},
    {"FourBytes", "\xF0\x90\x80\x80 \xF0\x9F\x98\x80 \xF4\x8F\xBF\xBD"},
    {"RightToLeft",
     "שלום עולם مرحبا \xE2\x80\xAE"
     "txt.exe"},
    {"Nul", "before\0after"s},
    {"NulAlone", "\0"s},
    {"ControlCharacters", "\x01\x02\b\t\n\f\r\x1B[31m\x7F"},
    {"QuotesAndBackslashes", R"("\" \\ / \u0041 '`)"},
    {"WhatLooksLikeJson", R"({"hello":{"v":1}},null,[])"},
    {"LineSeparators",
     "a\xE2\x80\xA8"
     "b\xE2\x80\xA9"
     "c"},
    {"ByteOrderMark",
     "\xEF\xBB\xBF"
     "a"},
    {"Noncharacters", "\xEF\xBF\xBF \xEF\xB7\x90 \xF0\x9F\xBF\xBF"},
    {"Replacement", "\xEF\xBF\xBD"},
    {"SpacesAround", "  a  "},
    {"IdeographicSpace", "\xE3\x80\x80水\xE3\x80\x80"},
    {"NoText", ""},
    {"ManyMarks", "a\xCC\x81\xCC\x81\xCC\x81\xCC\x81\xCC\x81\xCC\x81\xCC\x81\xCC\x81"},
};

class Texts : public ::testing::TestWithParam<Text> {
 protected:
  static void SetUpTestSuite() {
    server_ = std::make_unique<TestServer>();
    office_ = std::make_unique<Office>(*server_);
    office_->make_scopes({"s"});
  }
  static void TearDownTestSuite() {
    office_.reset();
    server_.reset();
  }

  static std::vector<Json> ops(const std::string& text) {
    return {
        op_of(1, "s", "note", "n1",
              Json{{"set", {{"text", text}, {"author", text}}},
                   {"add", {{"tags", Json::array({text})}}}}),
        op_of(2, "s", "station", "s1", Json{{"set", {{"name", text}, {"extra", {{"in", text}}}}}}),
        op_of(3, "s", "attendance", "e~v",
              Json{{"append", {{"remarks", Json::array({text, text})}}}})};
  }

  // All places of a list of changes where the text must stand.
  static void expect_text(const Json& changes, const std::string& text) {
    std::size_t found = 0;
    for (const Json& change : changes) {
      const Json& fields = change["fields"];
      if (change["coll"] == "note") {
        EXPECT_EQ(fields["text"], text);
        EXPECT_EQ(fields["author"], text);
        EXPECT_EQ(fields["tags"], Json::array({text}));
      } else if (change["coll"] == "station") {
        EXPECT_EQ(fields["name"], text);
        EXPECT_EQ(fields["extra"]["in"], text);
      } else if (change["coll"] == "attendance") {
        ASSERT_EQ(fields["remarks"].size(), 2U);
        for (const Json& entry : fields["remarks"]) EXPECT_EQ(entry["v"], text);
      } else {
        continue;
      }
      ++found;
    }
    EXPECT_EQ(found, 3U);
  }

  // A scope of its own for each test.
  struct Field {
    std::string scope;
    Enrolled writer;
    Enrolled reader;
  };
  static Field fresh() {
    static int count = 0;
    const std::string scope = "s" + std::to_string(++count);
    office_->make_scopes({scope});
    return Field{scope, office_->enroll({scope}), office_->enroll({scope})};
  }
  static std::vector<Json> ops_in(const std::string& scope, const std::string& text) {
    std::vector<Json> all = ops(text);
    for (Json& op : all) op["scope"] = scope;
    return all;
  }

  static std::unique_ptr<TestServer> server_;
  static std::unique_ptr<Office> office_;
};

std::unique_ptr<TestServer> Texts::server_;
std::unique_ptr<Office> Texts::office_;

TEST_P(Texts, ComeBackUnchangedOverHttp) {
  const std::string& text = GetParam().bytes;
  const Field field = fresh();
  HttpCaller http(*server_);
  const Reply written = http.sync(sync_body(field.writer, ops_in(field.scope, text)));
  ASSERT_EQ(verdict_codes(written.body["receipt"]), "ok ok ok") << written.text;
  const Reply read = http.sync(sync_body(field.reader, {}, ""));
  expect_text(read.body["changes"]["changes"], text);
  expect_text(office_->http().call("GET", "/v1/records?scope=" + field.scope).body["records"],
              text);
  // And the digest of what came is the server's.
  Replica replica(field.reader.device, field.reader.token);
  ASSERT_TRUE(replica.receive(read.text).ok());
  EXPECT_EQ(replica.digests_checked(), 1U);
  EXPECT_TRUE(replica.digest_faults().empty());
}

TEST_P(Texts, ComeBackUnchangedLive) {
  const std::string& text = GetParam().bytes;
  const Field field = fresh();
  LiveClient reader(*server_);
  ASSERT_TRUE(reader.ask(hello_frame(field.reader)).contains("welcome"));
  ASSERT_EQ(reader.ask(pull_frame(""))["changes"]["more"], false);
  LiveClient writer(*server_);
  ASSERT_TRUE(writer.ask(hello_frame(field.writer)).contains("welcome"));
  ASSERT_EQ(verdict_codes(writer.ask(push_frame(ops_in(field.scope, text)))["receipt"]),
            "ok ok ok");
  expect_text(reader.next_of("changes")["changes"], text);
}

TEST_P(Texts, ComeBackUnchangedAsNamesOfDevices) {
  const std::string& text = GetParam().bytes;
  const bool control =
      std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (control) {
    EXPECT_THROW((void)office_->enroll({"s"}, text), std::runtime_error) << "no name has these";
  }
  const Enrolled device = office_->enroll({"s"}, control ? "a tablet" : text);
  EXPECT_EQ(office_->device_row(device)["name"], control ? "a tablet" : text);
  Json body = sync_body(device, {});
  body["hello"]["app"] = text;
  ASSERT_EQ(HttpCaller(*server_).sync(body).status, 200);
  EXPECT_EQ(office_->device_row(device)["app"], text);
}

TEST_P(Texts, AreOneTextHoweverTheyAreEscaped) {
  const std::string& text = GetParam().bytes;
  const Field field = fresh();
  HttpCaller http(*server_);
  const Json body = sync_body(field.writer, ops_in(field.scope, text));
  const Reply raw = http.unchecked("POST", "/v1/sync", body.dump());
  // Everything beyond ASCII as \u escapes: the same ops, so the same verdicts.
  const Reply escaped = http.unchecked("POST", "/v1/sync", body.dump(-1, ' ', true));
  EXPECT_EQ(escaped.body["receipt"].dump(), raw.body["receipt"].dump());
}

INSTANTIATE_TEST_SUITE_P(Table, Texts, ::testing::ValuesIn(kTexts),
                         [](const auto& row) { return std::string(row.param.name); });

class TextLimits : public Texts {};

TEST_F(TextLimits, ComposedAndDecomposedAreTwoTexts) {
  const Field field = fresh();
  const Json both = Json::array({"caf\xC3\xA9", "cafe\xCC\x81"});
  HttpCaller http(*server_);
  const Reply written = http.sync(sync_body(
      field.writer,
      {op_of(1, field.scope, "note", "n1", Json{{"add", {{"tags", both}}}}),
       op_of(2, field.scope, "note", "n1", Json{{"remove", {{"tags", Json::array({both[0]})}}}})}));
  ASSERT_EQ(verdict_codes(written.body["receipt"]), "ok ok");
  EXPECT_EQ(office_->record(field.scope, "note", "n1")["fields"]["tags"], Json::array({both[1]}));
}

TEST_F(TextLimits, LengthIsCountedInCharactersNotInBytes) {
  const Field field = fresh();
  std::string text;
  for (int i = 0; i < 4000; ++i) text += "𠮷";
  HttpCaller http(*server_);
  const Reply written =
      http.sync(sync_body(field.writer, {note_of(1, field.scope, "n1", text),
                                         note_of(2, field.scope, "n1", text + "𠮷")}));
  EXPECT_EQ(verdict_codes(written.body["receipt"]), "ok field.limit");
  EXPECT_EQ(office_->record(field.scope, "note", "n1")["fields"]["text"], text);
}

}  // namespace
}  // namespace waystation::testing
