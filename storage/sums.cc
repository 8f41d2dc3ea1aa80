#include "storage/sums.h"

#include "sync/bytes.h"

namespace waystation {
namespace {

constexpr char kLayout = 1;
constexpr std::string_view kUnreadable = "\xFF";

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63);
}
std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1U) ^ -static_cast<std::int64_t>(value & 1U);
}

}  // namespace

std::string encode_sums(const Sums& sums) {
  std::string out(1, kLayout);
  put_varint(out, sums.size());
  for (const std::int64_t sum : sums) put_varint(out, zigzag(sum));
  return out;
}

bool read_sums(std::string_view bytes, Sums& into) {
  ByteReader reader(bytes);
  into.clear();
  if (reader.byte() != static_cast<std::uint8_t>(kLayout)) reader.fail();
  const std::size_t count = reader.count();
  for (std::size_t i = 0; i < count; ++i) into.push_back(unzigzag(reader.varint()));
  return reader.done();
}

Result<Sums> decode_sums(std::string_view bytes) {
  Sums sums;
  if (!read_sums(bytes, sums)) return Error{Code::kStoreCorrupt, "a damaged row of a projection"};
  return sums;
}

std::string added(std::string_view before, std::string_view change) {
  if (before.empty()) return std::string(change);
  auto sums = decode_sums(before);
  const auto more = decode_sums(change);
  if (!sums || !more) return std::string(kUnreadable);
  add_to(*sums, *more);
  return encode_sums(*sums);
}

}  // namespace waystation
