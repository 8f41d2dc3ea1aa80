// The settings file that is shipped says what the program does without one.

#include <gtest/gtest.h>

#include "server/config.h"

namespace waystation {
namespace {

TEST(Settings, TheShippedFileHoldsTheDefaults) {
  const Config defaults;
  Config read;
  read.listen = read.data = read.schemas = read.policy = read.log_level = "?";
  read.zone = "?";
  read.web = read.master_key = read.erasures = "?";
  read.io_threads = read.reader_threads = read.connections = read.offline_days = 99;
  read.tls_certificate = read.tls_key = "?";
  read.plain_http = read.limit_loopback = true;
  read.trusted_proxies = {"?"};
  read.connections_per_address = read.connects_per_minute = 99;
  read.ops_per_second = read.kib_per_second = 99;
  read.blob_mib = read.blob_floor_mib = read.blob_kib_per_second = read.list_mib = 99;
  const Status loaded = load_config(WS_SOURCE_DIR "/tools/waystation.toml", read);
  ASSERT_TRUE(loaded.ok()) << loaded.error().context;
  EXPECT_EQ(read.listen, defaults.listen);
  EXPECT_EQ(read.data, defaults.data);
  EXPECT_EQ(read.schemas, defaults.schemas);
  EXPECT_EQ(read.policy, defaults.policy);
  EXPECT_EQ(read.web, defaults.web);
  EXPECT_EQ(read.zone, defaults.zone);
  EXPECT_EQ(read.master_key, defaults.master_key);
  EXPECT_EQ(read.erasures, defaults.erasures);
  EXPECT_EQ(read.io_threads, defaults.io_threads);
  EXPECT_EQ(read.reader_threads, defaults.reader_threads);
  EXPECT_EQ(read.connections, defaults.connections);
  EXPECT_EQ(read.offline_days, defaults.offline_days);
  EXPECT_EQ(read.log_level, defaults.log_level);
  EXPECT_EQ(read.tls_certificate, defaults.tls_certificate);
  EXPECT_EQ(read.tls_key, defaults.tls_key);
  EXPECT_EQ(read.plain_http, defaults.plain_http);
  EXPECT_EQ(read.limit_loopback, defaults.limit_loopback);
  EXPECT_EQ(read.trusted_proxies, defaults.trusted_proxies);
  EXPECT_EQ(read.connections_per_address, defaults.connections_per_address);
  EXPECT_EQ(read.connects_per_minute, defaults.connects_per_minute);
  EXPECT_EQ(read.ops_per_second, defaults.ops_per_second);
  EXPECT_EQ(read.kib_per_second, defaults.kib_per_second);
  EXPECT_EQ(read.blob_mib, defaults.blob_mib);
  EXPECT_EQ(read.blob_floor_mib, defaults.blob_floor_mib);
  EXPECT_EQ(read.blob_kib_per_second, defaults.blob_kib_per_second);
  EXPECT_EQ(read.list_mib, defaults.list_mib);
}

}  // namespace
}  // namespace waystation
