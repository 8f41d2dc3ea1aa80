// Settings of the server: defaults, then waystation.toml, then the command line. Every key stands
// with its meaning in tools/waystation.toml. Secrets come from the environment only.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sync/projection.h"
#include "sync/result.h"

namespace waystation {

struct Config {
  std::string listen = "127.0.0.1:8080";  // address:port; port 0: any free one
  std::string data = "./data";
  std::string master_key;          // file; empty: master.key in the data folder
  std::string erasures;            // file; empty: erasures.log in the data folder
  std::string schemas;             // empty: those the program came with
  std::string policy;              // empty: policy.json beside the schemas
  std::string web;                 // the built pages; empty: those the program came with
  std::size_t io_threads = 0;      // 0: one a core
  std::size_t reader_threads = 0;  // 0: half the cores, at least one
  std::size_t connections = 20'000;
  std::size_t offline_days = 180;  // a device away for longer starts from a fresh copy
  std::string log_level = "info";
  // The edge (server/gate.h, server/device_limits.h, server/tls.h).
  std::string tls_certificate;               // PEM, with its chain; empty: no TLS
  std::string tls_key;                       // PEM
  bool plain_http = false;                   // also beyond loopback
  std::vector<std::string> trusted_proxies;  // addresses or networks whose forwarded headers count
  std::size_t connections_per_address = 2000;
  std::size_t connects_per_minute = 6000;  // by one address
  std::size_t ops_per_second = 200;        // by one device, in the long run
  std::size_t kib_per_second = 4096;       // by one device, in the long run, both ways
  std::size_t blob_mib = 20;               // the largest photo
  std::size_t blob_floor_mib = 1024;       // that photos leave free on the disk
  std::size_t blob_kib_per_second = 4096;  // of photos, by one device, in the long run, both ways
  std::size_t list_mib = 1024;             // memory for lists of the office; 0: there are none
  bool limit_loopback = false;             // connections from this machine count, too
  std::string zone = "Asia/Shanghai";      // where days of the figures begin
  bool recover = false;  // command line only: open a store whose log is damaged, as a new life
};

// Reads a TOML file over `config`. An unknown key or a wrong type is an error that names the line.
// Errors: kConfigInvalid, kIo.
[[nodiscard]] Status load_config(const std::string& path, Config& config);

// "address:port". Errors: kConfigInvalid.
struct Endpoint {
  std::string address;
  std::uint16_t port = 0;
};
[[nodiscard]] Result<Endpoint> parse_endpoint(const std::string& text);

// The configured files, or those in the data folder.
[[nodiscard]] std::string master_key_file(const Config& config);
[[nodiscard]] std::string erasures_file(const Config& config);

// The folder of schemas: the configured one, or the one that came with the program.
[[nodiscard]] std::string schemas_folder(const Config& config);
// The folder of pages, in the same way; it may be missing.
[[nodiscard]] std::string web_folder(const Config& config);
// The policy file, in the same way.
[[nodiscard]] std::string policy_file(const Config& config);
// The configured zone. Precondition: it was read by load_config, or is the default.
[[nodiscard]] Zone zone_of(const Config& config);

}  // namespace waystation
