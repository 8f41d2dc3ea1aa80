#include "tools/simulate/simulation.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "sync/canonical.h"
#include "sync/device_id.h"
#include "sync/limits.h"
#include "tools/simulate/json_member.h"
#include "tools/simulate/store_view.h"

namespace waystation::simulate {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kDayMs = 24 * kHourMs;
constexpr std::size_t kHandedKept = 24;
constexpr std::size_t kBackupsKept = 3;
// A whole check costs about as much as a few hundred steps.
constexpr std::uint64_t kCheckEvery = 997;

}  // namespace

Simulation::Simulation(const Request& request, const SchemaSets& schemas)
    : request_(request),
      schemas_(schemas),
      plan_(Plan::draw(request)),
      random_(request.seed * 2),
      trace_(request.trace),
      witness_(findings_),
      workload_(plan_, *schemas.newest, random_),
      true_ms_(kStartMs),
      latest_server_ms_(kStartMs),
      disk_(std::make_shared<SimDisk>()) {}

Simulation::~Simulation() {
  if (service_ != nullptr) power_off();
}

// --- what happens in a step -------------------------------------------------------------------

const Schemas& Simulation::schemas_of(const Device& device) const {
  return device.newer_app ? *schemas_.newest : *schemas_.first;
}

Device* Simulation::device_by_id(std::uint64_t id) {
  for (const auto& device : devices_) {
    if (device->id() == id) return device.get();
  }
  return nullptr;
}

void Simulation::edit(Device& device) {
  // The clocks of an edit tell it from any other: one a millisecond.
  if (device.revoked || device.unknown || device.edited_ms == true_ms_) return;
  if (device.replica.is_wiped()) return;
  std::vector<std::string> held = scopes_;
  if (const AccountPtr account = service_->store().accounts().find(device.id());
      account != nullptr && !account->holds_all()) {
    held = account->scopes();
  }
  if (held.empty()) return;
  const bool bad = random_.chance(plan_.of(Fault::kBadOps));
  Draft draft =
      bad ? workload_.bad_edit(device.replica, held, schemas_of(device), random_.pick(scopes_))
          : workload_.edit(device.replica, held, schemas_of(device));
  if (!bad && random_.chance(60)) {
    if (auto reviewed = review(device)) draft = std::move(*reviewed);
  }
  device.edit(draft, true_ms_);
  if (random_.chance(plan_.save)) device.save();
  trace_.line("{} {} edits {} {}/{}/{} {}", step_, device.name(), device.replica.last_n(),
              draft.scope, draft.coll, draft.id, draft.edits);
}

