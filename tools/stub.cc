#include "tools/commands.h"
namespace waystation::cli {
void add_enroll(CLI::App&, Options&, Run&) {}
void add_devices(CLI::App&, Options&, Run&) {}
void add_import(CLI::App&, Options&, Run&) {}
void add_export(CLI::App&, Options&, Run&) {}
void add_verify(CLI::App&, Options&, Run&) {}
void add_inspect(CLI::App&, Options&, Run&) {}
}  // namespace waystation::cli
