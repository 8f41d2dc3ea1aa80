// QR codes for a terminal and for files. Pure but for what is written; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sync/result.h"

namespace waystation {

// Dark modules of a square symbol, without its quiet zone.
struct QrSymbol {
  std::size_t width = 0;
  std::vector<bool> dark;  // row by row
  [[nodiscard]] bool at(std::size_t row, std::size_t column) const {
    return dark[row * width + column];
  }
};

// Errors: kInputInvalid (empty, or too long for a symbol).
[[nodiscard]] Result<QrSymbol> qr_symbol(std::string_view text);

// For a terminal: two rows of modules a line in half blocks, the light ones drawn, so that it reads
// on a dark ground as on a light one when `colours` sets both colours.
[[nodiscard]] std::string qr_text(const QrSymbol& symbol, bool colours);
[[nodiscard]] std::string qr_svg(const QrSymbol& symbol);
[[nodiscard]] std::string qr_png(const QrSymbol& symbol, std::size_t pixels_a_module = 8);

}  // namespace waystation
