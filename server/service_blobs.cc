// Photos over HTTP: taken in by the tus protocol 1.0.0, given out to whoever may read the record
// that names them. docs/protocol.md, "Photos". Files are read and written by threads of their own.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "server/edge_limits.h"
#include "server/service.h"
#include "storage/keys.h"
#include "storage/rules.h"
#include "sync/limits.h"

namespace waystation {
namespace {

constexpr std::string_view kBlobs = "/v1/blobs";
constexpr std::string_view kUploads = "/v1/blobs/uploads/";
constexpr std::string_view kTusVersion = "1.0.0";
constexpr std::string_view kTusExtensions = "creation,expiration,termination";
constexpr std::string_view kOffsetType = "application/offset+octet-stream";
// Files that are looked at before the writer is asked.
constexpr std::size_t kSweptAtOnce = 256;

std::string header(const ApiRequest& request, const std::string& name) {
  const auto at = request.headers.find(name);
  return at == request.headers.end() ? std::string() : at->second;
}

std::string query(const ApiRequest& request, const std::string& key) {
  const auto at = request.query.find(key);
  return at == request.query.end() ? std::string() : at->second;
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string http_date(std::int64_t ms) {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S GMT}", fmt::gmtime(ms / 1000));
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  const auto filling = static_cast<std::size_t>(std::count(text.end() - 2, text.end(), '='));
  bytes.resize(static_cast<std::size_t>(size) - filling);
  return bytes;
}

// "key base64,key base64": the value of one key. Names of files and whatever else a client tells
// are passed over.
std::optional<std::string> metadata(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    const std::size_t space = std::min(pair.find(' '), pair.size());
    if (pair.substr(0, space) != key) continue;
    pair.remove_prefix(std::min(space + 1, pair.size()));
    while (pair.ends_with(' ')) pair.remove_suffix(1);
    return from_base64(pair);
  }
  return std::nullopt;
}

ApiReply bare(int status) { return ApiReply{status, "", false, 0}; }

ApiReply with_state(int status, const UploadState& state) {
  ApiReply reply = bare(status);
  reply.headers = {{"Upload-Offset", std::to_string(state.offset)},
                   {"Upload-Length", std::to_string(state.length)},
                   {"Upload-Expires", http_date(state.expires_ms)}};
  return reply;
}

Error nowhere() {
  return Error{Code::kHttpNotFound, "no such photo, or none that the asker may see"};
}

struct Range {
  std::uint64_t from = 0;
  std::uint64_t length = 0;
};
enum class RangeKind : std::uint8_t { kWhole, kPart, kBeyond };

// RFC 9110, 14.1.2, one range of bytes; anything else is answered with the whole.
RangeKind range_of(std::string_view text, std::uint64_t size, Range& range) {
  range = {0, size};
  constexpr std::string_view kUnit = "bytes=";
  if (!text.starts_with(kUnit)) return RangeKind::kWhole;
  text.remove_prefix(kUnit.size());
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return RangeKind::kWhole;
  const std::string_view before = text.substr(0, dash);
  const std::string_view behind = text.substr(dash + 1);
  const auto first = whole_number(before);
  const auto last = whole_number(behind);
  if ((!before.empty() && !first) || (!behind.empty() && !last) || (!first && !last)) {
    return RangeKind::kWhole;
  }
  if (!first) {
    if (*last == 0) return RangeKind::kBeyond;
    range.length = std::min(*last, size);
    range.from = size - range.length;
    return RangeKind::kPart;
  }
  if (last && *last < *first) return RangeKind::kWhole;
  if (*first >= size) return RangeKind::kBeyond;
  range.from = *first;
  range.length = (last ? std::min(*last, size - 1) : size - 1) - *first + 1;
  return RangeKind::kPart;
}

// What the record says, as far as a browser may believe it; the bytes were made by a stranger.
std::string_view media_type(const Record& record) {
  constexpr std::array<std::string_view, 3> kPictures{"image/jpeg", "image/png", "image/webp"};
  const auto said = record.shown_text("media_type").value_or("");
  const auto known = std::find(kPictures.begin(), kPictures.end(), said);
  return known == kPictures.end() ? "application/octet-stream" : *known;
}

}  // namespace

bool Service::is_blob_path(std::string_view path) {
  return path == kBlobs || path.starts_with("/v1/blobs/");
}

