// Awaiting a callback that comes from another thread. The callback may be called once; it posts the
// value to the awaiting coroutine's executor. If it is dropped uncalled the coroutine ends.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <utility>

#include "server/asio.h"

namespace waystation {

// `start` is called with a std::function-compatible callback that takes a T.
// g++ 12 miscompiles capturing lambdas that are built inside a co_await expression: callers name
// `start` on a line before and move it in.
template <typename T, typename Start>
auto await_callback(asio::any_io_executor executor, Start start) {
  auto initiate = [executor](auto handler, Start begin) {
    auto kept = std::make_shared<decltype(handler)>(std::move(handler));
    begin([executor, kept](T value) {
      auto resume = [kept, moved = std::make_shared<T>(std::move(value))]() mutable {
        std::move (*kept)(std::move(*moved));
      };
      asio::post(executor, std::move(resume));
    });
  };
  return asio::async_initiate<const asio::use_awaitable_t<>, void(T)>(
      std::move(initiate), asio::use_awaitable, std::move(start));
}

}  // namespace waystation
