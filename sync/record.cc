#include "sync/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "sync/broken.h"
#include "sync/canonical.h"
#include "sync/device_id.h"
#include "sync/limits.h"

namespace waystation {
namespace {

// What a write takes besides its value, stored, at most.
constexpr std::size_t kWriteBytes = 64;

Field* find_field(std::vector<Field>& fields, std::string_view name) {
  const auto at = std::lower_bound(fields.begin(), fields.end(), name,
                                   [](const Field& f, std::string_view n) { return f.name < n; });
  return at != fields.end() && at->name == name ? &*at : nullptr;
}

Field& field_for(std::vector<Field>& fields, std::string_view name, MergeType type) {
  const auto at = std::lower_bound(fields.begin(), fields.end(), name,
                                   [](const Field& f, std::string_view n) { return f.name < n; });
  if (at != fields.end() && at->name == name) return *at;
  Field made;
  made.name = std::string(name);
  made.type = type;
  return *fields.insert(at, std::move(made));
}

// Whether a lost write still differs from what the field shows.
bool differs_from_shown(const Field& field, const Write& lost) {
  switch (field.type) {
    case MergeType::kRegister:
      return field.live.empty() || field.live[0].value_hash != lost.value_hash;
    case MergeType::kSet:
      return std::none_of(field.live.begin(), field.live.end(),
                          [&](const Write& w) { return w.value_hash == lost.value_hash; });
    case MergeType::kCounter:
    case MergeType::kLog:
    case MergeType::kQuota: return true;
  }
  WS_CHECK(false);
}

bool is_open(const Field& field, const Write& lost) {
  return !lost.review.settled && differs_from_shown(field, lost);
}

ConflictKind kind_of(const Field& field, const Write& lost) {
  if (field.type == MergeType::kQuota) return ConflictKind::kLate;
  return lost.hidden ? ConflictKind::kDeleted : ConflictKind::kConcurrent;
}

bool is_move(EditKind kind) { return merge_type_of(kind) == MergeType::kQuota; }

// Within what a client can read: each inc kept the sum there, but a delete may take away some only.
// All that a field may hold of them fits 64 bits; more is what a damaged store holds.
std::int64_t counter_value(const Field& field) {
  static_assert(limits::kEntriesPerField < 1023);
  std::int64_t sum = field.sum;
  for (const Write& write : field.live) {
    const std::int64_t inc = std::strtoll(write.value.c_str(), nullptr, 10);
    if (__builtin_add_overflow(sum, inc, &sum)) return limits::kMaxInteger;
  }
  return std::clamp(sum, -limits::kMaxInteger, limits::kMaxInteger);
}

}  // namespace

std::string_view word_for(ConflictKind kind) {
  switch (kind) {
    case ConflictKind::kConcurrent: return "concurrent";
    case ConflictKind::kDeleted: return "deleted";
    case ConflictKind::kLate: return "late";
  }
  WS_CHECK(false);
}

std::uint64_t hash_value(std::string_view json) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a: stable, it is stored
  for (const char c : json) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

namespace {

// One application of one op: the parts share what was seen and where effects go.
struct Application {
  Record& record;
  const Op& op;
  const OpPlace& place;
  const Collection& collection;
  Effects& effects;
  bool is_hidden = false;  // what it edits

  [[nodiscard]] bool own(const Write& write) const {
    return write.dot.device == place.device && write.dot.n < op.n;
  }

  // Whether the op takes the place of the write, or takes it away, where it speaks of the same. An
  // edit that is hidden leaves on show what its author wrote when it knew more (a device that was
  // filled anew in between).
  [[nodiscard]] bool seen(const Write& write) const {
    return (own(write) && (!is_hidden || write.hidden)) ||
           (write.shown_from <= op.base && op.base < write.shown_until);
  }

  // What is left on show so is remembered: once a delete hides it too, it goes without a word.
  void renounce(Field& field, std::optional<std::uint64_t> element) const {
    if (!is_hidden) return;
    for (std::vector<Write>* writes : {&field.live, &field.lost}) {
      for (Write& write : *writes) {
        if (own(write) && (!element || write.value_hash == *element)) write.renounced = true;
      }
    }
  }

  // An edit is hidden when a delete stands that its author had not seen.
  [[nodiscard]] bool hidden() const {
    if (op.del) return false;
    return std::any_of(record.deletes.begin(), record.deletes.end(), [&](const DeviceDelete& d) {
      return d.device != place.device && d.seq > op.base;
    });
  }

