#include "storage/list_table.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>

#include "sync/bytes.h"
#include "sync/scalar.h"
#include "sync/time_text.h"

namespace waystation {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20U;
constexpr std::size_t kFieldColumns = 255;  // one byte in a row
constexpr std::size_t kFirstIndex = 1024;
// From so many matching rows on a kept order is worth its memory: picking takes a hundredth of a
// second.
constexpr std::size_t kWorthAnOrder = 100'000;

// In a row each value is: the number of its column, its kind, and its bytes.
constexpr char kText = 't';  // length as a varint, bytes
constexpr char kNumber = 'n';
constexpr char kFlag = 'b';

bool listed(const FieldSpec& field) {
  return field.merge == MergeType::kRegister || field.merge == MergeType::kCounter ||
         field.merge == MergeType::kSet;
}

bool is_number(const FieldSpec& field) {
  return field.type == FieldType::kInteger || field.type == FieldType::kNumber ||
         field.merge == MergeType::kCounter;
}

std::optional<double> number_of(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
    return std::nullopt;
  }
  return number;
}

// An instant, as ms: RFC 3339, or ms since 1970.
std::optional<double> instant_of(std::string_view text) {
  if (const auto time = parse_time(text)) return static_cast<double>(time->ms);
  return number_of(text);
}

std::optional<bool> flag_of(std::string_view text) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return std::nullopt;
}

char folded(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string folded(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = folded(c);
  return out;
}

// What is searched for, in either case.
class Needle {
 public:
  explicit Needle(std::string_view text)
      : text_(folded(text)), plain_(std::none_of(text_.begin(), text_.end(), [](char c) {
          return c >= 'a' && c <= 'z';
        })) {}
  [[nodiscard]] bool empty() const { return text_.empty(); }
  // Precondition: not empty().
  [[nodiscard]] bool in(std::string_view text) const {
    if (text.size() < text_.size()) return false;
    if (plain_) return memmem(text.data(), text.size(), text_.data(), text_.size()) != nullptr;
    const char first = text_.front();
    const char other = first >= 'a' && first <= 'z' ? static_cast<char>(first - 'a' + 'A') : first;
    const char* const last = text.data() + (text.size() - text_.size());
    for (const char* at = text.data(); at <= last; ++at) {
      if (*at != first && *at != other) continue;
      std::size_t same = 1;
      while (same < text_.size() && folded(at[same]) == text_[same]) ++same;
      if (same == text_.size()) return true;
    }
    return false;
  }

 private:
  std::string text_;
  bool plain_;  // it has no letters
};

// So that texts compare as their first bytes do.
std::uint64_t prefix_of(std::string_view text) {
  std::uint64_t prefix = 0;
  for (std::size_t i = 0; i < sizeof(prefix); ++i) {
    prefix = prefix << 8U | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0U);
  }
  return prefix;
}

