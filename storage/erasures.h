// The list of erasures: the marks of who was erased (hashes, no ids), in a file that is kept apart
// from the store. A backup that is older than an erasure brings the person back; the list takes
// them out again at the next start. docs/personal-data.md. No function throws; see each for the
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sync/result.h"

namespace waystation {

struct Erasure {
  std::string mark;  // as mark_of_row()
  std::int64_t erased_ms = 0;
};

// Synced. What a crash cut off at the end goes first: it was not acknowledged. On the writer's
// thread. Errors: kIo.
[[nodiscard]] Status append_erasure(const std::string& path, const Erasure& erasure);

// In place of what is there, in one step, synced. Any thread. Errors: kIo.
[[nodiscard]] Status write_erasures(const std::string& path, const std::vector<Erasure>& erasures);

struct ErasureList {
  std::vector<Erasure> erasures;
  bool missing = false;     // there is no file
  std::size_t damaged = 0;  // lines that name nobody, also a first line that is not whole
};
// All that can be read of it. A last line that was cut off is no erasure, and no damage. Any
// thread. Errors: kIo, kErasures (not such a file).
[[nodiscard]] Result<ErasureList> read_erasures(const std::string& path);

}  // namespace waystation