  [[nodiscard]] Write write_of(const Value& value, std::uint32_t part) const {
    Write write;
    write.dot = Dot{place.device, op.n};
    write.part = part;
    write.stamp = place.stamp;
    write.value = value.json;
    write.value_hash = hash_value(value.json);
    return write;
  }

  void withdraw(const Field& field, const Write& lost) {
    Conflict gone;
    gone.field = field.name;
    gone.dot = lost.dot;
    gone.part = lost.part;
    effects.withdrawn.push_back(std::move(gone));
  }

  // Drops lost writes that this op's author had seen (of one element, where a hash is given).
  void settle_lost(Field& field, std::optional<std::uint64_t> element) {
    std::erase_if(field.lost, [&](const Write& lost) {
      if ((element && lost.value_hash != *element) || !seen(lost)) return false;
      withdraw(field, lost);
      return true;
    });
  }

  void lose(Field& field, Write write, ConflictKind kind) {
    Conflict conflict;
    conflict.field = field.name;
    conflict.dot = write.dot;
    conflict.part = write.part;
    conflict.kind = kind;
    conflict.stamp = write.stamp;
    conflict.value = std::move(write.value);
    write.value.clear();
    write.hidden = kind == ConflictKind::kDeleted;
    write.review = {};
    std::erase_if(record.early_reviews, [&](const Reviewed& early) {
      if (early.field != field.name || early.dot != write.dot || early.part != write.part) {
        return false;
      }
      write.review = early.review;
      return true;
    });
    conflict.review = write.review;
    effects.raised.push_back(std::move(conflict));
    field.lost.push_back(std::move(write));
    if (field.lost.size() > limits::kLostPerField) {
      // The oldest is no longer withdrawn by itself; its conflict stays.
      const auto oldest =
          std::min_element(field.lost.begin(), field.lost.end(),
                           [](const Write& a, const Write& b) { return a.order() < b.order(); });
      field.lost.erase(oldest);
    }
  }

  void set_register(Field& field, Write write) {
    settle_lost(field, std::nullopt);
    renounce(field, std::nullopt);
    if (is_hidden) {
      if (!field.live.empty() && is_default(field.live[0])) field.live.clear();
      lose(field, std::move(write), ConflictKind::kDeleted);
      return;
    }
    if (!field.live.empty()) {
      Write& shown = field.live[0];
      if (!seen(shown)) {
        const bool earlier = broken(Broken::kTieByArrival) ? write.stamp < shown.stamp
                                                           : write.order() < shown.order();
        if (earlier) {
          effects.lost_fields.push_back(field.name);
          lose(field, std::move(write), ConflictKind::kConcurrent);
          return;
        }
        shown.shown_until = place.seq;
        Write beaten = std::move(shown);
        field.live.clear();
        lose(field, std::move(beaten), ConflictKind::kConcurrent);
      }
    }
    write.shown_from = place.seq;
    write.shown_until = kStillShown;
    field.live.clear();
    field.live.push_back(std::move(write));
  }

  void show(Field& field, Write write) const {
    write.shown_from = place.seq;
    write.shown_until = kStillShown;
    const auto at =
        std::upper_bound(field.live.begin(), field.live.end(), write,
                         [](const Write& a, const Write& b) { return a.order() < b.order(); });
    field.live.insert(at, std::move(write));
  }

  void drop_seen_element(Field& field, std::uint64_t element) {
    std::erase_if(field.live, [&](const Write& w) { return w.value_hash == element && seen(w); });
    settle_lost(field, element);
    renounce(field, element);
  }

  void edit_field(const Edit& edit) {
    Field& field = field_for(record.fields, edit.field, merge_type_of(edit.kind));
    for (std::uint32_t part = 0; part < edit.values.size(); ++part) {
      const Value& value = edit.values[part];
      switch (edit.kind) {
        case EditKind::kSet:
          if (edit.weak) {
            set_default(field, write_of(value, part));
          } else {
            set_register(field, write_of(value, part));
          }
          break;
        case EditKind::kRemove:
          if (broken(Broken::kRemoveWins)) {
            std::erase_if(field.live,
                          [&](const Write& w) { return w.value_hash == hash_value(value.json); });
          }
          drop_seen_element(field, hash_value(value.json));
          break;
        case EditKind::kAdd: drop_seen_element(field, hash_value(value.json)); [[fallthrough]];
        case EditKind::kAppend: show_or_lose(field, write_of(value, part)); break;
        case EditKind::kInc:
          if (collection.deletable) {
            show_or_lose(field, write_of(value, part));
          } else {
            field.sum += value.integer;
          }
          break;
        case EditKind::kGrant:
        case EditKind::kLease:
        case EditKind::kSpend:
        case EditKind::kReturn:
        case EditKind::kReclaim: move_quota(field, edit); break;
      }
    }
    if (is_hidden && !edit.weak) effects.lost_fields.push_back(field.name);
  }

