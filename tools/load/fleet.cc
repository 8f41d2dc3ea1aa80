#include "tools/load/fleet.h"

#include <fmt/format.h>

#include <algorithm>

#include "sync/limits.h"
#include "tools/client/http_client.h"

namespace waystation::load {
namespace {

// Connections that are being opened at one time: within any listener's backlog.
constexpr std::size_t kOpening = 100;

std::string post(HttpClient& client, const std::string& path, const std::string& body) {
  const auto answer = client.request("POST", path, body);
  if (!answer) throw std::runtime_error(path + ": " + answer.error().context);
  if (answer->status != 200) throw std::runtime_error(path + ": " + answer->body);
  return answer->body;
}

}  // namespace

Fleet::Fleet(Loop& loop, const MeasuredServer& server) : loop_(loop), server_(server) {
  Devices office = enroll(1, "*");
  connect(office);
  office_ = std::move(office.front());
  Renderer renderer(0, 1);
  push(*office_, {renderer.scope_birth(office_->next_n()++)});
}

Devices Fleet::enroll(std::size_t count, std::string_view scope) {
  HttpClient client(server_.address(), server_.admin_token());
  const std::string code =
      json_text(post(client, "/v1/codes",
                     fmt::format(R"({{"scopes":["{}"],"role":"office","name":"bench","uses":{}}})",
                                 scope, count)),
                "code");
  Devices devices;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string answer =
        post(client, "/v1/enroll",
             fmt::format(R"({{"code":"{}","request":"request-{:012}","name":"bench {}"}})", code, i,
                         i + 1));
    devices.push_back(std::make_unique<Device>(
        loop_, Identity{json_text(answer, "device"), json_text(answer, "token")}));
  }
  return devices;
}

void Fleet::connect(const Devices& devices) {
  std::size_t next = 0;
  std::size_t greeted = 0;
  std::function<void(Device&)> welcomed;
  const auto connect_next = [&] {
    if (next < devices.size()) devices[next++]->connect(server_.endpoint(), welcomed);
  };
  welcomed = [&](Device&) {
    ++greeted;
    connect_next();
  };
  for (std::size_t i = 0; i < kOpening; ++i) connect_next();
  loop_.run_until("all welcomes", [&] { return greeted == devices.size(); });
}

void Fleet::catch_up(const Devices& devices) {
  std::size_t next = 0;
  std::size_t done = 0;
  const auto pull_next = [&] {
    if (next < devices.size()) devices[next++]->pull();
  };
  for (const auto& device : devices) {
    device->on_changes([&](Device& puller, std::string_view) {
      if (!puller.caught_up()) return;
      ++done;
      pull_next();
    });
  }
  for (std::size_t i = 0; i < kOpening; ++i) pull_next();
  loop_.run_until("all first pulls", [&] { return done == devices.size(); });
  for (const auto& device : devices) device->on_changes({});
}

void Fleet::create(std::vector<KnownRecord>& records, Renderer& renderer) {
  std::vector<std::string> ops;
  ops.reserve(records.size());
  for (const KnownRecord& record : records) {
    ops.push_back(renderer.creation(office_->next_n()++, record));
  }
  const std::vector<Seq> seqs = push(*office_, ops);
  for (std::size_t i = 0; i < records.size(); ++i) records[i].seq = seqs[i];
}

std::vector<Seq> Fleet::push(Device& device, const std::vector<std::string>& ops) {
  std::vector<Seq> seqs;
  std::string receipt;
  device.on_receipt([&](Device&, std::string_view text) { receipt = text; });
  for (std::size_t first = 0; first < ops.size(); first += limits::kOpsPerPush) {
    const std::size_t last = std::min(ops.size(), first + limits::kOpsPerPush);
    device.push(push_frame({ops.begin() + static_cast<std::ptrdiff_t>(first),
                            ops.begin() + static_cast<std::ptrdiff_t>(last)}));
    receipt.clear();
    loop_.run_until("a receipt", [&] { return !receipt.empty(); });
    check_receipt(receipt, last - first);
    std::string_view rest = receipt;
    for (std::size_t at = rest.find(R"("seq":)"); at != std::string_view::npos;
         at = rest.find(R"("seq":)", 6)) {
      rest.remove_prefix(at);
      seqs.push_back(first_number(rest, R"("seq":)"));
    }
  }
  device.on_receipt({});
  return seqs;
}

void check_receipt(std::string_view receipt, std::size_t ops) {
  if (count_of(receipt, R"("ok":true)") == ops && receipt.find("\"refused\"") == receipt.npos) {
    return;
  }
  throw std::runtime_error(
      fmt::format("not all {} ops were accepted: {}", ops, receipt.substr(0, 500)));
}

}  // namespace waystation::load
