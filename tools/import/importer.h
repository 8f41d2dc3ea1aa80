// Brings the records of a store to what the lines of a file ask for: looks up what is there, hands
// in what differs, counts. While the server takes one push, the lines of the next are read: that
// push goes on a thread of the importer's own, and nothing else uses the exchange meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sync/result.h"
#include "tools/client/exchange.h"
#include "tools/client/pusher.h"
#include "tools/import/input.h"
#include "tools/import/plan.h"

namespace waystation {

// What the store holds, by scope and collection; each is read once, when it is first asked for, and
// kept (about 300 bytes a record).
class Holdings {
 public:
  // `before_asking` is called before each use of the exchange.
  Holdings(Exchange& exchange, std::function<Status()> before_asking)
      : exchange_(exchange), before_asking_(std::move(before_asking)) {}

  struct Held {
    Seq seq = 0;         // 0: there is no such record
    std::string fields;  // canonical JSON; empty: deleted, or none
  };
  [[nodiscard]] Result<Held> find(const PlannedRecord& record);
  [[nodiscard]] Result<bool> exists(const std::string& scope);

 private:
  using Records = std::map<std::string, Held>;  // by id
  [[nodiscard]] Result<bool> read(const std::string& scope, const std::string& coll,
                                  Records& records);

  Exchange& exchange_;
  std::function<Status()> before_asking_;
  std::map<std::pair<std::string, std::string>, Records> known_;  // by scope and collection
  std::map<std::string, bool> exists_;
};

struct ImportCounts {
  std::uint64_t lines = 0;
  std::uint64_t bad_lines = 0;
  std::uint64_t created = 0;
  std::uint64_t changed = 0;
  std::uint64_t unchanged = 0;
};

class Importer {
 public:
  using BadLine = std::function<void(std::size_t line, std::string_view reason)>;
  using AtPosition = std::function<void(std::size_t bytes)>;

  // Without a pusher nothing is handed in: a rehearsal. All that is named outlives it.
  Importer(Exchange& exchange, Pusher* pusher, Planner& planner, BadLine bad_line)
      : holdings_(exchange, [this] { return settle(); }),
        pusher_(pusher),
        planner_(planner),
        bad_line_(std::move(bad_line)) {}
  Importer(const Importer&) = delete;
  Importer& operator=(const Importer&) = delete;

  // Errors: kIo, kAuth…, kStoreReadOnly: what stopped the whole import. Bad lines do not.
  [[nodiscard]] Result<ImportCounts> run(InputReader& input, const AtPosition& at_position);

 private:
  struct Origin {
    std::size_t line;
    bool created;
  };
  [[nodiscard]] Status take(const InputLine& line);
  [[nodiscard]] Status hand_in();  // what is drafted, behind the push that is on its way
  [[nodiscard]] Status settle();   // waits for that push
  void count(const std::vector<OpVerdict>& verdicts);
  void refuse(std::size_t line, std::string_view reason);

  Holdings holdings_;
  Pusher* pusher_;
  Planner& planner_;
  BadLine bad_line_;
  std::vector<OpDraft> drafts_;
  std::vector<Origin> origins_;  // of the drafts
  std::set<std::size_t> bad_lines_;
  ImportCounts counts_;
  std::vector<OpDraft> sent_;
  std::vector<Origin> sent_origins_;
  std::future<Result<std::vector<OpVerdict>>> on_its_way_;  // last: it uses the above
};

}  // namespace waystation
