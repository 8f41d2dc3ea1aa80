#include "tests/process/certificate.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>
#include <memory>
#include <stdexcept>

namespace waystation::testing {
namespace {

template <typename T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

template <typename Write>
void write_file(const std::string& path, Write write) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  const bool written = file != nullptr && write(file) == 1;
  if (file != nullptr) std::fclose(file);
  if (!written) throw std::runtime_error("cannot write " + path);
}

}  // namespace

void make_certificate(const std::string& name, const std::string& certificate_file,
                      const std::string& key_file) {
  const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const Owned<X509> certificate(X509_new(), X509_free);
  X509* raw = certificate.get();
  X509_set_version(raw, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(raw), 1);
  X509_gmtime_adj(X509_getm_notBefore(raw), -60);
  X509_gmtime_adj(X509_getm_notAfter(raw), 86'400);
  X509_set_pubkey(raw, key.get());
  X509_NAME* subject = X509_get_subject_name(raw);
  const std::string bytes = name;
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(bytes.data()),
                             static_cast<int>(bytes.size()), -1, 0);
  X509_set_issuer_name(raw, subject);
  if (X509_sign(raw, key.get(), EVP_sha256()) == 0) throw std::runtime_error("cannot sign");
  write_file(key_file, [&](std::FILE* file) {
    return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  write_file(certificate_file, [&](std::FILE* file) { return PEM_write_X509(file, raw); });
}

}  // namespace waystation::testing
