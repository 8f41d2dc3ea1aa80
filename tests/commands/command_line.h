// Commands as a person types them, at a real server of the test's own.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/process/messages.h"

namespace waystation::testing {

class CommandLine : public ::testing::Test {
 protected:
  CommandLine() : office_(server_) {}

  TestServer::Ran run(std::vector<std::string> words) {
    words.insert(words.end(), {"--server", server_.address()});
    return server_.ask(words);
  }
  std::string expect_done(const std::vector<std::string>& words) {
    const auto ran = run(words);
    EXPECT_EQ(ran.code, 0) << fmt::format("{}", fmt::join(words, " ")) << "\n"
                           << ran.out << server_.log();
    return ran.out;
  }
  Json json_of(std::vector<std::string> words) {
    words.emplace_back("--json");
    return parse_json(expect_done(words));
  }

  TestServer server_;
  Office office_;
};

}  // namespace waystation::testing
