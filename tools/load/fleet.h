// The devices of one run, and what has to be there before a clock starts: the scope, its records,
// the enrolments, the open connections.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tools/load/device.h"
#include "tools/load/measured_server.h"
#include "tools/load/render.h"

namespace waystation::load {

using Devices = std::vector<std::unique_ptr<Device>>;

class Fleet {
 public:
  // Enrols the office's device, which holds all scopes, connects it, and creates the scope.
  Fleet(Loop& loop, const MeasuredServer& server);

  [[nodiscard]] Device& office() { return *office_; }

  // Devices of the scope, not connected yet.
  [[nodiscard]] Devices enroll(std::size_t count, std::string_view scope = kScope);
  // Connects them, a bounded number at a time, and waits for every welcome.
  void connect(const Devices& devices);
  // Has every one pull to more:false.
  void catch_up(const Devices& devices);

  // The office creates the records; their seqs are filled in.
  void create(std::vector<KnownRecord>& records, Renderer& renderer);
  // Pushes the ops and returns the seqs of their verdicts. Throws when one is refused.
  std::vector<Seq> push(Device& device, const std::vector<std::string>& ops);

 private:
  Loop& loop_;
  const MeasuredServer& server_;
  std::unique_ptr<Device> office_;
};

// Throws unless the receipt accepts exactly `ops` ops.
void check_receipt(std::string_view receipt, std::size_t ops);

}  // namespace waystation::load
