#include "tools/simulate/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "sync/canonical.h"
#include "sync/device_id.h"
#include "sync/wire.h"

namespace waystation::simulate {

std::ostream& operator<<(std::ostream& out, const RecordName& name) {
  return out << name.scope << " " << name.coll << "/" << name.id;
}

std::ostream& operator<<(std::ostream& out, const ModelConflict& conflict) {
  return out << conflict.field << " by " << format_device_id(conflict.device) << "/" << conflict.n
             << "." << conflict.part << " " << conflict.kind << " " << conflict.value;
}

std::ostream& operator<<(std::ostream& out, const ModelRecord& record) {
  out << (record.visible.empty() ? "deleted" : record.visible);
  for (const ModelConflict& conflict : record.conflicts) out << "\n  " << conflict;
  return out;
}

namespace {

// "The types", "Quotas and leases": the column "op".
MergeType type_of(EditKind kind) {
  switch (kind) {
    case EditKind::kSet: return MergeType::kRegister;
    case EditKind::kInc: return MergeType::kCounter;
    case EditKind::kAdd:
    case EditKind::kRemove: return MergeType::kSet;
    case EditKind::kAppend: return MergeType::kLog;
    default: return MergeType::kQuota;
  }
}

constexpr Seq kNever = std::numeric_limits<Seq>::max();

// One value that one op wrote: of a register, one element of an add, one entry of an append, one
// inc. What became of it is told by three moments; each is kNever where it has not happened.
struct Written {
  const PlacedOp* by = nullptr;
  std::uint32_t part = 0;
  const Value* value = nullptr;
  bool weak = false;

  Seq hidden_at = kNever;    // a delete stands that its author had not seen
  Seq beaten_at = kNever;    // registers: a later one stands beside it
  Seq replaced_at = kNever;  // somebody who had seen it wrote in its place, or deleted it

  // It stands while it is neither hidden nor replaced: it is on show or beaten.
  [[nodiscard]] bool stands_at(Seq moment) const {
    return by->seq <= moment && moment < hidden_at && moment < replaced_at;
  }
  [[nodiscard]] bool on_show() const { return stands_at(kNever - 1) && beaten_at == kNever; }

  // The total order of writes; a default is below all that somebody wrote.
  [[nodiscard]] auto order() const {
    return std::tuple(!weak, by->stamp, by->device, by->op.n, part);
  }
};

// Deletes and quotas aside, fields do not know of each other.
struct FieldHistory {
  MergeType type = MergeType::kRegister;
  std::vector<Written> written;         // in the order of the log
  std::vector<const PlacedOp*> edited;  // the ops that edit it, defaults aside, in that order
};

// Whether the author of `b` had written `a` before.
bool own_past(const PlacedOp& a, const PlacedOp& b) {
  return a.device == b.device && a.op.n < b.op.n;
}

// Of deletes: a deletion stays in the past, whatever was written after it.
bool seen_delete(const PlacedOp& del, const PlacedOp& b) {
  return own_past(del, b) || del.seq <= b.op.base;
}

bool holds(const std::vector<Value>& values, const Value& value) {
  return std::any_of(values.begin(), values.end(),
                     [&](const Value& other) { return other.json == value.json; });
}

// Whether the op writes in the place of that value, or removes it: a register is one place, a set
// one for each element. Nothing but a delete takes away entries of logs and incs.
bool speaks_of(const Op& op, const std::string& field, MergeType type, const Value& value) {
  if (op.del) return true;
  return std::any_of(op.edits.begin(), op.edits.end(), [&](const Edit& edit) {
    if (edit.field != field || edit.weak) return false;
    return type == MergeType::kRegister || (type == MergeType::kSet && holds(edit.values, value));
  });
}

// --- the merged types -------------------------------------------------------------------------

class MergedField {
 public:
  MergedField(std::string name, FieldHistory history, const std::vector<const PlacedOp*>& deletes)
      : name_(std::move(name)),
        type_(history.type),
        written_(std::move(history.written)),
        deletes_(deletes) {
    for (Written& value : written_) value.hidden_at = hidden_at(value);
    // Being beaten depends on what became of later writes alone, so they go first.
    std::stable_sort(written_.begin(), written_.end(),
                     [](const Written& a, const Written& b) { return b.order() < a.order(); });
    std::vector<const PlacedOp*> speakers = deletes;
    if (type_ == MergeType::kRegister || type_ == MergeType::kSet) {
      speakers.insert(speakers.end(), history.edited.begin(), history.edited.end());
      std::sort(speakers.begin(), speakers.end(),
                [](const PlacedOp* a, const PlacedOp* b) { return a->seq < b->seq; });
    }
    for (std::size_t i = 0; i < written_.size(); ++i) {
      if (type_ == MergeType::kRegister) written_[i].beaten_at = beaten_at(i, history.edited);
      written_[i].replaced_at = replaced_at(written_[i], speakers);
    }
  }

