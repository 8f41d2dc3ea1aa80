#include "sync/digest.h"

#include <openssl/sha.h>

#include "sync/canonical.h"

namespace waystation {

void Digest::add(const Digest& other) {
  for (std::size_t i = 0; i < lanes.size(); ++i) lanes[i] += other.lanes[i];
}

void Digest::subtract(const Digest& other) {
  for (std::size_t i = 0; i < lanes.size(); ++i) lanes[i] -= other.lanes[i];
}

std::string Digest::hex() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(64);
  for (const std::uint32_t lane : lanes) {
    for (int shift = 28; shift >= 0; shift -= 4) out += kDigits[(lane >> shift) & 15U];
  }
  return out;
}

std::string sha256(std::string_view bytes) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

Digest digest_of_record(std::string_view scope, std::string_view coll, std::string_view id,
                        std::string_view visible) {
  std::string text;
  text.reserve(visible.size() + scope.size() + coll.size() + id.size() + 64);
  text += "{\"coll\":";
  append_json_string(text, coll);
  text += ",\"fields\":";
  text += visible;
  text += ",\"id\":";
  append_json_string(text, id);
  text += ",\"scope\":";
  append_json_string(text, scope);
  text += '}';
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
  Digest digest;
  for (std::size_t lane = 0; lane < digest.lanes.size(); ++lane) {
    for (std::size_t i = 0; i < 4; ++i) {
      digest.lanes[lane] = (digest.lanes[lane] << 8U) | hash[lane * 4 + i];
    }
  }
  return digest;
}

}  // namespace waystation