// So that numbers compare as these do.
std::uint64_t rank_of(double number) {
  if (number == 0) number = 0;  // not -0
  std::uint64_t bits = 0;
  std::memcpy(&bits, &number, sizeof bits);
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63U;
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

struct Packed {
  std::size_t column = 0;
  ListedValue value;
};

// The values of a packed row, one after the other.
class RowReader {
 public:
  explicit RowReader(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {
    at_ += 1 + static_cast<unsigned char>(*at_);  // the id
  }
  bool next(Packed& into) {
    if (at_ == end_) return false;
    into.column = static_cast<unsigned char>(*at_++);
    const char kind = *at_++;
    if (kind == kNumber) {
      into.value.kind = ListedValue::Kind::kNumber;
      std::memcpy(&into.value.number, at_, sizeof(double));
      at_ += sizeof(double);
    } else if (kind == kFlag) {
      into.value.kind = ListedValue::Kind::kFlag;
      into.value.flag = *at_++ == 1;
    } else {
      into.value.kind = ListedValue::Kind::kText;
      std::size_t size = 0;
      unsigned shift = 0;
      unsigned char byte = 0;
      do {
        byte = static_cast<unsigned char>(*at_++);
        size |= static_cast<std::size_t>(byte & 0x7FU) << shift;
        shift += 7;
      } while ((byte & 0x80U) != 0);
      into.value.text = std::string_view(at_, size);
      at_ += size;
    }
    return true;
  }

 private:
  const char* at_;
  const char* end_;
};

void pack(std::string& out, std::size_t column, const ListedValue& value) {
  out += static_cast<char>(column);
  switch (value.kind) {
    case ListedValue::Kind::kText:
      out += kText;
      put_string(out, value.text);
      break;
    case ListedValue::Kind::kNumber: {
      out += kNumber;
      char bytes[sizeof(double)];
      std::memcpy(bytes, &value.number, sizeof(double));
      out.append(bytes, sizeof(double));
      break;
    }
    case ListedValue::Kind::kFlag:
      out += kFlag;
      out += value.flag ? '\x01' : '\0';
      break;
  }
}

std::size_t hash_of(std::uint32_t scope, std::string_view id) {
  return std::hash<std::string_view>()(id) * 31 + scope * std::size_t{0x9E3779B1};
}

Error wrong_field(std::string_view field, std::string_view why) {
  return Error{Code::kListField, fmt::format("{}: {}", field, why)};
}

const FieldSpec* listed_field(const Collection& collection, std::string_view name) {
  const FieldSpec* field = collection.field(name);
  return field != nullptr && listed(*field) ? field : nullptr;
}

Status check_filter(const FieldSpec& field, const ListFilter& filter) {
  if (filter.kind == ListFilter::Kind::kEquals) {
    if (filter.value.empty()) return {};
    if (field.type == FieldType::kBoolean && !flag_of(filter.value)) {
      return wrong_field(field.name, "is true or false");
    }
    if (is_number(field) && !number_of(filter.value)) return wrong_field(field.name, "no number");
    return {};
  }
  if (field.merge == MergeType::kSet) return wrong_field(field.name, "a set has no range");
  if (is_number(field)) {
    return number_of(filter.value) ? Status{} : wrong_field(field.name, "no number");
  }
  if (field.type == FieldType::kTime) {
    return instant_of(filter.value) ? Status{} : wrong_field(field.name, "no time");
  }
  if (field.type == FieldType::kDate) {
    return is_date(filter.value) ? Status{} : wrong_field(field.name, "no date");
  }
  return wrong_field(field.name, "only numbers, times and dates have a range");
}

}  // namespace

Status check_list_query(const Collection& collection, const Sight& sight, const ListQuery& query) {
  const auto look = [&](std::string_view name) -> Result<const FieldSpec*> {
    // What is hidden is not told apart from what is there and empty: it is denied by its name.
    if (!sight.shows(name)) {
      return Error{Code::kAccessDenied, fmt::format("the role does not read {}", name)};
    }
    const FieldSpec* field = listed_field(collection, name);
    if (field == nullptr) return wrong_field(name, "no field that lists know");
    return field;
  };
  if (query.sort != "id" && query.sort != "scope" && query.sort != "seq") {
    const auto field = look(query.sort);
    if (!field) return field.error();
    if ((*field)->merge == MergeType::kSet) return wrong_field(query.sort, "a set has no order");
  }
  for (const ListFilter& filter : query.filters) {
    const auto field = look(filter.field);
    if (!field) return field.error();
    if (auto checked = check_filter(**field, filter); !checked) return checked;
  }
  return {};
}

// All that two rows are compared by, side by side: a sort that went to the rows themselves would
// wait for memory at each comparison.
struct ListTable::SortKey {
  std::uint64_t rank = 0;      // of a number, or of the text's first bytes
  const char* text = nullptr;  // null: it goes by the rank alone
  const char* id = nullptr;    // one byte of length before it
  std::uint32_t text_size = 0;
  std::uint32_t scope_rank = 0;
  std::uint32_t row = 0;
  bool missing = true;

  [[nodiscard]] std::string_view words() const { return {text, text_size}; }
  [[nodiscard]] std::string_view name() const { return {id + 1, static_cast<unsigned char>(*id)}; }
  // Those without a value come last in either direction.
  [[nodiscard]] bool before(const SortKey& other, bool descending) const {
    if (missing != other.missing) return other.missing;
    if (!missing) {
      if (rank != other.rank) return (rank < other.rank) != descending;
      if (const int order = words().compare(other.words()); order != 0) {
        return (order < 0) != descending;
      }
    }
    if (scope_rank != other.scope_rank) return scope_rank < other.scope_rank;
    return name() < other.name();
  }
};

struct ListTable::Making {
  ~Making() { sodium_memzero(keys.data(), keys.size() * sizeof(SortKey)); }

  Order order;
  By by;
  std::vector<std::uint32_t> ranks;  // of the scopes, as of the beginning
  std::size_t count = 0;             // of the rows there were
  std::size_t next = 0;
  std::vector<SortKey> keys;
  std::vector<std::uint32_t> changed;                 // since the beginning
  std::vector<std::pair<char*, std::uint32_t>> left;  // bytes that rows had, not wiped yet
};

// --- rows -------------------------------------------------------------------------------------

ListTable::ListTable(const Collection& collection) {
  for (const FieldSpec& field : collection.fields) {
    if (listed(field) && columns_.size() < kFieldColumns) columns_.push_back(&field);
  }
  index_.resize(kFirstIndex);
}

ListTable::~ListTable() = default;

void ListTable::reserve(std::size_t rows) {
  rows_.reserve(rows);
  while (rows * 10 > index_.size() * 7) grow_index();
}

std::optional<std::size_t> ListTable::column(std::string_view field) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i]->name == field) return i;
  }
  return std::nullopt;
}

