// The house rules: which way includes point, where foreign libraries may be named, and the shape of
// files.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Source {
  std::string path;  // below the root
  std::string layer;
  std::string text;
};

struct Include {
  std::string what;
  bool quoted;
  std::size_t line;
};

std::vector<Source> read_sources() {
  std::vector<Source> sources;
  for (const char* layer : {"sync", "storage", "server", "tools", "tests"}) {
    for (auto at = fs::recursive_directory_iterator(fs::path(WS_SOURCE_DIR) / layer);
         at != fs::recursive_directory_iterator(); ++at) {
      if (at->is_directory() && at->path().filename() == "node_modules") {
        at.disable_recursion_pending();
        continue;
      }
      const std::string kind = at->path().extension();
      if (kind != ".h" && kind != ".cc") continue;
      std::ifstream in(at->path(), std::ios::binary);
      std::ostringstream text;
      text << in.rdbuf();
      sources.push_back({fs::relative(at->path(), WS_SOURCE_DIR), layer, text.str()});
    }
  }
  std::sort(sources.begin(), sources.end(),
            [](const Source& a, const Source& b) { return a.path < b.path; });
  return sources;
}

const std::vector<Source>& sources() {
  static const std::vector<Source> all = read_sources();
  return all;
}

std::vector<Include> includes_of(const Source& source) {
  static const std::regex pattern(R"re(^\s*#\s*include\s*(["<])([^">]+)[">])re");
  std::vector<Include> includes;
  std::istringstream lines(source.text);
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.find("include") == std::string::npos) continue;
    std::smatch found;
    if (std::regex_search(line, found, pattern)) {
      includes.push_back({found[2], found[1] == "\"", number});
    }
  }
  return includes;
}

int height(const std::string& layer) {
  const std::vector<std::string> layers{"schemas", "sync", "storage", "server", "tools", "tests"};
  const auto at = std::find(layers.begin(), layers.end(), layer);
  return at == layers.end() ? -1 : static_cast<int>(at - layers.begin());
}

bool starts_with(const std::string& text, const std::string& start) {
  return text.rfind(start, 0) == 0;
}

TEST(House, IsFound) { EXPECT_GT(sources().size(), 50U); }

TEST(House, IncludesPointOneWay) {
  for (const Source& source : sources()) {
    for (const Include& include : includes_of(source)) {
      if (!include.quoted) continue;
      const std::string layer = include.what.substr(0, include.what.find('/'));
      EXPECT_GE(height(layer), 0) << source.path << ":" << include.line
                                  << ": name headers from the root: " << include.what;
      EXPECT_LE(height(layer), height(source.layer))
          << source.path << ":" << include.line << ": includes upwards: " << include.what;
    }
  }
}

TEST(House, QuotedIncludesAreThere) {
  for (const Source& source : sources()) {
    for (const Include& include : includes_of(source)) {
      if (!include.quoted) continue;
      EXPECT_TRUE(fs::exists(fs::path(WS_SOURCE_DIR) / include.what))
          << source.path << ":" << include.line << ": " << include.what;
    }
  }
}

TEST(House, OnlyOneFileKnowsRocksDb) {
  for (const Source& source : sources()) {
    for (const Include& include : includes_of(source)) {
      if (!starts_with(include.what, "rocksdb/")) continue;
      EXPECT_EQ(source.path, "storage/rocks_kv.cc") << include.line;
    }
  }
}

TEST(House, SocketsAreKnownToTheServerAndItsClientsAlone) {
  for (const Source& source : sources()) {
    if (height(source.layer) >= height("server")) continue;
    for (const Include& include : includes_of(source)) {
      EXPECT_FALSE(starts_with(include.what, "boost/asio") ||
                   starts_with(include.what, "boost/beast") ||
                   starts_with(include.what, "sys/socket") || starts_with(include.what, "netinet/"))
          << source.path << ":" << include.line << ": " << include.what;
    }
  }
}