  // The canonical text; nothing when the field is absent.
  [[nodiscard]] std::optional<std::string> shown() const {
    switch (type_) {
      case MergeType::kRegister: return shown_register();
      case MergeType::kCounter: return shown_counter();
      case MergeType::kSet: return shown_set();
      default: return shown_log();
    }
  }

  [[nodiscard]] std::vector<ModelConflict> conflicts() const {
    std::vector<ModelConflict> found;
    for (const Written& value : written_) {
      // A default gives way without a word.
      if (value.weak || value.replaced_at != kNever || value.on_show()) continue;
      if (equals_one_on_show(value)) continue;
      found.push_back(ModelConflict{name_, value.by->device, value.by->op.n, value.part,
                                    value.hidden_at != kNever ? "deleted" : "concurrent",
                                    value.value->json});
    }
    return found;
  }

 private:
  // "An edit is visible when its author had seen every delete of the record."
  [[nodiscard]] Seq hidden_at(const Written& value) const {
    for (const PlacedOp* del : deletes_) {
      if (!seen_delete(*del, *value.by)) return std::max(value.by->seq, del->seq);
    }
    return kNever;
  }

  [[nodiscard]] bool is_hidden(const PlacedOp& op) const {
    return !op.op.del && std::any_of(deletes_.begin(), deletes_.end(),
                                     [&](const PlacedOp* del) { return !seen_delete(*del, op); });
  }

  // "Of those that remain, all concurrent, the one with the latest stamp is on show." A value that
  // a later one has beaten never comes back: what takes the later one away (a replacement, a
  // delete) takes this one away too or stands above it.
  [[nodiscard]] Seq beaten_at(std::size_t i, const std::vector<const PlacedOp*>& edited) const {
    const Written& value = written_[i];
    Seq first = kNever;
    for (std::size_t above = 0; above < i; ++above) {
      const Seq moment = std::max(value.by->seq, written_[above].by->seq);
      if (written_[above].stands_at(moment)) first = std::min(first, moment);
    }
    // A default gives way to any other write of the field, also to one that is hidden.
    if (value.weak && !edited.empty()) {
      first = std::min(first, std::max(value.by->seq, edited[0]->seq));
    }
    return first;
  }

  // "An op replaces what its author had seen": by the author's own past, or because the value was
  // on show at the op's base. By its past a hidden one replaces only what is hidden too.
  [[nodiscard]] Seq replaced_at(const Written& value,
                                const std::vector<const PlacedOp*>& speakers) const {
    const Seq off_show = std::min(value.hidden_at, value.beaten_at);
    Seq first = kNever;
    for (const PlacedOp* op : speakers) {
      const bool on_show_at_base =
          value.by->seq <= op->op.base && op->op.base < std::min(off_show, first);
      if (!own_past(*value.by, *op) && !on_show_at_base) continue;
      if (!speaks_of(op->op, name_, type_, *value.value)) continue;
      const bool both_hidden = !on_show_at_base && is_hidden(*op);
      if (!both_hidden) return std::min(first, op->seq);
      first = std::min(first, std::max(op->seq, value.hidden_at));
    }
    return first;
  }

