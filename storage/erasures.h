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

// Synced. On the writer's thread. Errors: kIo.
[[nodiscard]] Status append_erasure(const std::string& path, const Erasure& erasure);

// A file that is not there yet. Synced. Any thread. Errors: kIo.
[[nodiscard]] Status write_erasures(const std::string& path, const std::vector<Erasure>& erasures);

// All of them; none where there is no file. A last line that was cut off is no erasure: it was not
// acknowledged. Any thread. Errors: kIo, kErasures (not such a file).
[[nodiscard]] Result<std::vector<Erasure>> read_erasures(const std::string& path);

}  // namespace waystation