void Simulation::talk(Device& device) {
  if (device.revoked || device.away_until > step_ || device.wait_until_ms > true_ms_) return;
  if (device.unknown) {
    const AccountPtr known = service_->store().accounts().find(device.id());
    if (known != nullptr && !calm_) return;
    if (auto fresh = enroll(draw_scopes(), draw_role())) {
      device.enrolled_anew(fresh->replica.device(), fresh->replica.token());
    }
    return;
  }
  if (device.post != 0) {
    if (device.post_given_up > step_) return;
    device.post = 0;  // no answer came
  }
  device.obey();
  if (device.socket == nullptr) {
    if (!random_.chance(plan_.live)) {
      auto post = std::make_shared<Post>();
      post->id = next_post_++;
      post->device = device.id();
      const std::string push = device.replica.push(plan_.max_ops);
      post->body = device.exchange(plan_.max_ops, plan_.page, true_ms_);
      device.post = post->id;
      device.post_given_up = step_ + 200;
      if (!push.empty()) handed_.push_back(Handed{device.id(), push});
      trace_.line("{} {} posts {} bytes", step_, device.name(), post->body.size());
      if (!calm_ && random_.below(100'000) < plan_.of(Fault::kDuplicate)) {
        auto again = std::make_shared<Post>(*post);
        again->id = next_post_++;
        again->stale = true;
        posts_.push_back(std::move(again));
      }
      posts_.push_back(std::move(post));
      return;
    }
    device.socket = Socket::open(*service_, step_);
    device.socket->on_said = [this, id = device.id()](const SaidFrame& frame) {
      said(id, frame.text, When{frame.made, frame.made, step_});
    };
    sockets_.push_back(device.socket);
    trace_.line("{} {} opens a socket", step_, device.name());
  }
  std::string push = device.replica.push(plan_.max_ops);
  std::string frame = device.next_frame(random_, plan_.max_ops, plan_.page, true_ms_);
  if (frame.empty()) {
    // It has all it wants; now and then it goes.
    if (!calm_ && random_.chance(100)) device.hangs_up();
    return;
  }
  if (!push.empty() && frame.find("\"push\"") != std::string::npos) {
    handed_.push_back(Handed{device.id(), std::move(push)});
  }
  if (handed_.size() > kHandedKept) handed_.erase(handed_.begin());
  trace_.line("{} {} sends {}", step_, device.name(), frame);
  device.socket->device_sends(std::move(frame));
}

void Simulation::device_hears(Device& device, std::string_view text) {
  const std::string life = device.replica.incarnation();
  device.hears(text, true_ms_, findings_);
  // What still comes in from a life that has ended since is no promise of the one that follows.
  const bool current = device.replica.incarnation() == service_->store().incarnation();
  if (!life.empty() && device.replica.incarnation() != life && current) {
    for (const std::string& op : device.safe_ops()) {
      const auto canonical = canonicalize("{" + op);
      if (canonical) must_return_.push_back(Held{&device, *canonical});
    }
  }
  if (random_.chance(plan_.save)) device.save();
}

bool Simulation::move_socket(Socket& socket, Device* owner) {
  const std::uint64_t start = random_.below(4);
  for (std::uint64_t i = 0; i < 4; ++i) {
    switch ((start + i) % 4) {
      case 0:
        if (socket.run_posted()) return true;
        break;
      case 1:
        if (socket.server_reads()) return true;
        break;
      case 2:
        if (socket.server_writes(plan_.window)) return true;
        break;
      default: {
        if (owner == nullptr) break;
        if (owner->slow && !calm_ && random_.chance(plan_.of(Fault::kSlow))) break;
        if (auto frame = socket.device_reads()) {
          trace_.line("{} {} reads {}", step_, owner->name(), frame->text);
          device_hears(*owner, frame->text);
          return true;
        }
        if (socket.over()) {
          trace_.line("{} {} finds its socket closed ({})", step_, owner->name(),
                      socket.close_code());
          owner->hangs_up();
          return true;
        }
        break;
      }
    }
  }
  return false;
}

bool Simulation::move_post() {
  if (posts_.empty()) return false;
  const std::size_t at = random_.below(posts_.size());
  const std::shared_ptr<Post> post = posts_[at];
  if (post->stale && !calm_ && !random_.chance(100)) return false;
  if (!post->at_server) {
    post->at_server = true;
    ApiRequest request;
    request.method = "POST";
    request.path = "/v1/sync";
    request.body = post->body;
    service_->api(std::move(request), [this, post, asked = step_](ApiReply reply) {
      post->answered = true;
      post->reply = std::move(reply);
      said(post->device, post->reply.body, When{asked, step_, step_});
    });
    trace_.line("{} post {} arrives", step_, post->id);
    return true;
  }
  if (!post->answered) return false;
  posts_.erase(posts_.begin() + static_cast<std::ptrdiff_t>(at));
  trace_.line("{} post {} is answered: {} {}", step_, post->id, post->reply.status,
              post->reply.body);
  Device* device = device_by_id(post->device);
  if (device == nullptr || post->stale || device->post != post->id) return true;
  device->post = 0;
  if (post->reply.problem) {
    device->hears_problem(member(post->reply.body, "code"), post->reply.retry_after_ms, true_ms_,
                          findings_);
  } else {
    device_hears(*device, post->reply.body);
  }
  return true;
}

bool Simulation::move_line() {
  const std::uint64_t start = random_.below(sockets_.size() + 1);
  for (std::size_t i = 0; i <= sockets_.size(); ++i) {
    const std::size_t at = (start + i) % (sockets_.size() + 1);
    if (at == sockets_.size()) {
      if (move_post()) return true;
      continue;
    }
    const std::shared_ptr<Socket> socket = sockets_[at];
    Device* owner = nullptr;
    for (const auto& device : devices_) {
      if (device->socket == socket) owner = device.get();
    }
    if (move_socket(*socket, owner)) return true;
    if (owner == nullptr && socket->done()) {
      sockets_.erase(sockets_.begin() + static_cast<std::ptrdiff_t>(at));
      return true;
    }
  }
  return false;
}

bool Simulation::serve() {
  const std::uint64_t start = random_.below(3);
  for (std::uint64_t i = 0; i < 3; ++i) {
    switch ((start + i) % 3) {
      case 0:
        if (service_->step_writer()) {
          trace_.line("{} the writer commits a group", step_);
          return true;
        }
        break;
      case 1:
        if (service_->step_reader()) {
          trace_.line("{} a reader serves", step_);
          return true;
        }
        break;
      default:
        if (service_->step_fanout()) {
          trace_.line("{} fan-out", step_);
          return true;
        }
        break;
    }
  }
  return false;
}

// A push that was sent before comes again, from a phone that was set up from an old copy, say.
void Simulation::repeat_push() {
  if (handed_.empty()) return;
  const Handed& handed = random_.pick(handed_);
  Device* device = device_by_id(handed.device);
  if (device == nullptr) return;
  std::string push = handed.push;
  auto frame = decode_frame(push);
  if (!frame || !frame->push || frame->push->ops.empty()) return;
  const std::uint64_t n = frame->push->ops[0].n;
  // The first op may be one that tells of a lost one, and has no clocks.
  const bool timed = frame->push->ops[0].canonical.find("\"wall\":") != std::string::npos;
  const std::size_t wall = push.find("\"wall\":");
  if (random_.chance(400) && timed && witness_.verdicts().count({handed.device, n}) != 0) {
    push.insert(wall + 7, "1");
    frame = decode_frame(push);
    if (!frame) return;
    witness_.expects_reuse(handed.device, n, frame->push->ops[0].canonical);
  }
  auto post = std::make_shared<Post>();
  post->id = next_post_++;
  post->device = handed.device;
  post->stale = true;
  post->body = join_messages({device->replica.hello(device->clocks.read(true_ms_)), push});
  trace_.line("{} {} hands in again from {}: {}", step_, device->name(), n, push);
  posts_.push_back(std::move(post));
}

void Simulation::strike(Fault fault) {
  Device& device = any_device();
  switch (fault) {
    case Fault::kLoss:
      if (device.socket != nullptr && random_.chance(700)) {
        const std::size_t up = random_.below(device.socket->frames_to_server() + 1);
        const std::size_t down = random_.below(device.socket->frames_to_device() + 1);
        device.socket->cut(up, down);
        trace_.line("{} the line of {} breaks: {} and {} frames arrive", step_, device.name(), up,
                    down);
      } else if (!posts_.empty()) {
        const std::size_t at = random_.below(posts_.size());
        trace_.line("{} post {} is lost", step_, posts_[at]->id);
        posts_.erase(posts_.begin() + static_cast<std::ptrdiff_t>(at));
      }
      return;
    case Fault::kCrash: return crash();
    case Fault::kRestart: return restart();
    case Fault::kRestore:
      if (backups_.size() < kBackupsKept && random_.chance(600)) return back_up();
      return restore();
    case Fault::kTorn: return disk_->tear_next_write();
    case Fault::kSync: return disk_->fail_next_sync();
    case Fault::kFull: return disk_->limit_room(random_.below(2000));
    case Fault::kRead:
      // Only what the parts of the service read: the checkers are not part of the machine.
      disk_->fail_read_after(random_.below(20));
      serve();
      serve();
      disk_->fail_read_after(std::numeric_limits<std::size_t>::max());
      trace_.line("{} a read may have failed", step_);
      return;
    case Fault::kServerClock: {
      static constexpr std::array<std::int64_t, 6> kSkews{0,        0,       120'000,
                                                          -120'000, kHourMs, -kHourMs};
      server_skew_ms_ = kSkews[random_.below(kSkews.size())];
      trace_.line("{} the server's clock is {} ms off", step_, server_skew_ms_);
      return;
    }
    case Fault::kDeviceClock: {
      static constexpr std::array<std::int64_t, 6> kWalls{
          0, 4'070'908'800'000, 0, 4'070'908'800'000, 1, 2};  // 1970, 2099, or about now
      const std::int64_t wall = kWalls[random_.below(kWalls.size())];
      const std::int64_t near = true_ms_ + random_.between(-2 * kHourMs, 2 * kHourMs);
      device.clocks.set_wall(wall == 1 ? near : wall == 2 ? true_ms_ : wall, true_ms_);
      trace_.line("{} {} sets its clock", step_, device.name());
      return;
    }
    case Fault::kReboot:
      device.crash();
      device.clocks.reboot(true_ms_);
      trace_.line("{} {} reboots", step_, device.name());
      return;
    case Fault::kDeviceCrash:
      device.crash();
      trace_.line("{} {} crashes", step_, device.name());
      return;
    case Fault::kReinstall: {
      if (&device == devices_[0].get()) return;
      auto fresh = enroll(draw_scopes(), draw_role());
      if (fresh == nullptr) return;
      std::erase_if(must_return_, [&](const Held& held) { return held.device == &device; });
      device.hangs_up();
      device = std::move(*fresh);
      return;
    }
    case Fault::kScopes: {
      if (&device == devices_[0].get() || device.revoked || device.unknown) return;
      const std::vector<std::string> scopes = draw_scopes();
      std::string list;
      append_string_array(list, scopes);
      const ApiReply reply = office("PUT", fmt::format("/v1/devices/{}/scopes", device.name()),
                                    "{\"scopes\":" + list + "}");
      trace_.line("{} {} is to hold {}: {}", step_, device.name(), list, reply.status);
      return;
    }
    case Fault::kRevoke: {
      if (&device != devices_[0].get()) decide(device);
      return;
    }
    case Fault::kAbsence:
      device.away_until = step_ + random_.below(400);
      true_ms_ +=
          random_.chance(500) ? random_.between(0, 10 * kHourMs) : random_.between(0, 40 * kDayMs);
      trace_.line("{} {} is away; it is {}", step_, device.name(), true_ms_);
      return;
    case Fault::kSchema:
      if (random_.chance(700)) {
        device.newer_app = true;
        return;
      }
      newer_server_ = true;
      return restart();
    case Fault::kRepeats: return repeat_push();
    case Fault::kRoles: return change_roles(device);
    case Fault::kTree: return change_tree();
    case Fault::kErase: return erase_somebody();
    case Fault::kDuplicate:
    case Fault::kSlow:
    case Fault::kBadOps: return;  // at their places
  }
}

// Who holds what is looked up in the moment in which something leaves the server, so that the
// witness knows of each change in the step in which it was made.
void Simulation::said(std::uint64_t device, std::string_view text, const When& when) {
  witness_.look_up(service_->store(), step_);
  witness_.said(device, text, when);
}

void Simulation::tick() {
  if (service_ != nullptr) witness_.look_up(service_->store(), step_);
  ++step_;
  true_ms_ += random_.between(0, 20);
  latest_server_ms_ = std::max(latest_server_ms_, server_ms());
}

void Simulation::step() {
  tick();
  if (service_->store().read_only() && random_.chance(calm_ ? 200 : 20)) return crash();
  if (!calm_) {
    for (std::size_t i = 0; i < kFaults; ++i) {
      const auto fault = static_cast<Fault>(i);
      if (fault == Fault::kDuplicate || fault == Fault::kSlow || fault == Fault::kBadOps) continue;
      if (plan_.rate[i] != 0 && random_.below(100'000) < plan_.rate[i]) return strike(fault);
    }
  }
  const std::array<std::uint64_t, 4> weights{calm_ ? 0 : plan_.edit, plan_.talk, plan_.move,
                                             plan_.serve};
  const std::size_t first = random_.weighted(weights);
  switch (first) {
    case 0: return edit(any_device());
    case 1: return talk(any_device());
    case 2:
      if (!move_line()) serve();
      return;
    default:
      if (!serve()) move_line();
      return;
  }
}

// --- checks -----------------------------------------------------------------------------------

void Simulation::check_cheaply() {
  for (const auto& device : devices_) check_queues(*device, findings_);
  if (service_ != nullptr && service_->waiting_ops() > limits::kWriterQueueOps) {
    findings_.report(11, "the writer's queue is bounded", std::to_string(service_->waiting_ops()));
  }
}

void Simulation::check_all() {
  const Store& store = service_->store();
  const Schemas& schemas = service_->schemas();
  std::vector<std::string> returned;
  if (calm_) {
    for (const Held& held : must_return_) {
      if (!held.device->revoked) returned.push_back(held.op);
    }
  }
  check_log(store, witness_, returned, erased_, findings_);
  check_quarantine(store, witness_, erased_, findings_);
  check_merge(store, schemas, erased_, findings_);
  check_persons(store, schemas, erased_, findings_);
  check_bounds(store, schemas, latest_server_ms_, findings_);
  check_scopes(store, findings_);
  check_writes(store, witness_, findings_);
  if (newer_server_) check_versions(store, *schemas_.newest, findings_);
  if (!calm_) return;
  for (const auto& device : devices_) {
    if (!device->revoked) check_device(store, *rules_, *device, findings_);
  }
}

bool Simulation::all_done() {
  if (service_->store().read_only() || service_->waiting_ops() != 0) return false;
  std::map<std::string, Digest> digests;
  const auto rows = service_->store().kv().iterate(Column::kDigests);
  for (rows->seek(""); rows->valid(); rows->next()) {
    if (const auto row = decode_digest(rows->value())) {
      digests[std::string(rows->key())] = row->digest;
    }
  }
  const auto records = stored_records(service_->store());
  for (const auto& device : devices_) {
    if (device->revoked) continue;
    const AccountPtr account = service_->store().accounts().find(device->id());
    if (account == nullptr || !device->settled()) return false;
    if (account->closed() || account->wipe_due()) return false;  // it has not heard of it yet
    if (device->replica.incarnation() != service_->store().incarnation()) return false;
    if (!account->active()) continue;  // it has handed in what it may
    // Where it sees everything the digest is the scope's; else it is summed up from the records.
    std::map<std::string, Digest> expected;
    if (service_->store().view_of(*account).whole()) {
      for (const auto& [scope, digest] : digests) {
        if (service_->store().sees(*account, scope)) expected[scope] = digest;
      }
    } else {
      for (const auto& [name, record] : records) {
        if (record.visible.empty()) continue;
        const auto shown = shown_to(*rules_, *account, name, record.visible);
        if (!shown) continue;
        expected[name.scope].add(digest_of_record(name.scope, name.coll, name.id, *shown));
      }
    }
    for (const auto& [scope, digest] : digests) {
      if (device->replica.digest(scope) != expected[scope]) return false;
    }
  }
  // A change that shows nothing new (a value that lost) does not change the digest either.
  for (const auto& device : devices_) {
    Findings missing;
    if (!device->revoked) check_device(service_->store(), *rules_, *device, missing);
    if (missing.any()) return false;
  }
  return true;
}

// Faults stop, nobody edits any more: within a bound of steps all devices must be done.
void Simulation::calm_down() {
  calm_ = true;
  disk_->give_room();
  for (const auto& device : devices_) {
    device->away_until = 0;
    device->slow = false;
  }
  if (service_->store().read_only()) crash();
  if (service_ == nullptr) return;
  // What is to be done: every op that waits goes in, and every device hears of all there is.
  std::uint64_t changes = 0;
  std::uint64_t pushes = 0;
  for_each_logged(service_->store(), [&](const Logged&) { ++changes; });
  for (const auto& device : devices_) {
    changes += device->replica.waiting();
    pushes = std::max(pushes, device->replica.waiting() / plan_.max_ops + 1);
  }
  const std::uint64_t talks = changes / plan_.page + 1 + pushes;
  // Of the steps a share are talks, and each device has its share of these. Ten times what all that
  // takes on average is the bound; a device that hears nothing gives up a post after 200 steps.
  const std::uint64_t steps = (plan_.talk + plan_.move + plan_.serve) / plan_.talk + 1;
  const std::uint64_t bound = step_ + 20'000 + (4'000 + 10 * steps * talks) * devices_.size();
  while (!findings_.any() && step_ < bound) {
    step();
    if (service_ == nullptr) return;
    if (step_ % 16 == 0 && all_done()) return;
  }
  if (findings_.any()) return;
  // A device that believes to be done and is not has been given less than its cursor says.
  for (const auto& device : devices_) {
    if (!device->revoked && device->settled()) {
      check_device(service_->store(), *rules_, *device, findings_);
    }
  }
  if (findings_.any()) return;
  std::string late;
  for (const auto& device : devices_) {
    if (device->revoked) continue;
    if (!device->settled()) {
      late += fmt::format(" {} ({} waiting, more {})", device->name(), device->replica.waiting(),
                          device->replica.more());
    }
  }
  findings_.report(0, "once faults stop all devices are done within a bound of steps",
                   late.empty() ? "a digest differs" : "not yet:" + late);
}

Outcome Simulation::run() {
  set_up();
  while (!findings_.any() && step_ < request_.steps) {
    step();
    check_cheaply();
    if (!findings_.any() && service_ != nullptr && step_ % kCheckEvery == 0 &&
        !service_->store().read_only()) {
      check_all();
    }
  }
  Outcome outcome;
  outcome.step = step_;
  if (!findings_.any()) calm_down();
  if (!findings_.any()) check_all();
  if (service_ != nullptr) {
    for_each_logged(service_->store(), [&](const Logged&) { ++outcome.ops; });
  }
  outcome.steps = step_;
  outcome.hash = trace_.hash();
  outcome.failed = findings_.any();
  if (outcome.failed) outcome.breach = findings_.first();
  return outcome;
}

}  // namespace waystation::simulate
