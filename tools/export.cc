// waystation export: the records of one collection as CSV or JSON lines, at constant memory.

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "storage/lists.h"
#include "storage/schema_files.h"
#include "sync/canonical.h"
#include "tools/admin.h"
#include "tools/commands.h"
#include "tools/open_store.h"
#include "tools/progress.h"
#include "tools/record_text.h"
#include "tools/terminal_text.h"

namespace waystation::cli {
namespace {

constexpr std::size_t kChunk = 256 * 1024;

struct ExportOptions {
  std::string coll;
  std::string scope;
  std::string format = "csv";
  std::string out;  // empty or "-": standard output
  std::string server;
};

// What is written becomes the file only when it is whole: until then it is called FILE.part.
class Output {
 public:
  explicit Output(std::string path) : path_(std::move(path)) {}
  ~Output() { drop(); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  [[nodiscard]] bool to_terminal_or_pipe() const { return path_.empty() || path_ == "-"; }

  Status open() {
    if (to_terminal_or_pipe()) {
      file_ = stdout;
      return {};
    }
    file_ = std::fopen(part().c_str(), "wb");
    return file_ == nullptr ? Status{failure(part())} : Status{};
  }

  Status write(std::string_view bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) return failure(name());
    return {};
  }

  Status close() {
    if (std::fflush(file_) != 0) return failure(name());
    if (to_terminal_or_pipe()) return {};
    if (::fsync(::fileno(file_)) != 0) return failure(name());
    const bool closed = std::fclose(file_) == 0;
    file_ = nullptr;
    if (!closed || std::rename(part().c_str(), path_.c_str()) != 0) {
      Error error = failure(path_);
      std::remove(part().c_str());
      return error;
    }
    return {};
  }

 private:
  [[nodiscard]] std::string part() const { return path_ + ".part"; }
  [[nodiscard]] std::string name() const {
    return to_terminal_or_pipe() ? "standard output" : part();
  }
  static Error failure(const std::string& where) {
    return Error{Code::kIo, fmt::format("{}: {}", where, std::strerror(errno))};
  }
  void drop() {
    if (file_ == nullptr || to_terminal_or_pipe()) return;
    std::fclose(file_);
    file_ = nullptr;
    std::remove(part().c_str());
  }

  std::string path_;
  std::FILE* file_ = nullptr;
};

ExportFormat format_of(const std::string& word) {
  if (word == "jsonl") return ExportFormat::kJsonLines;
  return word == "csv-bom" ? ExportFormat::kCsvExcel : ExportFormat::kCsv;
}

// Returns how many records were written.
Result<std::uint64_t> write_records(const Store& store, const Collection& collection,
                                    const ExportOptions& options, Output& output) {
  const RecordWriter writer(collection, format_of(options.format));
  std::string chunk = writer.head();
  std::uint64_t count = 0;
  Status written;
  Progress progress("exporting, records", 0);
  const Status walked =
      for_each_record(store, collection.name, options.scope,
                      [&](std::string_view scope, std::string_view id, std::string_view fields) {
                        writer.append(chunk, scope, id, fields);
                        progress.at(++count);
                        if (chunk.size() < kChunk) return true;
                        written = output.write(chunk);
                        chunk.clear();
                        return written.ok();
                      });
  if (!walked) return walked.error();
  if (written.ok()) written = output.write(chunk);
  if (!written) return written.error();
  return count;
}

// The files of the store are read here, and the server would not know of it. Where none is running
// there is nobody to write it down: the store is left as it is.
void tell_audit_log(const Config& config, const ExportOptions& options) {
  std::string body = "{\"coll\":";
  append_json_string(body, options.coll);
  body += ",\"scope\":";
  append_json_string(body, options.scope);
  const auto noted = ask_as_admin(config, options.server, "POST", "/v1/audit/exports", body + "}");
  if (noted) return;
  fmt::print(stderr, "waystation: this export is not in the audit log: {}\n",
             printable(noted.error().context));
}

int run_export(const Config& config, const ExportOptions& options) {
  const auto schemas = load_schemas(schemas_folder(config));
  if (!schemas) return report(schemas.error());
  const Collection* collection = schemas->find(options.coll);
  if (collection == nullptr) {
    std::string names;
    for (const auto& [name, ignored] : schemas->collections()) names += " " + name;
    fmt::print(stderr, "waystation: there is no collection \"{}\"; there are:{}\n", options.coll,
               names);
    return 2;
  }
  const auto store = open_to_read(config);
  if (!store) return report(store.error());
  if (!options.scope.empty() && !(*store)->scopes().exists(options.scope)) {
    return report(Error{Code::kScopeUnknown, options.scope});
  }
  tell_audit_log(config, options);
  Output output(options.out);
  if (auto opened = output.open(); !opened) return report(opened.error());
  const auto count = write_records(**store, *collection, options, output);
  if (!count) return report(count.error());
  if (auto closed = output.close(); !closed) return report(closed.error());
  if (!output.to_terminal_or_pipe()) {
    fmt::print("{} records written to {}\n", grouped(*count), options.out);
  }
  return 0;
}

constexpr const char* kFooter =
    R"(Formats: csv is exact. csv-bom is for Excel: it opens with a byte-order mark, so that Chinese
text is read as such, and text that begins with = + - @ gets an apostrophe in front, so that it is
not run as a formula. jsonl has one {"scope","coll","id","fields"} a line.
CSV columns: scope, id, the fields of the schema in its order, and in "more" the fields it does not
know, as JSON. Sets are joined by ";", logs are JSON.
The store is read as it is at this moment, also beside a running server, whose audit log is told.
Exit codes: 0 done, 1 failed (then no file is left), 2 wrong use.)";

}  // namespace

void add_export(CLI::App& app, Options& options, Run& run) {
  CLI::App* command = app.add_subcommand("export", "Write the records of a collection to a file");
  auto chosen = std::make_shared<ExportOptions>();
  command->add_option("--coll", chosen->coll, "The collection, such as attendance")->required();
  command->add_option("--scope", chosen->scope, "Only this scope");
  command->add_option("--format", chosen->format, "csv, csv-bom or jsonl")
      ->capture_default_str()
      ->check(CLI::IsMember({"csv", "csv-bom", "jsonl"}));
  command->add_option("--server", chosen->server, kServerHelp);
  command->add_option("--out", chosen->out, "The file (default: standard output)");
  command->footer(kFooter);
  command->callback([&options, &run, chosen] {
    run = [&options, chosen] { return run_export(options.config, *chosen); };
  });
}

}  // namespace waystation::cli
