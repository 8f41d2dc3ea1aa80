// What records say of their files, and when files go: with a clock that the test moves.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "server/service.h"
#include "storage/verify.h"
#include "sync/bytes.h"
#include "sync/digest.h"
#include "tests/support/handset.h"
#include "tests/support/json.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;

class PhotoServer : public ::testing::Test {
 protected:
  PhotoServer() {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    open();
  }
  ~PhotoServer() override {
    service->abandon();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  void open() {
    Surroundings around;
    around.now_ms = [this] { return now; };
    around.threads = Threads::kStepped;
    around.schemas = std::make_shared<const Schemas>(schemas());
    around.policy = Policy::open_to_all();
    around.blobs = folder_ + "/blobs";
    around.uploads = folder_ + "/uploads";
    auto opened =
        Service::over(share(disk_), {}, "the administrator's token of the test", std::move(around));
    WS_CHECK(opened.ok());
    service = std::move(*opened);
    blobs = std::make_unique<Blobs>(folder_ + "/blobs");
    settle();
  }
  void restart() {
    service->abandon();
    service.reset();
    open();
  }
  void settle() {
    while (service->step_writer() || service->step_reader()) {
    }
  }

  ApiReply call(const std::string& method, const std::string& path, const std::string& body = {}) {
    ApiRequest request;
    request.method = method;
    request.path = path.substr(0, path.find('?'));
    request.body = body;
    request.bearer = "the administrator's token of the test";
    return call(std::move(request));
  }
  ApiReply call(ApiRequest request) {
    std::optional<ApiReply> reply;
    service->api(std::move(request), [&](ApiReply answer) { reply = std::move(answer); });
    settle();
    return reply.value_or(ApiReply{0, "{}", false, 0});
  }

  // A file on this server, without the way there.
  std::string put(const std::string& bytes) {
    const std::string path = folder_ + "/file";
    std::ofstream(path, std::ios::binary) << bytes;
    const std::string hash = hex_of(sha256(bytes));
    EXPECT_TRUE(blobs->put(path, hash, now).ok());
    return hash;
  }
  void tidy() {
    service->tidy_blobs();
    settle();
  }

  std::int64_t now = kStart;
  std::unique_ptr<Service> service;
  std::unique_ptr<Blobs> blobs;

 private:
  std::string folder_ =
      (std::filesystem::temp_directory_path() / "waystation-photos-XXXXXX").string();
  std::shared_ptr<MemoryKv> disk_ = std::make_shared<MemoryKv>();

 protected:
  std::uint64_t n_ = 0;
  std::string device_;
  std::string token_;

  void enroll() {
    const std::string code = text_of(
        JsonText(call("POST", "/v1/codes", R"({"scopes":["*"],"role":"office"})").body).root(),
        "code");
    const JsonText made(
        call("POST", "/v1/enroll",
             fmt::format(R"({{"code":"{}","request":"a request of the test"}})", code))
            .body);
    device_ = text_of(made.root(), "device");
    token_ = text_of(made.root(), "token");
    push("scope", "t", R"("set":{"title":"t"})");
  }
  std::string push(const std::string& coll, const std::string& id, const std::string& edits) {
    const std::string body = fmt::format(
        R"({{"hello":{{"v":1,"device":"{}","token":"{}","clock":{{"wall":{},"mono":0,"boot":"b"}}}},)"
        R"("push":{{"ops":[{{"n":{},"scope":"t","coll":"{}","id":"{}","wall":{},"mono":0,"boot":"b",)"
        R"({}}}]}}}})",
        device_, token_, now, ++n_, coll, id, now, edits);
    return call("POST", "/v1/sync", body).body;
  }
  std::string photo(const std::string& id) {
    ApiRequest request;
    request.method = "GET";
    request.path = "/v1/records";
    request.query = {{"scope", "t"}, {"coll", "photo"}, {"id", id}};
    request.bearer = "the administrator's token of the test";
    return call(std::move(request)).body;
  }
  bool present(const std::string& id) {
    return photo(id).find("\"present\":") != std::string::npos;
  }
  std::string names(const std::string& hash) {
    return fmt::format(R"("set":{{"blob":"{}"}})", hash);
  }
};

TEST_F(PhotoServer, SaysOfARecordThatItsFileIsThereWhenTheRecordComesLater) {
  enroll();
  const std::string hash = put("a picture");
  push("photo", "p1", names(hash));
  EXPECT_TRUE(present("p1")) << photo("p1");
  push("photo", "p2", names(hex_of(sha256("another"))));
  EXPECT_FALSE(present("p2"));
  // A record that comes to name a file that is not there says so no more.
  push("photo", "p1", names(hex_of(sha256("another"))));
  EXPECT_FALSE(present("p1"));
  const auto report = verify(
      service->store(), [](std::uint64_t) {}, {}, BlobCheck{blobs.get(), true});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->faults, 0U) << (report->first_faults.empty() ? "" : report->first_faults[0]);
  EXPECT_EQ(report->photos, 2U);
}

TEST_F(PhotoServer, LetsNoDeviceSayThatAFileIsThere) {
  enroll();
  const std::string answer =
      push("photo", "p1", R"("set":{"present":"2026-01-01T00:00:00+00:00"})");
  EXPECT_NE(answer.find("field.derived"), std::string::npos) << answer;
}

TEST_F(PhotoServer, KeepsAFileForAsLongAsARecordNamesItAndAMonthLonger) {
  enroll();
  const std::string named = put("named");
  const std::string unnamed = put("unnamed");
  push("photo", "p1", names(named));
  for (int day = 0; day < 30; ++day) {
    now += kDayMs;
    tidy();
    EXPECT_TRUE(blobs->has(unnamed)) << day;
  }
  for (int day = 0; day < 30; ++day) {
    now += kDayMs;
    tidy();
  }
  EXPECT_FALSE(blobs->has(unnamed));
  EXPECT_TRUE(blobs->has(named));
  push("photo", "p1", R"("del":true)");
  for (int day = 0; day < 30; ++day) {
    now += kDayMs;
    tidy();
    EXPECT_TRUE(blobs->has(named)) << day;
  }
  for (int day = 0; day < 10; ++day) {
    now += kDayMs;
    tidy();
  }
  EXPECT_FALSE(blobs->has(named));
}

TEST_F(PhotoServer, ForgetsAnUploadAWeekAfterItLastGrew) {
  enroll();
  ApiRequest request;
  request.method = "POST";
  request.path = "/v1/blobs";
  request.bearer = device_ + "." + token_;
  request.headers = {{"tus-resumable", "1.0.0"},
                     {"upload-length", "9"},
                     // The hash of "a picture".
                     {"upload-metadata",
                      "sha256 "
                      "OTJiMmZhNTgwMjg5NTgzMTdlNDA4YmQ4NGVjZmE3MGY1ZWUzNWIxMjE5OTFk"
                      "YmMyMzJjNDlkMTY2MzUzNzA4Yg=="}};
  const ApiReply made = call(request);
  ASSERT_EQ(made.status, 201) << made.body;
  std::string place;
  for (const auto& [name, value] : made.headers) {
    if (name == "Location") place = value;
  }
  request.method = "HEAD";
  request.path = place;
  now += 6 * kDayMs;
  tidy();
  EXPECT_EQ(call(request).status, 200);
  now += 2 * kDayMs;
  tidy();
  EXPECT_EQ(call(request).status, 404);
}

}  // namespace
}  // namespace waystation::testing
