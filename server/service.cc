#include "server/service.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "server/office.h"
#include "server/personal_files.h"
#include "server/report_files.h"
#include "storage/keys.h"
#include "storage/projections.h"
#include "storage/schema_files.h"
#include "storage/upgrade.h"
#include "storage/views.h"
#include "sync/canonical.h"
#include "sync/cursor.h"
#include "sync/device_id.h"
#include "sync/digest.h"
#include "sync/frame_admission.h"
#include "sync/limits.h"

namespace waystation {
namespace {

// What the messages of one POST /v1/sync have come to so far.
struct SyncReply {
  std::vector<std::string> frames;
  std::shared_ptr<DeviceLimits::Visit> visit;
  Service::ApiDone done;

  void finish() { done(ApiReply{200, join_messages(frames), false, 0}); }

  // The failed message's place is taken by its error; what came before it stands.
  void fail(const Error& error, std::int64_t retry_after_ms) {
    const bool busy = error.code == Code::kBusy;
    if (frames.empty() && !busy) return done(problem(error));
    frames.push_back(busy ? encode_busy(retry_after_ms) : encode_error(for_outsiders(error)));
    done(ApiReply{info(error.code).http, join_messages(frames), false, busy ? retry_after_ms : 0});
  }
};

struct PolicyInForce {
  std::shared_ptr<const Policy> policy;
  bool from_file = false;
};

// Schemas of one's own may come without a policy: what the shipped one says of fields does not fit
// them. Yet where a file was in force, a missing one is a mistake, and would show what was hidden.
Result<PolicyInForce> read_policy(const Config& config, const Schemas& schemas, const Kv& kv) {
  const std::string path = policy_file(config);
  std::error_code error;
  const bool missing = !std::filesystem::exists(path, error) && !error;
  if (config.policy.empty() && !config.schemas.empty() && missing) {
    std::string mark;
    const auto marked = kv.get(Column::kMeta, keys::kPolicyFile, mark);
    if (!marked) return marked.error();
    if (*marked) {
      return Error{Code::kPolicyInvalid,
                   fmt::format("{} is missing, and there was a policy before", path)};
    }
    spdlog::warn("there is no {}: volunteers and stations see nothing until there is", path);
    return PolicyInForce{policy_without_file(schemas), false};
  }
  auto policy = load_policy(path, schemas);
  if (!policy) return policy.error();
  return PolicyInForce{std::move(*policy), true};
}

Status mark_policy_file(Kv& kv) {
  Batch batch;
  batch.put(Column::kMeta, std::string(keys::kPolicyFile), "1");
  return kv.write(batch, Durability::kSynced);
}

Result<std::shared_ptr<const Projections>> read_projections(const Config& config,
                                                            const Surroundings& around,
                                                            const Schemas& schemas) {
  if (around.projections != nullptr) return around.projections;
  // Schemas that the caller made come with their own, or with none.
  if (around.schemas != nullptr) return std::make_shared<const Projections>();
  return load_projections(schemas_folder(config), schemas, zone_of(config));
}

Status keep_projections(Store& store, std::shared_ptr<const Projections> projections) {
  std::uint64_t told = 0;
  const auto progress = [&](std::uint64_t records) {
    if (records < told + 1'000'000) return;
    told = records;
    spdlog::info("counting for the reports: {} records so far", records);
  };
  const auto kept = adopt_projections(store, std::move(projections), progress);
  if (!kept) return kept.error();
  if (kept->records > 0) {
    spdlog::info("what the reports count was made anew from {} records", kept->records);
  }
  return {};
}

BackupPlace backups_with(const std::shared_ptr<const Blobs>& blobs) {
  BackupPlace place;
  place.begin = [blobs](const std::string& folder) { return begin_backup(*blobs, folder); };
  place.back_up = [blobs](Store& store, const std::string& folder, std::int64_t now_ms) {
    return back_up(store, folder, now_ms, blobs.get());
  };
  return place;
}

}  // namespace

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Service::Service() = default;
Service::~Service() { drain(); }

Result<std::unique_ptr<Service>> Service::open(const Config& config) {
  std::error_code error;
  std::filesystem::create_directories(config.data, error);
  if (error) return Error{Code::kIo, fmt::format("{}: {}", config.data, error.message())};
  auto kv = open_rocks(config.data + "/store",
                       config.recover ? OpenMode::kRecover : OpenMode::kReadWrite);
  if (!kv) {
    if (kv.error().code != Code::kStoreCorrupt) return kv.error();
    return Error{Code::kStoreCorrupt,
                 kv.error().context + "; see docs/operations.md, \"A damaged store\""};
  }
  auto token = waystation::admin_token(config.data, true);
  if (!token) return token.error();
  Surroundings around;
  auto master = open_master_key(**kv, config);
  if (!master) return master.error();
  around.master = *master;
  around.erasures = erasure_lists(config);
  around.blobs = config.data + "/blobs";
  around.uploads = config.data + "/uploads";
  around.exports = config.data + "/exports";
  around.backups = backups_with(std::make_shared<Blobs>(around.blobs));
  return over(std::move(*kv), config, std::move(*token), std::move(around));
}

Result<std::unique_ptr<Service>> Service::over(std::unique_ptr<Kv> kv, const Config& config,
                                               std::string admin_token, Surroundings surroundings) {
  std::unique_ptr<Service> service(new Service());
  service->surroundings_ = std::move(surroundings);
  service->device_limits_ = std::make_shared<DeviceLimits>(config);
  const Surroundings& around = service->surroundings_;
  if (around.schemas != nullptr) {
    service->schemas_ = *around.schemas;
  } else {
    auto schemas = load_schemas(schemas_folder(config));
    if (!schemas) return schemas.error();
    service->schemas_ = std::move(*schemas);
  }
  // Before the store is touched: a file with a mistake is to change nothing.
  auto counted = read_projections(config, around, service->schemas_);
  if (!counted) return counted.error();
  if (auto opened = service->open_reports(config, **counted); !opened) return opened.error();
  auto found = around.policy != nullptr ? Result<PolicyInForce>(PolicyInForce{around.policy, false})
                                        : read_policy(config, service->schemas_, *kv);
  if (!found) return found.error();
  auto store = Store::open(std::move(kv), random_incarnation(around.random),
                           config.recover ? Store::Life::kNew : Store::Life::kGoesOn);
  if (!store) return store.error();
  service->store_ = std::move(*store);
  if (around.master) {
    if (auto fits = check_master(service->store_->kv(), *around.master); !fits) return fits.error();
    service->store_->use(*around.master);
  }
  service->admin_token_ = std::move(admin_token);
  const auto upgraded =
      upgrade(*service->store_, service->schemas_, around.now_ms(), around.random);
  if (!upgraded) return upgraded.error();
  if (upgraded->sealed > 0) {
    spdlog::info("personal values of {} ops sealed, which lay in the store readable",
                 upgraded->sealed);
  }
  if (upgraded->records > 0) {
    spdlog::info("{} records of {} collections carried forward to newer schemas", upgraded->records,
                 upgraded->collections);
  }
  const auto adopted = adopt_policy(*service->store_, std::move(found->policy), around.now_ms());
  if (!adopted) return adopted.error();
  if (adopted->devices > 0) {
    spdlog::info("the policy shows {} devices something else than before: they start afresh",
                 adopted->devices);
  }
  if (found->from_file) {
    if (auto marked = mark_policy_file(service->store_->kv()); !marked) return marked.error();
  }
  if (auto kept = keep_projections(*service->store_, std::move(*counted)); !kept) {
    return kept.error();
  }
  ApplierSettings settings;
  settings.offline_ms = static_cast<std::int64_t>(config.offline_days) * 86'400'000;
  settings.random = around.random;
  settings.erasing = [raw = service.get()](const std::string& row, std::int64_t now_ms) {
    const auto& append = raw->surroundings_.erasures.append;
    return append ? append(Erasure{mark_of_row(row), now_ms}) : Status{};
  };
  auto placed = service->open_blobs(config);
  if (!placed) return placed.error();
  settings.has_blob = [raw = service.get()](const std::string& hash) {
    return raw->blobs_ != nullptr && raw->blobs_->has(hash);
  };
  service->applier_ = std::make_unique<Applier>(*service->store_, service->schemas_, settings);
  if (auto started = service->applier_->start(); !started) return started.error();
  if (auto erased = service->erase_again(); !erased) return erased.error();
  service->fanout_ = std::make_unique<Fanout>(*service->store_, around.threads);
  service->today_ = std::make_unique<TodayWatch>(*service->store_, *service->fanout_, around.now_ms,
                                                 around.threads);
  const auto observe = [raw = service.get()](const GroupOutcome& outcome) {
    raw->fanout_->committed(outcome);
    raw->today_->changed();
  };
  service->writer_ =
      std::make_unique<Writer>(*service->applier_, around.now_ms, observe, around.threads);
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t readers =
      config.reader_threads != 0 ? config.reader_threads : std::max<std::size_t>(1, cores / 2);
  service->readers_ = std::make_unique<ReaderPool>(readers, around.threads);
  service->lists_ = std::make_unique<ListTables>(*service->store_, service->schemas_,
                                                 config.list_mib * 1024 * 1024, around.threads);
  service->office_ = std::make_unique<Office>(
      *service->store_, around,
      [raw = service.get()](Request request) { return raw->writer_->submit(std::move(request)); });
  for (const std::string& hash : *placed) service->tell_presence(hash, "", [](const Status&) {});
  return service;
}

void Service::drain() {
  (void)reports_stop_.request_stop();
  if (readers_ != nullptr) readers_->stop();
  if (lists_ != nullptr) lists_->stop();
  if (office_ != nullptr) office_->stop();
  if (report_work_ != nullptr) report_work_->stop();
  if (blob_work_ != nullptr) blob_work_->stop();
  if (writer_ != nullptr) writer_->stop();
  if (today_ != nullptr) today_->stop();
  if (fanout_ != nullptr) fanout_->stop_thread();
}

bool Service::step_reader() {
  return readers_->step() || office_->step() || blob_work_->step() || report_work_->step() ||
         lists_->step() || today_->step();
}

void Service::abandon() {
  readers_->abandon();
  office_->abandon();
  blob_work_->abandon();
  lists_->stop();
  report_work_->abandon();
  writer_->abandon();
  fanout_->stop_thread();
}

Result<AccountPtr> Service::known(std::string_view device, std::string_view token) const {
  const auto id = parse_device_id(device);
  AccountPtr account = id ? store_->accounts().find(*id) : nullptr;
  if (account == nullptr) {
    return Error{Code::kAuthUnknownDevice, "enrol the device first"};
  }
  if (!equal_secrets(sha256(token), account->token_hash)) {
    return Error{Code::kAuthBadToken, "the token is not this device's"};
  }
  return account;
}

Result<AccountPtr> Service::authenticate(std::string_view device, std::string_view token) const {
  auto account = known(device, token);
  if (account.ok() && (*account)->closed()) {
    return Error{Code::kAuthRevoked, "the office has shut this device out"};
  }
  return account;
}

Result<AccountPtr> Service::greet(const Hello& hello) const {
  auto account = known(hello.device, hello.token);
  if (account.ok() && (*account)->closed() && (*account)->wipe_ordered_ms == 0) {
    return Error{Code::kAuthRevoked, "the office has shut this device out"};
  }
  return account;
}

void Service::exchange(std::uint64_t device, ClientFrame frame, ExchangeDone done) {
  if (frame.hello) frame.hello->received_ms = surroundings_.now_ms();
  if (frame.push) {
    for (Op& op : frame.push->ops) {
      schemas_.admit(op);
    }
  }
  ExchangeRequest request;
  request.device = device;
  request.hello = std::move(frame.hello);
  request.push = std::move(frame.push);
  request.wiped = frame.wiped;
  request.done = done;
  if (!writer_->submit(std::move(request))) done(Error{Code::kBusy, ""});
}

void Service::pull_page(std::uint64_t device, Pull pull, PullDone done) {
  auto job = [this, device, pull = std::move(pull), done] {
    done(waystation::pull(*store_, device, pull.cursor, pull.limit));
  };
  if (!readers_->submit(std::move(job))) done(Error{Code::kBusy, ""});
}

// --- HTTP -------------------------------------------------------------------------------------

void Service::read(ApiDone done, std::function<ApiReply()> job) {
  const auto run = [done, job = std::move(job)] { done(job()); };
  if (!readers_->submit(run, ReaderPool::Turn::kList)) done(busy("too many requests wait"));
}

void Service::write(Request request, const ApiDone& busy) {
  if (writer_->submit(std::move(request))) return;
  busy(this->busy("too many ops wait"));
}

Result<Service::Caller> Service::caller(const ApiRequest& request) const {
  if (request.bearer.empty() && !request.cookie.empty()) {
    auto person = office_->person(request);
    if (!person) return person.error();
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (!reads) {
      if (auto honest = Office::check_csrf(request, *person); !honest) return honest.error();
    }
    const std::string who = "office " + person->account;
    const std::string role(role_name(person->role));
    return Caller{nullptr, role, who, std::move(*person)};
  }
  if (request.bearer.empty()) {
    return Error{Code::kAuthRequired, "Authorization: Bearer <token> is missing"};
  }
  if (equal_secrets(sha256(request.bearer), sha256(admin_token_))) {
    return Caller{nullptr, std::string(kRoleAdministrator), "administrator's token", std::nullopt};
  }
  const std::size_t dot = request.bearer.find('.');
  if (dot == std::string::npos) return Error{Code::kAuthBadToken, "not a token of this server"};
  auto account = authenticate(std::string_view(request.bearer).substr(0, dot),
                              std::string_view(request.bearer).substr(dot + 1));
  if (!account) return account.error();
  std::string role((*account)->role());
  std::string who = "device " + format_device_id((*account)->device);
  return Caller{std::move(*account), std::move(role), std::move(who), std::nullopt};
}

bool Service::has_path(std::string_view path) {
  return path.starts_with("/v1/") || path == "/healthz" || path == "/readyz";
}

void Service::api(ApiRequest request, ApiDone done) {
  const auto is = [&](std::string_view path) { return request.path == path; };
  const bool get = request.method == "GET" || request.method == "HEAD";
  const bool post = request.method == "POST";
  const auto wrong_method = [&] {
    done(problem(Error{Code::kHttpMethod, fmt::format("{} {}", request.method, request.path)}));
  };
  if (is("/healthz")) return get ? health(false, done) : wrong_method();
  if (is("/readyz")) return get ? health(true, done) : wrong_method();
  if (is("/v1/enroll")) return post ? enroll(request, std::move(done)) : wrong_method();
  if (is("/v1/sync")) return post ? sync(request, std::move(done)) : wrong_method();

  if (Office::has_path(request.path)) return office(request, std::move(done));

  if (is_blob_path(request.path)) return blobs(request, std::move(done));

  const bool action = request.path.rfind("/v1/devices/", 0) == 0;
  const bool code = request.path.rfind("/v1/codes/", 0) == 0;
  const bool person = is_person_path(request.path);
  const Lister lister = lister_of(request.path);
  const bool table = is_table_path(request.path);
  const bool report = is_report_path(request.path);
  const bool known = table || report || action || code || person || lister != nullptr ||
                     is("/v1/codes") || is("/v1/devices") || is("/v1/backup") || is("/v1/access") ||
                     is("/v1/audit") || is("/v1/audit/exports") || is("/v1/handover") ||
                     is("/v1/edits") || is("/v1/today") || is("/v1/policy");
  if (!known) return done(problem(Error{Code::kHttpNotFound, request.path}));
  const auto who = caller(request);
  if (!who) return done(problem(who.error()));
  if (who->is_device() && !who->account->active() && !is("/v1/quarantine")) {
    return done(problem(Error{Code::kDeviceDraining, "it is told its verdicts, and nothing else"}));
  }
  done = within_limits(
      request, *who,
      get && (lister != nullptr || table || report || is("/v1/devices") || is("/v1/audit")),
      std::move(done));
  if (done == nullptr) return;
  if (lister != nullptr) {
    return get ? (this->*lister)(request, *who, std::move(done)) : wrong_method();
  }
  if (report) return get ? this->report(request, *who, std::move(done)) : wrong_method();
  if (is("/v1/handover")) {
    return post ? handover(request, *who, std::move(done)) : wrong_method();
  }
  if (table) return get ? this->table(request, *who, std::move(done)) : wrong_method();
  if (is("/v1/edits")) return post ? edits(request, *who, std::move(done)) : wrong_method();
  if (is("/v1/policy")) return get ? policy(*who, done) : wrong_method();
  if (is("/v1/today") && !who->is_device()) {
    return get ? today(request, *who, std::move(done)) : wrong_method();
  }
  if (is("/v1/devices") && !who->is_device()) {
    return get ? devices(request, std::move(done)) : wrong_method();
  }
  if (!who->admin())
    return done(problem(Error{Code::kAuthForbidden, "for the administrator only"}));
  if (person) return post ? erase(request, *who, std::move(done)) : wrong_method();
  // It names a folder of the server's machine: for whoever works there.
  if (is("/v1/backup") && who->person) {
    return done(problem(Error{Code::kAuthForbidden, "with the administrator's token only"}));
  }
  if (is("/v1/backup")) return post ? backup(request, *who, std::move(done)) : wrong_method();
  if (is("/v1/access")) return get ? access(request, std::move(done)) : wrong_method();
  if (is("/v1/codes")) {
    if (get) return codes(std::move(done));
    return post ? create_code(request, *who, std::move(done)) : wrong_method();
  }
  if (code) {
    return request.method == "DELETE" ? withdraw_code(request, *who, std::move(done))
                                      : wrong_method();
  }
  if (is("/v1/audit")) return get ? audit(request, std::move(done)) : wrong_method();
  if (is("/v1/audit/exports")) {
    return post ? note_export(request, *who, std::move(done)) : wrong_method();
  }
  device_action(request, *who, std::move(done));
}

void Service::office(const ApiRequest& request, ApiDone done) {
  Office::Asker asker;
  if (!Office::open_to_all(request)) {
    auto who = caller(request);
    if (!who) return done(problem(who.error()));
    asker = {who->who, who->admin(), std::move(who->person)};
  }
  office_->handle(request, asker, std::move(done));
}

void Service::health(bool ready, const ApiDone& done) const {
  if (!ready || !store_->read_only()) return done(ApiReply{200, R"({"status":"ok"})", false, 0});
  const Error why = for_outsiders(Error{Code::kStoreReadOnly, store_->read_only_reason()});
  std::string body = R"({"status":"read_only","reason":)";
  append_json_string(body, why.context);
  body += '}';
  done(ApiReply{503, std::move(body), false, 0});
}

void Service::sync(const ApiRequest& request, ApiDone done) {
  auto reply = std::make_shared<SyncReply>();
  std::uint64_t device = 0;
  std::int64_t wait = 0;
  std::optional<Error> refused;
  const auto admit = [&](const FrameOutline& outline) {
    if (outline.hello == nullptr) {
      refused = Error{Code::kAuthRequired, "POST /v1/sync needs a hello in its frame"};
      return false;
    }
    const auto account = greet(*outline.hello);
    if (!account) {
      refused = account.error();
      return false;
    }
    device = (*account)->device;
    reply->visit = enter(device);
    const bool room = reply->visit != nullptr;
    wait = room ? take(device, outline.ops, request.body.size()) : wait_ms(device);
    if (!room || wait > 0) refused = Error{Code::kBusy, ""};
    return !refused;
  };
  auto decoded = decode_frame(request.body, admit);
  if (!decoded) {
    if (device != 0) (void)strike(device);
    return done(problem(decoded.error()));
  }
  if (refused && refused->code != Code::kBusy) return done(problem(*refused));
  reply->done = std::move(done);
  if (refused) return reply->fail(*refused, retry_after_ms(wait));
  ClientFrame& frame = **decoded;
  reply->done = [this, device, visit = reply->visit,
                 done = std::move(reply->done)](ApiReply answer) {
    count_bytes(device, answer.body.size());
    answer.held = visit;
    done(std::move(answer));
  };
  std::optional<Pull> pull = std::move(frame.pull);
  const bool asks_more = frame.push.has_value() || pull.has_value();
  auto exchanged = [this, device, reply, pull, asks_more](Result<ExchangeRequest::Reply> result) {
    if (!result) return reply->fail(result.error(), retry_after_ms());
    for (std::string* answer :
         {&result->welcome, &result->wipe, &result->wiped, &result->receipt}) {
      if (!answer->empty()) reply->frames.push_back(std::move(*answer));
    }
    if (result->closed && asks_more) {
      return reply->fail(Error{Code::kAuthRevoked, "the office has shut this device out"}, 0);
    }
    if (!pull) return reply->finish();
    auto pulled = [this, reply](Result<PullPage> page) {
      if (!page) return reply->fail(page.error(), retry_after_ms());
      reply->frames.push_back(encode_changes(page->head, page->items));
      reply->finish();
    };
    pull_page(device, *pull, std::move(pulled));
  };
  exchange(device, std::move(frame), std::move(exchanged));
}

void Service::backup(const ApiRequest& request, const Caller& caller, ApiDone done) {
  auto to = decode_backup_request(request.body);
  if (!to) return done(problem(to.error()));
  // Also before it waits: a wrong folder is to change nothing.
  if (auto checked = surroundings_.backups.check(*to); !checked)
    return done(problem_in_full(checked.error()));
  auto note = std::make_shared<BackupNote>();
  BackupRequest backup;
  backup.by = caller.who;
  backup.folder = *to;
  backup.copy = [this, note, folder = *to]() -> Status {
    const auto made = surroundings_.backups.back_up(*store_, folder, surroundings_.now_ms());
    if (!made) return made.error();
    *note = *made;
    return {};
  };
  backup.done = [done, note, folder = *to](const Status& status) {
    if (!status) return done(problem_in_full(status.error()));
    spdlog::info("backup made in {}", folder);
    std::string out = "{\"folder\":";
    append_json_string(out, folder);
    out += fmt::format(R"(,"incarnation":"{}","position":{},"made":{}}})", note->incarnation,
                       note->position, note->made_ms);
    done(ApiReply{200, std::move(out), false, 0});
  };
  if (surroundings_.backups.begin == nullptr) return write(std::move(backup), done);
  // Photos take long, and nobody is to wait for them.
  auto shared = std::make_shared<BackupRequest>(std::move(backup));
  on_disk(std::move(done), [this, shared](const ApiDone& answer) {
    const std::string folder = shared->folder;
    if (auto begun = surroundings_.backups.begin(folder); !begun) {
      return answer(problem_in_full(begun.error()));
    }
    if (writer_->submit(std::move(*shared))) return;
    surroundings_.backups.discard(folder);
    answer(busy("too many ops wait"));
  });
}

}  // namespace waystation
