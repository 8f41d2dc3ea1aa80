// Erasing a person over HTTP, and the report of it: what was erased, what remains and why. Also
// what is done again when an older copy of the store is opened. docs/personal-data.md.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <map>
#include <set>

#include "server/service.h"
#include "storage/keys.h"
#include "storage/remains.h"
#include "sync/canonical.h"
#include "sync/wire.h"

namespace waystation {
namespace {

constexpr std::string_view kPersons = "/v1/persons/";
constexpr std::string_view kErase = "/erase";

// One thing that an erasure leaves, with the reason.
class Remains {
 public:
  void add(std::string_view what, std::uint64_t count, std::string_view why,
           const std::string& places = {}) {
    if (count == 0) return;
    text_ += text_.empty() ? "" : ",";
    text_ += fmt::format(R"({{"what":"{}","count":{},"why":)", what, count);
    append_json_string(text_, why);
    if (!places.empty()) text_ += ",\"places\":[" + places + "]";
    text_ += '}';
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string place(const std::string& scope, const std::string& coll, const std::string& id) {
  std::string out = "{\"scope\":";
  append_json_string(out, scope);
  out += fmt::format(R"(,"coll":"{}","id":"{}"}})", coll, id);
  return out;
}

std::string cleared_text(const std::vector<ClearedRecord>& records) {
  std::string out;
  for (const ClearedRecord& record : records) {
    if (!out.empty()) out += ',';
    std::string one = place(record.scope, record.coll, record.id);
    one.back() = ',';
    one += "\"fields\":";
    append_string_array(one, record.fields);
    out += one + '}';
  }
  return out;
}

std::string remains_text(const PersonTraces& traces, std::uint64_t behind, bool backups,
                         bool on_disk) {
  Remains remains;
  for (const auto& [coll, count] : traces.records) {
    remains.add("record." + coll, count,
                "the records themselves stay, by their ids, for the numbers: without what is "
                "personal in them");
  }
  if (!traces.also.empty()) {
    std::string ids;
    for (const std::string& id : traces.also) {
      ids += ids.empty() ? "" : ", ";
      ids += id;
    }
    remains.add(
        "merged", traces.also.size(),
        "records that were merged into theirs have keys of their own; erase them too: " + ids);
  }
  std::string places;
  for (const PersonTraces::Place& one : traces.mentions) {
    places += (places.empty() ? "" : ",") + place(one.scope, one.coll, one.id);
  }
  remains.add("mentions.records", traces.mentioned_records,
              "a personal text of theirs stands in fields that are not marked personal, or in "
              "what is about others: edit these records",
              places);
  remains.add("mentions.history", traces.mentioned_ops,
              "the ops that wrote such text are kept as they came in");
  remains.add("mentions.conflicts", traces.mentioned_conflicts,
              "such text among values that lost to others");
  remains.add("mentions.refused", traces.mentioned_refused, "such text in refused ops");
  remains.add("devices", behind,
              "they have not pulled since: each clears what it shows when it next does, and one "
              "that is lost can be wiped");
  remains.add("backups", backups ? 1 : 0,
              "backups made before hold the key, wrapped by the master key, until they are "
              "deleted; what is restored from one is erased again at the start, by the list of "
              "erasures");
  remains.add("disk", on_disk ? 1 : 0,
              "the destroyed key is still in files that somebody reads: they go in a moment");
  return remains.text();
}

std::string_view state_word(KeyState before) {
  switch (before) {
    case KeyState::kKnown: return "erased";
    case KeyState::kErased: return "erased_before";
    case KeyState::kNone: return "unknown";
  }
  return "unknown";
}

}  // namespace

bool Service::is_person_path(std::string_view path) { return path.rfind(kPersons, 0) == 0; }

Status Service::erase_again() {
  if (!surroundings_.erasures.read || store_->keyring() == nullptr) return {};
  const auto erasures = surroundings_.erasures.read();
  if (!erasures) return erasures.error();
  std::vector<std::string> rows;
  for (const Erasure& erasure : *erasures) {
    const auto row = row_of_mark(erasure.mark);
    PersonKey key{};
    const auto state = row ? store_->keyring()->find_row(*row, key)
                           : Result<KeyState>(Error{Code::kErasures, "a damaged mark"});
    if (!state) return state.error();
    if (*state != KeyState::kErased) rows.push_back(*row);
  }
  if (rows.empty()) return mend_erasures(*erasures);
  const auto persons = persons_of_rows(*store_, schemas_, rows);
  if (!persons) return persons.error();
  Status done;
  for (const std::string& row : rows) {
    EraseRequest erase;
    erase.row = row;
    if (const auto at = persons->find(row); at != persons->end()) erase.persons = at->second;
    erase.by = "list of erasures";
    erase.done = [&done](const Result<EraseReport>& report) {
      if (!report) done = report.error();
    };
    std::vector<Request> requests;
    requests.emplace_back(std::move(erase));
    (void)applier_->apply(requests, surroundings_.now_ms());
    if (!done) return done;
  }
  spdlog::info("{} persons were erased after this copy of the store was made: erased again",
               rows.size());
  return mend_erasures(*erasures);
}

// What one copy of the list has lost the store may know, or the other copy.
Status Service::mend_erasures(std::vector<Erasure> known) const {
  if (!surroundings_.erasures.mend) return {};
  auto stored = erasures_in(store_->kv());
  if (!stored) return stored.error();
  std::set<std::string> marks;
  for (const Erasure& erasure : known) marks.insert(erasure.mark);
  for (Erasure& erasure : *stored) {
    if (marks.insert(erasure.mark).second) known.push_back(std::move(erasure));
  }
  const auto position = store_->position();
  if (!position) return position.error();
  return surroundings_.erasures.mend(known, *position == 0);
}

// POST /v1/persons/{id}/erase
void Service::erase(const ApiRequest& request, const Caller& caller, ApiDone done) {
  const std::string_view rest = std::string_view(request.path).substr(kPersons.size());
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos || rest.substr(slash) != kErase) {
    return done(problem(Error{Code::kHttpNotFound, "no such path"}));
  }
  const std::string person(rest.substr(0, slash));
  if (!valid_record_id(person)) {
    return done(problem(Error{Code::kRecordId, "that is not the id of a person"}));
  }
  // Looked up while it can still be read; the answer waits for it.
  const bool taken = readers_->submit(
      [this, done, person, by = caller.who] {
        auto traces = traces_of(*store_, schemas_, person);
        if (!traces) return done(problem(traces.error()));
        EraseRequest erase;
        erase.row = person_row(person);
        erase.persons = {person};
        erase.by = by;
        auto found = std::make_shared<const PersonTraces>(std::move(*traces));
        erase.done = [this, done, person, found](Result<EraseReport> report) {
          if (!report) return done(problem(report.error()));
          spdlog::info("a person is erased, mark {}: {} records cleared",
                       mark_of_row(person_row(person)), report->records.size());
          auto made = std::make_shared<const EraseReport>(std::move(*report));
          read(done, [this, made, found, person] { return erase_report(person, *made, *found); });
        };
        write(std::move(erase), done);
      },
      ReaderPool::Turn::kList);
  if (!taken) done(busy("too many requests wait"));
}

ApiReply Service::erase_report(const std::string& person, const EraseReport& report,
                               const PersonTraces& traces) const {
  std::vector<std::string> scopes;
  for (const ClearedRecord& record : report.records) scopes.push_back(record.scope);
  const auto behind = devices_behind(*store_, scopes, report.seq);
  if (!behind) return problem(behind.error());
  std::string ignored;
  const auto on_disk = store_->kv().get(Column::kMeta, keys::kPurge, ignored);
  const auto backups = store_->kv().get(Column::kMeta, keys::kBackup, ignored);
  if (!on_disk) return problem(on_disk.error());
  if (!backups) return problem(backups.error());
  std::string body = fmt::format(R"({{"person":"{}","mark":"{}","state":"{}","erased":{{)", person,
                                 mark_of_row(person_row(person)), state_word(report.before));
  body += fmt::format(
      R"("records":[{}],"history_ops":{},"conflicts":{},"refused":{}}},"remains":[{}]}})",
      cleared_text(report.records), traces.history_ops, traces.conflicts, traces.refused,
      remains_text(traces, *behind, *backups, *on_disk));
  return ApiReply{200, std::move(body), false, 0};
}

}  // namespace waystation