TEST(House, TheSyncLayerKnowsNoClockNoDiskAndNoThread) {
  for (const Source& source : sources()) {
    if (source.layer != "sync") continue;
    // Of <chrono> the calendar alone, which knows no "now".
    const bool calendar = source.path == "sync/time_text.cc";
    EXPECT_EQ(source.text.find("::now("), std::string::npos) << source.path;
    for (const Include& include : includes_of(source)) {
      if (calendar && include.what == "chrono") continue;
      for (const char* foreign : {"chrono", "thread", "mutex", "atomic", "random", "fstream",
                                  "filesystem", "condition_variable", "spdlog/spdlog.h"}) {
        EXPECT_NE(include.what, foreign) << source.path << ":" << include.line;
      }
    }
  }
}

// The text from `at` to the end of its statement.
std::string statement(const std::string& text, std::size_t at) {
  int depth = 0;
  std::size_t end = at;
  for (; end < text.size(); ++end) {
    const char c = text[end];
    if (c == '(' || c == '{' || c == '[') ++depth;
    if (c == ')' || c == '}' || c == ']') --depth;
    if (depth < 0 || (c == ';' && depth == 0)) break;
  }
  return text.substr(at, end - at);
}

// Whether a lambda that captures is built in it: "[x](" or "[&] {", and not an index "a[i]".
bool builds_a_capture(const std::string& text) {
  static const std::regex pattern(
      R"((^|[^\w\]\)])\[[^\[\]]*[\w&=*][^\[\]]*\]\s*(\(|\{|mutable\b))");
  return std::regex_search(text, pattern);
}

TEST(House, KnowsACaptureWhenItSeesOne) {
  EXPECT_TRUE(builds_a_capture("co_await f([x] { return x; })"));
  EXPECT_TRUE(builds_a_capture("co_await f(a, [this, &b](int c) { return c; })"));
  EXPECT_TRUE(builds_a_capture("co_await f([&]() mutable {})"));
  EXPECT_TRUE(builds_a_capture("co_await f([k = std::move(k)](auto) {})"));
  EXPECT_FALSE(builds_a_capture("co_await f([] { return 1; })"));
  EXPECT_FALSE(builds_a_capture("co_await workers[i](1)"));
  EXPECT_FALSE(builds_a_capture("co_await f(a[i], b)"));
}

// The text with what stands behind "//" taken out; lines stay lines.
std::string without_comments(const std::string& text) {
  std::string out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t comment = line.find("//");
    if (comment != std::string::npos && (comment == 0 || line[comment - 1] != ':')) {
      line.resize(comment);
    }
    out += line + "\n";
  }
  return out;
}

// g++ 12 destroys such a temporary twice.
TEST(House, NoLambdaThatCapturesIsBuiltInsideACoAwait) {
  for (const Source& source : sources()) {
    if (source.layer == "tests") continue;
    const std::string text = without_comments(source.text);
    for (std::size_t at = text.find("co_await"); at != std::string::npos;
         at = text.find("co_await", at + 1)) {
      const auto line =
          std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
      EXPECT_FALSE(builds_a_capture(statement(text, at))) << source.path << ":" << line + 1;
    }
  }
}

TEST(House, EveryHeaderIsReadOnceAndOpensWithItsPurpose) {
  for (const Source& source : sources()) {
    if (fs::path(source.path).extension() != ".h") continue;
    EXPECT_TRUE(starts_with(source.text, "// ")) << source.path << ": opens without a comment";
    EXPECT_NE(source.text.find("\n#pragma once\n"), std::string::npos) << source.path;
  }
}

TEST(House, NoFileIsLongerThan800Lines) {
  for (const Source& source : sources()) {
    EXPECT_LE(std::count(source.text.begin(), source.text.end(), '\n'), 800) << source.path;
  }
}

TEST(House, FilesEndWithOneNewLineAndHoldNoTabsOrTrailingSpaces) {
  for (const Source& source : sources()) {
    EXPECT_TRUE(!source.text.empty() && source.text.back() == '\n') << source.path;
    EXPECT_EQ(source.text.find('\t'), std::string::npos) << source.path << ": a tab";
    EXPECT_EQ(source.text.find(" \n"), std::string::npos) << source.path << ": a space at an end";
    EXPECT_EQ(source.text.find('\r'), std::string::npos) << source.path << ": a carriage return";
  }
}

}  // namespace
