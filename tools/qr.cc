#include "tools/qr.h"

#include <fmt/format.h>
#include <qrencode.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cstdint>
#include <memory>

namespace waystation {
namespace {

constexpr std::size_t kQuiet = 4;  // modules of light around the symbol, as the standard asks for
constexpr std::size_t kTextQuiet = 2;

bool dark_at(const QrSymbol& symbol, std::size_t row, std::size_t column, std::size_t quiet) {
  if (row < quiet || column < quiet) return false;
  row -= quiet;
  column -= quiet;
  return row < symbol.width && column < symbol.width && symbol.at(row, column);
}

void put_be(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFFU);
}

void put_chunk(std::string& png, std::string_view type, std::string_view data) {
  put_be(png, static_cast<std::uint32_t>(data.size()));
  boost::crc_32_type crc;
  crc.process_bytes(type.data(), type.size());
  crc.process_bytes(data.data(), data.size());
  png += type;
  png += data;
  put_be(png, crc.checksum());
}

// A zlib stream (RFC 1950) of stored blocks: the picture is small, and needs no library to be made.
std::string stored(std::string_view data) {
  constexpr std::size_t kBlock = 65'535;
  constexpr std::uint32_t kAdler = 65'521;
  std::string out("\x78\x01", 2);
  std::uint32_t a = 1;
  std::uint32_t b = 0;
  for (const char byte : data) {
    a = (a + static_cast<unsigned char>(byte)) % kAdler;
    b = (b + a) % kAdler;
  }
  for (std::size_t at = 0; at < data.size(); at += kBlock) {
    const std::string_view block = data.substr(at, kBlock);
    const auto size = static_cast<std::uint32_t>(block.size());
    out += at + kBlock >= data.size() ? '\1' : '\0';
    for (const std::uint32_t number : {size, ~size}) {
      out += static_cast<char>(number & 0xFFU);
      out += static_cast<char>(number >> 8U & 0xFFU);
    }
    out += block;
  }
  put_be(out, b << 16U | a);
  return out;
}

}  // namespace

Result<QrSymbol> qr_symbol(std::string_view text) {
  const std::string whole(text);
  const std::unique_ptr<QRcode, decltype(&QRcode_free)> made(
      QRcode_encodeString(whole.c_str(), 0, QR_ECLEVEL_M, QR_MODE_8, 1), &QRcode_free);
  if (made == nullptr) return Error{Code::kInputInvalid, "that does not fit a QR code"};
  QrSymbol symbol;
  symbol.width = static_cast<std::size_t>(made->width);
  for (std::size_t i = 0; i < symbol.width * symbol.width; ++i) {
    symbol.dark.push_back((made->data[i] & 1U) != 0);
  }
  return symbol;
}

std::string qr_text(const QrSymbol& symbol, bool colours) {
  const std::size_t size = symbol.width + 2 * kTextQuiet;
  std::string out;
  for (std::size_t row = 0; row < size; row += 2) {
    if (colours) out += "\033[97;40m";
    for (std::size_t column = 0; column < size; ++column) {
      const bool upper = !dark_at(symbol, row, column, kTextQuiet);
      const bool lower = row + 1 < size && !dark_at(symbol, row + 1, column, kTextQuiet);
      out += upper && lower ? "█" : upper ? "▀" : lower ? "▄" : " ";
    }
    if (colours) out += "\033[0m";
    out += '\n';
  }
  return out;
}

std::string qr_svg(const QrSymbol& symbol) {
  const std::size_t size = symbol.width + 2 * kQuiet;
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {0}\" width=\"{1}\" "
      "height=\"{1}\" shape-rendering=\"crispEdges\">\n"
      "<rect width=\"{0}\" height=\"{0}\" fill=\"#fff\"/>\n<path d=\"",
      size, size * 8);
  for (std::size_t row = 0; row < symbol.width; ++row) {
    for (std::size_t column = 0; column < symbol.width; ++column) {
      if (!symbol.at(row, column)) continue;
      out += fmt::format("M{} {}h1v1h-1z", column + kQuiet, row + kQuiet);
    }
  }
  return out + "\" fill=\"#000\"/>\n</svg>\n";
}

std::string qr_png(const QrSymbol& symbol, std::size_t pixels_a_module) {
  const std::size_t size = (symbol.width + 2 * kQuiet) * pixels_a_module;
  std::string rows;
  for (std::size_t y = 0; y < size; ++y) {
    std::string row((size + 7) / 8, '\0');
    for (std::size_t x = 0; x < size; ++x) {
      if (dark_at(symbol, y / pixels_a_module, x / pixels_a_module, kQuiet)) continue;
      row[x / 8] = static_cast<char>(static_cast<unsigned char>(row[x / 8]) | 0x80U >> x % 8);
    }
    rows += '\0';  // no filter
    rows += row;
  }
  std::string png("\x89PNG\r\n\x1A\n", 8);
  std::string head;
  put_be(head, static_cast<std::uint32_t>(size));
  put_be(head, static_cast<std::uint32_t>(size));
  head += std::string("\x01\x00\x00\x00\x00", 5);  // 1 bit, greyscale
  put_chunk(png, "IHDR", head);
  put_chunk(png, "IDAT", stored(rows));
  put_chunk(png, "IEND", {});
  return png;
}

}  // namespace waystation
