// Cells of comma-separated values as they are written (RFC 4180). tools/csv.h reads them. Pure; any
// thread.
#pragma once

#include <string>
#include <string_view>

namespace waystation {

// In front of a file, so that spreadsheet programs take it for UTF-8.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Appends a cell, with quotes where it needs them.
void append_csv_cell(std::string& out, std::string_view text);

// Text that a spreadsheet program would run as a formula gets an apostrophe in front, which makes
// it text there ("CSV injection", OWASP).
[[nodiscard]] std::string guard_formula(std::string_view text);

}  // namespace waystation
