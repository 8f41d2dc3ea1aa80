// The names of Asio and Beast that server/ uses, in one place. Only server/ and the programs that
// speak to it over sockets know them.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>

namespace waystation {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;

// A completion token that puts the error into `error` instead of throwing.
inline auto into(ErrorCode& error) { return asio::redirect_error(asio::use_awaitable, error); }

}  // namespace waystation
