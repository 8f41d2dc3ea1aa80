// The settings file that is shipped says what the program does without one.

#include <gtest/gtest.h>

#include "server/config.h"

namespace waystation {
namespace {

TEST(Settings, TheShippedFileHoldsTheDefaults) {
  const Config defaults;
  Config read;
  read.listen = read.data = read.schemas = read.log_level = read.master_key = read.erasures = "?";
  read.io_threads = read.reader_threads = read.connections = read.offline_days = 99;
  const Status loaded = load_config(WS_SOURCE_DIR "/tools/waystation.toml", read);
  ASSERT_TRUE(loaded.ok()) << loaded.error().context;
  EXPECT_EQ(read.listen, defaults.listen);
  EXPECT_EQ(read.data, defaults.data);
  EXPECT_EQ(read.schemas, defaults.schemas);
  EXPECT_EQ(read.master_key, defaults.master_key);
  EXPECT_EQ(read.erasures, defaults.erasures);
  EXPECT_EQ(read.io_threads, defaults.io_threads);
  EXPECT_EQ(read.reader_threads, defaults.reader_threads);
  EXPECT_EQ(read.connections, defaults.connections);
  EXPECT_EQ(read.offline_days, defaults.offline_days);
  EXPECT_EQ(read.log_level, defaults.log_level);
}

}  // namespace
}  // namespace waystation
