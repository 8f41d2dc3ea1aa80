// Photos and the records that name them: who is told that they are there, who may see them, and
// what becomes of them in a backup.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/photos/tus.h"

namespace waystation::testing {
namespace {

class Photos : public ::testing::Test {
 protected:
  Photos() : office(server) {
    office.make_scopes({"t", "u"});
    phone = office.enroll({"t"}, "a phone", "volunteer");
  }

  // The phone writes the record of a photo.
  std::string write(std::uint64_t n, const std::string& id, const std::string& bytes) {
    const Json edits = {{"set",
                         {{"about", "event/e1"},
                          {"blob", hash_of(bytes)},
                          {"bytes", bytes.size()},
                          {"media_type", "image/jpeg"}}}};
    HttpCaller http(server);
    const Reply reply = http.sync(sync_body(phone, {op_of(n, "t", "photo", id, edits)}));
    return verdict_codes(reply.body["receipt"]);
  }
  [[nodiscard]] bool present(const std::string& id) {
    // Anew each time: the server may have been started again, elsewhere.
    HttpCaller admin(server, server.admin_token());
    const Json records =
        admin.call("GET", "/v1/records?scope=t&coll=photo&id=" + id).body["records"];
    return records.size() == 1 && records[0]["fields"].contains("present");
  }
  [[nodiscard]] Tus tus() const { return Tus(server, phone); }

