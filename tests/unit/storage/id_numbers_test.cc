#include "storage/id_numbers.h"

#include <gtest/gtest.h>

namespace waystation {
namespace {

TEST(IdNumbersOf, ManyAreFoundAndNoOthers) {
  IdNumbers numbers;
  EXPECT_EQ(numbers.find("0"), std::nullopt);
  for (std::uint32_t i = 0; i < 5000; ++i) numbers.add(std::to_string(i), i);
  for (std::uint32_t i = 0; i < 5000; ++i) ASSERT_EQ(numbers.find(std::to_string(i)), i);
  for (const char* other : {"", "5000", "00", "499 ", "-1"}) {
    EXPECT_EQ(numbers.find(other), std::nullopt) << other;
  }
}

}  // namespace
}  // namespace waystation
