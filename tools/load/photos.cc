// Whether photos slow down the record store: two servers with the same records, one of which holds
// gigabytes of photos too, measured in turn.

#include <fmt/format.h>
#include <openssl/evp.h>

#include <cstring>
#include <random>
#include <stdexcept>

#include "sync/bytes.h"
#include "tools/client/http_client.h"
#include "tools/load/fleet.h"
#include "tools/load/workloads.h"

namespace waystation::load {
namespace {

constexpr std::size_t kRecords = 20'000;
constexpr std::size_t kEdits = 20'000;  // of one measurement
constexpr std::size_t kValueBytes = 28;
constexpr int kRounds = 5;
constexpr std::size_t kPhotoBytes = std::size_t{4} << 20U;

constexpr const char* kSettings = "blob_floor_mib = 0\n";

std::string sha256_hex(std::string_view bytes) {
  std::string hash(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(hash.data()), &size,
                 EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 failed");
  }
  hash.resize(size);
  return hex_of(hash);
}

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

HttpAnswer must(const Result<HttpAnswer>& answer, int status) {
  if (!answer) throw std::runtime_error("upload: " + answer.error().context);
  if (answer->status != status) throw std::runtime_error("upload: " + answer->body);
  return *answer;
}

void upload(HttpClient& client, const std::string& bytes, const std::string& hash) {
  client.set_header("Upload-Length", std::to_string(bytes.size()));
  client.set_header("Upload-Metadata", "sha256 " + base64(hash));
  client.set_header("Upload-Offset", "");
  client.set_header("Content-Type", "");
  const std::string place = must(client.request("POST", "/v1/blobs"), 201).location;
  client.set_header("Upload-Length", "");
  client.set_header("Upload-Metadata", "");
  client.set_header("Upload-Offset", "0");
  client.set_header("Content-Type", "application/offset+octet-stream");
  must(client.request("PATCH", place, bytes), 204);
}

// One server, its records, and a device that hands in edits.
class Store {
 public:
  explicit Store(const Settings& settings)
      : server_(settings.program, settings.folder, kSettings),
        fleet_(loop_, server_),
        renderer_(settings.seed, kValueBytes),
        records_(numbered_records(kRecords)) {
    fleet_.create(records_, renderer_);
    fleet_.office().disconnect();  // while photos go up nobody would answer its pings
  }

  void settle() const { server_.settle(); }

  double edits_per_second() {
    const Devices writer = connected();
    std::vector<std::string> ops;
    for (std::size_t i = 0; i < kEdits; ++i) {
      ops.push_back(
          renderer_.edit(writer.front()->next_n()++, records_[renderer_.pick(records_.size())]));
    }
    const TimePoint start = SteadyClock::now();
    (void)fleet_.push(*writer.front(), ops);
    return static_cast<double>(kEdits) / seconds_between(start, SteadyClock::now());
  }

  double first_fill_ms() {
    const Devices fresh = connected();
    const TimePoint start = SteadyClock::now();
    fleet_.catch_up(fresh);
    return milliseconds_between(start, SteadyClock::now());
  }

  // Uploads so many photos, no two alike, and hands in the records that name them.
  void take_photos(std::size_t count) {
    HttpClient client(server_.address(), server_.admin_token());
    client.set_header("Tus-Resumable", "1.0.0");
    std::mt19937_64 random(1);
    std::string bytes(kPhotoBytes, '\0');
    std::vector<std::string> hashes;
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
        const std::uint64_t word = random();
        std::memcpy(bytes.data() + at, &word, sizeof(word));
      }
      hashes.push_back(sha256_hex(bytes));
      upload(client, bytes, hashes.back());
    }
    const Devices writer = connected();
    std::vector<std::string> ops;
    for (std::size_t i = 0; i < count; ++i) {
      ops.push_back(renderer_.photo(writer.front()->next_n()++, i, kPhotoBytes, hashes[i]));
    }
    (void)fleet_.push(*writer.front(), ops);
  }

 private:
  Devices connected() {
    Devices devices = fleet_.enroll(1);
    fleet_.connect(devices);
    return devices;
  }

  MeasuredServer server_;
  Loop loop_;
  Fleet fleet_;
  Renderer renderer_;
  std::vector<KnownRecord> records_;
};

}  // namespace

void photos(const Settings& settings, std::size_t mib, Report& report) {
  Store without(settings);
  Store with(settings);
  const std::size_t count = (mib << 20U) / kPhotoBytes;
  const TimePoint start = SteadyClock::now();
  with.take_photos(count);
  const double seconds = seconds_between(start, SteadyClock::now());
  const std::string workload = fmt::format("{} photos of {} MiB", count, kPhotoBytes >> 20U);
  report.add(workload, "uploaded and verified, MiB/s", static_cast<double>(mib) / seconds);
  without.settle();
  with.settle();
  for (int round = 0; round < kRounds; ++round) {
    report.add(workload, "edits/s without them", without.edits_per_second());
    report.add(workload, "edits/s with them", with.edits_per_second());
    report.add(workload, "20,000 records to a fresh device without them, ms",
               without.first_fill_ms());
    report.add(workload, "20,000 records to a fresh device with them, ms", with.first_fill_ms());
  }
}

}  // namespace waystation::load