  [[nodiscard]] bool equals_one_on_show(const Written& value) const {
    if (type_ != MergeType::kRegister && type_ != MergeType::kSet) return false;
    return std::any_of(written_.begin(), written_.end(), [&](const Written& other) {
      return other.on_show() && other.value->json == value.value->json;
    });
  }

  // From the earliest to the latest.
  [[nodiscard]] std::vector<const Written*> on_show() const {
    std::vector<const Written*> found;
    for (auto value = written_.rbegin(); value != written_.rend(); ++value) {
      if (value->on_show()) found.push_back(&*value);
    }
    return found;
  }

  [[nodiscard]] std::optional<std::string> shown_register() const {
    const auto values = on_show();
    if (values.empty() || values.back()->value->type == ValueType::kNull) return std::nullopt;
    return values.back()->value->json;
  }

  [[nodiscard]] std::optional<std::string> shown_counter() const {
    const auto incs = on_show();
    if (incs.empty()) return std::nullopt;
    std::int64_t sum = 0;
    for (const Written* inc : incs) sum += inc->value->integer;
    return std::to_string(sum);
  }

  [[nodiscard]] std::optional<std::string> shown_set() const {
    std::set<std::string> elements;  // in the byte order of their canonical JSON
    for (const Written* element : on_show()) elements.insert(element->value->json);
    if (elements.empty()) return std::nullopt;
    return fmt::format("[{}]", fmt::join(elements, ","));
  }

  [[nodiscard]] std::optional<std::string> shown_log() const {
    std::vector<std::string> entries;
    for (const Written* entry : on_show()) {
      entries.push_back(fmt::format(R"({{"at":{},"by":"{}","v":{}}})",
                                    ms_from_seq(entry->by->stamp),
                                    format_device_id(entry->by->device), entry->value->json));
    }
    if (entries.empty()) return std::nullopt;
    return fmt::format("[{}]", fmt::join(entries, ","));
  }

  std::string name_;
  MergeType type_;
  std::vector<Written> written_;  // from the latest to the earliest
  std::vector<const PlacedOp*> deletes_;
};

// --- quotas -----------------------------------------------------------------------------------

class Quota {
 public:
  explicit Quota(const FieldSpec& spec) : spec_(spec) {}

  void move(const PlacedOp& op, const Edit& edit) {
    const Value& value = edit.values[0];
    Lease& own = leases_[op.device];
    switch (edit.kind) {
      case EditKind::kGrant: grant(value.integer); break;
      case EditKind::kLease: lease(own, value.integer, op.seq); break;
      case EditKind::kSpend: spend(own, value, op); break;
      case EditKind::kReturn: give_back(own, value.integer); break;
      case EditKind::kReclaim: reclaim(value); break;
      default: break;
    }
  }

  [[nodiscard]] std::string shown() const {
    // Ids of devices are all of one length, and their digits rise like the characters.
    std::vector<std::string> leases;
    for (const auto& [device, lease] : leases_) {
      if (lease.left == 0) continue;
      leases.push_back(fmt::format(R"("{}":{{"expires":{},"left":{}}})", format_device_id(device),
                                   lease.expires_ms, lease.left));
    }
    return fmt::format(R"({{"free":{},"granted":{},"leases":{{{}}},"spent":{}}})", free_, granted_,
                       fmt::join(leases, ","), spent_);
  }

  [[nodiscard]] const std::vector<ModelConflict>& late() const { return late_; }

 private:
  struct Lease {
    std::int64_t left = 0;
    std::int64_t expires_ms = 0;
    std::int64_t reclaimed = 0;  // was taken back since the device's last lease
  };

  void grant(std::int64_t amount) {
    granted_ += amount;
    free_ += amount;
  }

