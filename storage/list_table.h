// One collection over all scopes in memory, for lists that people sort, filter, search and leaf
// through: packed rows (scope, id, seq and the values that can be asked for), and orders that are
// made when they are first asked for and kept up from then on. What a row shows is not kept here:
// a page is read from the store.
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
  };

  explicit ListTable(const Collection& collection);

  // A record as it is now; `visible` is what it shows, opened, empty when it is deleted. What the
  // row held before is wiped. Errors: kStoreCorrupt.
  [[nodiscard]] Status put(std::string_view scope, std::string_view id, Seq seq,
                           std::string_view visible);
  // Brings the kept orders in line with what was put since.
  void settle_orders();

  // Makes the order that the query needs, unless it is there. The query was checked.
  void prepare(const ListQuery& query);
  [[nodiscard]] bool prepared(const ListQuery& query) const;
  // Precondition: prepared. `allowed`: scopes that the asker may see.
  [[nodiscard]] Page select(const ListQuery& query, const Sight& sight,
                            const ScopeFilter& allowed) const;

  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] std::size_t bytes() const;

 private:
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

  [[nodiscard]] static std::string_view id_of(const Row& row);
  [[nodiscard]] std::uint32_t scope_number(std::string_view scope);
  [[nodiscard]] std::uint32_t find_or_add(std::uint32_t scope, std::string_view id);
  void grow_index();
  void store_row(Row& row, std::string_view packed);
  void compact();
  [[nodiscard]] std::optional<std::size_t> column(std::string_view field) const;
  [[nodiscard]] SortKey key_of(std::string_view field, std::uint32_t number) const;
  [[nodiscard]] static bool before(const SortKey& a, const SortKey& b, bool descending);
  void rank_scopes();
  void sort(const Order& order, std::vector<std::uint32_t>& rows) const;
  [[nodiscard]] std::vector<std::uint32_t> merged(const Order& order,
                                                  const std::vector<std::uint32_t>& fresh) const;
  [[nodiscard]] const Order* order(const ListQuery& query) const;

  std::vector<const FieldSpec*> columns_;  // of the collection, which outlives it
  std::vector<std::string> scopes_;
  std::unordered_map<std::string, std::uint32_t> scope_numbers_;
  std::vector<std::uint32_t> scope_ranks_;  // their places by name, as of the last order
  std::vector<Row> rows_;
  std::vector<std::uint32_t> index_;  // open addressing: row + 1; 0: free
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t block_left_ = 0;
  std::size_t live_bytes_ = 0;
  std::vector<Order> orders_;
  std::vector<std::uint32_t> changed_;  // since the orders were settled; with repeats
  std::uint64_t uses_ = 0;
  std::string packing_;
};

}  // namespace waystation