std::string_view ListTable::id_of(const Row& row) {
  return {row.bytes + 1, static_cast<unsigned char>(*row.bytes)};
}

std::uint32_t ListTable::scope_number(std::string_view scope) {
  const auto [at, fresh] =
      scope_numbers_.try_emplace(std::string(scope), static_cast<std::uint32_t>(scopes_.size()));
  if (fresh) scopes_.emplace_back(scope);
  return at->second;
}

void ListTable::grow_index() {
  std::vector<std::uint32_t> bigger(index_.size() * 2);
  const std::size_t mask = bigger.size() - 1;
  for (const std::uint32_t entry : index_) {
    if (entry == 0) continue;
    const Row& row = rows_[entry - 1];
    std::size_t at = hash_of(row.scope, id_of(row)) & mask;
    while (bigger[at] != 0) at = (at + 1) & mask;
    bigger[at] = entry;
  }
  index_ = std::move(bigger);
}

// A fresh row has no bytes yet.
std::uint32_t ListTable::find_or_add(std::uint32_t scope, std::string_view id) {
  if ((rows_.size() + 1) * 10 > index_.size() * 7) grow_index();
  const std::size_t mask = index_.size() - 1;
  std::size_t at = hash_of(scope, id) & mask;
  while (index_[at] != 0) {
    const Row& row = rows_[index_[at] - 1];
    if (row.scope == scope && id_of(row) == id) return index_[at] - 1;
    at = (at + 1) & mask;
  }
  Row fresh;
  fresh.scope = scope;
  rows_.push_back(fresh);
  index_[at] = static_cast<std::uint32_t>(rows_.size());
  return index_[at] - 1;
}

void ListTable::Wipe::operator()(char* block) const {
  sodium_memzero(block, kBlockBytes);
  delete[] block;
}

// What somebody had taken back, or who was erased, does not lie about.
void ListTable::free_bytes(char* bytes, std::uint32_t size) {
  live_bytes_ -= size;
  if (making_ != nullptr) {
    making_->left.emplace_back(bytes, size);
  } else {
    sodium_memzero(bytes, size);
  }
}

void ListTable::store_row(Row& row, std::string_view packed) {
  WS_CHECK(packed.size() <= kBlockBytes);
  const bool in_place = row.bytes != nullptr && making_ == nullptr && packed.size() <= row.size;
  if (row.bytes != nullptr) free_bytes(row.bytes, row.size);
  if (!in_place) {
    if (packed.size() > block_left_) {
      blocks_.push_back(Block(new char[kBlockBytes]));
      block_left_ = kBlockBytes;
    }
    row.bytes = blocks_.back().get() + (kBlockBytes - block_left_);
    block_left_ -= packed.size();
  }
  std::memcpy(row.bytes, packed.data(), packed.size());
  row.size = static_cast<std::uint32_t>(packed.size());
  live_bytes_ += row.size;
}