Result<std::vector<std::string>> Service::open_blobs(const Config& config) {
  blob_work_ =
      std::make_unique<ReaderPool>(limits::kBlobThreads, surroundings_.threads, limits::kBlobQueue);
  if (surroundings_.blobs.empty()) return std::vector<std::string>();
  blobs_ = std::make_unique<Blobs>(surroundings_.blobs);
  UploadLimits most;
  most.bytes = std::uint64_t{config.blob_mib} << 20U;
  most.floor_bytes = std::uint64_t{config.blob_floor_mib} << 20U;
  uploads_ = std::make_unique<Uploads>(surroundings_.uploads, *blobs_, most);
  return uploads_->load();
}

std::size_t Service::upload_bytes() const {
  return uploads_ == nullptr ? 0 : static_cast<std::size_t>(uploads_->limits().bytes);
}

// Runs `job` where files may be waited for.
void Service::on_disk(ApiDone done, std::function<void(const ApiDone&)> job) {
  const auto run = [done, job = std::move(job)] { job(done); };
  if (!blob_work_->submit(run)) done(busy("too many photos are on their way"));
}

// --- uploads ----------------------------------------------------------------------------------

Result<Service::Caller> Service::uploader(const ApiRequest& request) const {
  if (header(request, "tus-resumable") != kTusVersion) {
    return Error{Code::kUploadVersion, fmt::format("Tus-Resumable: {} is spoken", kTusVersion)};
  }
  return caller(request);
}

void Service::blobs(const ApiRequest& request, ApiDone done) {
  if (uploads_ == nullptr) return done(problem(nowhere()));
  done = [done = std::move(done)](ApiReply reply) {
    reply.headers.emplace_back("Tus-Resumable", kTusVersion);
    done(std::move(reply));
  };
  const std::string& method = request.method;
  const auto wrong_method = [&] {
    done(problem(Error{Code::kHttpMethod, fmt::format("{} {}", method, request.path)}));
  };
  if (request.path == kBlobs) {
    if (method == "POST") return create_upload(request, std::move(done));
    if (method != "OPTIONS") return wrong_method();
    if (const auto who = caller(request); !who) return done(problem(who.error()));
    ApiReply reply = bare(204);
    reply.headers = {{"Tus-Version", std::string(kTusVersion)},
                     {"Tus-Extension", std::string(kTusExtensions)},
                     {"Tus-Max-Size", std::to_string(upload_bytes())}};
    return done(std::move(reply));
  }
  if (!request.path.starts_with(kUploads)) {
    return method == "GET" || method == "HEAD" ? give_blob(request, std::move(done))
                                               : wrong_method();
  }
  const bool look = method == "HEAD";
  if (!look && method != "DELETE") return wrong_method();
  const auto who = uploader(request);
  if (!who) return done(problem(who.error()));
  done = within_limits(request, *who, false, std::move(done));
  if (done == nullptr) return;
  const std::string id = request.path.substr(kUploads.size());
  on_disk(std::move(done), [this, id, look, owner = who->who](const ApiDone& answer) {
    if (look) {
      const auto state = uploads_->look(owner, id);
      return answer(state ? with_state(200, *state) : problem(state.error()));
    }
    const auto removed = uploads_->remove(owner, id);
    answer(removed ? bare(204) : problem(removed.error()));
  });
}

void Service::create_upload(const ApiRequest& request, ApiDone done) {
  const auto who = uploader(request);
  if (!who) return done(problem(who.error()));
  const auto length = whole_number(header(request, "upload-length"));
  const auto hash = metadata(header(request, "upload-metadata"), "sha256");
  if (!length || !hash || !valid_blob_hash(*hash) || !request.body.empty()) {
    return done(problem(Error{Code::kUploadInvalid,
                              "Upload-Length and, in Upload-Metadata, sha256 (64 hex digits in "
                              "base64) are required, and no body"}));
  }
  done = within_limits(request, *who, false, std::move(done));
  if (done == nullptr) return;
  const std::string id = random_incarnation(surroundings_.random);
  on_disk(std::move(done),
          [this, id, length = *length, hash = *hash, owner = who->who](const ApiDone& answer) {
            const auto made = uploads_->create(id, owner, length, hash, surroundings_.now_ms());
            if (!made) return answer(problem(made.error()));
            ApiReply reply = with_state(201, *made);
            reply.headers.emplace_back("Location", std::string(kUploads) + id);
            answer(std::move(reply));
          });
}