  void lease(Lease& own, std::int64_t asked, Seq seq) {
    const std::int64_t given = std::min({asked, free_, spec_.max_lease});
    free_ -= given;
    own.left += given;
    own.expires_ms = ms_from_seq(seq) + spec_.lease_ms;
    own.reclaimed = 0;
  }

  // A spend that neither covers was refused; if it is here nevertheless it counts for nothing, and
  // whoever counted it differs.
  void spend(Lease& own, const Value& amount, const PlacedOp& op) {
    if (own.left >= amount.integer) {
      own.left -= amount.integer;
      spent_ += amount.integer;
    } else if (own.reclaimed >= amount.integer) {
      own.reclaimed -= amount.integer;
      late_.push_back(ModelConflict{spec_.name, op.device, op.op.n, 0, "late", amount.json});
    }
  }

  void give_back(Lease& own, std::int64_t amount) {
    own.left -= amount;
    free_ += amount;
  }

  void reclaim(const Value& device_json) {
    const std::string text = device_json.json.substr(1, device_json.json.size() - 2);
    const auto device = parse_device_id(text);
    if (!device) return;
    Lease& lost = leases_[*device];
    free_ += lost.left;
    lost.reclaimed += lost.left;
    lost.left = 0;
  }

  const FieldSpec& spec_;
  std::int64_t granted_ = 0;
  std::int64_t free_ = 0;
  std::int64_t spent_ = 0;
  std::map<std::uint64_t, Lease> leases_;
  std::vector<ModelConflict> late_;
};

// --- settling ---------------------------------------------------------------------------------

// Which lost values are settled: of several ops that settle and reopen one value the latest counts.
class Reviews {
 public:
  void take(const PlacedOp& op) {
    for (const Settlement& settlement : op.op.settlements) {
      Word& last =
          words_[Name(settlement.field, settlement.dot.device, settlement.dot.n, settlement.part)];
      const auto when = std::tuple(op.stamp, op.device, op.op.n);
      if (when >= last.when) last = Word{when, !settlement.reopen};
    }
  }

  [[nodiscard]] bool settled(const ModelConflict& conflict) const {
    const auto at = words_.find(Name(conflict.field, conflict.device, conflict.n, conflict.part));
    return at != words_.end() && at->second.settled;
  }

 private:
  using Name = std::tuple<std::string, std::uint64_t, std::uint64_t, std::uint32_t>;
  struct Word {
    std::tuple<Stamp, std::uint64_t, std::uint64_t> when;
    bool settled = false;
  };
  std::map<Name, Word> words_;
};

// --- a record ---------------------------------------------------------------------------------

// `ops`: all about the record, in the order of the log.
class RecordModel {
 public:
  RecordModel(const std::vector<const PlacedOp*>& ops, const Collection* collection) {
    std::vector<const PlacedOp*> deletes;
    std::map<std::string, FieldHistory> histories;
    for (const PlacedOp* op : ops) {
      reviews_.take(*op);
      if (op->op.del) deletes.push_back(op);
      for (const Edit& edit : op->op.edits) {
        if (type_of(edit.kind) == MergeType::kQuota) {
          move_quota(*op, edit, collection);
        } else {
          note(*op, edit, histories[edit.field]);
        }
      }
    }
    for (auto& [name, history] : histories) {
      merged_.emplace(name, MergedField(name, std::move(history), deletes));
    }
    // "The record is deleted while no visible edit has come after its last delete." To settle is
    // not to edit: it must not bring a record back.
    deleted_ = !deletes.empty() && std::none_of(ops.begin(), ops.end(), [&](const PlacedOp* op) {
      return !op->op.edits.empty() && sees_all(*op, deletes);
    });
  }

  [[nodiscard]] ModelRecord outcome() const { return ModelRecord{visible(), conflicts()}; }

 private:
  static bool sees_all(const PlacedOp& edit, const std::vector<const PlacedOp*>& deletes) {
    return std::all_of(deletes.begin(), deletes.end(),
                       [&](const PlacedOp* del) { return seen_delete(*del, edit); });
  }

