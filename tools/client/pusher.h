// Hands in the ops of one device through an Exchange and gives back the verdicts. It numbers them
// from the server's own count, so it needs no memory of its own between runs. One thread, and one
// program at a time for one device.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sync/result.h"
#include "sync/stamp.h"
#include "tools/client/exchange.h"

namespace waystation {

struct OpDraft {
  std::string scope;
  std::string coll;
  std::string id;
  Seq base = 0;              // the record's seq as its author saw it
  std::string edits;         // the inside of the op, such as "set":{"text":"x"}
  std::uint32_t schema = 0;  // the version that it is written under; 0: left out
};

struct OpVerdict {
  std::string code;  // empty: taken
  std::string detail;
  std::uint64_t n = 0;            // the op's number
  std::vector<std::string> lost;  // fields whose value lost to one that the op had not seen
  std::string text;               // the whole verdict: canonical JSON
  [[nodiscard]] bool ok() const { return code.empty(); }
};

class Pusher {
 public:
  // The exchange outlives it. `app` is shown to the office.
  Pusher(Exchange& exchange, Enrolled device, std::string app);

  // Says hello; from then on next_n() is known. Errors: kAuth…, kIo.
  [[nodiscard]] Status greet();

  // Hands in all of them, in as many frames as it takes; the verdicts are in the same order.
  // Errors: kIo, kStoreReadOnly, … : then some may have been taken, and the same drafts must not be
  // handed in again without looking first.
  [[nodiscard]] Result<std::vector<OpVerdict>> push(const std::vector<OpDraft>& drafts);

  [[nodiscard]] std::uint64_t next_n() const { return next_n_; }

 private:
  [[nodiscard]] std::string hello(std::size_t queued) const;
  [[nodiscard]] std::string op(const OpDraft& draft, std::uint64_t n) const;
  [[nodiscard]] Status send(const std::string& ops, std::size_t count, std::size_t queued,
                            std::vector<OpVerdict>& verdicts);

  Exchange& exchange_;
  Enrolled device_;
  std::string app_;
  std::string boot_;
  std::uint64_t next_n_ = 0;
};

}  // namespace waystation
