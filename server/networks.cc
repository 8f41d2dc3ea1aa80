#include "server/networks.h"

#include <fmt/format.h>

#include <boost/beast/core/string.hpp>
#include <charconv>

namespace waystation {
namespace {

std::string bytes_of(const Address& address) {
  std::string bytes;
  if (address.is_v4()) {
    for (const unsigned char byte : address.to_v4().to_bytes()) bytes += static_cast<char>(byte);
  } else {
    for (const unsigned char byte : address.to_v6().to_bytes()) bytes += static_cast<char>(byte);
  }
  return bytes;
}

std::optional<Address> parse_address(std::string_view text) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(text, error);
  if (error) return std::nullopt;
  return plain_address(address);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// "1.2.3.4", "1.2.3.4:80", "[2001:db8::1]:80", "\"[2001:db8::1]\"", "2001:db8::1".
std::optional<Address> parse_node(std::string_view text) {
  text = trimmed(text);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  if (!text.empty() && text.front() == '[') {
    const std::size_t end = text.find(']');
    return end == std::string_view::npos ? std::nullopt : parse_address(text.substr(1, end - 1));
  }
  const std::size_t colon = text.find(':');
  const bool port = colon != std::string_view::npos && text.find(':', colon + 1) == text.npos;
  return parse_address(port ? text.substr(0, colon) : text);
}

// Cuts the last element off a list that is separated by `separator`.
std::string_view take_last(std::string_view& list, char separator) {
  const std::size_t at = list.rfind(separator);
  const std::string_view last = at == list.npos ? list : list.substr(at + 1);
  list = at == list.npos ? std::string_view() : list.substr(0, at);
  return trimmed(last);
}

// The value of a parameter of one element of Forwarded; empty: it has none.
std::string_view parameter(std::string_view element, std::string_view name) {
  while (!element.empty()) {
    const std::string_view pair = take_last(element, ';');
    const std::size_t equal = pair.find('=');
    if (equal != pair.npos && boost::beast::iequals(trimmed(pair.substr(0, equal)), name)) {
      return trimmed(pair.substr(equal + 1));
    }
  }
  return {};
}

}  // namespace

Address plain_address(const Address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
}

std::string address_key(const Address& address) {
  const std::string bytes = bytes_of(plain_address(address));
  return bytes.size() == 16 ? bytes.substr(0, 8) : bytes;
}

Result<Networks> Networks::parse(const std::vector<std::string>& texts) {
  Networks networks;
  for (const std::string& text : texts) {
    const std::size_t slash = text.find('/');
    const auto address = parse_address(std::string_view(text).substr(0, slash));
    if (!address) {
      return Error{Code::kConfigInvalid, fmt::format("\"{}\" is no address or network", text)};
    }
    Network network{bytes_of(*address), 0};
    const unsigned most = static_cast<unsigned>(network.bytes.size()) * 8;
    network.bits = most;
    if (slash != std::string::npos) {
      const char* end = text.data() + text.size();
      const auto parsed = std::from_chars(text.data() + slash + 1, end, network.bits);
      if (parsed.ec != std::errc() || parsed.ptr != end || network.bits > most) {
        return Error{Code::kConfigInvalid, fmt::format("\"{}\" is no address or network", text)};
      }
    }
    networks.networks_.push_back(std::move(network));
  }
  return networks;
}

bool Networks::hold(const Address& address) const {
  const std::string bytes = bytes_of(plain_address(address));
  for (const Network& network : networks_) {
    if (network.bytes.size() != bytes.size()) continue;
    bool same = true;
    for (unsigned bit = 0; bit < network.bits && same; ++bit) {
      const unsigned mask = 0x80U >> (bit % 8);
      same =
          ((static_cast<unsigned>(network.bytes[bit / 8]) ^ static_cast<unsigned>(bytes[bit / 8])) &
           mask) == 0;
    }
    if (same) return true;
  }
  return false;
}

Forwarded forwarded_for(const Address& proxy, const Networks& trusted,
                        std::string_view x_forwarded_for, std::string_view x_forwarded_proto,
                        std::string_view forwarded) {
  Forwarded found{plain_address(proxy), false};
  const bool plain_list = !x_forwarded_for.empty();
  std::string_view list = plain_list ? x_forwarded_for : forwarded;
  if (plain_list) {
    found.secure = boost::beast::iequals(take_last(x_forwarded_proto, ','), "https");
  }
  while (!list.empty()) {
    const std::string_view element = take_last(list, ',');
    const auto node = parse_node(plain_list ? element : parameter(element, "for"));
    if (!plain_list) found.secure = boost::beast::iequals(parameter(element, "proto"), "https");
    if (!node) break;  // "unknown", a name, rubbish: the one that said so is the last known
    found.client = *node;
    if (!trusted.hold(*node)) break;
  }
  return found;
}

}  // namespace waystation
