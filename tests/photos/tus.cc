#include "tests/photos/tus.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "sync/bytes.h"
#include "sync/digest.h"

namespace waystation::testing {

std::string base64(const std::string& bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned bits = 0;
    for (std::size_t j = i; j < i + 3; ++j) {
      bits = bits << 8U | (j < bytes.size() ? static_cast<unsigned char>(bytes[j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += i + j > bytes.size() ? '=' : kDigits[bits >> (18 - 6 * j) & 63U];
    }
  }
  return out;
}

std::string hash_of(const std::string& bytes) { return hex_of(sha256(bytes)); }

std::string picture(std::size_t size, unsigned seed) {
  std::string bytes(size, '\0');
  std::uint32_t state = seed * 2654435761U + 1;
  for (char& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<char>(state >> 24U);
  }
  return bytes;
}

std::string header(const RawAnswer& answer, const std::string& name) {
  const auto at = answer.headers.find(name);
  return at == answer.headers.end() ? std::string() : at->second;
}

std::string code_of(const RawAnswer& answer) {
  return answer.body.empty() ? std::string() : parse_json(answer.body).value("code", "");
}

std::string Tus::head_of(const std::string& method, const std::string& target,
                         const std::string& headers, std::size_t length) const {
  return fmt::format(
      "{} {} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nTus-Resumable: 1.0.0\r\n{}"
      "Content-Length: {}\r\n\r\n",
      method, target, bearer_, headers, length);
}

RawAnswer Tus::request(const std::string& method, const std::string& target,
                       const std::string& headers, const std::string& body) const {
  RawSocket raw(server_.port());
  raw.send(head_of(method, target, headers, body.size()));
  if (!body.empty()) raw.send(body);
  auto answer = raw.answer(method == "HEAD");
  return answer ? std::move(*answer) : RawAnswer{};
}

RawAnswer Tus::create(std::size_t length, const std::string& hash) const {
  return request("POST", "/v1/blobs",
                 fmt::format("Upload-Length: {}\r\nUpload-Metadata: filename {},sha256 {}\r\n",
                             length, base64("../../照片.jpg"), base64(hash)));
}

std::string Tus::begin(const std::string& bytes) const {
  const RawAnswer made = create(bytes.size(), hash_of(bytes));
  EXPECT_EQ(made.status, 201) << made.body;
  return header(made, "location");
}

RawAnswer Tus::patch(const std::string& place, std::size_t offset, const std::string& bytes) const {
  return request("PATCH", place,
                 fmt::format("Content-Type: application/offset+octet-stream\r\n"
                             "Upload-Offset: {}\r\n",
                             offset),
                 bytes);
}

void Tus::cut_off(const std::string& place, std::size_t offset, const std::string& bytes,
                  std::size_t sent) const {
  RawSocket raw(server_.port());
  raw.send(head_of("PATCH", place,
                   fmt::format("Content-Type: application/offset+octet-stream\r\n"
                               "Upload-Offset: {}\r\n",
                               offset),
                   bytes.size()));
  raw.send(std::string_view(bytes).substr(0, sent));
  // What lies in the line still arrives.
  raw.finish();
  (void)raw.rest(std::chrono::milliseconds(1000));
}

std::optional<std::size_t> Tus::offset(const std::string& place) const {
  const RawAnswer answer = request("HEAD", place);
  if (answer.status != 200) return std::nullopt;
  return std::stoul(header(answer, "upload-offset"));
}

void Tus::upload(const std::string& bytes) const {
  const std::string place = begin(bytes);
  const RawAnswer done = patch(place, 0, bytes);
  EXPECT_EQ(done.status, 204) << done.body;
  EXPECT_EQ(header(done, "upload-offset"), std::to_string(bytes.size()));
}

RawAnswer Tus::get(const std::string& hash, const std::string& scope, const std::string& id,
                   const std::string& headers) const {
  return request("GET", fmt::format("/v1/blobs/{}?scope={}&id={}", hash, scope, id), headers);
}

}  // namespace waystation::testing
