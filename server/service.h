// What the server does for a request, without sockets: who asks, what they may, and the way to the
// writer and the readers. All functions from any thread; callbacks come on the writer's or a
// reader's thread, or at once on the caller's, and must be short.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "server/blob_reading.h"
#include "server/config.h"
#include "server/device_limits.h"
#include "server/fanout.h"
#include "server/guess_limit.h"
#include "server/reader_pool.h"
#include "server/surroundings.h"
#include "server/today_watch.h"
#include "server/uploads.h"
#include "storage/applier.h"
#include "storage/list_tables.h"
#include "storage/lists.h"
#include "storage/office.h"
#include "storage/pull.h"
#include "storage/store.h"
#include "storage/writer.h"
#include "sync/report.h"
#include "sync/schema.h"
#include "sync/wire.h"

namespace waystation {

struct ApiRequest {
  std::string method;
  std::string path;                          // without the query
  std::map<std::string, std::string> query;  // decoded
  std::string bearer;                        // empty: none
  std::string body;
  std::string peer = {};    // the client's address, as the edge sees it; empty: not from a socket
  bool secure = false;      // the client speaks TLS, to us or to a trusted proxy
  std::string cookie = {};  // these headers as they were sent; empty: not sent
  std::string csrf = {};    // X-CSRF-Token
  std::string origin = {};
  std::string fetch_site = {};  // Sec-Fetch-Site
  std::string host = {};
  // Of an upload or a photo: what its path goes by, by their names in lower case.
  std::map<std::string, std::string> headers = {};
};

struct ApiReply {
  int status = 200;
  std::string body;
  bool problem = false;  // application/problem+json
  std::int64_t retry_after_ms = 0;
  std::vector<std::string> cookies = {};  // values of Set-Cookie
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::shared_ptr<BlobReading> file = {};  // what is sent in place of the body; null: the body
  // Places that the asker has until the answer has been sent: it lives as long as they are taken.
  std::shared_ptr<const void> held = {};
};

// The right to write on one upload, with the place of its device.
struct UploadInHand {
  std::unique_ptr<Uploads::Writing> writing;
  std::unique_ptr<DeviceLimits::Visit> visit;
  std::uint64_t device = 0;  // 0: somebody of the office
};
using UploadInHandPtr = std::shared_ptr<UploadInHand>;
struct UploadStart {
  std::optional<ApiReply> refused;  // then there is no upload
  UploadInHandPtr upload;
};

class Office;
class Projections;
class ReportFiles;
enum class FileFormat : std::uint8_t;
struct PersonTraces;
struct ReportPlan;

// Somebody of the office, by a session.
struct OfficePerson {
  std::string account;
  OfficeRole role = OfficeRole::kOffice;
  std::string session_hash;
  std::string csrf;
};

class Service {
 public:
  // Opens the store in config.data and starts its threads. Errors: as Store::open, load_schemas.
  [[nodiscard]] static Result<std::unique_ptr<Service>> open(const Config& config);
  // The same over a key-value store that the caller made. With Threads::kStepped no thread is
  // started: the caller moves the parts by the step functions below, all in one thread.
  [[nodiscard]] static Result<std::unique_ptr<Service>> over(std::unique_ptr<Kv> kv,
                                                             const Config& config,
                                                             std::string admin_token,
                                                             Surroundings surroundings = {});
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Finishes what was submitted and ends the threads; what comes after is answered with busy. No
  // callback and no sink is called any more.
  void drain();

  // kStepped: each moves one part by one step; false when it had nothing to do.
  bool step_writer() { return writer_->step(); }
  bool step_reader();
  bool step_fanout() { return fanout_->step(); }
  // kStepped: forgets all that was submitted, as when the process is killed. No callback is called.
  void abandon();

  // The account of a device that shows its token. Errors: kAuth….
  [[nodiscard]] Result<AccountPtr> authenticate(std::string_view device,
                                                std::string_view token) const;
  // The same for one that says hello: it may also be closed, when it is to wipe itself or has.
  [[nodiscard]] Result<AccountPtr> greet(const Hello& hello) const;

  using ExchangeDone = std::function<void(Result<ExchangeRequest::Reply>)>;
  // All of one frame but the pull; the ops are held against the schemas here. Errors: kBusy,
  // kAuth….
  void exchange(std::uint64_t device, ClientFrame frame, ExchangeDone done);

  using PullDone = std::function<void(Result<PullPage>)>;
  void pull_page(std::uint64_t device, Pull pull, PullDone done);

  // Whether it is the service's to answer for; what is not may be a page.
  [[nodiscard]] static bool has_path(std::string_view path);

  using ApiDone = std::function<void(ApiReply)>;
  // All of HTTP but the upgrade to WebSocket.
  void api(ApiRequest request, ApiDone done);

