// Sealing and opening, for any values and any texts around them.
#include "storage/sealed.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>

#include "sync/canonical.h"

namespace waystation {
namespace {

std::string json_of(const std::string& text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

// Text as people and programs write it, with what JSON escapes.
std::string draw_text() {
  static const std::vector<std::string> kPieces{
      "a", "王", "\"", "\\", "\\\"", "\n", ".", "p1.", "\x01", "0", ":", ",", "{", "}", "\x01p1."};
  std::string text;
  const auto pieces = *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(kPieces));
  for (const std::string& piece : pieces) text += piece;
  return text;
}

struct Keys {
  std::map<std::string, PersonKey, std::less<>> known;
  KeyState operator()(std::string_view person, PersonKey& key) const {
    const auto at = known.find(person);
    if (at == known.end()) return KeyState::kErased;
    key = at->second;
    return KeyState::kKnown;
  }
};

Keys draw_keys() {
  Keys keys;
  for (const char* person : {"p1", "p2.x", "p~3"}) {
    PersonKey key{};
    for (auto& byte : key) byte = static_cast<unsigned char>(*rc::gen::inRange(0, 256));
    keys.known.emplace(person, key);
  }
  return keys;
}

TEST(SealedProperty, WhatIsSealedOpensAsItWasAmongAnythingElse) {
  EXPECT_TRUE(rc::check([] {
    const Keys keys = draw_keys();
    std::string sealed = "{";
    std::string plain = "{";
    std::string erased = "{";
    const auto members = *rc::gen::inRange(1, 8);
    for (int i = 0; i < members; ++i) {
      const std::string name = (i == 0 ? "" : ",") + json_of("k" + std::to_string(i)) + ":";
      // A string that begins as a sealed one does is no text of anybody: it is refused on its way
      // in.
      std::string text = draw_text();
      if (text.rfind("\x01p1.", 0) == 0) text.insert(0, "x");
      const std::string value = json_of(text);
      plain += name + value;
      if (*rc::gen::arbitrary<bool>()) {
        sealed += name + value;
        erased += name + value;
        continue;
      }
      const auto at = std::next(keys.known.begin(), *rc::gen::inRange(0, 3));
      sealed += name + seal(at->second, at->first, value);
      erased += name + "null";
    }
    RC_ASSERT(unseal_all(sealed + "}", keys) == plain + "}");
    RC_ASSERT(unseal_all(sealed + "}", Keys{}) == erased + "}");
  }));
}

TEST(SealedProperty, EqualExactlyWhereTheValuesAre) {
  EXPECT_TRUE(rc::check([] {
    const Keys keys = draw_keys();
    const std::string a = json_of(draw_text());
    const std::string b = json_of(draw_text());
    const auto& [person, key] = *keys.known.begin();
    RC_ASSERT((seal(key, person, a) == seal(key, person, b)) == (a == b));
  }));
}

}  // namespace
}  // namespace waystation
