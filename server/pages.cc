#include "server/pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "sync/bytes.h"
#include "sync/digest.h"

namespace waystation {
namespace {

namespace fs = std::filesystem;

// In the order in which they are preferred: the smaller first.
struct Coding {
  std::string_view name;    // of Accept-Encoding
  std::string_view suffix;  // of the file
};
constexpr std::array kCodings{Coding{"br", ".br"}, Coding{"gzip", ".gz"}};

// Its own scripts and styles, and nothing else: no inline script, no frame, no other host. Pictures
// of the camera and the queue are blobs, a QR code is data.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "
    "media-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
constexpr std::string_view kPermissions =
    "camera=(self), microphone=(), geolocation=(), payment=(), usb=(), serial=(), bluetooth=(), "
    "midi=(), display-capture=()";

constexpr std::string_view kForEver = "public, max-age=31536000, immutable";
constexpr std::string_view kAskEachTime = "no-cache";

struct Type {
  std::string_view suffix;
  std::string_view type;
};
constexpr std::array kTypes{
    Type{".html", "text/html; charset=utf-8"},
    Type{".js", "text/javascript; charset=utf-8"},
    Type{".mjs", "text/javascript; charset=utf-8"},
    Type{".css", "text/css; charset=utf-8"},
    Type{".json", "application/json; charset=utf-8"},
    Type{".map", "application/json; charset=utf-8"},
    Type{".webmanifest", "application/manifest+json; charset=utf-8"},
    Type{".txt", "text/plain; charset=utf-8"},
    Type{".svg", "image/svg+xml; charset=utf-8"},
    Type{".png", "image/png"},
    Type{".jpg", "image/jpeg"},
    Type{".webp", "image/webp"},
    Type{".ico", "image/x-icon"},
    Type{".woff2", "font/woff2"},
    Type{".wasm", "application/wasm"},
};

// The applications that the program comes with, when they have been built.
constexpr std::array<std::string_view, 2> kOwnApplications{"/app", "/office"};

std::string_view application_of(std::string_view path) {
  return path == "/" ? kOwnApplications.front() : path.substr(0, path.find('/', 1));
}

std::string_view type_of(std::string_view path) {
  const auto at = std::find_if(kTypes.begin(), kTypes.end(),
                               [&](const Type& type) { return path.ends_with(type.suffix); });
  return at == kTypes.end() ? "application/octet-stream" : at->type;
}

// A name with a hash of its content in it: `assets/index-B1x9_kQz.js`. Its bytes never change.
bool is_hashed(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (!path.substr(0, slash).ends_with("/assets")) return false;
  std::string_view stem = path.substr(slash + 1);
  stem = stem.substr(0, stem.find('.'));
  const std::size_t dash = stem.find('-');
  constexpr std::size_t kHashChars = 8;
  return dash != std::string_view::npos && stem.size() - dash > kHashChars;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Calls `each` with the items of a comma-separated list until it returns true; whether it did.
template <typename Each>
bool any_item(std::string_view list, const Each& each) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    if (each(trimmed(list.substr(0, end)))) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

// RFC 9110, 12.5.3, as far as clients use it: named, and not with a weight of 0.
bool accepts(std::string_view accept_encoding, std::string_view coding) {
  return any_item(accept_encoding, [&](std::string_view item) {
    const std::size_t semicolon = std::min(item.find(';'), item.size());
    if (trimmed(item.substr(0, semicolon)) != coding) return false;
    const std::string_view weight = item.substr(std::min(item.find('='), item.size()));
    return weight.empty() || weight.find_first_of("123456789") != std::string_view::npos;
  });
}

bool holds_tag(std::string_view if_none_match, std::string_view tag) {
  return any_item(if_none_match, [&](std::string_view item) {
    if (item.starts_with("W/")) item.remove_prefix(2);
    return item == tag || item == "*";
  });
}

Result<std::string> read_file(const fs::path& path, std::size_t left) {
  std::ifstream in(path, std::ios::binary);
  std::string bytes;
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error || !in) return Error{Code::kIo, fmt::format("{} cannot be read", path.string())};
  if (size > left) {
    return Error{Code::kConfigInvalid,
                 fmt::format("the pages take more than {} MiB", Pages::kMostBytes / 1024 / 1024)};
  }
  bytes.resize(size);
  if (!in.read(bytes.data(), static_cast<std::streamsize>(size))) {
    return Error{Code::kIo, fmt::format("{} cannot be read", path.string())};
  }
  return bytes;
}

// Half of the SHA-256: enough to tell versions of a file apart.
std::string tag_of(std::string_view bytes) {
  return fmt::format("\"{}\"", hex_of(sha256(bytes).substr(0, 16)));
}

}  // namespace

Result<Pages> Pages::load(const std::string& folder) {
  Pages pages;
  if (auto read = pages.read_all(folder); !read) return read.error();
  return pages;
}

Status Pages::read_all(const std::string& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) return {};
  std::map<std::string, Form> files;
  std::size_t left = kMostBytes;
  const auto options = fs::directory_options::none;
  for (fs::recursive_directory_iterator at(folder, options, error), end; !error && at != end;
       at.increment(error)) {
    if (!fs::is_regular_file(at->symlink_status(error))) continue;
    if (files.size() == kMostFiles) {
      return Error{Code::kConfigInvalid, fmt::format("{} holds more than {} files: is that the "
                                                     "folder of the pages?",
                                                     folder, kMostFiles)};
    }
    auto bytes = read_file(at->path(), left);
    if (!bytes) return bytes.error();
    left -= bytes->size();
    std::string tag = tag_of(*bytes);
    files.emplace("/" + at->path().lexically_relative(folder).generic_string(),
                  Form{std::move(*bytes), std::move(tag)});
  }
  if (error) return Error{Code::kIo, fmt::format("{}: {}", folder, error.message())};
  const auto is_form_of_another = [&](std::string_view path) {
    return std::any_of(kCodings.begin(), kCodings.end(), [&](const Coding& coding) {
      return path.ends_with(coding.suffix) &&
             files.count(std::string(path.substr(0, path.size() - coding.suffix.size()))) != 0;
    });
  };
  for (auto& [path, file] : files) {
    if (is_form_of_another(path)) continue;
    Page page;
    for (std::size_t i = 0; i < kCodings.size(); ++i) {
      const auto form = files.find(path + std::string(kCodings.at(i).suffix));
      if (form != files.end()) page.compressed.at(i) = form->second;
    }
    page.plain = file;
    page.type = type_of(path);
    page.caching = is_hashed(path) ? kForEver : kAskEachTime;
    pages_.emplace(path, std::move(page));
    constexpr std::string_view kIndex = "/index.html";
    const bool first_level = std::count(path.begin(), path.end(), '/') == 2;
    if (first_level && path.ends_with(kIndex)) {
      applications_.emplace(path.substr(0, path.size() - kIndex.size()), path);
    }
  }
  return {};
}

