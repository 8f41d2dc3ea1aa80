// "Send this, get the answer": one interface to a server over HTTP and to a store that this process
// opened itself, so that a tool works with both. It speaks as the administrator; a frame names its
// device itself. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/config.h"
#include "server/service.h"
#include "sync/result.h"
#include "tools/client/http_client.h"

namespace waystation {

class Exchange {
 public:
  Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  virtual ~Exchange() = default;

  // One request of the HTTP interface; `target` is a path with its query. Errors: kIo (no answer).
  [[nodiscard]] virtual Result<HttpAnswer> request(const std::string& method,
                                                   const std::string& target,
                                                   const std::string& body = {}) = 0;

  // The same, with an answer other than 200 turned into its Error. Busy is waited out.
  [[nodiscard]] Result<std::string> ask(const std::string& method, const std::string& target,
                                        const std::string& body = {});

  // Sends a frame of POST /v1/sync and gives the reply. A lost answer is asked for again (nothing
  // is applied twice), busy is waited out; what the server refuses comes back as its Error.
  [[nodiscard]] Result<std::string> sync(const std::string& frame);

  // How it reaches the store, for people.
  [[nodiscard]] virtual std::string describe() const = 0;

 private:
  [[nodiscard]] Result<HttpAnswer> patient(const std::string& method, const std::string& target,
                                           const std::string& body);
};

// The running server at `address`, with the administrator's token of config.data. Errors: kIo.
[[nodiscard]] Result<std::unique_ptr<Exchange>> exchange_over_http(const std::string& address,
                                                                   const Config& config);
// A service in this process; `what` describes it.
[[nodiscard]] std::unique_ptr<Exchange> exchange_with(std::unique_ptr<Service> service,
                                                      std::string what);
// The store of config.data, opened in this process. Errors: as Service::open.
[[nodiscard]] Result<std::unique_ptr<Exchange>> exchange_in_process(const Config& config);

// Whether a server answers at config.listen; if so, through it, else in process. With a `server`
// given, only through that.
[[nodiscard]] Result<std::unique_ptr<Exchange>> open_exchange(const Config& config,
                                                              const std::string& server);

// A device with the given scopes in the given role, by way of a code that is used up at once.
[[nodiscard]] Result<Enrolled> enroll_device(Exchange& exchange,
                                             const std::vector<std::string>& scopes,
                                             std::string_view role, const std::string& name,
                                             const std::string& app);

// "a/b" as "a%2Fb", for a value in a query.
[[nodiscard]] std::string percent_encode(std::string_view text);

}  // namespace waystation
