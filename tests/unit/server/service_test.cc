// What the service tells whom over HTTP.
#include "server/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/office_server.h"

namespace waystation::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ServiceTest, WhatTheDiskSaysIsForTheAdministrator) {
  for (const Code code : {Code::kIo, Code::kStoreReadOnly, Code::kStoreCorrupt}) {
    const Error error{code, "IO error: /srv/data/store/000123.log: No space left on device"};
    EXPECT_THAT(problem(error).body, Not(HasSubstr("/srv")));
    EXPECT_EQ(for_outsiders(error).code, code);
    EXPECT_THAT(problem_in_full(error).body, HasSubstr("/srv"));
  }
  EXPECT_THAT(problem(Error{Code::kMessageInvalid, "hello.v"}).body, HasSubstr("hello.v"));
}

TEST(ServiceTest, WhatItTellsIsUtf8) {
  const auto told = [](const std::string& path) {
    return problem(Error{Code::kHttpNotFound, path}).body;
  };
  EXPECT_THAT(told("/v1/\xE4\xBD\xA0\xF0\x9F\x98\x80\xC3\xA9"),
              HasSubstr("/v1/\xE4\xBD\xA0\xF0\x9F\x98\x80\xC3\xA9"));
  EXPECT_THAT(told("a\xFF"), HasSubstr("a?"));
  EXPECT_THAT(told("b\xC3\x28"), HasSubstr("b?("));
  EXPECT_THAT(told("c\xE4\xBD"), HasSubstr("c??"));
  EXPECT_THAT(told("d\xED\xA0\x80"), HasSubstr("d???")) << "half of a surrogate pair";
  EXPECT_THAT(told("e\xC0\xAF"), HasSubstr("e??")) << "longer than it need be";
}

TEST(ServiceTest, SomebodyOfTheOfficeReadsWhatDevicesWrote) {
  OfficeServer server;
  server.make_first("limei");
  server.make("wangfang", "office");
  Browser browser(server);
  ASSERT_LT(browser.sign_in("wangfang").status, 300);
  EXPECT_EQ(browser.get("/v1/quarantine").status, 200);
  EXPECT_EQ(browser.get("/v1/conflicts").status, 200);
}

}  // namespace
}  // namespace waystation::testing
