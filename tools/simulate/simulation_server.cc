// The server of a simulation: started, stopped, crashed, backed up and restored, and what its
// office asks of it.
#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "storage/keys.h"
#include "sync/canonical.h"
#include "tools/simulate/json_member.h"
#include "tools/simulate/policies.h"
#include "tools/simulate/simulation.h"
#include "tools/simulate/store_view.h"

namespace waystation::simulate {
namespace {

constexpr char kAdminToken[] = "the-administrators-token-of-the-simulator";

}  // namespace

// A disk may fail in the very moment: then whoever watches over the process starts it again.
void Simulation::open_server(Store::Life life) {
  constexpr int kStarts = 4;
  Status opened = start_server(life);
  for (int i = 1; i < kStarts && !opened; ++i) {
    trace_.line("{} the server does not start: {}", step_, opened.error().context);
    disk_->crash(random_.below(disk_->unsynced() + 1));
    disk_->give_room();
    opened = start_server(life);
  }
  if (!opened) {
    findings_.report(1, "the store opens after whatever happened to its machine",
                     opened.error().context);
  }
}

Status Simulation::start_server(Store::Life life) {
  Config config;
  config.offline_days = plan_.offline_days;
  config.recover = life == Store::Life::kNew;
  Surroundings around;
  around.now_ms = [this] {
    latest_server_ms_ = std::max(latest_server_ms_, server_ms());
    return server_ms();
  };
  around.random = [this](std::span<unsigned char> bytes) { random_.fill(bytes); };
  around.threads = Threads::kStepped;
  around.master.emplace();
  around.master->bytes.fill(1);
  around.erasures.append = [this](const Erasure& erasure) {
    erasures_.push_back(erasure);
    return Status{};
  };
  around.erasures.read = [this] { return Result<std::vector<Erasure>>(erasures_); };
  around.schemas = newer_server_ ? schemas_.newest : schemas_.first;
  around.projections = newer_server_ ? schemas_.newest_counts : schemas_.first_counts;
  around.policy = policy_for(policy_, *around.schemas);
  around.backups.check = [](const std::string&) { return Status{}; };
  around.backups.back_up = [this](Store& store, const std::string&, std::int64_t now_ms) {
    backups_.push_back(disk_->copy());
    return Result<BackupNote>(BackupNote{store.incarnation(), 0, now_ms});
  };
  auto service = Service::over(share(disk_), config, kAdminToken, std::move(around));
  if (!service) return service.error();
  service_ = std::move(*service);
  rules_ = std::make_shared<const PolicyModel>(policy_, newer_server_);
  witness_.goes_by(rules_);
  return {};
}

void Simulation::power_off() {
  for (const auto& socket : sockets_) socket->kill();
  posts_.clear();
  service_->abandon();
  service_.reset();
}

void Simulation::crash() {
  power_off();
  const std::size_t keep = random_.below(disk_->unsynced() + 1);
  disk_->crash(keep);
  disk_->give_room();
  trace_.line("{} crash: of what was not synced {} batches are left", step_, keep);
  open_server(Store::Life::kGoesOn);
  if (service_ != nullptr) witness_.reopened(service_->store(), step_);
}

void Simulation::restart() {
  if (service_->store().read_only()) return crash();
  trace_.line("{} restart", step_);
  service_->drain();
  if (service_->store().read_only()) return crash();  // its last write failed
  for (const auto& socket : sockets_) {
    socket->go_away();
    while (socket->run_posted() || socket->server_writes(std::numeric_limits<std::size_t>::max())) {
    }
  }
  power_off();
  open_server(Store::Life::kGoesOn);
  if (service_ != nullptr) witness_.reopened(service_->store(), step_);
}

// Either by the command, or as an operator might: a copy of what lies on the disk.
void Simulation::back_up() {
  if (random_.chance(plan_.told_backups)) {
    const ApiReply reply = office("POST", "/v1/backup", R"({"to":"/simulated"})");
    trace_.line("{} backup {} by the server: {}", step_, backups_.size(), reply.status);
    return;
  }
  backups_.push_back(disk_->copy());
  trace_.line("{} backup {}", step_, backups_.size());
}

void Simulation::restore() {
  if (backups_.empty()) return;
  const std::size_t newest = backups_.size() - 1;
  const std::size_t which = random_.chance(500) ? newest : random_.below(backups_.size());
  const std::string life = service_->store().incarnation();
  power_off();
  disk_ = backups_[which]->copy();
  backups_.resize(which + 1);  // the later ones are of a life that never was
  handed_.clear();
  must_return_.clear();
  open_server(Store::Life::kNew);
  if (service_ == nullptr) return;
  witness_.restored(service_->store(), step_);
  trace_.line("{} restored as {}", step_, service_->store().incarnation());
  if (which == newest) check_restored(life);
}

void Simulation::check_restored(const std::string& life) {
  std::string told;
  const auto read = service_->store().kv().get(Column::kMeta, keys::kBackup, told);
  if (!read || !*read) return;  // devices were not told to keep anything
  std::map<std::uint64_t, std::uint64_t> held;
  for_each_logged(service_->store(), [&](const Logged& op) {
    std::uint64_t& highest = held[op.device];
    highest = std::max(highest, op.n);
  });
  for (const auto& device : devices_) {
    // One that missed an earlier restore may have dropped what only the forgotten life had.
    if (device->replica.incarnation() != life) continue;
    if (device->replica.is_wiped()) continue;  // it was told to keep nothing
    const std::set<std::uint64_t> kept = device->safe_numbers();
    for (std::uint64_t n = held[device->id()] + 1; n <= device->replica.applied(); ++n) {
      if (kept.count(n) != 0) continue;
      findings_.report(12,
                       fmt::format("op {}/{} is in the newest backup, or its device keeps it",
                                   device->name(), n),
                       fmt::format("backed up to {}", held[device->id()]));
      return;
    }
  }
}

ApiReply Simulation::call(ApiRequest request) {
  auto answer = std::make_shared<std::optional<ApiReply>>();
  service_->api(std::move(request), [answer](ApiReply reply) { *answer = std::move(reply); });
  while (!*answer && (service_->step_writer() || service_->step_reader())) {
  }
  return *answer ? **answer : ApiReply{0, "", false, 0};
}

ApiReply Simulation::office(const std::string& method, const std::string& path,
                            const std::string& body) {
  ApiRequest request;
  request.method = method;
  request.path = path;
  request.body = body;
  request.bearer = kAdminToken;
  return call(std::move(request));
}

std::unique_ptr<Device> Simulation::enroll(const std::vector<std::string>& scopes,
                                           const std::string& role) {
  std::string list;
  append_string_array(list, scopes);
  const ApiReply code =
      office("POST", "/v1/codes", fmt::format(R"({{"scopes":{},"role":"{}"}})", list, role));
  if (code.status != 200) return nullptr;
  ApiRequest request;
  request.method = "POST";
  request.path = "/v1/enroll";
  request.body = fmt::format(R"({{"code":"{}","request":"enrolment {:08}","app":"simulated"}})",
                             member(code.body, "code"), ++enrolments_);
  ApiReply reply = call(request);
  // The answer may be lost: the same request gives the same device, with a new token.
  if (random_.chance(200)) {
    const std::string before = member(reply.body, "device");
    reply = call(request);
    if (reply.status == 200 && !before.empty() && member(reply.body, "device") != before) {
      findings_.report(2, "a repeated enrolment gives device " + before, reply.body);
    }
  }
  if (reply.status != 200) return nullptr;
  auto device = std::make_unique<Device>(member(reply.body, "device"), member(reply.body, "token"));
  device->clocks.booted_ms = true_ms_;
  witness_.knows(device->id());
  trace_.line("{} {} is enrolled for {} as {}", step_, device->name(), list, role);
  return device;
}

std::vector<std::string> Simulation::draw_scopes() {
  if (random_.chance(100)) return {"*"};
  std::vector<std::string> held;
  for (const std::string& scope : scopes_) {
    if (random_.chance(600)) held.push_back(scope);
  }
  if (held.empty()) held.push_back(random_.pick(scopes_));
  return held;
}

std::string Simulation::draw_role() {
  static const std::vector<std::string> kOthers{"volunteer", "lead", "station", "administrator"};
  return random_.chance(plan_.roles) ? random_.pick(kOthers) : std::string(kRoleOffice);
}

void Simulation::set_up() {
  policy_ = draw_policy(random_, schemas_);
  open_server(Store::Life::kGoesOn);
  if (service_ == nullptr) return;
  for (std::size_t i = 0; i < plan_.scopes; ++i) scopes_.push_back(fmt::format("s{}", i));
  devices_.push_back(enroll({"*"}, std::string(kRoleOffice)));
  Device& first = *devices_[0];
  for (const std::string& scope : scopes_) {
    true_ms_ += 10;
    first.edit(Draft{scope, "scope", scope, R"("set":{"kind":"community"})"}, true_ms_);
  }
  first.save();
  ApiRequest request;
  request.method = "POST";
  request.path = "/v1/sync";
  request.body = first.exchange(1000, 100, true_ms_);
  const ApiReply reply = call(std::move(request));
  said(first.id(), reply.body, When{step_, step_, step_});
  first.hears(reply.body, true_ms_, findings_);
  while (devices_.size() < plan_.devices + 1) {
    true_ms_ += 10;
    devices_.push_back(enroll(draw_scopes(), draw_role()));
    devices_.back()->slow = random_.chance(300);
  }
}

}  // namespace waystation::simulate
