// Records as lines of an export. docs/operations.md, "Export". Pure; one thread.
#pragma once

#include <string>
#include <string_view>

#include "sync/schema.h"

namespace waystation {

enum class ExportFormat : std::uint8_t {
  kCsv,       // exact
  kCsvExcel,  // byte-order mark, CRLF, and no text that Excel would run as a formula
  kJsonLines,
};

class RecordWriter {
 public:
  // The collection outlives it.
  RecordWriter(const Collection& collection, ExportFormat format)
      : collection_(collection), format_(format) {}

  // What stands before the first record.
  [[nodiscard]] std::string head() const;
  // Appends one record; `fields` is the canonical JSON of its visible fields.
  void append(std::string& out, std::string_view scope, std::string_view id,
              std::string_view fields) const;

 private:
  void cell(std::string& out, std::string_view text, bool guard) const;
  void end_line(std::string& out) const;

  const Collection& collection_;
  ExportFormat format_;
};

}  // namespace waystation
