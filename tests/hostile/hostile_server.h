// One server for all tests of a suite, which must outlive what they send; for each test a device
// that misbehaves and a neighbour that does not. Given, when, then:
//
//   live.unchecked("{");                       // what is wrong
//   EXPECT_EQ(code_of(live.next()), "json.invalid");
//   expect_all_are_served();                   // then both devices hand in a good op
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "sync/errors.h"
#include "tests/process/live_client.h"
#include "tests/process/messages.h"
#include "tests/process/raw_socket.h"
#include "tests/process/test_server.h"

namespace waystation::testing {

inline constexpr const char* kScope = "s";

// The code of an error message of the WebSocket; empty where it is none.
[[nodiscard]] std::string code_of(const Json& frame);

// What the table of errors says of a code.
[[nodiscard]] const CodeInfo& about(const std::string& code);

class HostileServer : public ::testing::Test {
 public:
  static void SetUpTestSuite();
  static void SetUpServer(const std::string& settings);  // of waystation.toml; empty: none
  static void TearDownTestSuite();

 protected:
  HostileServer();
  void TearDown() override;  // the server lives

  static TestServer& server() { return *server_; }
  static Office& office() { return *office_; }
  [[nodiscard]] const Enrolled& device() const { return device_; }
  [[nodiscard]] const Enrolled& neighbour() const { return neighbour_; }

  // The device's next op number, as the server has it.
  [[nodiscard]] std::uint64_t next_n(const Enrolled& device) const;
  // A connection that has said hello.
  [[nodiscard]] std::unique_ptr<LiveClient> greeted(const Enrolled& device) const;

  // The next good op of the device and of the neighbour is taken, over HTTP and on the WebSocket.
  void expect_all_are_served() const;
  // The next good op of this device alone.
  void expect_served_by(const Enrolled& device) const;
  // The same on this very connection.
  void expect_served_on(LiveClient& live) const;

 private:
  static std::unique_ptr<TestServer> server_;
  static std::unique_ptr<Office> office_;
  Enrolled device_;
  Enrolled neighbour_;
};

}  // namespace waystation::testing
