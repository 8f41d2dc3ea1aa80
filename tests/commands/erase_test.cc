// A person is erased on a real server with many records, and is nowhere to be found afterwards: not
// in the data folder, not in a new backup, not in the logs; and no old backup brings them back.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "server/personal_files.h"
#include "storage/kv.h"
#include "tests/process/live_client.h"
#include "tests/process/messages.h"
#include "tools/open_store.h"

namespace waystation::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kName = "Marker Wangxiaoming 王小明标记";
constexpr const char* kTail = "7391";
constexpr const char* kPerson = "0190a000-0000-7000-8000-00000000beef";

std::string content(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

// Files below `folder` that hold `what`.
std::vector<std::string> grep(const std::string& folder, const std::string& what) {
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && content(entry.path()).find(what) != std::string::npos) {
      found.push_back(entry.path().string());
    }
  }
  return found;
}

// Keys and values of a store that hold `what`, whatever way they are compressed on the disk.
std::size_t rows_with(const std::string& store, const std::string& what) {
  const auto kv = open_rocks(store, OpenMode::kReadOnly);
  EXPECT_TRUE(kv.ok());
  std::size_t found = 0;
  for (std::size_t column = 0; kv.ok() && column < kColumns; ++column) {
    const auto rows = (*kv)->iterate(static_cast<Column>(column));
    for (rows->seek(""); rows->valid(); rows->next()) {
      found += rows->value().find(what) != std::string_view::npos ||
                       rows->key().find(what) != std::string_view::npos
                   ? 1
                   : 0;
    }
  }
  return found;
}

class Erasing : public ::testing::Test {
 protected:
  Erasing() {
    office_.make_scopes({"s"});
    phone_ = office_.enroll({"s"});
  }

  void write_person() {
    office_.write("s", "volunteer", kPerson,
                  Json{{"set", {{"name", kName}, {"phone_tail", kTail}, {"team", "red"}}}});
  }
  void write_others(std::size_t count) {
    std::vector<Json> ops;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string id = fmt::format("other-{}", i);
      ops.push_back(i % 4 == 0 ? op_of(1, "s", "volunteer", id,
                                       Json{{"set", {{"name", fmt::format("name {}", i)}}}})
                               : note_of(1, "s", id, fmt::format("text {}", i)));
      if (ops.size() < 1000 && i + 1 < count) continue;
      office_.write_all(ops);
      ops.clear();
    }
  }
  Json erase(const std::string& person = kPerson) {
    const auto ran =
        server_.ask({"erase", "--person", person, "--server", server_.address(), "--json"});
    EXPECT_EQ(ran.code, 0) << ran.out << server_.log();
    return parse_json(ran.out);
  }
  static std::set<std::string> remains_of(const Json& report) {
    std::set<std::string> all;
    for (const Json& one : report["remains"]) all.insert(one["what"]);
    return all;
  }
  void back_up_to(const std::string& folder) {
    ASSERT_EQ(server_.run({"backup", "--to", folder, "--server", server_.address()}), 0)
        << server_.log();
  }
  // The wrapped key as it lies in the store.
  std::string wrapped_key() {
    const auto kv = open_rocks(server_.data() + "/store", OpenMode::kReadOnly);
    std::string row;
    EXPECT_TRUE(kv.ok() && (*kv)->get(Column::kPersons, person_row(kPerson), row).value());
    return row;
  }
  void expect_nothing_in(const std::string& folder, const std::string& what) {
    EXPECT_THAT(grep(folder, what), ::testing::IsEmpty()) << what;
  }

  TestServer server_{TestServer::Begin::kStarted, {"--log-level", "trace"}};
  Office office_{server_};
  Enrolled phone_;
  TemporaryFolder elsewhere_;
};