Status ListTable::put(std::string_view scope, std::string_view id, Seq seq,
                      std::string_view visible) {
  packing_.clear();
  packing_ += static_cast<char>(id.size());
  packing_ += id;
  if (!visible.empty()) {
    const Status read = for_each_listed(visible, [&](std::string_view field, const auto& value) {
      if (const auto number = column(field)) pack(packing_, *number, value);
    });
    if (!read) return read;
  }
  const std::uint32_t number = find_or_add(scope_number(scope), id);
  Row& row = rows_[number];
  store_row(row, packing_);
  sodium_memzero(packing_.data(), packing_.size());
  row.seq = seq;
  row.deleted = visible.empty();
  if (!orders_.empty()) changed_.push_back(number);
  if (making_ != nullptr) making_->changed.push_back(number);
  const bool sparse = blocks_.size() * kBlockBytes > 2 * live_bytes_ + 2 * kBlockBytes;
  if (sparse && making_ == nullptr) compact();
  return {};
}

void ListTable::compact() {
  const std::vector<Block> old = std::exchange(blocks_, {});
  block_left_ = 0;
  live_bytes_ = 0;
  for (Row& row : rows_) {
    const std::string_view packed(row.bytes, row.size);
    row.bytes = nullptr;
    store_row(row, packed);
  }
}

std::size_t ListTable::bytes_of_rows() const { return blocks_.size() * kBlockBytes; }

std::size_t ListTable::bytes() const {
  std::size_t sum = bytes_of_rows() + rows_.capacity() * sizeof(Row) +
                    index_.capacity() * sizeof(std::uint32_t) + scopes_.size() * 128;
  return sum + std::max(orders_.size(), kOrdersCounted) * bytes_of_order();
}

// --- orders -----------------------------------------------------------------------------------

ListTable::By ListTable::by(std::string_view field, bool descending) const {
  By by;
  by.descending = descending;
  if (field == "id") by.kind = By::Kind::kId;
  if (field == "scope") by.kind = By::Kind::kScope;
  if (const auto number = column(field)) {
    by.kind = By::Kind::kColumn;
    by.column = *number;
    by.instants = columns_[*number]->type == FieldType::kTime;
  }
  return by;
}

ListTable::SortKey ListTable::key_of(const By& by, std::uint32_t number,
                                     const std::vector<std::uint32_t>& ranks) const {
  const Row& row = rows_[number];
  SortKey key;
  key.row = number;
  key.id = row.bytes;
  key.scope_rank = ranks[row.scope];
  const auto take_text = [&](std::string_view text) {
    key.text = text.data();
    key.text_size = static_cast<std::uint32_t>(text.size());
    key.rank = prefix_of(text);
  };
  key.missing = by.kind == By::Kind::kColumn;
  if (by.kind == By::Kind::kSeq) key.rank = row.seq;
  if (by.kind == By::Kind::kScope) key.rank = key.scope_rank;
  if (by.kind == By::Kind::kId) take_text(key.name());
  if (!key.missing) return key;
  RowReader values({row.bytes, row.size});
  for (Packed at; values.next(at);) {
    if (at.column != by.column) continue;
    if (at.value.kind == ListedValue::Kind::kNumber) {
      key.rank = rank_of(at.value.number);
    } else if (at.value.kind == ListedValue::Kind::kFlag) {
      key.rank = at.value.flag ? 1 : 0;
    } else if (by.instants) {
      const auto instant = parse_time(at.value.text);
      if (!instant) break;
      key.rank = rank_of(static_cast<double>(instant->ms));
    } else {
      take_text(at.value.text);
    }
    key.missing = false;
    break;
  }
  return key;
}

