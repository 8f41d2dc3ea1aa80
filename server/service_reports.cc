// Reports over HTTP, for people of the office: as JSON page by page, as CSV and as XLSX. Whoever
// reads figures of single persons is written down first.
#include <fmt/format.h>

#include <algorithm>

#include "server/query_number.h"
#include "server/report_files.h"
#include "server/service.h"
#include "storage/page_token.h"
#include "storage/projections.h"
#include "storage/schema_files.h"
#include "sync/bytes.h"
#include "sync/canonical.h"
#include "sync/limits.h"
#include "sync/time_text.h"

namespace waystation {
namespace {

constexpr std::string_view kPath = "/v1/reports";

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    if (end > at) words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

// What no member of its own asks for is a filter.
Result<ReportQuery> query_of(const ApiRequest& request) {
  ReportQuery query;
  for (const auto& [key, value] : request.query) {
    if (key == "from") {
      query.from = value;
    } else if (key == "to") {
      query.to = value;
    } else if (key == "by") {
      query.by = words_of(value);
    } else if (key == "measures") {
      query.measures = words_of(value);
    } else if (key == "sort") {
      query.sort = value;
    } else if (key == "lang") {
      if (value != "zh" && value != "en") return Error{Code::kReportQuery, "lang: zh or en"};
      query.english = value == "en";
    } else if (key != "limit" && key != "after") {
      query.filters[key] = value;
    }
  }
  return query;
}

void append_title(std::string& out, const Title& title) {
  out += "{\"zh\":";
  append_json_string(out, title.zh);
  out += ",\"en\":";
  append_json_string(out, title.en);
  out += '}';
}

void append_column(std::string& out, const ReportColumn& column) {
  out += fmt::format(R"({{"name":"{}","title":)", column.name);
  append_title(out, column.title);
  out += fmt::format(R"(,"type":"{}"}})", to_string(column.type));
}

void append_cells(std::string& out, const std::vector<ReportCell>& cells) {
  out += '[';
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out += ',';
    switch (cells[i].kind) {
      case ReportCell::Kind::kNothing: out += "null"; break;
      case ReportCell::Kind::kNumber: out += std::to_string(cells[i].number); break;
      case ReportCell::Kind::kText: append_json_string(out, cells[i].text); break;
    }
  }
  out += ']';
}

template <typename List, typename Append>
void append_list(std::string& out, const List& list, Append append) {
  out += '[';
  bool first = true;
  for (const auto& one : list) {
    if (!first) out += ',';
    first = false;
    append(one);
  }
  out += ']';
}

std::string described(const Report& report) {
  std::string out = fmt::format(R"({{"report":"{}","title":)", report.name);
  append_title(out, report.title);
  out += ",\"about\":";
  append_title(out, report.about);
  out += ",\"dimensions\":";
  append_list(out, report.dimensions, [&](const auto& one) { append_column(out, one.column); });
  out += ",\"measures\":";
  append_list(out, report.measures, [&](const auto& one) { append_column(out, one.column); });
  out += ",\"by\":";
  append_string_array(out, report.by);
  std::vector<std::string> filters{"from", "to"};
  for (const ReportDimension& one : report.dimensions) filters.push_back(one.column.name);
  out += ",\"filters\":";
  append_string_array(out, filters);
  out += fmt::format(R"(,"detail":{}}})", report.detail);
  return out;
}

void append_day(std::string& out, std::string_view key, const std::string& day) {
  out += fmt::format(",\"{}\":", key);
  out += day.empty() ? std::string("null") : fmt::format("\"{}\"", day);
}

// An answer up to its rows.
std::string head_of(const ReportPlan& plan, const Zone& zone) {
  std::string out = fmt::format(R"({{"report":"{}","title":)", plan.report->name);
  append_title(out, plan.report->title);
  append_day(out, "from", plan.query.from);
  append_day(out, "to", plan.query.to);
  std::vector<std::string> by;
  for (const ReportDimension* one : plan.by) by.push_back(one->column.name);
  out += ",\"by\":";
  append_string_array(out, by);
  out += ",\"zone\":";
  append_json_string(out, zone.name);
  out += ",\"columns\":";
  append_list(out, plan.columns, [&](const auto& one) { append_column(out, one); });
  return out + ",\"rows\":[";
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

// RFC 6266, 8187: a name for old clients, and the one with Chinese in it.
std::string disposition(const ReportPlan& plan, std::string_view ending) {
  std::string period;
  if (!plan.query.from.empty() || !plan.query.to.empty()) {
    period = fmt::format("_{}_{}", plan.query.from, plan.query.to);
  }
  const std::string& title = plan.query.english ? plan.report->title.en : plan.report->title.zh;
  return fmt::format("attachment; filename=\"{}{}.{}\"; filename*=UTF-8''{}.{}", plan.report->name,
                     period, ending, percent_encoded(title + period), ending);
}

}  // namespace

bool Service::is_report_path(std::string_view path) {
  return path == kPath || (path.starts_with(kPath) && path[kPath.size()] == '/');
}

Status Service::open_reports(const Config& config, const Projections& projections) {
  report_work_ = std::make_unique<ReaderPool>(1, surroundings_.threads, limits::kReportsWaiting);
  report_files_ = std::make_unique<ReportFiles>(surroundings_.exports);
  if (surroundings_.reports != nullptr) reports_ = *surroundings_.reports;
  if (surroundings_.schemas != nullptr) return {};
  auto reports = load_reports(schemas_folder(config), schemas_, projections);
  if (!reports) return reports.error();
  reports_ = std::move(*reports);
  return {};
}

// GET /v1/reports, /v1/reports/{report}, .csv, .xlsx
void Service::report(const ApiRequest& request, const Caller& caller, ApiDone done) {
  if (caller.is_device()) {
    return done(problem(Error{Code::kAuthForbidden, "reports are for people of the office"}));
  }
  if (request.path == kPath) {
    std::string out = R"({"reports":)";
    append_list(out, reports_.all(), [&](const auto& one) { out += described(one.second); });
    return done(ApiReply{200, out + "}", false, 0});
  }
  std::string name = request.path.substr(kPath.size() + 1);
  const std::size_t dot = std::min(name.find('.'), name.size());
  const std::string ending = name.substr(dot);
  name.resize(dot);
  const Report* found = reports_.find(name);
  if (found == nullptr || (!ending.empty() && ending != ".csv" && ending != ".xlsx")) {
    return done(problem(Error{Code::kReportUnknown, "GET /v1/reports says which there are"}));
  }
  auto query = query_of(request);
  if (!query) return done(problem(query.error()));
  const auto page = report_page(request);
  if (!page) return done(problem(page.error()));
  auto plan = plan_report(*found, std::move(*query), *store_->projections(), schemas_,
                          store_->policy().view_of(caller.role));
  if (!plan) return done(problem(plan.error()));
  const bool persons = plan->names_people || plan->personal;
  auto go = [this, plan = std::move(*plan), ending, page = *page, caller, done] {
    if (ending.empty()) return count_report(plan, page, done);
    const FileFormat format = ending == ".csv" ? FileFormat::kCsv : FileFormat::kXlsx;
    make_report_file(caller, plan, format, done);
  };
  if (!persons) return go();
  note_act(caller, ending.empty() ? "records.read" : "records.exported",
           fmt::format("report/{}{}", name, ending), done, std::move(go));
}

// A page goes on at a place in rows that may be others by then: what the page before was read of
// stands in what it gave to go on from.
Result<Service::ReportPage> Service::report_page(const ApiRequest& request) const {
  ReportPage page;
  const auto limit = query_number(request, "limit", 100);
  if (!limit || *limit == 0 || *limit > limits::kReportPage) {
    return Error{Code::kReportQuery, fmt::format("limit: 1 to {}", limits::kReportPage)};
  }
  page.limit = *limit;
  const auto after = request.query.find("after");
  if (after == request.query.end() || after->second.empty()) return page;
  const auto place = place_of_token(store_->page_key(), after->second);
  if (!place) return place.error();
  ByteReader reader(*place);
  page.offset = reader.varint();
  page.fingerprint = reader.varint();
  if (!reader.done()) return Error{Code::kCursorInvalid, "after: not of a report"};
  return page;
}

std::string Service::next_report_page(const ReportPage& page) const {
  std::string place;
  put_varint(place, page.offset);
  put_varint(place, page.fingerprint.value_or(0));
  return page_token(store_->page_key(), place);
}

void Service::count_report(ReportPlan plan, const ReportPage& page, ApiDone done) {
  auto job = [this, plan = std::move(plan), page, done] {
    auto opened = ReportReading::open(*store_, *store_->projections(), plan,
                                      {limits::kReportBytes, reports_stop_.get_token()});
    if (!opened) return done(refusal(opened.error()));
    ReportReading& reading = **opened;
    std::string out = head_of(reading.plan(), store_->projections()->zone());
    std::uint64_t rows = 0;
    const Status read =
        reading.each(page.offset, page.limit, [&](const std::vector<ReportCell>& cells) {
          if (rows++ > 0) out += ',';
          append_cells(out, cells);
          return out.size() < limits::kPageBytes;
        });
    if (!read) return done(refusal(read.error()));
    out += "],\"totals\":";
    if (reading.totals().empty()) {
      out += "null";
    } else {
      append_cells(out, reading.totals());
    }
    out += fmt::format(R"(,"count":{},"seq":{},"time":{})", reading.count(), reading.seq(),
                       surroundings_.now_ms());
    if (page.fingerprint) {
      out += fmt::format(R"(,"moved":{})", *page.fingerprint != reading.fingerprint());
    }
    if (page.offset + rows < reading.count() && rows > 0) {
      const ReportPage next{page.offset + rows, 0, reading.fingerprint()};
      out += fmt::format(R"(,"next":"{}")", next_report_page(next));
    }
    done(ApiReply{200, out + "}", false, 0});
  };
  if (!report_work_->submit(std::move(job))) done(busy("too many reports are being read"));
}

void Service::make_report_file(const Caller& caller, ReportPlan plan, FileFormat format,
                               ApiDone done) {
  ReportFiles::Place place = report_files_->take_place();
  if (place == nullptr) return done(busy("too many files of reports are on their way"));
  auto job = [this, plan = std::move(plan), format, place, by = caller.who, done] {
    auto reading = ReportReading::open(*store_, *store_->projections(), plan,
                                       {limits::kReportBytes, reports_stop_.get_token()});
    if (!reading) return done(refusal(reading.error()));
    ReportHead head;
    head.english = plan.query.english;
    head.title = head.of(plan.report->title);
    head.about = head.of(plan.report->about);
    head.zone = store_->projections()->zone();
    head.made = format_time(LocalTime{surroundings_.now_ms(), head.zone.offset_minutes});
    head.by = by;
    auto file =
        report_files_->make(**reading, head, format, random_incarnation(surroundings_.random));
    if (!file) return done(refusal(file.error()));
    const bool csv = format == FileFormat::kCsv;
    ApiReply reply;
    reply.headers = {
        {"Content-Type", csv ? "text/csv; charset=utf-8"
                             : "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
        {"Content-Disposition", disposition(plan, csv ? "csv" : "xlsx")}};
    reply.file = std::move(*file);
    reply.held = place;
    done(std::move(reply));
  };
  if (!report_work_->submit(std::move(job))) done(busy("too many reports are being read"));
}

}  // namespace waystation
