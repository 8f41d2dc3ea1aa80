#include "tests/support/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <tuple>

#include "sync/device_id.h"
#include "sync/digest.h"

namespace waystation::testing {

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  for (const auto& [name, visible] : outcome.visible) {
    out << "\n  " << name.coll << "/" << name.id << ": " << visible;
    const auto at = outcome.conflicts.find(name);
    if (at == outcome.conflicts.end()) continue;
    for (const OpenConflict& conflict : at->second) out << "\n    " << conflict;
  }
  return out << "\n  digest " << outcome.digest;
}

// --- playing ----------------------------------------------------------------------------------

std::string Arrival::play(const Epoch& epoch, const Order& order, Batching batching) {
  world_.now = epoch.now;
  auto seqs = ends_.empty() ? std::map<RecordName, Seq>{} : ends_.back();
  std::vector<PushOf> pushes;
  for (const std::size_t i : order) {
    const Event& event = epoch.events[i];
    PushOf push{event.device, {event.op}};
    Op& op = push.ops[0];
    op.base = 0;
    if (event.knows > 0) {
      const auto& seen = ends_.at(event.knows - 1);
      const auto at = seen.find(RecordName{op.coll, op.id});
      if (at != seen.end()) op.base = at->second;
    }
    pushes.push_back(std::move(push));
  }
  std::vector<Answer> answers;
  if (batching == Batching::kOneGroup) {
    answers = world_.push_together(std::move(pushes));
  } else {
    for (PushOf& push : pushes) {
      if (batching == Batching::kRestarting) world_.reopen();
      answers.push_back(world_.push_together({std::move(push)})[0]);
    }
  }
  std::string wrong;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Op& op = epoch.events[order[i]].op;
    if (answers[i].codes() != "ok") wrong += answers[i].codes() + " ";
    seqs[RecordName{op.coll, op.id}] = answers[i].seq();
  }
  ends_.push_back(std::move(seqs));
  return wrong;
}

Outcome Arrival::outcome() const {
  Outcome outcome;
  for (const auto& [name, seq] : ends_.back()) {
    outcome.visible[name] = world_.visible(name.coll, name.id);
    outcome.conflicts[name] = world_.conflicts(name.coll, name.id);
    WS_CHECK(outcome.conflicts[name].size() == world_.conflict_count(name.coll, name.id));
  }
  outcome.digest = world_.digest();
  WS_CHECK(outcome.digest == world_.recomputed_digest());
  return outcome;
}

namespace {

void extend(const Epoch& epoch, Order& so_far, std::vector<Order>& all) {
  if (so_far.size() == epoch.events.size()) {
    all.push_back(so_far);
    return;
  }
  std::set<std::uint64_t> tried;  // only the next op of each device
  for (std::size_t i = 0; i < epoch.events.size(); ++i) {
    if (std::find(so_far.begin(), so_far.end(), i) != so_far.end()) continue;
    if (!tried.insert(epoch.events[i].device).second) continue;
    so_far.push_back(i);
    extend(epoch, so_far, all);
    so_far.pop_back();
  }
}

}  // namespace

std::vector<Order> orders_of(const Epoch& epoch) {
  std::vector<Order> all;
  Order start;
  extend(epoch, start, all);
  return all;
}

// --- the model --------------------------------------------------------------------------------

namespace {

// One value that one op wrote.
struct Item {
  const Event* by;
  std::string field;
  MergeType type;
  std::uint32_t part;
  Stamp stamp;
  Value value;
  std::size_t epoch;