void Service::begin_upload(const ApiRequest& request, std::function<void(UploadStart)> begun) {
  const auto refuse = [&](ApiReply reply) {
    reply.headers.emplace_back("Tus-Resumable", kTusVersion);
    begun(UploadStart{std::move(reply), nullptr});
  };
  if (uploads_ == nullptr || !request.path.starts_with(kUploads)) {
    return refuse(problem(nowhere()));
  }
  const auto who = uploader(request);
  if (!who) return refuse(problem(who.error()));
  if (header(request, "content-type") != kOffsetType) {
    return refuse(
        problem(Error{Code::kUploadType, fmt::format("Content-Type is {}", kOffsetType)}));
  }
  const auto offset = whole_number(header(request, "upload-offset"));
  if (!offset) return refuse(problem(Error{Code::kUploadInvalid, "Upload-Offset is required"}));
  auto started = std::make_shared<UploadInHand>();
  started->device = who->is_device() ? who->account->device : 0;
  if (started->device != 0) {
    started->visit = enter(started->device);
    const std::int64_t wait = device_limits_->blob_wait_ms(started->device, surroundings_.now_ms());
    if (started->visit == nullptr || wait > 0) {
      return refuse(busy("this device sends too much at one time", wait));
    }
  }
  auto job = [this, started, owner = who->who, id = request.path.substr(kUploads.size()),
              offset = *offset, begun] {
    auto writing = uploads_->begin(owner, id, offset);
    if (!writing) {
      ApiReply reply = problem(writing.error());
      reply.headers.emplace_back("Tus-Resumable", kTusVersion);
      return begun(UploadStart{std::move(reply), nullptr});
    }
    started->writing = std::move(*writing);
    begun(UploadStart{std::nullopt, started});
  };
  if (!blob_work_->submit(std::move(job))) refuse(busy("too many photos are on their way"));
}

void Service::write_upload(const UploadInHandPtr& upload, std::string bytes,
                           std::function<void(Status)> written) {
  if (upload->device != 0) {
    device_limits_->blob_bytes(upload->device, bytes.size(), surroundings_.now_ms());
  }
  auto job = [this, upload, bytes = std::move(bytes), written] {
    written(uploads_->write(*upload->writing, bytes));
  };
  if (!blob_work_->submit(std::move(job))) written(Error{Code::kBusy, ""});
}

void Service::end_upload(const UploadInHandPtr& upload, ApiDone done) {
  done = [done = std::move(done)](ApiReply reply) {
    reply.headers.emplace_back("Tus-Resumable", kTusVersion);
    done(std::move(reply));
  };
  on_disk(std::move(done), [this, upload](const ApiDone& answer) {
    const auto state = uploads_->end(*upload->writing, surroundings_.now_ms());
    if (!state) return answer(problem(state.error()));
    if (!state->complete()) return answer(with_state(204, *state));
    // The records are told first: whoever reads this answer finds them so.
    tell_presence(state->hash, "", [answer, state = *state](const Status& told) {
      answer(told ? with_state(204, state) : problem(told.error()));
    });
  });
}

// --- what records say of their blobs ------------------------------------------------------------

void Service::tell_presence(const std::string& hash, std::string after,
                            std::function<void(Status)> done) {
  PresenceRequest request;
  request.hash = hash;
  request.after = std::move(after);
  request.done = [this, hash, done](Result<std::string> next) {
    if (!next) return done(next.error());
    if (!next->empty()) return tell_presence(hash, std::move(*next), done);
    uploads_->told(hash);
    done({});
  };
  if (!writer_->submit(std::move(request))) done(Error{Code::kBusy, ""});
}

void Service::tidy_blobs() {
  if (uploads_ == nullptr) return;
  auto job = [this] {
    const std::int64_t now = surroundings_.now_ms();
    for (const std::string& hash : uploads_->sweep(now)) {
      tell_presence(hash, "", [](const Status&) {});
    }
    sweep_blobs(now);
  };
  (void)blob_work_->submit(std::move(job));
}

// A file is marked as named now and then, so that its time says until when it was.
void Service::sweep_blobs(std::int64_t now_ms) {
  BlobSweepRequest request;
  const auto look = [&](const BlobFile& file) -> Status {
    if (file.named_ms + limits::kBlobMarkMs > now_ms) return {};
    const auto named = is_named(store_->kv(), file.hash);
    if (!named) return named.error();
    if (*named) {
      blobs_->named(file.hash, now_ms);
    } else if (file.named_ms + limits::kBlobMarkMs + limits::kBlobKeptMs < now_ms &&
               request.hashes.size() < kSweptAtOnce) {
      request.hashes.push_back(file.hash);
    }
    return {};
  };
  if (const auto looked = blobs_->each(look); !looked) {
    spdlog::warn("photos cannot be looked through: {}", looked.error().context);
    return;
  }
  if (request.hashes.empty()) return;
  request.remove = [this](const std::string& hash) {
    blobs_->remove(hash);
    spdlog::info("photo {} removed: no record has named it for long", hash);
  };
  request.done = [](const Status&) {};
  (void)writer_->submit(std::move(request));
}