  // A PATCH of an upload, whose body the caller hands on piece by piece, each when the one before
  // is written, and which it ends in any case: what has come counts. Callbacks come once, from any
  // thread.
  void begin_upload(const ApiRequest& request, std::function<void(UploadStart)> begun);
  void write_upload(const UploadInHandPtr& upload, std::string bytes,
                    std::function<void(Status)> written);
  void end_upload(const UploadInHandPtr& upload, ApiDone done);
  [[nodiscard]] std::size_t upload_bytes() const;  // of the largest upload; 0: none are taken
  // The next piece of ApiReply::file.
  void read_blob(const std::shared_ptr<BlobReading>& reading,
                 std::function<void(Result<std::string>)> done);
  // Removes uploads that have expired, and photos that no record has named for long. Now and then.
  void tidy_blobs();

  [[nodiscard]] Fanout& fanout() { return *fanout_; }
  [[nodiscard]] const Store& store() const { return *store_; }
  [[nodiscard]] const Schemas& schemas() const { return schemas_; }
  [[nodiscard]] const std::string& admin_token() const { return admin_token_; }
  [[nodiscard]] WriterStats writer_stats() const { return writer_->stats(); }
  [[nodiscard]] std::size_t waiting_ops() const { return writer_->waiting_ops(); }

  // When a busy client is to come back, `at_least` from now: jittered, so that they do not all come
  // at once.
  [[nodiscard]] std::int64_t retry_after_ms(std::int64_t at_least = 0) const;

  // What one device may do (server/device_limits.h). Devices of the office, which hold all scopes,
  // take in files and whole cities: their ops and bytes are not counted.
  [[nodiscard]] std::unique_ptr<DeviceLimits::Visit> enter(std::uint64_t device) const;
  // 0: a frame of that many bytes, with that many ops, is to be handled. Otherwise in how many ms.
  [[nodiscard]] std::int64_t take(std::uint64_t device, std::size_t ops, std::size_t bytes) const;
  void count_bytes(std::uint64_t device, std::size_t bytes) const;
  [[nodiscard]] std::int64_t wait_ms(std::uint64_t device) const;
  [[nodiscard]] bool strike(std::uint64_t device) const;

 private:
  Service();
  [[nodiscard]] bool unlimited(std::uint64_t device) const;
  // Who asks over HTTP, in which role: a device (with its account), or a person: by a session of
  // the office, or by the administrator's token.
  struct Caller {
    AccountPtr account;
    std::string role;  // of the policy
    std::string who;   // for the audit log
    std::optional<OfficePerson> person;
    [[nodiscard]] bool is_device() const { return account != nullptr; }
    // Administers the server; a device does not, whatever its role.
    [[nodiscard]] bool admin() const { return !is_device() && role == kRoleAdministrator; }
  };
  using Lister = void (Service::*)(const ApiRequest&, const Caller&, ApiDone);