  [[nodiscard]] auto order() const { return std::tuple(stamp, by->device, by->op.n, part); }
};

struct Settled {  // a record at the end of an epoch
  std::vector<const Item*> live;
  std::vector<std::pair<const Item*, std::string>> lost;  // with the kind of conflict
  bool exists = false;
  bool deleted = false;
};

class RecordModel {
 public:
  RecordModel(const History& history, const RecordName& name,
              const std::map<Dot, Stamp, bool (*)(const Dot&, const Dot&)>& stamps) {
    for (std::size_t e = 0; e < history.size(); ++e) {
      for (const Event& event : history[e].events) {
        if (event.op.coll != name.coll || event.op.id != name.id) continue;
        ops_.emplace_back(&event, e);
        for (const Edit& edit : event.op.edits) {
          if (edit.kind == EditKind::kRemove) continue;
          for (std::uint32_t part = 0; part < edit.values.size(); ++part) {
            items_.push_back(Item{&event, edit.field, merge_type_of(edit.kind), part,
                                  stamps.at(Dot{event.device, event.op.n}), edit.values[part], e});
          }
        }
      }
    }
    const Collection* collection = schemas().find(name.coll);
    itemised_ = collection->deletable;
    for (std::size_t e = 0; e < history.size(); ++e) ends_.push_back(settle(e));
  }

  [[nodiscard]] const Settled& end() const { return ends_.back(); }

  [[nodiscard]] std::string visible() const {
    if (!end().exists) return "nothing";
    if (end().deleted) return "deleted";
    std::map<std::string, std::vector<const Item*>> fields;
    for (const Item* item : end().live) fields[item->field].push_back(item);
    std::string out;
    for (auto& [field, items] : fields) {
      const std::string shown = show(items);
      if (shown != "null") out += fmt::format("{}\"{}\":{}", out.empty() ? "" : ",", field, shown);
    }
    return "{" + out + "}";
  }

  [[nodiscard]] std::vector<OpenConflict> conflicts() const {
    std::vector<OpenConflict> open;
    for (const auto& [lost, kind] : end().lost) {
      const Item* item = lost;  // clang 14 captures no structured binding
      const bool by_value = item->type == MergeType::kRegister || item->type == MergeType::kSet;
      const bool on_show =
          by_value && std::any_of(end().live.begin(), end().live.end(), [&](const Item* live) {
            return live->field == item->field && live->value.json == item->value.json;
          });
      if (on_show) continue;
      open.push_back(OpenConflict{item->field, item->by->device, item->by->op.n, item->part, kind,
                                  item->value.json});
    }
    std::sort(open.begin(), open.end());
    return open;
  }

 private:
  static bool own_past(const Event& a, const Event& b) {
    return a.device == b.device && a.op.n < b.op.n;
  }

  // Whether the author of `b` had seen the value. A hidden edit stands before what its author wrote
  // when it knew more.
  [[nodiscard]] bool seen(const Item& a, const Event& b, std::size_t epoch) const {
    const bool before = !b.op.del && !is_visible(b, epoch) && is_visible(*a.by, epoch);
    if (own_past(*a.by, b) && !before) return true;
    if (b.knows == 0) return false;
    const auto& live = ends_.at(b.knows - 1).live;
    return std::find(live.begin(), live.end(), &a) != live.end();
  }

  static bool seen_delete(const Event& d, std::size_t d_epoch, const Event& b) {
    return own_past(d, b) || d_epoch < b.knows;
  }

  // Had seen every delete that has arrived by the end of the epoch.
  [[nodiscard]] bool is_visible(const Event& edit, std::size_t epoch) const {
    return std::all_of(ops_.begin(), ops_.end(), [&](const auto& op) {
      const auto& [d, d_epoch] = op;
      return d_epoch > epoch || !d->op.del || seen_delete(*d, d_epoch, edit);
    });
  }

  static bool speaks_of(const Op& op, const Item& item) {
    return op.del || std::any_of(op.edits.begin(), op.edits.end(), [&](const Edit& edit) {
             if (edit.field != item.field) return false;
             if (item.type == MergeType::kRegister) return true;
             return item.type == MergeType::kSet &&
                    std::any_of(edit.values.begin(), edit.values.end(),
                                [&](const Value& v) { return v.json == item.value.json; });
           });
  }