TEST_F(Erasing, InAStoreOf100000RecordsLeavesTheNameNowhere) {
  write_person();
  write_others(99'999);
  const std::string key = wrapped_key().substr(33);
  ASSERT_GT(key.size(), 40U);
  const Json report = erase();
  EXPECT_EQ(report["state"], "erased");
  EXPECT_EQ(report["erased"]["records"].size(), 1U);
  EXPECT_EQ(report["erased"]["history_ops"], 1);
  EXPECT_EQ(remains_of(report), (std::set<std::string>{"devices", "record.volunteer"}));
  // A new backup, while the server runs.
  const std::string backup = elsewhere_.path() + "/backup";
  back_up_to(backup);
  for (const std::string& what : {std::string(kName), std::string("王小明标记"), key}) {
    expect_nothing_in(server_.data(), what);
    expect_nothing_in(backup, what);
  }
  EXPECT_EQ(server_.stop(), 0);
  expect_nothing_in(server_.data(), kName);
  EXPECT_EQ(rows_with(server_.data() + "/store", "王小明标记"), 0U);
  EXPECT_EQ(rows_with(backup + "/store", "王小明标记"), 0U);
  EXPECT_THAT(server_.log(), Not(HasSubstr("王小明标记")));
  EXPECT_EQ(server_.run({"verify"}), 0) << server_.log();
}

TEST_F(Erasing, ReachesLiveConnectionsAndTheAuditLog) {
  write_person();
  LiveClient live(server_);
  EXPECT_TRUE(live.ask(hello_frame(phone_)).contains("welcome"));
  EXPECT_THAT(live.ask(pull_frame("")).dump(), HasSubstr(kName));
  EXPECT_EQ(remains_of(erase()).count("devices"), 1U);
  const std::string told = live.next().dump();
  EXPECT_THAT(told, HasSubstr(R"("fields":{"team":"red"})"));
  EXPECT_THAT(told, Not(HasSubstr(kName)));
  const Json audit = office_.http().call("GET", "/v1/audit?limit=1000").body["audit"];
  EXPECT_EQ(audit.back()["what"], "person.erased");
  EXPECT_THAT(audit.back().dump(), Not(HasSubstr(kPerson)));
  EXPECT_EQ(erase()["state"], "erased_before");
  EXPECT_EQ(HttpCaller(server_).call("POST", fmt::format("/v1/persons/{}/erase", kPerson)).status,
            401);
  HttpCaller device(server_, phone_.device + "." + phone_.token);
  EXPECT_EQ(device.call("POST", fmt::format("/v1/persons/{}/erase", kPerson)).code(),
            "auth.forbidden");
  // Words for people.
  const auto ran = server_.ask({"erase", "--person", "nobody", "--server", server_.address()});
  EXPECT_THAT(ran.out, HasSubstr("nothing personal was known of nobody"));
}

TEST_F(Erasing, IsNotUndoneByABackupThatWasMadeBefore) {
  write_person();
  const std::string before = elsewhere_.path() + "/before";
  const std::string after = elsewhere_.path() + "/after";
  back_up_to(before);
  EXPECT_EQ(remains_of(erase()).count("backups"), 1U);
  back_up_to(after);
  EXPECT_EQ(server_.stop(), 0);
  const std::string kept = elsewhere_.path() + "/kept.key";
  fs::copy_file(server_.data() + "/master.key", kept);
  fs::remove_all(server_.data());
  // Without the key it does not start, and makes none.
  ASSERT_EQ(server_.run({"restore", "--from", before}), 0) << server_.log();
  EXPECT_THROW(server_.start(), std::runtime_error);
  EXPECT_THAT(server_.log(), HasSubstr("master_key"));
  EXPECT_FALSE(fs::exists(server_.data() + "/master.key"));
  fs::remove_all(server_.data());
  std::ofstream(elsewhere_.path() + "/wrong.key") << std::string(64, 'a') << "\n";
  EXPECT_EQ(
      server_.run({"restore", "--from", before, "--master-key", elsewhere_.path() + "/wrong.key"}),
      1);
  EXPECT_FALSE(fs::exists(server_.data() + "/store")) << server_.log();
  ASSERT_EQ(server_.run({"restore", "--from", before, "--master-key", kept, "--erasures",
                         after + "/erasures.log"}),
            0)
      << server_.log();
  server_.start();
  EXPECT_EQ(server_.stop(), 0);
  EXPECT_EQ(rows_with(server_.data() + "/store", "王小明标记"), 0U);
  Config config;
  config.data = server_.data();
  const auto store = open_to_read(config);
  ASSERT_TRUE(store.ok()) << store.error().context;
  PersonKey key{};
  EXPECT_EQ((*store)->keyring()->find(kPerson, key).value(), KeyState::kErased);
  EXPECT_EQ(server_.run({"verify"}), 0) << server_.log();
}

TEST_F(Erasing, ThatWasKilledBeforeTheKeyWentIsDoneAtTheNextStart) {
  write_person();
  server_.kill();
  // As it is when the list has the mark and the store does not have the erasure yet.
  ASSERT_TRUE(
      append_erasure(server_.data() + "/erasures.log", Erasure{mark_of_row(person_row(kPerson)), 1})
          .ok());
  server_.start();
  const Json record =
      HttpCaller(server_, server_.admin_token())
          .call("GET", fmt::format("/v1/records?scope=s&coll=volunteer&id={}", kPerson))
          .body;
  EXPECT_THAT(record.dump(), Not(HasSubstr(kName)));
  EXPECT_THAT(server_.log(), HasSubstr("erased again"));
  EXPECT_EQ(server_.stop(), 0);
}

TEST_F(Erasing, AndRotatingTheMasterKey) {
  write_person();
  EXPECT_EQ(server_.run({"keys", "rotate", "--discard-old"}), 1) << "the server runs";
  EXPECT_EQ(server_.stop(), 0);
  const std::string old = wrapped_key().substr(33);
  const std::string before = content(server_.data() + "/master.key");
  EXPECT_EQ(fs::status(server_.data() + "/master.key").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(server_.run({"keys", "rotate"}), 2);
  const std::string kept = elsewhere_.path() + "/old.key";
  ASSERT_EQ(server_.run({"keys", "rotate", "--keep-old", kept}), 0) << server_.log();
  EXPECT_EQ(content(kept), before);
  EXPECT_NE(content(server_.data() + "/master.key"), before);
  EXPECT_NE(wrapped_key().substr(33), old);
  expect_nothing_in(server_.data() + "/store", old);
  const auto shown = [&] {
    return HttpCaller(server_, server_.admin_token())
        .call("GET", "/v1/records?scope=s&coll=volunteer")
        .body.dump();
  };
  server_.start();
  EXPECT_THAT(shown(), HasSubstr(kName));
  EXPECT_EQ(server_.stop(), 0);
  // Cut off when all was wrapped and the file not yet in its place.
  fs::rename(server_.data() + "/master.key", server_.data() + "/master.key.next");
  fs::copy_file(kept, server_.data() + "/master.key");
  server_.start();
  EXPECT_THAT(shown(), HasSubstr(kName));
  EXPECT_EQ(server_.stop(), 0);
  EXPECT_FALSE(fs::exists(server_.data() + "/master.key.next"));
  // An old key over a file that is there, or where the server looks for its own.
  const std::string now = content(server_.data() + "/master.key");
  for (const std::string& taken :
       {kept, server_.data() + "/master.key", server_.data() + "/./master.key.next"}) {
    EXPECT_EQ(server_.run({"keys", "rotate", "--keep-old", taken}), 1) << taken;
  }
  EXPECT_EQ(content(kept), before);
  EXPECT_EQ(content(server_.data() + "/master.key"), now);
  // Another key than the store's.
  fs::copy_file(kept, server_.data() + "/master.key", fs::copy_options::overwrite_existing);
  EXPECT_THROW(server_.start(), std::runtime_error);
  EXPECT_THAT(server_.log(), HasSubstr("master_key"));
}

}  // namespace
}  // namespace waystation::testing
