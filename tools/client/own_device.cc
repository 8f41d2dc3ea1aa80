#include "tools/client/own_device.h"

#include <fmt/format.h>

#include "sync/policy.h"

namespace waystation {

Result<std::unique_ptr<Pusher>> greet_as(Exchange& exchange, SavedDevice& saved,
                                         const std::string& name, const std::string& app) {
  if (saved.device()) {
    auto pusher = std::make_unique<Pusher>(exchange, *saved.device(), app);
    const auto greeted = pusher->greet();
    if (greeted.ok()) return pusher;
    const Code code = greeted.error().code;
    if (code == Code::kAuthRevoked) {
      return Error{code, fmt::format("the office has shut out the device \"{}\" that this command "
                                     "uses; delete {} to enrol another",
                                     name, saved.path())};
    }
    if (code != Code::kAuthUnknownDevice && code != Code::kAuthBadToken) return greeted.error();
  }
  const auto device = enroll_device(exchange, {"*"}, kRoleOffice, name, app);
  if (!device) return device.error();
  if (auto kept = saved.save(*device, 1); !kept) return kept.error();
  auto pusher = std::make_unique<Pusher>(exchange, *device, app);
  if (auto greeted = pusher->greet(); !greeted) return greeted.error();
  return pusher;
}

}  // namespace waystation
