// The one thread of the load generator. It shares the machine with the server that it measures, so
// it has one I/O context and one read buffer for all connections. Failures are exceptions: a run
// that fails is of no use.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "server/asio.h"
#include "tools/load/clock.h"

namespace waystation::load {

class Loop {
 public:
  [[nodiscard]] asio::io_context& context() { return context_; }
  // What one read takes at most. Shared: whoever reads is done with it before the next one reads.
  [[nodiscard]] std::vector<char>& scratch() { return scratch_; }

  // Runs handlers until done(), which is asked after each.
  template <typename Done>
  void run_until(const char* what, Done done, std::chrono::seconds patience = kPatience) {
    const auto deadline = SteadyClock::now() + patience;
    context_.restart();
    while (!done()) {
      if (context_.run_one_until(deadline) == 0) {
        throw std::runtime_error(std::string("waited in vain: ") + what);
      }
    }
  }

 private:
  static constexpr std::chrono::seconds kPatience{120};
  static constexpr std::size_t kScratchBytes = 256U << 10U;

  asio::io_context context_{1};
  std::vector<char> scratch_ = std::vector<char>(kScratchBytes);
};

}  // namespace waystation::load
