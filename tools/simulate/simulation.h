// One simulation: the production service on a disk that fails, devices on lines that break, and an
// office that changes its mind, all in one thread on clocks of their own. Every choice comes from
// the seed, so that the same request gives the same course, to the byte.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/service.h"
#include "tools/simulate/checks.h"
#include "tools/simulate/device.h"
#include "tools/simulate/disk.h"
#include "tools/simulate/findings.h"
#include "tools/simulate/plan.h"
#include "tools/simulate/random.h"
#include "tools/simulate/schema_sets.h"
#include "tools/simulate/trace.h"
#include "tools/simulate/witness.h"
#include "tools/simulate/workload.h"

namespace waystation::simulate {

struct Outcome {
  bool failed = false;
  Breach breach;
  std::uint64_t step = 0;   // in which it was found
  std::uint64_t hash = 0;   // of the whole course
  std::uint64_t steps = 0;  // with those of the calm at the end
  std::uint64_t ops = 0;    // that the logs hold at the end
};

class Simulation {
 public:
  // The schemas outlive it.
  Simulation(const Request& request, const SchemaSets& schemas);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  [[nodiscard]] Outcome run();

 private:
  // One POST on its way.
  struct Post {
    std::uint64_t id = 0;
    std::uint64_t device = 0;
    std::string body;
    bool at_server = false;
    bool answered = false;
    bool stale = false;  // a second arrival: nobody waits for its answer
    ApiReply reply;
  };
  struct Handed {  // a push that was sent before, to be sent again
    std::uint64_t device = 0;
    std::string push;
  };

  // --- the server
  void open_server(Store::Life life);
  [[nodiscard]] Status start_server(Store::Life life);
  void power_off();
  void crash();
  void restart();
  void back_up();
  void restore();
  // Law 12: between the newest backup and what devices keep nothing that was acknowledged is gone.
  void check_restored(const std::string& life);
  [[nodiscard]] std::int64_t server_ms() const { return true_ms_ + server_skew_ms_; }
  ApiReply call(ApiRequest request);
  ApiReply office(const std::string& method, const std::string& path, const std::string& body);
  // A new device of the office, or for a person; null when the server cannot.
  std::unique_ptr<Device> enroll(const std::vector<std::string>& scopes, const std::string& role);
  std::vector<std::string> draw_scopes();
  std::string draw_role();

  // --- steps
  void set_up();
  void step();
  void strike(Fault fault);
  void edit(Device& device);
  // The office's work: ends or begins anew the review of a lost value, or corrects a refused op;
  // nothing where there is none, or where the engine does not know of such ops.
  [[nodiscard]] std::optional<Draft> review(const Device& device);
  void talk(Device& device);
  void device_hears(Device& device, std::string_view text);
  bool move_line();
  bool move_socket(Socket& socket, Device* owner);
  bool move_post();
  bool serve();
  void repeat_push();
  void tick();
  void said(std::uint64_t device, std::string_view text, const When& when);
  void decide(Device& device);  // the office, about its standing
  void change_tree();
  void change_roles(Device& device);  // one device's role, or everybody's policy
  void erase_somebody();
  void check_cheaply();
  void calm_down();
  [[nodiscard]] bool all_done();
  void check_all();

  [[nodiscard]] Device& any_device() { return *devices_[random_.below(devices_.size())]; }
  [[nodiscard]] Device* device_by_id(std::uint64_t id);
  [[nodiscard]] const Schemas& schemas_of(const Device& device) const;

  Request request_;
  const SchemaSets& schemas_;
  Plan plan_;
  Random random_;
  Trace trace_;
  Findings findings_;
  Witness witness_;
  Workload workload_;

  std::uint64_t step_ = 0;
  std::int64_t true_ms_ = 0;
  std::int64_t server_skew_ms_ = 0;
  std::int64_t latest_server_ms_ = 0;
  bool calm_ = false;
  bool newer_server_ = false;
  std::string policy_;                        // text
  std::shared_ptr<const PolicyModel> rules_;  // of the server that runs
  std::shared_ptr<SimDisk> disk_;
  std::vector<std::shared_ptr<SimDisk>> backups_;  // of this line of lives
  std::unique_ptr<Service> service_;               // null: down
  std::vector<std::string> scopes_;
  std::vector<std::unique_ptr<Device>> devices_;  // the first is the office's and holds all
  std::vector<std::shared_ptr<Socket>> sockets_;
  std::vector<std::shared_ptr<Post>> posts_;
  std::vector<Handed> handed_;
  std::uint64_t next_post_ = 1;
  std::uint64_t enrolments_ = 0;
  struct Held {
    const Device* device;
    std::string op;
  };
  std::vector<Erasure> erasures_;  // the list, which is kept apart from the disk
  Erased erased_;
  std::vector<Held> must_return_;  // what devices held when they heard of a restore
};

}  // namespace waystation::simulate