  [[nodiscard]] bool replaced(const Item& item, std::size_t epoch) const {
    if (item.type == MergeType::kCounter && !itemised_) return false;
    return std::any_of(ops_.begin(), ops_.end(), [&](const auto& op) {
      return op.second <= epoch && speaks_of(op.first->op, item) && seen(item, *op.first, epoch);
    });
  }

  [[nodiscard]] Settled settle(std::size_t epoch) const {
    Settled settled;
    bool has_delete = false;
    bool has_visible_edit = false;
    for (const auto& [event, e] : ops_) {
      if (e > epoch) continue;
      settled.exists = true;
      has_delete = has_delete || event->op.del;
      has_visible_edit = has_visible_edit || (!event->op.del && is_visible(*event, epoch));
    }
    settled.deleted = has_delete && !has_visible_edit;
    for (const Item& item : items_) {
      if (item.epoch > epoch || replaced(item, epoch)) continue;
      if (!is_visible(*item.by, epoch)) {
        settled.lost.emplace_back(&item, "deleted");
      } else if (item.type == MergeType::kRegister && !is_latest(item, epoch)) {
        settled.lost.emplace_back(&item, "concurrent");
      } else {
        settled.live.push_back(&item);
      }
    }
    return settled;
  }

  [[nodiscard]] bool is_latest(const Item& item, std::size_t epoch) const {
    return std::none_of(items_.begin(), items_.end(), [&](const Item& other) {
      return other.epoch <= epoch && other.field == item.field && !replaced(other, epoch) &&
             is_visible(*other.by, epoch) && item.order() < other.order();
    });
  }

  static std::string show(std::vector<const Item*>& items) {
    const MergeType type = items[0]->type;
    if (type == MergeType::kRegister) return items[0]->value.json;
    if (type == MergeType::kCounter) {
      return std::to_string(
          std::accumulate(items.begin(), items.end(), std::int64_t{0},
                          [](auto sum, const Item* item) { return sum + item->value.integer; }));
    }
    std::vector<std::string> shown;
    if (type == MergeType::kSet) {
      std::set<std::string> elements;
      for (const Item* item : items) elements.insert(item->value.json);
      shown.assign(elements.begin(), elements.end());
    } else {
      std::sort(items.begin(), items.end(),
                [](const Item* a, const Item* b) { return a->order() < b->order(); });
      for (const Item* item : items) {
        shown.push_back(fmt::format(R"({{"at":{},"by":"{}","v":{}}})", ms_from_seq(item->stamp),
                                    format_device_id(item->by->device), item->value.json));
      }
    }
    return fmt::format("[{}]", fmt::join(shown, ","));
  }

  std::vector<std::pair<const Event*, std::size_t>> ops_;
  std::vector<Item> items_;
  bool itemised_ = true;
  std::vector<Settled> ends_;
};

bool dot_less(const Dot& a, const Dot& b) {
  return std::tie(a.device, a.n) < std::tie(b.device, b.n);
}

}  // namespace

Outcome expected(const History& history, const World& world) {
  std::map<Dot, Stamp, bool (*)(const Dot&, const Dot&)> stamps(dot_less);
  std::set<RecordName> names;
  std::set<std::uint64_t> devices;
  for (const Epoch& epoch : history) {
    for (const Event& event : epoch.events) {
      names.insert(RecordName{event.op.coll, event.op.id});
      devices.insert(event.device);
    }
  }
  for (const std::uint64_t device : devices) {
    const auto log = world.log(device);
    for (std::size_t i = 0; i < log.size(); ++i) stamps[Dot{device, i + 1}] = log[i].stamp;
  }
  Outcome outcome;
  for (const RecordName& name : names) {
    const RecordModel model(history, name, stamps);
    outcome.visible[name] = model.visible();
    outcome.conflicts[name] = model.conflicts();
  }
  outcome.digest = world.recomputed_digest();
  return outcome;
}

}  // namespace waystation::testing