const Pages::Page* Pages::find(std::string_view path) const {
  if (const auto at = pages_.find(path); at != pages_.end()) return &at->second;
  // Within an application the page itself knows its places; what looks like a file is one.
  if (path.substr(path.rfind('/')).find('.') != std::string_view::npos) return nullptr;
  const auto application = applications_.find(application_of(path));
  if (application == applications_.end()) return nullptr;
  return &pages_.find(application->second)->second;
}

PageAnswer Pages::answer(const PageRequest& request) const {
  PageAnswer answer;
  const auto fails = [&](Code code, std::string detail) {
    answer.error = Error{code, std::move(detail)};
    return answer;
  };
  const auto goes_to = [&](std::string place) {
    answer.status = 302;
    answer.headers = {{"Location", std::move(place)}, {"Cache-Control", std::string(kAskEachTime)}};
    return answer;
  };
  const std::string_view path = request.path;
  if (!path.starts_with('/')) return fails(Code::kHttpNotFound, std::string(path));
  const bool first = path == "/";
  const std::string_view application = application_of(path);
  const bool own = std::count(kOwnApplications.begin(), kOwnApplications.end(), application) != 0;
  if (own && applications_.count(application) == 0) {
    return fails(Code::kPagesMissing,
                 "the server has been built without its pages: npm ci && npm run build in "
                 "server/web, or name their folder in the settings (web), and start it again");
  }
  const Page* page = first ? nullptr : find(path);
  if (!first && page == nullptr) return fails(Code::kHttpNotFound, std::string(path));
  if (request.method != "GET" && request.method != "HEAD") {
    return fails(Code::kHttpMethod, fmt::format("{} {}", request.method, path));
  }
  if (first) return goes_to("/app/");
  if (applications_.count(path) != 0) return goes_to(std::string(path) + "/");

  const Form* form = &page->plain;
  std::string_view coding;
  bool varies = false;
  for (std::size_t i = 0; i < kCodings.size(); ++i) {
    const auto& compressed = page->compressed.at(i);
    varies = varies || compressed;
    if (!compressed || !coding.empty()) continue;
    if (!accepts(request.accept_encoding, kCodings.at(i).name)) continue;
    form = &*compressed;
    coding = kCodings.at(i).name;
  }
  answer.headers = {{"Content-Type", std::string(page->type)},
                    {"Cache-Control", std::string(page->caching)},
                    {"ETag", form->tag},
                    {"Content-Security-Policy", std::string(kPolicy)},
                    {"Permissions-Policy", std::string(kPermissions)},
                    {"Cross-Origin-Opener-Policy", "same-origin"}};
  if (varies) answer.headers.emplace_back("Vary", "Accept-Encoding");
  if (!coding.empty()) answer.headers.emplace_back("Content-Encoding", std::string(coding));
  if (holds_tag(request.if_none_match, form->tag)) {
    answer.status = 304;
    return answer;
  }
  answer.body = form->bytes;
  return answer;
}

}  // namespace waystation