  static void note(const PlacedOp& op, const Edit& edit, FieldHistory& history) {
    history.type = type_of(edit.kind);
    if (!edit.weak && (history.edited.empty() || history.edited.back() != &op)) {
      history.edited.push_back(&op);
    }
    if (edit.kind == EditKind::kRemove) return;
    for (std::uint32_t part = 0; part < edit.values.size(); ++part) {
      Written written;
      written.by = &op;
      written.part = part;
      written.value = &edit.values[part];
      written.weak = edit.weak;
      history.written.push_back(written);
    }
  }

  void move_quota(const PlacedOp& op, const Edit& edit, const Collection* collection) {
    const FieldSpec* spec = collection == nullptr ? nullptr : collection->field(edit.field);
    if (spec == nullptr) return;  // the precondition is broken
    quotas_.try_emplace(edit.field, *spec).first->second.move(op, edit);
  }

  [[nodiscard]] std::string visible() const {
    if (deleted_) return {};
    std::map<std::string, std::string> fields;  // names are ASCII: in the order of RFC 8785
    for (const auto& [name, field] : merged_) {
      if (auto shown = field.shown()) fields.emplace(name, std::move(*shown));
    }
    for (const auto& [name, quota] : quotas_) fields.emplace(name, quota.shown());
    std::string out;
    for (const auto& [name, shown] : fields) {
      out += fmt::format("{}\"{}\":{}", out.empty() ? "" : ",", name, shown);
    }
    return "{" + out + "}";
  }

  [[nodiscard]] std::vector<ModelConflict> conflicts() const {
    std::vector<ModelConflict> open;
    const auto keep_open = [&](const std::vector<ModelConflict>& found) {
      std::copy_if(found.begin(), found.end(), std::back_inserter(open),
                   [&](const ModelConflict& conflict) { return !reviews_.settled(conflict); });
    };
    for (const auto& [name, field] : merged_) keep_open(field.conflicts());
    for (const auto& [name, quota] : quotas_) keep_open(quota.late());
    std::sort(open.begin(), open.end());
    return open;
  }

  std::map<std::string, MergedField> merged_;
  std::map<std::string, Quota> quotas_;
  Reviews reviews_;
  bool deleted_ = false;
};

// --- from the log -----------------------------------------------------------------------------

// The op as it speaks of the current schemas. That the current ones have something against it does
// not matter: it was accepted.
Op carried_forward(Op op, const Schemas& schemas) {
  schemas.bring_forward(op);
  return op;
}

}  // namespace

ModelRecords slow_model(std::vector<PlacedOp> ops, const Collections& collections) {
  std::sort(ops.begin(), ops.end(),
            [](const PlacedOp& a, const PlacedOp& b) { return a.seq < b.seq; });
  std::map<RecordName, std::vector<const PlacedOp*>> by_record;
  Seq before = 0;
  for (PlacedOp& op : ops) {
    op.op.base = std::min(op.op.base, before);  // nobody has seen what is not there
    before = op.seq;
    by_record[RecordName{op.op.scope, op.op.coll, op.op.id}].push_back(&op);
  }
  ModelRecords records;
  for (const auto& [name, about] : by_record) {
    const auto collection = collections.find(name.coll);
    const RecordModel model(about, collection == collections.end() ? nullptr : &collection->second);
    records.emplace(name, model.outcome());
  }
  return records;
}

ModelRecords slow_model(const std::vector<LoggedOp>& ops, const Schemas& schemas) {
  std::vector<PlacedOp> placed;
  placed.reserve(ops.size());
  for (const LoggedOp& logged : ops) {
    auto op = decode_op(logged.op);
    WS_CHECK(op.ok());  // it was accepted, so it is JSON
    op->n = logged.n;
    placed.push_back(PlacedOp{logged.device, logged.seq, logged.stamp,
                              carried_forward(std::move(*op), schemas)});
  }
  return slow_model(std::move(placed), schemas.collections());
}

}  // namespace waystation::simulate