  void move_quota(Field& field, const Edit& edit) {
    const FieldSpec* spec = collection.field(edit.field);
    WS_CHECK(spec != nullptr);
    MovedField moved{field.name, quota_move(edit, place.device, ms_from_seq(place.seq)), {}};
    moved.move.given = place.leased;
    moved.done = apply_move(field.quota, *spec, moved.move);
    if (moved.done.late) {
      effects.lost_fields.push_back(field.name);
      lose(field, write_of(edit.values[0], 0), ConflictKind::kLate);
    }
    effects.moved = std::move(moved);
  }

  [[nodiscard]] static bool is_default(const Write& live) { return live.shown_from == 0; }

  // A default is on show for every base, as if all had seen it: any other write replaces it. Of two
  // (of two versions) the later one counts, whichever came first.
  void set_default(Field& field, Write write) const {
    if (is_hidden || !field.lost.empty()) return;
    if (!field.live.empty()) {
      if (!is_default(field.live[0]) || write.order() < field.live[0].order()) return;
      field.live.clear();
    }
    write.shown_from = 0;
    write.shown_until = kStillShown;
    field.live.push_back(std::move(write));
  }

  void review(const Settlement& settlement) {
    Field* field = find_field(record.fields, settlement.field);
    Reviewed said{settlement.field, settlement.dot, settlement.part,
                  Review{!settlement.reopen, place.stamp, Dot{place.device, op.n}}};
    effects.reviewed.push_back(said);
    if (field != nullptr) {
      for (Write& lost : field->lost) {
        if (lost.dot != said.dot || lost.part != said.part) continue;
        if (lost.review.order() < said.review.order()) lost.review = said.review;
        return;
      }
    }
    keep_for_later(std::move(said));
  }

  void keep_for_later(Reviewed said) {
    std::vector<Reviewed>& all = record.early_reviews;
    for (Reviewed& known : all) {
      if (known.field != said.field || known.dot != said.dot || known.part != said.part) continue;
      if (known.review.order() < said.review.order()) known.review = said.review;
      return;
    }
    all.push_back(std::move(said));
    if (all.size() <= limits::kLostPerField) return;
    all.erase(std::min_element(all.begin(), all.end(), [](const Reviewed& a, const Reviewed& b) {
      return a.review.order() < b.review.order();
    }));
  }

  void show_or_lose(Field& field, Write write) {
    if (is_hidden) {
      lose(field, std::move(write), ConflictKind::kDeleted);
    } else {
      show(field, std::move(write));
    }
  }

  void remove_record() {
    for (Field& field : record.fields) {
      settle_lost(field, std::nullopt);
      std::erase_if(field.lost, [&](const Write& lost) {
        if (lost.renounced) withdraw(field, lost);
        return lost.renounced;
      });
      for (Write& lost : field.lost) lost.hidden = true;
      std::vector<Write> live = std::move(field.live);
      field.live.clear();
      for (Write& write : live) {
        if (seen(write) || write.renounced) continue;
        write.shown_until = place.seq;
        lose(field, std::move(write), ConflictKind::kDeleted);
      }
    }
    std::erase_if(record.fields, [](const Field& f) {
      return f.lost.empty() && f.sum == 0 && f.type != MergeType::kQuota;
    });
    std::erase_if(record.deletes, [&](const DeviceDelete& d) { return d.device == place.device; });
    record.deletes.push_back(DeviceDelete{place.device, op.n, place.seq});
    record.deleted_ = true;
  }