  TestServer server;
  Office office;
  Enrolled phone;
};

TEST_F(Photos, F9_ARecordSaysThatItsFileIsThereOnceTheServerHasHeldItAgainstItsHash) {
  const std::string bytes = picture(100'000);
  ASSERT_EQ(write(1, "p1", bytes), "ok");
  EXPECT_FALSE(present("p1"));
  tus().upload(bytes);
  EXPECT_TRUE(present("p1"));
  // Handed in behind the file: at once.
  ASSERT_EQ(write(2, "p2", bytes), "ok");
  EXPECT_TRUE(present("p2"));
}

TEST_F(Photos, ComeBackWhole) {
  const std::string bytes = picture(300'000);
  ASSERT_EQ(write(1, "p1", bytes), "ok");
  tus().upload(bytes);
  const std::string hash = hash_of(bytes);
  const RawAnswer photo = tus().get(hash, "t", "p1");
  EXPECT_EQ(photo.status, 200);
  EXPECT_EQ(photo.body, bytes);
  EXPECT_EQ(header(photo, "content-type"), "image/jpeg");
  EXPECT_EQ(header(photo, "x-content-type-options"), "nosniff");
  EXPECT_EQ(header(photo, "content-disposition"), "attachment");
  EXPECT_EQ(header(photo, "cache-control"), "private, no-cache");
  const std::string tag = header(photo, "etag");
  EXPECT_EQ(tus().get(hash, "t", "p1", "If-None-Match: " + tag + "\r\n").status, 304);
  const RawAnswer part = tus().get(hash, "t", "p1", "Range: bytes=1000-1999\r\n");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, bytes.substr(1000, 1000));
  EXPECT_EQ(header(part, "content-range"), "bytes 1000-1999/300000");
  EXPECT_EQ(tus().get(hash, "t", "p1", "Range: bytes=-10\r\n").body, bytes.substr(299'990));
  EXPECT_EQ(tus().get(hash, "t", "p1", "Range: bytes=299990-\r\n").body, bytes.substr(299'990));
  EXPECT_EQ(tus().get(hash, "t", "p1", "Range: bytes=300000-\r\n").status, 416);
  EXPECT_EQ(tus().get(hash, "t", "p1", "Range: lines=1-2\r\n").body, bytes);
}

// One answer for all: that a file is there is told to nobody who may not see it.
TEST_F(Photos, AreThereForWhoMayReadTheirRecordAlone) {
  const std::string bytes = picture(1000);
  const std::string hash = hash_of(bytes);
  ASSERT_EQ(write(1, "p1", bytes), "ok");
  ASSERT_EQ(write(2, "other", picture(1000, 2)), "ok");
  tus().upload(bytes);
  ASSERT_EQ(tus().get(hash, "t", "p1").status, 200);
  const RawAnswer nowhere = tus().get(hash_of("nothing"), "t", "p1");
  EXPECT_EQ(nowhere.status, 404);
  EXPECT_EQ(tus().get(hash, "t", "other").body, nowhere.body) << "it names another";
  EXPECT_EQ(tus().get(hash, "t", "nothing").body, nowhere.body);
  EXPECT_EQ(tus().get(hash, "u", "p1").body, nowhere.body) << "not its scope";
  EXPECT_EQ(tus().get(hash_of(picture(1000, 2)), "t", "other").body, nowhere.body)
      << "not come yet";
  const Tus stranger(server, office.enroll({"u"}, "another", "volunteer"));
  EXPECT_EQ(stranger.get(hash, "t", "p1").body, nowhere.body);
  const Tus station(server, office.enroll({"t"}, "a tablet", "station"));
  EXPECT_EQ(station.get(hash, "t", "p1").status, 200);
  // Deleted by the office: gone for all.
  office.write("t", "photo", "p1", {{"del", true}});
  EXPECT_EQ(tus().get(hash, "t", "p1").body, nowhere.body);
}

TEST_F(Photos, F11_AreNamedByTheirHashAndNeverByWhatAPhoneCallsThem) {
  tus().upload(picture(1000));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(server.data())) {
    EXPECT_EQ(entry.path().string().find("照片"), std::string::npos);
  }
  const std::string hash = hash_of(picture(1000));
  const auto file = server.data() + "/blobs/" + hash.substr(0, 2) + "/" + hash.substr(2);
  const auto mode = std::filesystem::status(file).permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

// Between the file's coming to its place and the record's saying so lies a moment in which the
// server may die.
TEST_F(Photos, ThatCameJustBeforeAKillAreToldOfAfterTheNextStart) {
  const std::string bytes = picture(1000);
  ASSERT_EQ(write(1, "p1", bytes), "ok");
  const std::string place = tus().begin(bytes);
  server.kill();
  const std::string id = place.substr(place.rfind('/') + 1);
  const std::string hash = hash_of(bytes);
  const std::string folder = server.data() + "/blobs/" + hash.substr(0, 2);
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/" + hash.substr(2), std::ios::binary) << bytes;
  std::filesystem::remove(server.data() + "/uploads/" + id + ".part");
  server.start();
  for (int i = 0; i < 200 && !present("p1"); ++i) {
  }
  EXPECT_TRUE(present("p1"));
  EXPECT_EQ(tus().offset(place), bytes.size());
}

TEST_F(Photos, AreInABackupAndComeBackWithIt) {
  const std::string bytes = picture(50'000);
  ASSERT_EQ(write(1, "p1", bytes), "ok");
  tus().upload(bytes);
  TemporaryFolder elsewhere;
  const std::string backup = elsewhere.path() + "/backup";
  ASSERT_EQ(office.http().call("POST", "/v1/backup", {{"to", backup}}).status, 200);
  EXPECT_EQ(server.run({"verify", "--blobs"}), 0);
  EXPECT_EQ(server.stop(), 0);
  std::filesystem::rename(server.data(), elsewhere.path() + "/lost");
  ASSERT_EQ(server.run({"restore", "--from", backup, "--master-key",
                        elsewhere.path() + "/lost/master.key"}),
            0)
      << server.log();
  EXPECT_EQ(server.run({"verify", "--blobs"}), 0) << server.log();
  server.start();
  EXPECT_EQ(tus().get(hash_of(bytes), "t", "p1").body, bytes);
}

TEST_F(Photos, ThatAreDamagedOrMissingAreFoundByVerify) {
  const std::string bytes = picture(1000);
  ASSERT_EQ(write(1, "p1", bytes), "ok");
  tus().upload(bytes);
  const std::string hash = hash_of(bytes);
  const std::string file = server.data() + "/blobs/" + hash.substr(0, 2) + "/" + hash.substr(2);
  std::ofstream(file, std::ios::binary) << picture(1000, 2);
  EXPECT_EQ(server.run({"verify"}), 0);
  EXPECT_EQ(server.run({"verify", "--blobs"}), 1);
  std::filesystem::remove(file);
  EXPECT_EQ(server.run({"verify"}), 1);
}

}  // namespace
}  // namespace waystation::testing
