// What the server does for a request, without sockets: who asks, what they may, and the way to the
// writer and the readers. All functions from any thread; callbacks come on the writer's or a
// reader's thread, or at once on the caller's, and must be short.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/config.h"
#include "server/fanout.h"
#include "server/reader_pool.h"
#include "server/surroundings.h"
#include "storage/applier.h"
#include "storage/lists.h"
#include "storage/pull.h"
#include "storage/store.h"
#include "storage/writer.h"
#include "sync/schema.h"
#include "sync/wire.h"

namespace waystation {

struct ApiRequest {
  std::string method;
  std::string path;                          // without the query
  std::map<std::string, std::string> query;  // decoded
  std::string bearer;                        // empty: none
  std::string body;
};

struct ApiReply {
  int status = 200;
  std::string body;
  bool problem = false;  // application/problem+json
  std::int64_t retry_after_ms = 0;
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
  ~Service() { drain(); }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Finishes what was submitted and ends the threads; what comes after is answered with busy. No
  // callback and no sink is called any more.
  void drain();

  // kStepped: each moves one part by one step; false when it had nothing to do.
  bool step_writer() { return writer_->step(); }
  bool step_reader() { return readers_->step(); }
  bool step_fanout() { return fanout_->step(); }
  // kStepped: forgets all that was submitted, as when the process is killed. No callback is called.
  void abandon();

  // The account of a device that shows its token. Errors: kAuth….
  [[nodiscard]] Result<AccountPtr> authenticate(std::string_view device,
                                                std::string_view token) const;

  using ExchangeDone = std::function<void(Result<ExchangeRequest::Reply>)>;
  // hello and push of one frame; the ops are held against the schemas here. Errors: kBusy, kAuth….
  void exchange(std::uint64_t device, std::optional<Hello> hello, std::optional<Push> push,
                ExchangeDone done);

  using PullDone = std::function<void(Result<PullPage>)>;
  void pull_page(std::uint64_t device, Pull pull, PullDone done);

  using ApiDone = std::function<void(ApiReply)>;
  // All of HTTP but the upgrade to WebSocket.
  void api(ApiRequest request, ApiDone done);

  [[nodiscard]] Fanout& fanout() { return *fanout_; }
  [[nodiscard]] const Store& store() const { return *store_; }
  [[nodiscard]] const Schemas& schemas() const { return schemas_; }
  [[nodiscard]] const std::string& admin_token() const { return admin_token_; }
  [[nodiscard]] WriterStats writer_stats() const { return writer_->stats(); }
  [[nodiscard]] std::size_t waiting_ops() const { return writer_->waiting_ops(); }

  // When a busy client is to come back: jittered, so that they do not all come at once.
  [[nodiscard]] std::int64_t retry_after_ms() const;

 private:
  Service() = default;
  // Who asks over HTTP: the administrator (no account), or a device.
  struct Caller {
    AccountPtr account;
    [[nodiscard]] bool admin() const { return account == nullptr; }
    [[nodiscard]] bool sees(std::string_view scope) const {
      return admin() || account->holds(scope);
    }
  };
  using Lister = void (Service::*)(const ApiRequest&, const Caller&, ApiDone);

  void enroll(const ApiRequest& request, ApiDone done);
  void sync(const ApiRequest& request, ApiDone done);
  void create_code(const ApiRequest& request, ApiDone done);
  void devices(ApiDone done);
  void device_action(const ApiRequest& request, ApiDone done);
  void backup(const ApiRequest& request, ApiDone done);
  void erase(const ApiRequest& request, ApiDone done);
  // Whom the journal has erased and the store has not: it is an older copy. Before anybody reads.
  [[nodiscard]] Status erase_again();
  // What is read, behind the walls of the scopes (service_lists.cc). Null: no such path.
  [[nodiscard]] static Lister lister_of(std::string_view path);
  void records(const ApiRequest& request, const Caller& caller, ApiDone done);
  void history(const ApiRequest& request, const Caller& caller, ApiDone done);
  void conflicts(const ApiRequest& request, const Caller& caller, ApiDone done);
  void show_conflict(const ApiRequest& request, const Caller& caller, ApiDone done);
  void quarantine(const ApiRequest& request, const Caller& caller, ApiDone done);
  // Nothing: the caller may look into it.
  [[nodiscard]] std::optional<Error> wall(const Caller& caller, const std::string& scope) const;
  void health(bool ready, const ApiDone& done) const;
  [[nodiscard]] Result<Caller> caller(const ApiRequest& request) const;
  void read(ApiDone done, std::function<ApiReply()> job);
  void write(Request request, const ApiDone& busy);
  [[nodiscard]] ApiReply account_reply(const Result<AccountPtr>& account) const;

  Surroundings surroundings_;
  Schemas schemas_;
  std::unique_ptr<Store> store_;
  std::string admin_token_;
  std::unique_ptr<Applier> applier_;
  std::unique_ptr<Fanout> fanout_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<ReaderPool> readers_;
};

[[nodiscard]] ApiReply problem(const Error& error);

}  // namespace waystation
