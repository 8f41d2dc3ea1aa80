// Whether a sheet file is whole. The library that writes it keeps each sheet in temporary files and
// does not look whether those took what it wrote: on a disk that fills it packs what there is and
// reports success. So the file is read once more before it is sent. docs/reports.md. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sync/result.h"

namespace waystation {

// `sheets`: of each sheet in order how many bytes its rows are. Errors: kReportDisk (something is
// missing in it), kIo.
[[nodiscard]] Status check_xlsx(const std::string& path, const std::vector<std::uint64_t>& sheets);

}  // namespace waystation
