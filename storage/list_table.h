// One collection over all scopes in memory, for lists that people sort, filter, search and leaf
// through: packed rows (scope, id, seq and the values that can be asked for), and orders by column
// that are kept up once they are made. A page near the beginning needs none: the first rows are
// picked out of all. What a row shows is not kept here: a page is read from the store.
//
// Knows nothing of the store. One thread at a time for what changes it; const functions from any
// thread while nothing does. Errors are those of the query.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/lists.h"
#include "sync/listed_values.h"
#include "sync/schema.h"
#include "sync/stamp.h"
#include "sync/view.h"

namespace waystation {

struct ListFilter {
  // kEquals: an empty value finds the rows that have none; of a set one element is enough.
  enum class Kind : std::uint8_t { kEquals, kFrom, kTo };
  std::string field;
  Kind kind = Kind::kEquals;
  std::string value;
};

struct ListQuery {
  std::string coll;
  std::string text;          // stands in the id or in a string; ASCII letters in either case
  std::string sort = "seq";  // a field, or id, scope, seq
  bool descending = true;
  std::vector<ListFilter> filters;
  std::string scope;               // empty: all
  std::vector<std::string> under;  // where it is not empty: these alone
  bool deleted = false;            // the deleted ones in place of the others
  std::size_t offset = 0;
  std::size_t limit = 50;
};

// What is asked for, of a table with these fields, by somebody with this view. Errors: kListField,
// kAccessDenied.
[[nodiscard]] Status check_list_query(const Collection& collection, const Sight& sight,
                                      const ListQuery& query);

class ListTable {
 public:
  struct Name {
    std::string scope;
    std::string id;
  };
  struct Page {
    std::size_t total = 0;     // that the asker may see
    std::size_t matching = 0;  // of those, as asked for
    std::vector<Name> rows;    // one page of these
    bool wants_order = false;  // it cost much that a kept order saves
    bool needs_order = false;  // it lies too deep to be had without: there are no rows
  };
  // Rows that are picked without a kept order: offset and limit together.
  static constexpr std::size_t kPicked = 10'000;

  explicit ListTable(const Collection& collection);
  ~ListTable();
  ListTable(const ListTable&) = delete;
  ListTable& operator=(const ListTable&) = delete;

  // So many rows are to come.
  void reserve(std::size_t rows);
  // A record as it is now; `visible` is what it shows, opened, empty when it is deleted. What the
  // row held before is wiped. Errors: kStoreCorrupt.
  [[nodiscard]] Status put(std::string_view scope, std::string_view id, Seq seq,
                           std::string_view visible);
  // Brings the kept orders in line with what was put since.
  void settle_orders();

  // `allowed`: scopes that the asker may see. The query was checked, and orders are settled.
  [[nodiscard]] Page select(const ListQuery& query, const Sight& sight,
                            const ScopeFilter& allowed) const;
  [[nodiscard]] bool settled() const { return changed_.empty() && ranked(); }

  // An order is made in steps, between which others may change and read the table: begin, gather
  // until it is done, sort, adopt; or drop at any time. One at a time.
  void begin_order(const std::string& field, bool descending);
  bool gather_keys(std::size_t most);  // as one that reads; true: all are gathered
  void sort_keys();                    // touches nothing that others do
  // One more than `most` takes the place of the one that was not used for longest.
  void adopt_order(std::size_t most);
  void drop_order();
  [[nodiscard]] bool has_order(const std::string& field, bool descending) const;
  // The order of these, used just now; where there is none it does nothing.
  void note_use(const ListQuery& query);
  [[nodiscard]] std::size_t orders() const { return orders_.size(); }

  // Orders that every table has room for: those it has count as so many at least.
  static constexpr std::size_t kOrdersCounted = 2;
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] std::size_t bytes_of_rows() const;  // of those, what grows with each row
  [[nodiscard]] std::size_t bytes_of_order() const {
    return rows_.capacity() * sizeof(std::uint32_t);
  }

 private:
  // What held values of people is wiped before it is freed.
  struct Wipe {
    void operator()(char* block) const;
  };
  using Block = std::unique_ptr<char[], Wipe>;
  struct Row {
    char* bytes = nullptr;
    Seq seq = 0;
    std::uint32_t size = 0;
    std::uint32_t scope = 0;
    bool deleted = false;
  };
  struct Order {
    std::string field;
    bool descending = false;
    std::uint64_t used = 0;
    std::vector<std::uint32_t> rows;
  };
  struct Search;   // a query, made ready to be held against rows
  struct SortKey;  // of one row
  struct Making;   // an order that is being made
  class Picker;    // the first rows of an order, out of all
  struct By {      // what an order goes by
    enum class Kind : std::uint8_t { kSeq, kId, kScope, kColumn };
    Kind kind = Kind::kSeq;
    std::size_t column = 0;
    bool instants = false;
    bool descending = false;
  };

  [[nodiscard]] static std::string_view id_of(const Row& row);
  [[nodiscard]] std::uint32_t scope_number(std::string_view scope);
  [[nodiscard]] std::uint32_t find_or_add(std::uint32_t scope, std::string_view id);
  void grow_index();
  void store_row(Row& row, std::string_view packed);
  void compact();
  [[nodiscard]] std::optional<std::size_t> column(std::string_view field) const;
  [[nodiscard]] By by(std::string_view field, bool descending) const;
  // `ranks`: of the scopes, by their names.
  [[nodiscard]] SortKey key_of(const By& by, std::uint32_t number,
                               const std::vector<std::uint32_t>& ranks) const;
  [[nodiscard]] bool ranked() const { return scope_ranks_.size() == scopes_.size(); }
  void rank_scopes();
  void sort(const By& by, std::vector<std::uint32_t>& rows) const;
  [[nodiscard]] std::vector<std::uint32_t> merged(const Order& order,
                                                  const std::vector<std::uint32_t>& fresh) const;
  [[nodiscard]] const Order* order(std::string_view field, bool descending) const;
  void fill_in_order(const Order& order, const ListQuery& query, const std::vector<bool>& found,
                     Page& page) const;
  void fill_by_picking(const ListQuery& query, const std::vector<bool>& found, Page& page) const;
  [[nodiscard]] Name name_of(std::uint32_t number) const;
  void free_bytes(char* bytes, std::uint32_t size);

  std::vector<const FieldSpec*> columns_;  // of the collection, which outlives it
  std::vector<std::string> scopes_;
  std::unordered_map<std::string, std::uint32_t> scope_numbers_;
  std::vector<std::uint32_t> scope_ranks_;  // their places by name, as of the last order
  std::vector<Row> rows_;
  std::vector<std::uint32_t> index_;  // open addressing: row + 1; 0: free
  std::vector<Block> blocks_;
  std::size_t block_left_ = 0;
  std::size_t live_bytes_ = 0;
  std::vector<Order> orders_;
  std::unique_ptr<Making> making_;      // while it is there, no bytes of a row are overwritten
  std::vector<std::uint32_t> changed_;  // since the orders were settled; with repeats
  std::uint64_t uses_ = 0;
  std::string packing_;
};

}  // namespace waystation
