// Handhelds in the field: devices that write at random, hand in over real connections that may
// break at any moment, and remember every verdict that reached them. Each is used by one thread at
// a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "sync/replica.h"
#include "tests/process/live_client.h"
#include "tests/process/messages.h"
#include "tests/process/test_server.h"

namespace waystation::testing {

using Random = std::mt19937_64;

[[nodiscard]] std::uint64_t pick(Random& random, std::uint64_t below);

inline constexpr const char* kTown = "town";
inline constexpr const char* kStation = "station:s1";

class Handheld {
 public:
  Handheld(const Enrolled& account, bool live);

  // Writes and hands in until the server is gone or `moments` exchanges are done.
  void work(const TestServer& server, Random& random, std::size_t moments);
  // Hands in what waits and pulls all; true when it holds everything.
  bool finish(const TestServer& server);
  // Hands in these ops again. The results, by n; empty when the server did not answer. A verdict
  // whose first answer was lost on the way is learned here.
  [[nodiscard]] std::map<std::uint64_t, std::string> repeat(const TestServer& server,
                                                            const std::vector<std::uint64_t>& ns);

  [[nodiscard]] Replica& replica() { return replica_; }
  [[nodiscard]] const Replica& replica() const { return replica_; }
  // Every op that was handed in, and every verdict that came back, word for word.
  [[nodiscard]] const std::map<std::uint64_t, std::string>& ops() const { return ops_; }
  [[nodiscard]] const std::map<std::uint64_t, std::string>& verdicts() const { return verdicts_; }
  // Verdicts that differed from the first one.
  [[nodiscard]] const std::vector<std::string>& faults() const { return faults_; }

 private:
  void write_something(Random& random);
  void write(Random& random);
  void work_live(const TestServer& server, Random& random, std::size_t moments);
  bool exchange(HttpClient& http);
  // What goes out and comes in passes here.
  void remember_ops(const std::string& frame);
  bool take(const std::string& frame);

  Replica replica_;
  bool live_;
  std::map<std::uint64_t, std::string> ops_;
  std::map<std::uint64_t, std::string> verdicts_;
  std::vector<std::string> faults_;
};

}  // namespace waystation::testing
