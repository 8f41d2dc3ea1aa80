// GET /v1/today: what happens today, for the wall in the office.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

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
  const auto wait = request.query.find("wait_s");
  std::int64_t wait_s = 0;
  if (wait != request.query.end()) {
    const std::string& text = wait->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), wait_s);
    if (error != std::errc() || end != text.data() + text.size() || wait_s < 0) {
      return done(problem(Error{Code::kMessageInvalid, "wait_s: a number of seconds"}));
    }
  }
  const bool waits = after != request.query.end();
  today_->ask(waits ? after->second : std::string(),
              waits ? std::min(wait_s * 1000, limits::kTodayWaitMs) : 0,
              [this, done](Result<std::string> body) {
                if (body) return done(ApiReply{200, std::move(*body), false, 0});
                if (body.error().code == Code::kBusy) return done(busy(body.error().context));
                done(problem(body.error()));
              });
}

}  // namespace waystation
