// Uploads that break off: what was confirmed is never sent again, whatever dies meanwhile.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "tests/photos/tus.h"

namespace waystation::testing {
namespace {

class Uploads : public ::testing::Test {
 protected:
  Uploads() : office(server), phone(office.enroll({"*"})), tus(server, phone) {}

  [[nodiscard]] std::size_t files(const std::string& folder) const {
    std::error_code missing;
    std::size_t count = 0;
    for (std::filesystem::recursive_directory_iterator at(server.data() + "/" + folder, missing),
         end;
         !missing && at != end; ++at) {
      if (at->is_regular_file()) ++count;
    }
    return count;
  }

  TestServer server;
  Office office;
  Enrolled phone;
  Tus tus;
};

TEST_F(Uploads, F10_OneThatIsCutOffThirtyTimesSendsNoConfirmedByteTwice) {
  const std::string bytes = picture(3'000'000);
  const std::string place = tus.begin(bytes);
  std::mt19937 random(1);
  std::size_t confirmed = 0;
  for (int i = 0; i < 30; ++i) {
    const std::string rest = bytes.substr(confirmed);
    const std::size_t sent = random() % (rest.size() / 8);
    tus.cut_off(place, confirmed, rest, sent);
    if (i % 10 == 9) {
      server.kill();
      server.start();
    }
    const auto now = tus.offset(place);
    ASSERT_TRUE(now.has_value());
    EXPECT_EQ(*now, confirmed + sent) << "all that has come counts";
    confirmed = *now;
  }
  const RawAnswer done = tus.patch(place, confirmed, bytes.substr(confirmed));
  EXPECT_EQ(done.status, 204) << done.body;
  EXPECT_EQ(files("blobs"), 1U);
}

TEST_F(Uploads, AnOffsetThatWasToldOutlivesAKill) {
  const std::string bytes = picture(500'000);
  const std::string place = tus.begin(bytes);
  ASSERT_EQ(tus.patch(place, 0, bytes.substr(0, 200'000)).status, 204);
  server.kill();
  server.start();
  EXPECT_EQ(tus.offset(place), 200'000U);
  EXPECT_EQ(code_of(tus.patch(place, 0, bytes)), "upload.offset");
  EXPECT_EQ(tus.patch(place, 200'000, bytes.substr(200'000)).status, 204);
  EXPECT_EQ(tus.offset(place), bytes.size()) << "a finished one is remembered";
  server.kill();
  server.start();
  EXPECT_EQ(tus.offset(place), bytes.size());
}

TEST_F(Uploads, OfAWrongHashIsRefusedAndLeavesNothing) {
  const std::string bytes = picture(10'000);
  const RawAnswer made = tus.create(bytes.size(), hash_of(picture(10'000, 2)));
  const std::string place = header(made, "location");
  const RawAnswer answer = tus.patch(place, 0, bytes);
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(code_of(answer), "upload.hash");
  EXPECT_FALSE(tus.offset(place).has_value());
  EXPECT_EQ(files("blobs") + files("uploads"), 0U);
}

TEST_F(Uploads, EqualFilesAreStoredOnceAndNotSentAgain) {
  const std::string bytes = picture(50'000);
  tus.upload(bytes);
  const Tus other(server, office.enroll({"*"}));
  const RawAnswer made = other.create(bytes.size(), hash_of(bytes));
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(header(made, "upload-offset"), std::to_string(bytes.size()));
  EXPECT_EQ(other.offset(header(made, "location")), bytes.size());
  EXPECT_EQ(code_of(other.create(1, hash_of(bytes))), "upload.hash");
  EXPECT_EQ(files("blobs"), 1U);
}

TEST_F(Uploads, AreSeenByWhomTheyWereMadeByAlone) {
  const std::string bytes = picture(1000);
  const std::string place = tus.begin(bytes);
  const Tus other(server, office.enroll({"*"}));
  EXPECT_EQ(other.request("HEAD", place).status, 404);
  EXPECT_EQ(code_of(other.patch(place, 0, bytes)), "http.not_found");
  EXPECT_EQ(other.request("DELETE", place).status, 404);
  EXPECT_EQ(tus.offset(place), 0U);
  const Tus nobody(server, Enrolled{phone.device, "wrong"});
  EXPECT_EQ(nobody.request("HEAD", place).status, 401);
  EXPECT_EQ(nobody.create(1, hash_of("a")).status, 401);
  EXPECT_EQ(code_of(nobody.patch(place, 0, bytes)), "auth.bad_token");
}

TEST_F(Uploads, AreGivenUpByTheirPhone) {
  const std::string place = tus.begin(picture(1000));
  EXPECT_EQ(tus.request("DELETE", place).status, 204);
  EXPECT_EQ(tus.request("HEAD", place).status, 404);
  EXPECT_EQ(tus.request("DELETE", place).status, 404);
  EXPECT_EQ(files("uploads"), 0U);
}

TEST_F(Uploads, SayWhatIsWrongWithThem) {
  const std::string hash = hash_of("a");
  EXPECT_EQ(code_of(tus.create(21'000'000, hash)), "upload.too_large");
  EXPECT_EQ(code_of(tus.create(0, hash)), "upload.too_large");
  EXPECT_EQ(code_of(tus.create(1, "no hash")), "upload.invalid");
  EXPECT_EQ(code_of(tus.request("POST", "/v1/blobs", "Upload-Length: 1\r\n")), "upload.invalid");
  const std::string place = tus.begin(picture(1000));
  EXPECT_EQ(code_of(tus.request("PATCH", place, "Upload-Offset: 0\r\n", "a")), "upload.type");
  EXPECT_EQ(code_of(tus.request("PATCH", place, "Content-Type: application/offset+octet-stream\r\n",
                                "a")),
            "upload.invalid");
  EXPECT_EQ(code_of(tus.patch(place, 0, picture(1001))), "upload.too_large");
  EXPECT_EQ(code_of(tus.patch(place, 1, "a")), "upload.offset");
  RawSocket raw(server.port());
  raw.send("POST /v1/blobs HTTP/1.1\r\nHost: a\r\nUpload-Length: 1\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(code_of(raw.answer().value_or(RawAnswer{})), "upload.version");
  const RawAnswer options = tus.request("OPTIONS", "/v1/blobs");
  EXPECT_EQ(header(options, "tus-version"), "1.0.0");
  EXPECT_EQ(header(options, "tus-max-size"), "20971520");
}

// Whatever stands in the path, no file is named by it.
TEST_F(Uploads, AreNoWayToOtherFiles) {
  for (const std::string name :
       {"../admin.token", "..%2fadmin.token", "%2e%2e/store", "a%00", ""}) {
    EXPECT_EQ(tus.request("HEAD", "/v1/blobs/uploads/" + name).status, 404) << name;
    EXPECT_EQ(tus.request("DELETE", "/v1/blobs/uploads/" + name).status, 404) << name;
  }
}

TEST_F(Uploads, AreTakenOverByTheLatestRequest) {
  const std::string bytes = picture(400'000);
  const std::string place = tus.begin(bytes);
  RawSocket hanging(server.port());
  hanging.send(fmt::format(
      "PATCH {} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}.{}\r\nTus-Resumable: 1.0.0\r\n"
      "Content-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\nContent-Length: "
      "{}\r\n\r\n",
      place, phone.device, phone.token, bytes.size()));
  hanging.send(std::string_view(bytes).substr(0, 100'000));
  // The line is dead, and the phone comes back by another.
  std::optional<std::size_t> told;
  for (int i = 0; i < 200 && told.value_or(0) == 0; ++i) told = tus.offset(place);
  ASSERT_TRUE(told.has_value());
  hanging.send(std::string_view(bytes).substr(100'000));
  EXPECT_EQ(code_of(hanging.answer().value_or(RawAnswer{})), "upload.offset");
  EXPECT_EQ(tus.offset(place), *told) << "what was told stays true";
  EXPECT_EQ(tus.patch(place, *told, bytes.substr(*told)).status, 204);
}

TEST_F(Uploads, OfOnePhoneAreBounded) {
  for (unsigned i = 0; i < 64; ++i) {
    ASSERT_EQ(tus.create(1000, hash_of(std::to_string(i))).status, 201) << i;
  }
  EXPECT_EQ(code_of(tus.create(1000, hash_of("one more"))), "upload.too_many");
  EXPECT_EQ(Tus(server, office.enroll({"*"})).create(1000, hash_of("another's")).status, 201);
}

TEST(UploadsOnAFullDisk, WaitAndEditsGoOn) {
  TestServer server(TestServer::Begin::kStopped);
  server.configure("blob_floor_mib = 1000000\n");
  server.start();
  Office office(server);
  const Tus tus(server, office.enroll({"*"}));
  const RawAnswer answer = tus.create(1000, hash_of("a"));
  EXPECT_EQ(answer.status, 507);
  EXPECT_EQ(code_of(answer), "upload.disk");
  office.make_scopes({"t"});
}

}  // namespace
}  // namespace waystation::testing
