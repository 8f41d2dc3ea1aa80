#include "tools/load/render.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <numeric>

#include "tools/load/live_socket.h"

namespace waystation::load {
namespace {

std::string op(std::uint64_t n, std::string_view coll, const KnownRecord& record,
               std::string_view fields) {
  const Moment now = moment();
  return fmt::format(R"({{"n":{},"scope":"{}","coll":"{}","id":"{}","wall":{},"mono":{},)"
                     R"("boot":"{}","schema":1,"base":{},"set":{{{}}}}})",
                     n, kScope, coll, record.id, now.wall_ms, now.mono_ms, kBoot, record.seq,
                     fields);
}

}  // namespace

Moment moment() {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  const auto mono = std::chrono::steady_clock::now().time_since_epoch();
  return Moment{duration_cast<milliseconds>(wall).count(),
                duration_cast<milliseconds>(mono).count()};
}

std::vector<KnownRecord> numbered_records(std::size_t count) {
  std::vector<KnownRecord> records(count);
  for (std::size_t i = 0; i < count; ++i) records[i].id = fmt::format("r{:07}", i);
  return records;
}

std::string Renderer::scope_birth(std::uint64_t n) {
  return op(n, "scope", KnownRecord{std::string(kScope), 0}, R"("title":"bench","kind":"event")");
}

std::string Renderer::creation(std::uint64_t n, const KnownRecord& record) {
  std::string fields;
  for (std::size_t i = 0; i < kFields; ++i) append_field(fields, i);
  return op(n, "note", record, fields);
}

std::string Renderer::edit(std::uint64_t n, const KnownRecord& record) {
  std::array<std::size_t, kFields> all{};
  std::iota(all.begin(), all.end(), 0U);
  std::string fields;
  for (std::size_t i = 0; i < kEditedFields; ++i) {
    std::swap(all[i], all[i + pick(kFields - i)]);
    append_field(fields, all[i]);
  }
  return op(n, "note", record, fields);
}

std::string Renderer::photo(std::uint64_t n, std::size_t i, std::size_t bytes,
                            std::string_view hash) {
  return op(n, "photo", KnownRecord{fmt::format("p{:07}", i), 0},
            fmt::format(R"("about":"event/bench","blob":"{}","bytes":{},"media_type":"image/jpeg")",
                        hash, bytes));
}

std::size_t Renderer::pick(std::size_t below) {
  return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_);
}

void Renderer::append_field(std::string& out, std::size_t field) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz012345";
  if (!out.empty()) out += ',';
  fmt::format_to(std::back_inserter(out), R"("f{}":")", field);
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < value_bytes_; ++i) {
    if (i % 12 == 0) bits = random_();
    out += kLetters[bits & 31U];
    bits >>= 5U;
  }
  out += '"';
}

std::string push_frame(const std::vector<std::string>& ops) {
  std::string text = R"({"push":{"ops":[)";
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (i > 0) text += ',';
    text += ops[i];
  }
  text += "]}}";
  return client_frame(text);
}

}  // namespace waystation::load
