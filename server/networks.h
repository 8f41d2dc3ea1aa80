// Addresses as the edge sees them: networks, what counts as one address for a limit, and the client
// that a trusted proxy speaks for. Pure functions; any thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sync/result.h"

namespace waystation {

using Address = boost::asio::ip::address;

// An IPv4 address that came mapped into IPv6 (::ffff:1.2.3.4) is the IPv4 address.
[[nodiscard]] Address plain_address(const Address& address);

// What limits count as one: an IPv4 address, or the /64 of an IPv6 address, for whoever has one
// such address has all 2^64 of its network.
[[nodiscard]] std::string address_key(const Address& address);

class Networks {
 public:
  // Each an address ("10.0.0.1") or a network ("10.0.0.0/8", "fd00::/8"). Errors: kConfigInvalid.
  [[nodiscard]] static Result<Networks> parse(const std::vector<std::string>& texts);
  [[nodiscard]] bool hold(const Address& address) const;

 private:
  struct Network {
    std::string bytes;  // 4 or 16
    unsigned bits = 0;
  };
  std::vector<Network> networks_;
};

struct Forwarded {
  Address client;
  bool secure = false;  // it spoke TLS to the proxy
};

// Whom a request of `proxy`, which is trusted, was made for. Each proxy adds at the right the
// address that it sees, so what counts is the rightmost that is not a trusted proxy itself; what
// stands left of that was written by the client and is not looked at. `x_forwarded_for` counts when
// it is not empty, else `forwarded` (RFC 7239).
[[nodiscard]] Forwarded forwarded_for(const Address& proxy, const Networks& trusted,
                                      std::string_view x_forwarded_for,
                                      std::string_view x_forwarded_proto,
                                      std::string_view forwarded);

}  // namespace waystation
