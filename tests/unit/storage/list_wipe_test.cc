// What a table of a list held of people does not lie about in memory that it has given back.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>

#include "storage/list_table.h"
#include "tests/support/world.h"

// The sanitizers bring an allocator of their own, which looks at who frees what.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

constexpr std::string_view kSecret = "nobody finds this again";
std::atomic<bool> watching = false;
std::atomic<int> found = 0;

}  // namespace

void* operator new[](std::size_t size) {
  void* const block = std::malloc(size == 0 ? 1 : size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
void operator delete[](void* block) noexcept {
  if (block != nullptr && watching &&
      std::string_view(static_cast<const char*>(block), malloc_usable_size(block)).find(kSecret) !=
          std::string_view::npos) {
    ++found;
  }
  std::free(block);
}
void operator delete[](void* block, std::size_t /*size*/) noexcept { operator delete[](block); }

namespace waystation::testing {
namespace {

class WipedTable : public ::testing::Test {
 protected:
  WipedTable() {
    found = 0;
    watching = true;
  }
  ~WipedTable() override { watching = false; }
  static void put(ListTable& table, const std::string& id, const std::string& title) {
    ASSERT_TRUE(table.put("t", id, 1, R"({"title":")" + title + "\"}").ok());
  }
  std::optional<ListTable> table{*schemas().find("event")};
};

TEST_F(WipedTable, WhenItIsDropped) {
  put(*table, "e", std::string(kSecret));
  table.reset();
  EXPECT_EQ(found, 0);
}

TEST_F(WipedTable, WhenItIsPackedAnew) {
  for (int i = 0; i < 40'000; ++i) put(*table, std::to_string(i), std::string(100, 'x'));
  put(*table, "e", std::string(kSecret));
  const std::size_t before = table->bytes();
  for (int i = 0; i < 40'000; ++i) put(*table, std::to_string(i), "");
  ASSERT_LT(table->bytes(), before) << "nothing was given back";
  EXPECT_EQ(found, 0);
}

TEST_F(WipedTable, AlsoOfWhatChangedWhileAnOrderWasMade) {
  put(*table, "e", std::string(kSecret));
  table->begin_order("title", false);
  put(*table, "e", "another");
  while (!table->gather_keys(10)) {
  }
  table->sort_keys();
  table->adopt_order(2);
  table.reset();
  EXPECT_EQ(found, 0);
}

}  // namespace
}  // namespace waystation::testing

#endif
