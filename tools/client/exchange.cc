#include "tools/client/exchange.h"

#include <fmt/format.h>

#include <chrono>
#include <future>
#include <thread>

#include "server/secrets.h"
#include "sync/canonical.h"
#include "sync/wire.h"
#include "tools/json_view.h"

namespace waystation {
namespace {

// How often a lost answer is asked for again; the waits between double from one second, so that a
// server that is started anew is waited for (15 s in all).
constexpr int kAttempts = 5;
// A store that stays busy this long is not going to take it.
constexpr std::chrono::minutes kBusyPatience(2);

class HttpExchange final : public Exchange {
 public:
  HttpExchange(std::string address, const std::string& token)
      : address_(std::move(address)), client_(address_, token) {}

  Result<HttpAnswer> request(const std::string& method, const std::string& target,
                             const std::string& body) override {
    return client_.request(method, target, body);
  }
  [[nodiscard]] std::string describe() const override {
    return fmt::format("the server at {}", address_);
  }

 private:
  std::string address_;
  HttpClient client_;
};

// "/v1/records?scope=a%2Fb" taken apart as the server's sessions do it.
ApiRequest api_request(const std::string& method, const std::string& target) {
  const auto decode = [](std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%' && i + 2 < text.size()) {
        out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
      } else {
        out += text[i];
      }
    }
    return out;
  };
  ApiRequest request;
  request.method = method;
  const std::size_t question = target.find('?');
  request.path = target.substr(0, question);
  std::string_view rest;
  if (question != std::string::npos) rest = std::string_view(target).substr(question + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    const std::size_t equal = pair.find('=');
    if (equal != std::string_view::npos) {
      request.query[decode(pair.substr(0, equal))] = decode(pair.substr(equal + 1));
    }
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
  }
  return request;
}

class LocalExchange final : public Exchange {
 public:
  LocalExchange(std::unique_ptr<Service> service, std::string what)
      : service_(std::move(service)), what_(std::move(what)) {}

  Result<HttpAnswer> request(const std::string& method, const std::string& target,
                             const std::string& body) override {
    ApiRequest request = api_request(method, target);
    request.bearer = service_->admin_token();
    request.body = body;
    std::promise<ApiReply> promise;
    service_->api(std::move(request), [&](ApiReply reply) { promise.set_value(std::move(reply)); });
    ApiReply reply = promise.get_future().get();
    return HttpAnswer{reply.status, reply.problem ? "application/problem+json" : "application/json",
                      std::move(reply.body)};
  }
  [[nodiscard]] std::string describe() const override { return what_; }

 private:
  std::unique_ptr<Service> service_;
  std::string what_;
};

// The milliseconds that a busy answer asks to wait; nothing when it is none.
std::optional<std::chrono::milliseconds> busy_wait(const HttpAnswer& answer) {
  if (answer.status != info(Code::kBusy).http) return std::nullopt;
  const auto body = canonicalize(answer.body);
  if (!body) return std::nullopt;
  const JsonObject object(*body);
  if (object.text("code") == name(Code::kBusy)) return std::chrono::milliseconds(1000);
  if (object.raw("busy").empty()) return std::nullopt;
  return std::chrono::milliseconds(JsonObject(object.raw("busy")).number("retry_after_ms"));
}

// The error of a sync that failed, wherever in its answer it stands.
Error sync_error(const HttpAnswer& answer) {
  if (const auto body = canonicalize(answer.body)) {
    const JsonObject object(*body);
    if (!object.raw("error").empty()) {
      return problem_of(
          HttpAnswer{answer.status, answer.content_type, std::string(object.raw("error"))});
    }
  }
  return problem_of(answer);
}

}  // namespace

Result<HttpAnswer> Exchange::patient(const std::string& method, const std::string& target,
                                     const std::string& body) {
  const auto give_up = std::chrono::steady_clock::now() + kBusyPatience;
  std::chrono::seconds pause(1);
  for (int attempt = 1;;) {
    auto answer = request(method, target, body);
    if (!answer) {
      if (attempt++ == kAttempts) return answer.error();
      std::this_thread::sleep_for(pause);
      pause *= 2;
      continue;
    }
    const auto wait = busy_wait(*answer);
    if (!wait || std::chrono::steady_clock::now() > give_up) return answer;
    std::this_thread::sleep_for(*wait);
  }
}

Result<std::string> Exchange::ask(const std::string& method, const std::string& target,
                                  const std::string& body) {
  auto answer = patient(method, target, body);
  if (!answer) return answer.error();
  if (answer->status != 200) return problem_of(*answer);
  return std::move(answer->body);
}

Result<std::string> Exchange::sync(const std::string& frame) {
  auto answer = patient("POST", "/v1/sync", frame);
  if (!answer) return answer.error();
  if (answer->status != 200) return sync_error(*answer);
  return std::move(answer->body);
}

Result<std::unique_ptr<Exchange>> exchange_over_http(const std::string& address,
                                                     const Config& config) {
  const auto token = admin_token(config.data, false);
  if (!token) return token.error();
  return std::unique_ptr<Exchange>(std::make_unique<HttpExchange>(address, *token));
}

std::unique_ptr<Exchange> exchange_with(std::unique_ptr<Service> service, std::string what) {
  return std::make_unique<LocalExchange>(std::move(service), std::move(what));
}

Result<std::unique_ptr<Exchange>> exchange_in_process(const Config& config) {
  auto service = Service::open(config);
  if (!service) return service.error();
  return exchange_with(std::move(*service),
                       fmt::format("the store in {}, opened here: no server answers", config.data));
}

Result<std::unique_ptr<Exchange>> open_exchange(const Config& config, const std::string& server) {
  const std::string address = server.empty() ? config.listen : server;
  const auto health = HttpClient(address).request("GET", "/healthz");
  if (health.ok() && health->status == 200) return exchange_over_http(address, config);
  if (!server.empty()) {
    return health.ok() ? Error{Code::kIo, fmt::format("{}: that is not a Waystation", address)}
                       : health.error();
  }
  auto local = exchange_in_process(config);
  if (!local && local.error().code == Code::kStoreLocked) {
    return Error{Code::kStoreLocked,
                 fmt::format("{} is in use, and no server answers at {}: name the server's address "
                             "with --server",
                             config.data, address)};
  }
  return local;
}

Result<Enrolled> enroll_device(Exchange& exchange, const std::vector<std::string>& scopes,
                               std::string_view role, const std::string& name,
                               const std::string& app) {
  std::string body = "{\"scopes\":";
  append_string_array(body, scopes);
  body += ",\"role\":";
  append_json_string(body, role);
  body += R"(,"uses":1,"expires_s":600,"name":)";
  append_json_string(body, name);
  body += '}';
  const auto code = exchange.ask("POST", "/v1/codes", body);
  if (!code) return code.error();
  // The request's name is the same when the answer is lost and asked for again: one device.
  body = fmt::format(R"({{"code":"{}","request":"{}","name":)", json_text(*code, "code"),
                     random_token());
  append_json_string(body, name);
  body += ",\"app\":";
  append_json_string(body, app);
  body += '}';
  const auto enrolled = exchange.ask("POST", "/v1/enroll", body);
  if (!enrolled) return enrolled.error();
  return Enrolled{json_text(*enrolled, "device"), json_text(*enrolled, "token")};
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace waystation
