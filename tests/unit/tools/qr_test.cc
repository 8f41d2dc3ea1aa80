// A QR code as text, SVG and PNG.
#include "tools/qr.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace waystation::testing {
namespace {

constexpr char kPayload[] =
    "waystation:enroll?code=7K3M9QX2PA&server=https%3A%2F%2Fsync.example.org";

TEST(QrCodes, HaveTheThreeCornersThatScannersLookFor) {
  const auto symbol = qr_symbol(kPayload);
  ASSERT_TRUE(symbol.ok());
  EXPECT_GE(symbol->width, 21U);
  const std::size_t far = symbol->width - 7;
  for (const auto& [row, column] :
       {std::pair<std::size_t, std::size_t>{0, 0}, {0, far}, {far, 0}}) {
    for (std::size_t i = 0; i < 7; ++i) {
      EXPECT_TRUE(symbol->at(row, column + i));
      EXPECT_TRUE(symbol->at(row + 6, column + i));
    }
    EXPECT_FALSE(symbol->at(row + 1, column + 1));
    EXPECT_TRUE(symbol->at(row + 3, column + 3));
  }
}

TEST(QrCodes, OfNothingOrTooMuchAreRefused) {
  EXPECT_FALSE(qr_symbol("").ok());
  EXPECT_FALSE(qr_symbol(std::string(5000, 'x')).ok());
}

TEST(QrCodes, AreDrawnInAllForms) {
  const auto symbol = qr_symbol(kPayload);
  ASSERT_TRUE(symbol.ok());
  const std::string text = qr_text(*symbol, false);
  EXPECT_EQ(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')),
            (symbol->width + 5) / 2);
  const std::string svg = qr_svg(*symbol);
  EXPECT_EQ(svg.rfind("<svg", 0), 0U);
  const auto dark = std::count(symbol->dark.begin(), symbol->dark.end(), true);
  EXPECT_EQ(std::count(svg.begin(), svg.end(), 'M'), dark);
  const std::string png = qr_png(*symbol, 1);
  EXPECT_EQ(png.substr(1, 3), "PNG");
  EXPECT_EQ(png.substr(12, 4), "IHDR");
  EXPECT_EQ(static_cast<unsigned char>(png[19]), symbol->width + 8);
  EXPECT_EQ(png.substr(png.size() - 8, 4), "IEND");
}

}  // namespace
}  // namespace waystation::testing
