// Edits by people of the office over HTTP: POST /v1/edits. docs/protocol.md, "Edits by people".
#include <fmt/format.h>

#include "server/service.h"
#include "sync/digest.h"
#include "sync/office_bodies.h"

namespace waystation {

void Service::edits(const ApiRequest& request, const Caller& caller, ApiDone done) {
  if (caller.is_device()) {
    return done(problem(Error{Code::kAuthForbidden, "a device pushes what it edits"}));
  }
  auto body = decode_edits(request.body);
  if (!body) return done(problem(body.error()));
  EditsRequest edits;
  edits.by = caller.who;
  edits.body = std::move(*body);
  if (caller.person) {
    edits.account = caller.person->account;
    edits.session_hash = caller.person->session_hash;
  }
  do {
    edits.new_device = random_device(surroundings_.random);
  } while (store_->accounts().find(edits.new_device) != nullptr);
  edits.new_token_hash = sha256(random_token(surroundings_.random));
  edits.done = [done](Result<EditsRequest::Reply> result) {
    if (!result) return done(problem(result.error()));
    if (result->changed.empty()) return done(ApiReply{200, std::move(result->answer), false, 0});
    done(problem_with(Error{Code::kEditChanged, "show it anew"},
                      fmt::format(R"("changed":[{}])", result->changed)));
  };
  write(std::move(edits), done);
}

}  // namespace waystation