// A new scope moves those behind it, and none past another: kept orders stay right.
void ListTable::rank_scopes() {
  if (ranked()) return;
  std::vector<std::uint32_t> by_name(scopes_.size());
  std::iota(by_name.begin(), by_name.end(), 0);
  std::sort(by_name.begin(), by_name.end(),
            [&](std::uint32_t a, std::uint32_t b) { return scopes_[a] < scopes_[b]; });
  scope_ranks_.resize(scopes_.size());
  for (std::uint32_t i = 0; i < by_name.size(); ++i) scope_ranks_[by_name[i]] = i;
}

void ListTable::sort(const By& by, std::vector<std::uint32_t>& rows) const {
  std::vector<SortKey> keys;
  keys.reserve(rows.size());
  for (const std::uint32_t row : rows) keys.push_back(key_of(by, row, scope_ranks_));
  std::sort(keys.begin(), keys.end(),
            [&](const SortKey& a, const SortKey& b) { return a.before(b, by.descending); });
  for (std::size_t i = 0; i < keys.size(); ++i) rows[i] = keys[i].row;
}

const ListTable::Order* ListTable::order(std::string_view field, bool descending) const {
  const auto at = std::find_if(orders_.begin(), orders_.end(), [&](const Order& order) {
    return order.field == field && order.descending == descending;
  });
  return at == orders_.end() ? nullptr : &*at;
}

bool ListTable::has_order(const std::string& field, bool descending) const {
  return order(field, descending) != nullptr;
}

void ListTable::note_use(const ListQuery& query) {
  for (Order& order : orders_) {
    if (order.field == query.sort && order.descending == query.descending) order.used = ++uses_;
  }
}

// --- an order that is being made --------------------------------------------------------------

void ListTable::begin_order(const std::string& field, bool descending) {
  WS_CHECK(making_ == nullptr);
  rank_scopes();
  making_ = std::make_unique<Making>();
  making_->order.field = field;
  making_->order.descending = descending;
  making_->by = by(field, descending);
  making_->ranks = scope_ranks_;
  making_->count = rows_.size();
  making_->keys.reserve(rows_.size());
}

// Of a row that has changed since the beginning it does not matter what is gathered, but that it is
// one: it gets its place when the order is adopted.
bool ListTable::gather_keys(std::size_t most) {
  Making& made = *making_;
  const std::size_t end = std::min(made.count, made.next + most);
  for (; made.next < end; ++made.next) {
    made.keys.push_back(key_of(made.by, static_cast<std::uint32_t>(made.next), made.ranks));
  }
  return made.next == made.count;
}

void ListTable::sort_keys() {
  const bool descending = making_->by.descending;
  std::sort(making_->keys.begin(), making_->keys.end(),
            [&](const SortKey& a, const SortKey& b) { return a.before(b, descending); });
}

void ListTable::adopt_order(std::size_t most) {
  if (!has_order(making_->order.field, making_->order.descending)) {
    Order order = std::move(making_->order);
    order.used = ++uses_;
    order.rows.reserve(rows_.capacity());
    for (const SortKey& key : making_->keys) order.rows.push_back(key.row);
    changed_.insert(changed_.end(), making_->changed.begin(), making_->changed.end());
    while (!orders_.empty() && orders_.size() >= most) {
      orders_.erase(std::min_element(
          orders_.begin(), orders_.end(),
          [](const Order& one, const Order& other) { return one.used < other.used; }));
    }
    orders_.push_back(std::move(order));
  }
  drop_order();
  settle_orders();
}

void ListTable::drop_order() {
  const std::unique_ptr<Making> made = std::move(making_);
  if (made == nullptr) return;
  for (const auto& [bytes, size] : made->left) sodium_memzero(bytes, size);
}

// --- keeping orders up ------------------------------------------------------------------------

// Few rows into many: their places are looked up, so that the others' keys are not all read.
std::vector<std::uint32_t> ListTable::merged(const Order& order,
                                             const std::vector<std::uint32_t>& fresh) const {
  const By by = this->by(order.field, order.descending);
  std::vector<std::uint32_t> all;
  all.reserve(std::max(rows_.capacity(), order.rows.size() + fresh.size()));
  auto from = order.rows.begin();
  for (const std::uint32_t row : fresh) {
    const auto to =
        std::lower_bound(from, order.rows.end(), key_of(by, row, scope_ranks_),
                         [&](std::uint32_t one, const SortKey& key) {
                           return key_of(by, one, scope_ranks_).before(key, by.descending);
                         });
    all.insert(all.end(), from, to);
    all.push_back(row);
    from = to;
  }
  all.insert(all.end(), from, order.rows.end());
  return all;
}

