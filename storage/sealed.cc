#include "storage/sealed.h"

#include <sodium.h>

#include <algorithm>
#include <vector>

#include "sync/result.h"

namespace waystation {
namespace {

// U+0001 as canonical JSON writes it, then the layout's number. No text that people type has it.
constexpr std::string_view kStart = "\"\\u0001p1.";
// What is searched for: a quote stands everywhere, a backslash seldom.
constexpr std::string_view kRare = kStart.substr(1);
constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr int kBase64 = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// One key for the nonce and one for the cipher, from the person's.
PersonKey derived(const PersonKey& key, std::uint64_t which) {
  PersonKey made;
  const int done =
      crypto_kdf_derive_from_key(made.data(), made.size(), which, "wspersn", key.data());
  WS_CHECK(done == 0);
  return made;
}

bool is_person_char(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == ':' || c == '~' || c == '-';
}

bool is_base64_char(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

// Whether the quote at `at` is one, and no part of a string.
bool opens_a_string(std::string_view json, std::size_t at) {
  std::size_t slashes = 0;
  while (slashes < at && json[at - 1 - slashes] == '\\') ++slashes;
  return slashes % 2 == 0;
}

std::string_view payload_of(std::string_view json, const Sealed& sealed) {
  const std::size_t from = sealed.begin + kStart.size() + sealed.person.size() + 1;
  return json.substr(from, sealed.end - 1 - from);
}

// Takes "name": before `out`'s end away, and the comma beside it. True when the comma that follows
// in the source has to go too.
bool drop_member(std::string& out) {
  out.pop_back();  // the colon
  out.pop_back();  // the quote behind the name
  while (!out.empty() && out.back() != '"') out.pop_back();
  out.pop_back();
  if (!out.empty() && out.back() == ',') {
    out.pop_back();
    return false;
  }
  return true;
}

}  // namespace

void secure_random(std::span<unsigned char> bytes) { randombytes_buf(bytes.data(), bytes.size()); }

std::string keyed_hash(const PersonKey& key, std::string_view text) {
  std::string hash(crypto_generichash_BYTES, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(hash.data()), hash.size(), bytes_of(text),
                     text.size(), key.data(), key.size());
  return hash;
}

std::string seal(const PersonKey& key, std::string_view person, std::string_view value) {
  std::vector<unsigned char> sealed(kNonce + value.size() + kTag);
  const PersonKey nonce_key = derived(key, 1);
  crypto_generichash_state hash;
  crypto_generichash_init(&hash, nonce_key.data(), nonce_key.size(), kNonce);
  crypto_generichash_update(&hash, bytes_of(person), person.size());
  crypto_generichash_update(&hash, reinterpret_cast<const unsigned char*>("\0"), 1);
  crypto_generichash_update(&hash, bytes_of(value), value.size());
  crypto_generichash_final(&hash, sealed.data(), kNonce);
  const PersonKey cipher_key = derived(key, 2);
  crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data() + kNonce, nullptr, bytes_of(value),
                                             value.size(), bytes_of(person), person.size(), nullptr,
                                             sealed.data(), cipher_key.data());
  std::string text(sodium_base64_ENCODED_LEN(sealed.size(), kBase64), '\0');
  sodium_bin2base64(text.data(), text.size(), sealed.data(), sealed.size(), kBase64);
  text.pop_back();  // the byte 0 behind it
  std::string out(kStart);
  out += person;
  out += '.';
  out += text;
  out += '"';
  return out;
}

std::optional<Sealed> find_sealed(std::string_view json, std::size_t from) {
  for (std::size_t rare = json.find(kRare, from + 1); rare != std::string_view::npos;
       rare = json.find(kRare, rare + 1)) {
    const std::size_t at = rare - 1;
    if (json[at] != '"' || !opens_a_string(json, at)) continue;
    const std::size_t end = json.find('"', at + 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view inside = json.substr(at + kStart.size(), end - at - kStart.size());
    // An id may hold dots, what is sealed may not.
    const std::size_t dot = inside.rfind('.');
    if (dot == std::string_view::npos || dot == 0) continue;
    const std::string_view person = inside.substr(0, dot);
    const std::string_view payload = inside.substr(dot + 1);
    if (!std::all_of(person.begin(), person.end(), is_person_char)) continue;
    if (payload.empty() || !std::all_of(payload.begin(), payload.end(), is_base64_char)) continue;
    return Sealed{at, end + 1, person};
  }
  return std::nullopt;
}

std::optional<std::string> unseal(const PersonKey& key, std::string_view json,
                                  const Sealed& sealed) {
  const std::string_view payload = payload_of(json, sealed);
  std::vector<unsigned char> bytes(payload.size());
  std::size_t size = 0;
  if (sodium_base642bin(bytes.data(), bytes.size(), payload.data(), payload.size(), nullptr, &size,
                        nullptr, kBase64) != 0 ||
      size < kNonce + kTag) {
    return std::nullopt;
  }
  std::string value(size - kNonce - kTag, '\0');
  const PersonKey cipher_key = derived(key, 2);
  const int opened = crypto_aead_xchacha20poly1305_ietf_decrypt(
      reinterpret_cast<unsigned char*>(value.data()), nullptr, nullptr, bytes.data() + kNonce,
      size - kNonce, bytes_of(sealed.person), sealed.person.size(), bytes.data(),
      cipher_key.data());
  if (opened != 0) return std::nullopt;
  return value;
}

std::string unseal_all(std::string_view json, const FindKey& find, Gone gone) {
  std::string out;
  std::size_t done = 0;
  std::string person;  // of the key at hand: values of one person stand side by side
  KeyState state = KeyState::kNone;
  PersonKey key{};
  for (auto sealed = find_sealed(json, 0); sealed; sealed = find_sealed(json, sealed->end)) {
    if (sealed->person != person) {
      person = std::string(sealed->person);
      state = find(sealed->person, key);
    }
    out += json.substr(done, sealed->begin - done);
    done = sealed->begin;
    if (state == KeyState::kNone) continue;
    if (state == KeyState::kKnown) {
      const auto value = unseal(key, json, *sealed);
      if (!value) continue;
      out += *value;
    } else if (gone == Gone::kLeftOut && !out.empty() && out.back() == ':') {
      const bool first = drop_member(out);
      done = sealed->end;
      if (first && done < json.size() && json[done] == ',') ++done;
      continue;
    } else {
      out += "null";
    }
    done = sealed->end;
  }
  out += json.substr(done);
  sodium_memzero(key.data(), key.size());
  return out;
}

}  // namespace waystation