  void enroll(const ApiRequest& request, ApiDone done);
  void sync(const ApiRequest& request, ApiDone done);
  void handover(const ApiRequest& request, const Caller& carrier, ApiDone done);
  // Photos (service_blobs.cc).
  [[nodiscard]] static bool is_blob_path(std::string_view path);
  [[nodiscard]] Result<std::vector<std::string>> open_blobs(const Config& config);
  [[nodiscard]] Result<Caller> uploader(const ApiRequest& request) const;
  void blobs(const ApiRequest& request, ApiDone done);
  void create_upload(const ApiRequest& request, ApiDone done);
  void give_blob(const ApiRequest& request, ApiDone done);
  [[nodiscard]] ApiReply blob_reply(const ApiRequest& request, const std::string& hash,
                                    std::uint64_t size) const;
  void on_disk(ApiDone done, std::function<void(const ApiDone&)> job);
  void tell_presence(const std::string& hash, std::string after, std::function<void(Status)> done);
  void sweep_blobs(std::int64_t now_ms);
  // The devices as the office sees them (service_devices.cc).
  void devices(const ApiRequest& request, ApiDone done);
  [[nodiscard]] ApiReply device_page(const ApiRequest& request) const;
  // Erases a person and says what remains (service_persons.cc).
  [[nodiscard]] static bool is_person_path(std::string_view path);
  void erase(const ApiRequest& request, const Caller& caller, ApiDone done);
  [[nodiscard]] ApiReply erase_report(const std::string& person, const EraseReport& report,
                                      const PersonTraces& traces) const;
  // Whom the journal has erased and the store has not: it is an older copy. Before anybody reads.
  [[nodiscard]] Status erase_again();
  [[nodiscard]] Status mend_erasures(std::vector<Erasure> known) const;
  // What the office decides about devices (service_office.cc).
  void codes(ApiDone done);
  void create_code(const ApiRequest& request, const Caller& caller, ApiDone done);
  void withdraw_code(const ApiRequest& request, const Caller& caller, ApiDone done);
  void device_action(const ApiRequest& request, const Caller& caller, ApiDone done);
  void backup(const ApiRequest& request, const Caller& caller, ApiDone done);
  // What people of the office edit (service_edits.cc).
  void edits(const ApiRequest& request, const Caller& caller, ApiDone done);
  // What the audit log is asked and told over HTTP (service_audit.cc).
  void audit(const ApiRequest& request, ApiDone done);
  void note_export(const ApiRequest& request, const Caller& caller, ApiDone done);
  // Runs `job` like read(), behind an entry that says who reads many people's data at once.
  void read_in_bulk(const Caller& caller, std::string on, ApiDone done,
                    std::function<ApiReply()> job);
  // `then` comes when the act is in the audit log, and not where it could not be written there.
  void note_act(const Caller& caller, std::string act, std::string on, const ApiDone& done,
                std::function<void()> then);
  // Reports (service_reports.cc).
  [[nodiscard]] static bool is_report_path(std::string_view path);
  [[nodiscard]] Status open_reports(const Config& config, const Projections& projections);
  void report(const ApiRequest& request, const Caller& caller, ApiDone done);
  struct ReportPage {
    std::uint64_t offset = 0;
    std::uint64_t limit = 0;
    std::optional<std::uint64_t> fingerprint = {};  // of the rows when the page before was read
  };
  [[nodiscard]] Result<ReportPage> report_page(const ApiRequest& request) const;
  [[nodiscard]] std::string next_report_page(const ReportPage& page) const;
  void count_report(ReportPlan plan, const ReportPage& page, ApiDone done);
  void make_report_file(const Caller& caller, ReportPlan plan, FileFormat format, ApiDone done);
  void access(const ApiRequest& request, ApiDone done);
  void policy(const Caller& caller, const ApiDone& done) const;
  // What is read, behind the walls of scopes and policy (service_lists.cc). Null: no such path.
  [[nodiscard]] static Lister lister_of(std::string_view path);
  void records(const ApiRequest& request, const Caller& caller, ApiDone done);
  void history(const ApiRequest& request, const Caller& caller, ApiDone done);
  void conflicts(const ApiRequest& request, const Caller& caller, ApiDone done);
  void show_conflict(const ApiRequest& request, const Caller& caller, ApiDone done);
  void quarantine(const ApiRequest& request, const Caller& caller, ApiDone done);
  void today(const ApiRequest& request, const Caller& caller, ApiDone done);
  [[nodiscard]] bool sees(const Caller& caller, std::string_view scope) const;
  // Nothing: the caller may look into it. Both are asked before anything is looked up, so that an
  // answer tells nothing of what is there.
  [[nodiscard]] std::optional<Error> wall(const Caller& caller, const std::string& scope) const;
  [[nodiscard]] std::optional<Error> wall(const Caller& caller, const std::string& scope,
                                          const std::string& coll, const std::string& field) const;
  // Lists from memory (service_tables.cc).
  [[nodiscard]] static bool is_table_path(std::string_view path);
  void table(const ApiRequest& request, const Caller& caller, ApiDone done);
  [[nodiscard]] ApiReply table_reply(const Result<ListReply>& reply) const;
  void health(bool ready, const ApiDone& done) const;
  [[nodiscard]] Result<Caller> caller(const ApiRequest& request) const;
  void office(const ApiRequest& request, ApiDone done);
  [[nodiscard]] Result<AccountPtr> known(std::string_view device, std::string_view token) const;
  void read(ApiDone done, std::function<ApiReply()> job);
  // What the answer is to be given to, with the asker's limits around it. Null: he has been told
  // to come back.
  [[nodiscard]] ApiDone within_limits(const ApiRequest& request, const Caller& caller, bool list,
                                      ApiDone done) const;
  [[nodiscard]] ApiReply busy(std::string_view why, std::int64_t wait_ms = 0) const;
  // Of an error that may be kBusy, which is told with when to come back.
  [[nodiscard]] ApiReply refusal(const Error& error) const;
  void write(Request request, const ApiDone& busy);
  [[nodiscard]] ApiReply account_reply(const Result<AccountPtr>& account) const;

  Surroundings surroundings_;
  std::shared_ptr<DeviceLimits> device_limits_;
  Schemas schemas_;
  std::unique_ptr<Store> store_;
  std::string admin_token_;
  std::unique_ptr<Applier> applier_;
  std::unique_ptr<Fanout> fanout_;
  std::unique_ptr<TodayWatch> today_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Blobs> blobs_;  // null, as the uploads: photos are not taken
  std::unique_ptr<Uploads> uploads_;
  std::unique_ptr<ListTables> lists_;
  std::unique_ptr<ReaderPool> readers_;
  std::unique_ptr<ReaderPool> blob_work_;  // whoever waits for files of photos
  Reports reports_;
  std::unique_ptr<ReportFiles> report_files_;
  std::unique_ptr<ReaderPool> report_work_;  // whoever reads long, so that no pull waits for it
  std::stop_source reports_stop_;            // ends what it does and drops what waits for it
  std::unique_ptr<Office> office_;
  GuessLimit guesses_;
};

// What may be said of an error to whoever asks: what the system said of its disk, with the names of
// files, goes to the log alone.
[[nodiscard]] Error for_outsiders(const Error& error);
[[nodiscard]] ApiReply problem(const Error& error);
// The same with more members: `members` is the inside of a JSON object.
[[nodiscard]] ApiReply problem_with(const Error& error, const std::string& members);
// The same with all that is known, for the administrator.
[[nodiscard]] ApiReply problem_in_full(const Error& error);

}  // namespace waystation
