// The office's desk: what the commands share that work off conflicts, refused ops and duplicates.
// It looks things up as the administrator and hands in ops as a device of its own ("office", kept
// in office.device of the data folder), through the running server or, where none answers, through
// the store. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/config.h"
#include "sync/schema.h"
#include "tools/client/own_device.h"

namespace waystation::cli {

inline constexpr const char* kDeskServerHelp =
    "address:port of the running server (default: the setting listen; where nobody answers there, "
    "the store is opened here)";

// The members of a query: ?a=b&c=d. Values are encoded here; empty ones are left out.
[[nodiscard]] std::string query(
    const std::vector<std::pair<std::string_view, std::string_view>>& members);

class Desk {
 public:
  // Errors: as open_exchange and load_schemas.
  [[nodiscard]] static Result<std::unique_ptr<Desk>> open(const Config& config,
                                                          const std::string& server);

  // One answer as canonical JSON.
  [[nodiscard]] Result<std::string> look_up(const std::string& target);
  // The items under `key` of all pages; `target` has a query.
  [[nodiscard]] Result<std::vector<std::string>> all(const std::string& target,
                                                     std::string_view key);
  // The record as GET /v1/records gives it; empty where there is none.
  [[nodiscard]] Result<std::string> record(std::string_view scope, std::string_view coll,
                                           std::string_view id);
  // "name (device)" for people; the list of devices is asked for once.
  [[nodiscard]] std::string who(const std::string& device);

  // Hands them in, each under the current version of its collection's schema.
  [[nodiscard]] Result<std::vector<OpVerdict>> hand_in(std::vector<OpDraft> drafts);

  [[nodiscard]] const Schemas& schemas() const { return schemas_; }

 private:
  explicit Desk(const Config& config) : config_(config) {}

  const Config& config_;
  Schemas schemas_;
  std::unique_ptr<Exchange> exchange_;
  std::map<std::string, std::string> names_;
  bool names_known_ = false;
};

// Tells of the verdicts, or with `json` gives them as {"verdicts":[…]}. Returns the exit code: 0
// when all were taken. `done` is said to people then.
int print_verdicts(const std::vector<OpVerdict>& verdicts, bool json, const std::string& done);

// {"key":[items]} on standard output.
void print_items(std::string_view key, const std::vector<std::string>& items);

// A value for a cell of a table: on one line, and cut off where it is long.
[[nodiscard]] std::string clipped(std::string_view text, std::size_t columns);

}  // namespace waystation::cli
