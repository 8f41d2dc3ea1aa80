// A world in which volunteers have names: what tests of personal data share.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "storage/pull.h"
#include "storage/review.h"
#include "storage/verify.h"
#include "tests/support/world.h"

namespace waystation::testing {

inline constexpr const char* kName = "王小明标记";
inline const std::string kPerson = "v1";

// Sets fields of a volunteer.
inline OpText volunteer(std::uint64_t n, const std::string& set, const std::string& id = kPerson) {
  OpText text = op(n).on("volunteer", id).does("\"set\":{" + set + "}");
  text.schema = 2;
  return text;
}

class PersonalData : public ::testing::Test {
 protected:
  void expect_not_on_disk(const std::string& text) {
    EXPECT_THAT(dump(world.disk()), ::testing::Each(::testing::Not(::testing::HasSubstr(text))));
  }
  void expect_sound() {
    const auto report = verify(world.store(), [](std::uint64_t) {});
    ASSERT_TRUE(report.ok()) << report.error().context;
    EXPECT_EQ(report->faults, 0U) << (report->faults > 0 ? report->first_faults[0] : "");
    EXPECT_EQ(world.digest(), world.recomputed_digest());
  }
  std::string pulled(std::uint64_t device) {
    const auto page = pull(world.store(), device, "", 1000);
    return page ? page->items : page.error().context;
  }
  std::string history() {
    const auto page =
        list_history(world.store(), schemas(), HistoryQuery{"t", "volunteer", kPerson, "", 100});
    return page ? page->items : page.error().context;
  }
  std::string quarantined() {
    const auto page = list_quarantine(world.store(), {});
    return page ? page->items : page.error().context;
  }

  World world;
  std::uint64_t phone = world.enroll({"t"});
  std::uint64_t tablet = world.enroll({"t"});
};

}  // namespace waystation::testing