void ListTable::settle_orders() {
  rank_scopes();
  if (changed_.empty()) return;
  std::sort(changed_.begin(), changed_.end());
  changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
  std::vector<bool> moved(rows_.size());
  for (const std::uint32_t row : changed_) moved[row] = true;
  for (Order& order : orders_) {
    std::erase_if(order.rows, [&](std::uint32_t row) { return moved[row]; });
    std::vector<std::uint32_t> fresh = changed_;
    sort(by(order.field, order.descending), fresh);
    order.rows = merged(order, fresh);
  }
  changed_.clear();
}

// --- a query ----------------------------------------------------------------------------------

struct ListTable::Search {
  struct Condition {
    std::size_t column = 0;
    ListFilter::Kind kind = ListFilter::Kind::kEquals;
    bool absent = false;  // finds rows without a value
    std::string text;
    std::optional<double> number;
    std::optional<bool> flag;
    bool instants = false;

    [[nodiscard]] bool met_by(const ListedValue& value) const {
      switch (value.kind) {
        case ListedValue::Kind::kFlag: return flag && *flag == value.flag;
        case ListedValue::Kind::kNumber: return number && in_range(value.number, *number);
        case ListedValue::Kind::kText: break;
      }
      if (!instants || !number) return in_range(value.text, std::string_view(text));
      const auto instant = parse_time(value.text);
      return instant && in_range(static_cast<double>(instant->ms), *number);
    }
    template <typename T>
    [[nodiscard]] bool in_range(const T& value, const T& bound) const {
      if (kind == ListFilter::Kind::kFrom) return !(value < bound);
      if (kind == ListFilter::Kind::kTo) return !(bound < value);
      return value == bound;
    }
  };

  Search(const ListTable& table, const ListQuery& query, const Sight& sight) : needle(query.text) {
    for (const FieldSpec* field : table.columns_) shown.push_back(sight.shows(field->name));
    for (const ListFilter& filter : query.filters) {
      const auto column = table.column(filter.field);
      if (!column) continue;
      const FieldSpec& spec = *table.columns_[*column];
      Condition one;
      one.column = *column;
      one.kind = filter.kind;
      one.absent = filter.kind == ListFilter::Kind::kEquals && filter.value.empty();
      one.text = filter.value;
      one.flag = flag_of(filter.value);
      one.instants = spec.type == FieldType::kTime;
      one.number = one.instants ? instant_of(filter.value) : number_of(filter.value);
      (one.absent ? absent : conditions).push_back(std::move(one));
    }
  }

  [[nodiscard]] bool trivial() const {
    return needle.empty() && conditions.empty() && absent.empty();
  }

  [[nodiscard]] bool matches(std::string_view id, std::string_view bytes) const {
    // Most rows hold it nowhere, and need not be taken apart.
    if (!needle.empty() && !needle.in(bytes)) return false;
    std::uint64_t met = 0;
    bool found = needle.empty() || needle.in(id);
    RowReader values(bytes);
    for (Packed at; values.next(at);) {
      const bool text = at.value.kind == ListedValue::Kind::kText;
      for (const Condition& one : absent) {
        if (one.column == at.column && !(text && at.value.text.empty())) return false;
      }
      for (std::size_t i = 0; i < conditions.size(); ++i) {
        if (conditions[i].column == at.column && conditions[i].met_by(at.value)) {
          met |= std::uint64_t{1} << i;
        }
      }
      if (!found && text && shown[at.column]) found = needle.in(at.value.text);
    }
    return found && met == (std::uint64_t{1} << conditions.size()) - 1;
  }

  Needle needle;
  std::vector<bool> shown;  // by column
  std::vector<Condition> conditions;
  std::vector<Condition> absent;
};

