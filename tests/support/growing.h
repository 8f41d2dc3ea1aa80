// A server whose schemas grow, on a disk that stays.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "storage/applier.h"
#include "storage/codec.h"
#include "storage/keys.h"
#include "storage/review.h"
#include "storage/upgrade.h"
#include "storage/verify.h"
#include "sync/bytes.h"
#include "sync/digest.h"
#include "tests/support/world.h"

namespace waystation::testing {

inline std::string file(const std::string& coll, int version, const std::string& fields,
                        const std::string& more = "") {
  return fmt::format(
      R"({{"collection":"{}","version":{},"title":{{"zh":"{}","en":"{}"}}{},"fields":{{{}}}}})",
      coll, version, coll, coll, more, fields);
}

inline std::string text_field(const std::string& name, const std::string& type = "string") {
  const std::string limits = type == "string" ? R"("max_length":50)" : R"("min":0,"max":200)";
  return fmt::format(R"("{}":{{"merge":"register","type":"{}","title":{{"zh":"x","en":"x"}},{}}})",
                     name, type, limits);
}

// The schemas up to a version.
using Files = std::vector<SchemaFile> (*)(int newest);

class Growing {
 public:
  Growing(int version, Files files) : files_(files) {
    open(version);
    enroll(1, {"*"});
    push(1, R"({"n":1,"scope":"t","coll":"scope","id":"t","wall":0,"mono":0,"boot":"b",)"
            R"("set":{"kind":"x"}})");
    for (const std::uint64_t device : {2, 3, 4}) enroll(device, {"t"});
  }

  UpgradeReport open(int version) {
    load(version);
    const auto report = upgrade(*store_, schemas_, now_);
    EXPECT_TRUE(report.ok()) << report.error().context;
    start();
    return *report;
  }

  // As a server did that took the records of `coll` for upgraded, and left them as they were.
  void open_and_forget(int version, const std::string& coll) {
    load(version);
    std::string noted;
    put_varint(noted, static_cast<std::uint64_t>(version));
    Batch batch;
    batch.put(Column::kMeta, "schema:" + coll, noted);
    EXPECT_TRUE(store_->kv().write(batch, Durability::kSynced).ok());
    start();
  }

  void pass(std::int64_t ms) { now_ += ms; }

  // What a server says that cannot be opened with these schemas.
  Code refused(int version) {
    load(version);
    const auto report = upgrade(*store_, schemas_, now_);
    EXPECT_FALSE(report.ok());
    return report.error().code;
  }

  std::string push(std::uint64_t device, const std::string& json) {
    auto op = decode_op(json);
    EXPECT_TRUE(op.ok());
    schemas_.admit(*op);
    std::string receipt;
    ExchangeRequest request;
    request.device = device;
    request.push = Push{{std::move(*op)}};
    request.done = [&](Result<ExchangeRequest::Reply> reply) { receipt = reply->receipt; };
    std::vector<Request> group;
    group.emplace_back(std::move(request));
    applier_->apply(group, now_ += 1000);
    return receipt;
  }

  [[nodiscard]] std::string visible(const std::string& coll) const {
    std::string bytes;
    const auto found = disk_->get(Column::kRecords, keys::record("t", coll, "p1"), bytes, nullptr);
    if (!*found) return "nothing";
    const auto head = decode_record_head(bytes);
    return head->visible.empty() ? "deleted" : std::string(head->visible);
  }
  [[nodiscard]] std::string history(const std::string& coll) const {
    const auto page = list_history(*store_, schemas_, HistoryQuery{"t", coll, "p1", "", 100});
    EXPECT_TRUE(page.ok());
    std::string ops;
    for (auto at = page->items.find(R"("op":)"); at != std::string::npos;
         at = page->items.find(R"("op":)", at + 1)) {
      ops += page->items.substr(at, page->items.find('}', at) - at);
    }
    return ops;
  }
  [[nodiscard]] std::string conflict(const std::string& coll, const std::string& field,
                                     const Dot& dot) const {
    const auto shown = show_conflict(*store_, schemas_, ConflictName{"t", coll, "p1", field, dot});
    return shown.ok() ? *shown : shown.error().context;
  }
  // Those that wait for review.
  [[nodiscard]] std::size_t listed(const std::string& coll) const {
    const std::string prefix = keys::record("t", coll, "p1") + '\0';
    auto rows = disk_->iterate(Column::kConflicts, nullptr, keys::prefix_end(prefix));
    std::size_t count = 0;
    for (rows->seek(prefix); rows->valid(); rows->next()) ++count;
    return count;
  }
  [[nodiscard]] std::size_t conflicts(const std::string& coll) const {
    std::string bytes;
    (void)disk_->get(Column::kRecords, keys::record("t", coll, "p1"), bytes, nullptr);
    return decode_record_head(bytes)->conflicts;
  }
  void expect_sound() const {
    const auto report = verify(*store_, [](std::uint64_t) {});
    ASSERT_TRUE(report.ok());
    EXPECT_EQ(report->faults, 0U) << (report->faults > 0 ? report->first_faults[0] : "");
  }
  [[nodiscard]] Seq position() const { return *store_->position(); }

 private:
  void load(int version) {
    applier_.reset();
    store_.reset();
    auto parsed = Schemas::parse(files_(version));
    EXPECT_TRUE(parsed.ok()) << parsed.error().context;
    schemas_ = std::move(*parsed);
    auto opened = Store::open(share(disk_), std::string(kIncarnation));
    EXPECT_TRUE(opened.ok());
    store_ = std::move(*opened);
  }
  void start() {
    applier_ = std::make_unique<Applier>(*store_, schemas_);
    EXPECT_TRUE(applier_->start().ok());
  }
  void enroll(std::uint64_t device, const std::vector<std::string>& scopes) {
    const std::string code = fmt::format("code {}", device);
    std::vector<Request> group;
    group.emplace_back(
        CodeRequest{sha256(code), CodeRow{scopes, "", 1, now_ + 1000}, [](const Status&) {}});
    EnrollRequest request;
    request.code_hash = sha256(code);
    request.new_device = device;
    request.done = [](const auto&) {};
    group.emplace_back(std::move(request));
    applier_->apply(group, now_);
  }

  Files files_;
  std::int64_t now_ = kStart;
  std::shared_ptr<MemoryKv> disk_ = std::make_shared<MemoryKv>();
  Schemas schemas_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Applier> applier_;
};

// An op of record p1.
inline std::string edit(std::uint64_t n, const std::string& what, int schema, Seq base = 0,
                        const std::string& coll = "person") {
  return fmt::format(
      R"({{"n":{},"scope":"t","coll":"{}","id":"p1","wall":{},"mono":0,"boot":"b","schema":{},)"
      R"("base":{},{}}})",
      n, coll, kStart + static_cast<std::int64_t>(n), schema, base, what);
}

}  // namespace waystation::testing