// --- giving out -------------------------------------------------------------------------------

void Service::give_blob(const ApiRequest& request, ApiDone done) {
  const auto who = caller(request);
  if (!who) return done(problem(who.error()));
  if (who->is_device() && !who->account->active()) {
    return done(problem(Error{Code::kDeviceDraining, "it is told its verdicts, and nothing else"}));
  }
  const std::string hash = request.path.substr(kBlobs.size() + 1);
  const std::string scope = query(request, "scope");
  const std::string id = query(request, "id");
  if (!valid_blob_hash(hash) || !valid_scope_id(scope) || !valid_record_id(id)) {
    return done(problem(nowhere()));
  }
  const std::string coll(kPhotoCollection);
  if (wall(*who, scope, coll, std::string(kBlobField))) return done(problem(nowhere()));
  if (who->is_device()) {
    const std::int64_t wait =
        device_limits_->blob_wait_ms(who->account->device, surroundings_.now_ms());
    if (wait > 0) return done(busy("this device takes too much at one time", wait));
  }
  done = within_limits(request, *who, false, std::move(done));
  if (done == nullptr) return;
  const std::uint64_t device = who->is_device() ? who->account->device : 0;
  auto job = [this, request, hash, device,
              key = keys::record(scope, coll, id)](const ApiDone& answer) {
    std::string bytes;
    const auto found = store_->kv().get(Column::kRecords, key, bytes);
    if (!found) return answer(problem(found.error()));
    const auto record = *found ? decode_record(bytes) : Record{};
    if (!record) return answer(problem(record.error()));
    const std::int64_t size = blobs_->size(hash);
    if (named_blob(kPhotoCollection, *record) != hash || size < 0) {
      return answer(problem(nowhere()));
    }
    ApiReply reply = blob_reply(request, hash, static_cast<std::uint64_t>(size));
    reply.headers.emplace_back("Content-Type", media_type(*record));
    if (device != 0 && reply.file != nullptr) {
      device_limits_->blob_bytes(device, reply.file->left(), surroundings_.now_ms());
    }
    answer(std::move(reply));
  };
  on_disk(std::move(done), std::move(job));
}

ApiReply Service::blob_reply(const ApiRequest& request, const std::string& hash,
                             std::uint64_t size) const {
  const std::string tag = fmt::format("\"{}\"", hash);
  ApiReply reply = bare(200);
  // Who may see it may change: a browser asks each time, and is told that it has it.
  reply.headers = {{"ETag", tag},
                   {"Cache-Control", "private, no-cache"},
                   {"Accept-Ranges", "bytes"},
                   {"Content-Disposition", "attachment"}};
  if (header(request, "if-none-match").find(tag) != std::string::npos) {
    reply.status = 304;
    return reply;
  }
  Range range;
  const std::string only_if = header(request, "if-range");
  const std::string asked = only_if.empty() || only_if == tag ? header(request, "range") : "";
  const RangeKind kind = range_of(asked, size, range);
  if (kind == RangeKind::kBeyond) {
    reply = problem(Error{Code::kHttpRange, "the file ends before"});
    reply.headers.emplace_back("Content-Range", fmt::format("bytes */{}", size));
    return reply;
  }
  if (kind == RangeKind::kPart) {
    reply.status = 206;
    reply.headers.emplace_back("Content-Range", fmt::format("bytes {}-{}/{}", range.from,
                                                            range.from + range.length - 1, size));
  }
  auto reading = BlobReading::open(blobs_->path(hash), range.from, range.length);
  if (!reading) return problem(reading.error());
  reply.file = std::move(*reading);
  return reply;
}

void Service::read_blob(const std::shared_ptr<BlobReading>& reading,
                        std::function<void(Result<std::string>)> done) {
  auto job = [reading, done] { done(reading->next(limits::kBlobPiece)); };
  if (!blob_work_->submit(std::move(job))) done(Error{Code::kBusy, ""});
}

}  // namespace waystation
