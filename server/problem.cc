// What is told of an error, and to whom.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <string_view>

#include "server/service.h"
#include "sync/wire.h"

namespace waystation {
namespace {

// How many bytes of UTF-8 stand at the start of `text` for one character; 0: none (RFC 3629).
std::size_t character(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) >= 0xA0;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && byte(1) < 0x90;
    const bool beyond = first == 0xF4 && byte(1) >= 0x90;
    return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

// A path that was asked for may be told of, and hold any bytes: it was percent-encoded.
std::string as_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = character(text);
    if (size == 0) out += '?';
    out += text.substr(0, size);
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

// Not again until another comes: a disk that is full is full for everybody who asks.
void log_once(const Error& error) {
  static std::mutex mutex;
  static std::string last;
  std::string text = fmt::format("{}: {}", name(error.code), error.context);
  const std::lock_guard lock(mutex);
  if (text == last) return;
  spdlog::error("{}", text);
  last = std::move(text);
}

}  // namespace

Error for_outsiders(const Error& error) {
  const bool of_the_disk = error.code == Code::kIo || error.code == Code::kStoreReadOnly ||
                           error.code == Code::kStoreCorrupt;
  if (!of_the_disk) return error;
  log_once(error);
  return Error{error.code, "the log of the server says why"};
}

ApiReply problem(const Error& error) { return problem_in_full(for_outsiders(error)); }

ApiReply problem_with(const Error& error, const std::string& members) {
  ApiReply reply = problem(error);
  reply.body.back() = ',';
  reply.body += members + '}';
  return reply;
}

ApiReply problem_in_full(const Error& error) {
  return ApiReply{info(error.code).http, encode_problem(Error{error.code, as_utf8(error.context)}),
                  true, 0};
}

}  // namespace waystation
