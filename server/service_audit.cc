// The audit log over HTTP: read by administrators, told of what the server does not see by itself.
#include <fmt/format.h>

#include <algorithm>

#include "server/query_number.h"
#include "server/service.h"
#include "storage/audit.h"
#include "sync/limits.h"
#include "sync/office_bodies.h"

namespace waystation {
namespace {

OfficeRequest noting(AuditNote note, std::function<void(Status)> done) {
  OfficeRequest request;
  request.change = [note = std::move(note)](const OfficeTables&, std::int64_t) {
    OfficeChange change;
    change.audit.push_back(note);
    return Result<OfficeChange>(std::move(change));
  };
  request.done = std::move(done);
  return request;
}

}  // namespace

void Service::audit(const ApiRequest& request, ApiDone done) {
  const auto after = query_number(request, "after", 0);
  const auto limit = query_number(request, "limit", 100);
  if (!after || !limit) {
    return done(problem(Error{Code::kMessageInvalid, "after and limit are numbers"}));
  }
  const std::size_t most = std::clamp<std::uint64_t>(*limit, 1, limits::kPageRecords);
  read(std::move(done), [this, after = *after, most] {
    const auto snapshot = store_->kv().snapshot();
    std::string items;
    std::size_t count = 0;
    std::uint64_t last = 0;
    bool more = false;
    const Status walked =
        for_each_audit(store_->kv(), snapshot.get(), after, [&](const AuditEntry& entry) {
          more = count == most || items.size() > limits::kPageBytes;
          if (more) return false;
          if (count++ > 0) items += ',';
          items += audit_json(entry, true);
          last = entry.n;
          return true;
        });
    if (!walked) return problem(walked.error());
    const auto head = read_audit_head(store_->kv(), snapshot.get());
    if (!head) return problem(head.error());
    std::string out =
        fmt::format(R"({{"audit":[{}],"head":{{"n":{},"hash":"{}"}})", items, head->n, head->hash);
    if (more) out += fmt::format(R"(,"next":"{}")", last);
    return ApiReply{200, out + "}", false, 0};
  });
}

// An export is made from the files of the store, beside the server: who makes it says so here.
void Service::note_export(const ApiRequest& request, const Caller& caller, ApiDone done) {
  auto body = decode_export_note(request.body);
  if (!body) return done(problem(body.error()));
  const std::string on = (body->scope.empty() ? "*" : body->scope) + "/" + body->coll;
  auto answer = [done](const Status& status) {
    done(status.ok() ? ApiReply{200, "{}", false, 0} : problem(status.error()));
  };
  write(noting({caller.who, "records.exported", on}, std::move(answer)), done);
}

void Service::note_act(const Caller& caller, std::string act, std::string on, const ApiDone& done,
                       std::function<void()> then) {
  auto noted = [done, then = std::move(then)](const Status& status) {
    if (!status) return done(problem(status.error()));
    then();
  };
  write(noting({caller.who, std::move(act), std::move(on)}, std::move(noted)), done);
}

void Service::read_in_bulk(const Caller& caller, std::string on, ApiDone done,
                           std::function<ApiReply()> job) {
  note_act(caller, "records.read", std::move(on), done,
           [this, done, job = std::move(job)] { read(done, job); });
}

}  // namespace waystation