ListTable::Page ListTable::select(const ListQuery& query, const Sight& sight,
                                  const ScopeFilter& allowed) const {
  const Search search(*this, query, sight);
  std::vector<char> seen(scopes_.size());   // by scope
  std::vector<char> asked(scopes_.size());  // of those
  for (std::size_t i = 0; i < scopes_.size(); ++i) {
    seen[i] = !allowed || allowed(scopes_[i]) ? 1 : 0;
    const bool under = query.under.empty() ||
                       std::binary_search(query.under.begin(), query.under.end(), scopes_[i]);
    asked[i] = seen[i] == 1 && under && (query.scope.empty() || query.scope == scopes_[i]) ? 1 : 0;
  }
  Page page;
  std::vector<bool> found(rows_.size());
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Row& row = rows_[i];
    if (row.deleted != query.deleted || seen[row.scope] == 0) continue;
    ++page.total;
    if (asked[row.scope] == 0) continue;
    if (!search.trivial() && !search.matches(id_of(row), {row.bytes, row.size})) continue;
    found[i] = true;
    ++page.matching;
  }
  if (const Order* kept = order(query.sort, query.descending); kept != nullptr) {
    fill_in_order(*kept, query, found, page);
  } else {
    fill_by_picking(query, found, page);
  }
  return page;
}

ListTable::Name ListTable::name_of(std::uint32_t number) const {
  const Row& row = rows_[number];
  return Name{scopes_[row.scope], std::string(id_of(row))};
}

void ListTable::fill_in_order(const Order& order, const ListQuery& query,
                              const std::vector<bool>& found, Page& page) const {
  std::size_t skipped = 0;
  for (const std::uint32_t number : order.rows) {
    if (page.rows.size() == query.limit || skipped + page.rows.size() == page.matching) break;
    if (!found[number]) continue;
    if (skipped < query.offset) {
      ++skipped;
      continue;
    }
    page.rows.push_back(name_of(number));
  }
}

// Holds some more than are wanted, so that what is not among them is seldom thrown out.
class ListTable::Picker {
 public:
  Picker(std::size_t wanted, bool descending) : wanted_(wanted), descending_(descending) {
    keys_.reserve(room());
  }
  void offer(const SortKey& key) {
    if (full_ && !before(key, keys_[wanted_ - 1])) return;
    keys_.push_back(key);
    if (keys_.size() < room()) return;
    const auto last = keys_.begin() + static_cast<std::ptrdiff_t>(wanted_ - 1);
    std::nth_element(keys_.begin(), last, keys_.end(), Before{descending_});
    keys_.resize(wanted_);
    full_ = true;
  }
  // In their order.
  [[nodiscard]] std::vector<SortKey> take() {
    const std::size_t count = std::min(wanted_, keys_.size());
    std::partial_sort(keys_.begin(), keys_.begin() + static_cast<std::ptrdiff_t>(count),
                      keys_.end(), Before{descending_});
    keys_.resize(count);
    return std::move(keys_);
  }

 private:
  struct Before {
    bool descending;
    bool operator()(const SortKey& a, const SortKey& b) const { return a.before(b, descending); }
  };
  [[nodiscard]] bool before(const SortKey& a, const SortKey& b) const {
    return a.before(b, descending_);
  }
  [[nodiscard]] std::size_t room() const { return wanted_ * 2 + 1000; }

  std::size_t wanted_;
  bool descending_;
  bool full_ = false;
  std::vector<SortKey> keys_;
};

void ListTable::fill_by_picking(const ListQuery& query, const std::vector<bool>& found,
                                Page& page) const {
  if (query.offset >= page.matching) return;
  const std::size_t wanted = std::min(query.offset + query.limit, page.matching);
  page.wants_order = page.matching >= kWorthAnOrder;
  page.needs_order = wanted > kPicked;
  if (page.needs_order) return;
  const By by = this->by(query.sort, query.descending);
  Picker picker(wanted, query.descending);
  for (std::uint32_t i = 0; i < found.size(); ++i) {
    if (found[i]) picker.offer(key_of(by, i, scope_ranks_));
  }
  const std::vector<SortKey> picked = picker.take();
  for (std::size_t i = query.offset; i < picked.size(); ++i) {
    page.rows.push_back(name_of(picked[i].row));
  }
}

}  // namespace waystation