  void run() {
    if (record.born == 0) record.born = place.seq;
    record.seq = place.seq;
    record.buried = false;
    is_hidden = hidden();
    for (const Settlement& settlement : op.settlements) review(settlement);
    if (op.del) {
      remove_record();
      return;
    }
    const bool created = record.born == place.seq;
    for (const Edit& edit : op.edits) {
      if (edit.weak && collection.facts && !created) continue;
      edit_field(edit);
    }
    if (is_hidden || op.edits.empty()) return;
    record.deleted_ = false;
  }
};

}  // namespace

const Field* Record::field(std::string_view name) const {
  return find_field(const_cast<std::vector<Field>&>(fields), name);  // NOLINT: reads only
}

std::optional<Refusal> Record::check(const Op& op, const OpPlace& place,
                                     const Collection& collection) const {
  if (collection.derived && !exists() && place.device != kServerDevice) {
    return Refusal{Code::kCollectionDerived,
                   fmt::format("records of {} are created by the server", collection.name)};
  }
  if (op.edits.empty() && !op.del && !exists()) {
    return Refusal{Code::kOpInvalid, "there is no such record, and so no conflict to settle"};
  }
  if (collection.facts && !exists()) {
    for (const FieldSpec& spec : collection.fields) {
      if (!spec.required) continue;
      const bool given = std::any_of(op.edits.begin(), op.edits.end(), [&](const Edit& edit) {
        return edit.field == spec.name && edit.values[0].type != ValueType::kNull;
      });
      if (!given) {
        return Refusal{Code::kFieldRequired, fmt::format("{} is required", spec.name)};
      }
    }
  }
  const bool deleter = std::any_of(deletes.begin(), deletes.end(),
                                   [&](const DeviceDelete& d) { return d.device == place.device; });
  if (op.del && !deleter && deletes.size() >= limits::kDeletersPerRecord) {
    return Refusal{Code::kFieldFull, "this record has been deleted too often"};
  }
  std::size_t new_fields = 0;
  for (const Edit& edit : op.edits) {
    if (edit.weak && collection.facts && exists()) continue;  // a default is for what is created
    if (collection.facts && exists() && edit.kind != EditKind::kAdd &&
        edit.kind != EditKind::kAppend) {
      return Refusal{
          Code::kFactsImmutable,
          fmt::format("{}: a fact is not edited, write a new one that names it in \"corrects\"",
                      edit.field)};
    }
    const Field* present = field(edit.field);
    if (present == nullptr) {
      ++new_fields;
    } else if (present->type != merge_type_of(edit.kind)) {
      return Refusal{Code::kFieldKind,
                     fmt::format("{} is a {} already", edit.field, to_string(present->type))};
    }
    if (edit.kind == EditKind::kInc) {
      const std::int64_t sum = present != nullptr ? counter_value(*present) : 0;
      if (std::abs(sum + edit.values[0].integer) > limits::kMaxInteger) {
        return Refusal{Code::kFieldLimit,
                       fmt::format("{}: the sum lies beyond 2^53-1", edit.field)};
      }
    }
    const FieldSpec* spec = collection.field(edit.field);
    if (is_move(edit.kind)) {
      if (spec == nullptr) {
        return Refusal{Code::kFieldKind, fmt::format("{} is no quota here", edit.field)};
      }
      const Quota none;
      const Quota& quota = present != nullptr ? present->quota : none;
      const QuotaMove move = quota_move(edit, place.device, ms_from_seq(place.seq));
      if (auto refusal = check_move(quota, *spec, move)) return refusal;
    }
    const std::size_t room =
        spec != nullptr && spec->max_items > 0 ? spec->max_items : limits::kEntriesPerField;
    const bool grows = edit.kind == EditKind::kAdd || edit.kind == EditKind::kAppend ||
                       (edit.kind == EditKind::kInc && collection.deletable);
    if (grows && (present != nullptr ? present->live.size() : 0) + edit.values.size() > room) {
      return Refusal{Code::kFieldFull, fmt::format("{}: at most {} entries", edit.field, room)};
    }
  }
  if (fields.size() + new_fields > limits::kFieldsPerRecord) {
    return Refusal{Code::kFieldFull,
                   fmt::format("a record has at most {} fields", limits::kFieldsPerRecord)};
  }
  return check_weight(op, place, collection);
}

// What takes something away is let through also where too much is kept.
std::optional<Refusal> Record::check_weight(const Op& op, const OpPlace& place,
                                            const Collection& collection) const {
  const std::size_t before = weight();
  if (before + op.canonical.size() <= limits::kRecordStateBytes) return std::nullopt;
  Record trial = *this;
  Effects ignored;
  trial.apply(op, place, collection, ignored);
  const std::size_t after = trial.weight();
  if (after <= limits::kRecordStateBytes || after <= before) return std::nullopt;
  return Refusal{Code::kRecordTooLarge, "too many edits that nobody had seen are kept in it"};
}

std::size_t Record::weight() const {
  std::size_t sum = early_reviews.size() * kWriteBytes;
  for (const Field& field : fields) {
    for (const Write& write : field.live) sum += write.value.size() + kWriteBytes;
    sum += (field.lost.size() + field.quota.leases.size()) * kWriteBytes;
  }
  return sum;
}

void Record::apply(const Op& op, const OpPlace& place, const Collection& collection,
                   Effects& effects) {
  WS_CHECK(place.seq > seq);
  Application{
      .record = *this, .op = op, .place = place, .collection = collection, .effects = effects}
      .run();
}

namespace {

void append_log_entry(std::string& out, const Write& write) {
  out += fmt::format(R"({{"at":{},"by":")", ms_from_seq(write.stamp));
  append_device_id(out, write.dot.device);
  out += "\",\"v\":";
  out += write.value;
  out += '}';
}

void append_elements(std::string& out, const std::vector<Write>& live) {
  std::vector<std::string_view> elements;
  elements.reserve(live.size());
  for (const Write& write : live) elements.push_back(write.value);
  std::sort(elements.begin(), elements.end());
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
  out += '[';
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (i > 0) out += ',';
    out += elements[i];
  }
  out += ']';
}

bool is_shown(const Field& field) {
  switch (field.type) {
    case MergeType::kRegister: return !field.live.empty() && field.live[0].value != "null";
    // One whose incs are all hidden by a delete is not there.
    case MergeType::kCounter: return !field.live.empty() || field.lost.empty();
    case MergeType::kSet:
    case MergeType::kLog: return !field.live.empty();
    case MergeType::kQuota: return true;
  }
  WS_CHECK(false);
}

void append_field(std::string& out, const Field& field) {
  switch (field.type) {
    case MergeType::kRegister: out += field.live[0].value; return;
    case MergeType::kCounter: out += std::to_string(counter_value(field)); return;
    case MergeType::kQuota: append_quota(out, field.quota); return;
    case MergeType::kSet: append_elements(out, field.live); return;
    case MergeType::kLog:
      out += '[';
      for (std::size_t i = 0; i < field.live.size(); ++i) {
        if (i > 0) out += ',';
        append_log_entry(out, field.live[i]);
      }
      out += ']';
      return;
  }
}

}  // namespace

