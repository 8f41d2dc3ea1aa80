// Self-signed certificates for tests.
#pragma once

#include <string>

namespace waystation::testing {

// Makes a key and a certificate for it with this name, good for a day, and puts them into the files
// (PEM). Throws std::runtime_error.
void make_certificate(const std::string& name, const std::string& certificate_file,
                      const std::string& key_file);

}  // namespace waystation::testing
