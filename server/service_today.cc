// GET /v1/today: what happens today, for the wall in the office.
#include <fmt/format.h>

#include <algorithm>

#include "server/query_number.h"
#include "server/service.h"
#include "sync/limits.h"

namespace waystation {

void Service::today(const ApiRequest& request, const Caller& caller, ApiDone done) {
  // One text for all who ask: they may see all that it is made from.
  using Shown = std::pair<const char*, const char*>;
  for (const auto& [coll, field] :
       {Shown{"visit", "at"}, Shown{"visit", "corrects"}, Shown{"visit", "void"},
        Shown{"attendance", "event"}, Shown{"attendance", "signed_in"},
        Shown{"attendance", "signed_out"}, Shown{"attendance", "closed_at"},
        Shown{"event", "title"}, Shown{"event", "division"}, Shown{"event", "state"},
        Shown{"event", "starts"}, Shown{"event", "ends"}, Shown{"station", "name"},
        Shown{"station", "division"}, Shown{"scope", "title"}}) {
    if (schemas_.versions(coll) == nullptr) continue;
    if (const auto error = wall(caller, "", coll, field)) return done(problem(*error));
  }
  const auto after = request.query.find("after");
  const auto wait_s = query_number(request, "wait_s", 0);
  if (!wait_s) return done(problem(Error{Code::kMessageInvalid, "wait_s: a number of seconds"}));
  constexpr std::uint64_t kMostS = limits::kTodayWaitMs / 1000;
  const bool waits = after != request.query.end();
  const auto wait_ms = static_cast<std::int64_t>(std::min(*wait_s, kMostS)) * 1000;
  today_->ask(caller.who, waits ? after->second : std::string(), waits ? wait_ms : 0,
              [this, done](Result<std::string> body) {
                done(body ? ApiReply{200, std::move(*body), false, 0} : refusal(body.error()));
              });
}

}  // namespace waystation