std::string Record::visible() const {
  WS_CHECK(exists());
  if (deleted_) return {};
  std::string out = "{";
  for (const Field& field : fields) {
    if (!is_shown(field)) continue;
    if (out.size() > 1) out += ',';
    append_json_string(out, field.name);
    out += ':';
    append_field(out, field);
  }
  out += '}';
  return out;
}

std::string Record::shown(std::string_view field_name) const {
  const Field* found = field(field_name);
  std::string out;
  if (!deleted_ && found != nullptr && is_shown(*found)) append_field(out, *found);
  return out;
}

std::size_t Record::open_conflicts() const {
  std::size_t count = 0;
  for (const Field& field : fields) count += open_conflicts(field);
  return count;
}

bool Record::made_by(std::uint64_t device, Seq base) const {
  if (!exists()) return true;
  return deleted_ && std::none_of(deletes.begin(), deletes.end(), [&](const DeviceDelete& d) {
           return d.device != device && d.seq > base;
         });
}

std::size_t Record::open_conflicts(const Field& field) {
  return static_cast<std::size_t>(
      std::count_if(field.lost.begin(), field.lost.end(),
                    [&](const Write& lost) { return is_open(field, lost); }));
}

std::optional<ConflictKind> Record::open_kind(std::string_view field_name, const Dot& dot,
                                              std::uint32_t part, ConflictKind kept) const {
  const Field* found = field(field_name);
  if (found == nullptr) return kept;
  const auto at = std::find_if(found->lost.begin(), found->lost.end(), [&](const Write& lost) {
    return lost.dot == dot && lost.part == part;
  });
  if (at == found->lost.end()) return kept;
  if (!is_open(*found, *at)) return std::nullopt;
  return kind_of(*found, *at);
}

std::optional<std::string_view> Record::shown_text(std::string_view field_name) const {
  const Field* found = field(field_name);
  if (deleted_ || found == nullptr || found->type != MergeType::kRegister || found->live.empty()) {
    return std::nullopt;
  }
  const std::string_view json = found->live[0].value;
  if (json.size() < 2 || json.front() != '"') return std::nullopt;
  return json.substr(1, json.size() - 2);
}

void Record::bury() {
  WS_CHECK(deleted_);
  buried = true;
}

}  // namespace waystation
