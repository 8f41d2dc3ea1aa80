#include "tools/admin.h"

#include <fmt/format.h>

#include "server/secrets.h"
#include "sync/canonical.h"
#include "sync/policy.h"
#include "tools/client/http_client.h"

namespace waystation::cli {

std::string server_address(const Config& config, const std::string& server) {
  return server.empty() ? config.listen : server;
}

Result<std::string> ask_as_admin(const Config& config, const std::string& server,
                                 const std::string& method, const std::string& target,
                                 const std::string& body) {
  const auto token = admin_token(config.data, false);
  if (!token) return token.error();
  const std::string address = server_address(config, server);
  const auto answer = HttpClient(address, *token).request(method, target, body);
  if (!answer) {
    return Error{Code::kIo,
                 fmt::format("no server answers ({}): start it with \"waystation serve\", "
                             "or name its address with --server",
                             answer.error().context)};
  }
  if (answer->status != 200) return problem_of(*answer);
  return canonicalize(answer->body);
}

std::string role_check(const std::string& text) {
  return is_role(text) ? std::string() : "\"" + text + "\" is not a role";
}

}  // namespace waystation::cli
