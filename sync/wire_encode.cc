#include <fmt/format.h>

#include "sync/canonical.h"
#include "sync/limits.h"
#include "sync/wire.h"

namespace waystation {
namespace {

void append_integer(std::string& out, std::int64_t value) {
  const fmt::format_int text(value);
  out.append(text.data(), text.size());
}

std::string backed_up_text(const std::optional<std::uint64_t>& backed_up) {
  return backed_up ? std::to_string(*backed_up) : std::string("null");
}

}  // namespace

void append_string_array(std::string& out, const std::vector<std::string>& items) {
  out += '[';
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, items[i]);
  }
  out += ']';
}

std::string encode_welcome(const Welcome& welcome) {
  std::string scopes;
  append_string_array(scopes, welcome.scopes);
  return fmt::format(
      R"({{"welcome":{{"server":{{"incarnation":"{}","time":{}}},"applied":{},"backed_up":{},)"
      R"("scopes":{},{}{}"limits":{{"frame_bytes":{},"ops":{},"depth":{},"string_bytes":{},"page":{}}}}}}})",
      welcome.incarnation, welcome.time_ms, welcome.applied, backed_up_text(welcome.backed_up),
      scopes, welcome.role.empty() ? "" : fmt::format("\"role\":\"{}\",", welcome.role),
      welcome.draining ? "\"draining\":true," : "", limits::kFrameBytes, limits::kOpsPerPush,
      limits::kOpDepth, limits::kStringBytes, limits::kPageRecords);
}

std::string encode_wipe(const Wipe& wipe) {
  return fmt::format(R"({{"wipe":{{"ordered":{},"now":{}}}}})", wipe.ordered_ms, wipe.now);
}

std::string encode_wiped(std::int64_t confirmed_ms) {
  return fmt::format(R"({{"wiped":{{"confirmed":{}}}}})", confirmed_ms);
}

std::string encode_verdict_ok(std::uint64_t n, Seq seq, const std::vector<std::string>& lost_fields,
                              const std::optional<Leased>& leased) {
  std::string out = "{\"n\":";
  append_integer(out, static_cast<std::int64_t>(n));
  out += ",\"ok\":true,\"seq\":";
  append_integer(out, seq);
  if (!lost_fields.empty()) {
    out += ",\"lost\":";
    append_string_array(out, lost_fields);
  }
  if (leased) {
    out += ",\"leased\":{\"";
    out += leased->field;
    out += "\":";
    append_integer(out, leased->amount);
    out += '}';
  }
  out += '}';
  return out;
}

std::string encode_verdict_refused(std::uint64_t n, const Refusal& refusal) {
  std::string out =
      fmt::format(R"({{"n":{},"refused":{{"code":"{}","detail":)", n, name(refusal.code));
  append_json_string(out, refusal.detail);
  out += "}}";
  return out;
}

std::string encode_receipt(const Receipt& receipt) {
  std::size_t size = 96;
  for (const std::string& verdict : receipt.verdicts) size += verdict.size() + 1;
  std::string out;
  out.reserve(size);
  out += "{\"receipt\":{\"applied\":";
  append_integer(out, static_cast<std::int64_t>(receipt.applied));
  if (receipt.expected != 0) {
    out += ",\"expected\":";
    append_integer(out, static_cast<std::int64_t>(receipt.expected));
  }
  out += ",\"backed_up\":";
  out += backed_up_text(receipt.backed_up);
  out += ",\"count\":";
  append_integer(out, static_cast<std::int64_t>(receipt.verdicts.size()));
  out += ",\"results\":[";
  for (std::size_t i = 0; i < receipt.verdicts.size(); ++i) {
    if (i > 0) out += ',';
    out += receipt.verdicts[i];
  }
  out += "]}}";
  return out;
}

void append_change(std::string& out, std::string_view scope, std::string_view coll,
                   std::string_view id, Seq seq, std::string_view visible, std::size_t conflicts) {
  out += "{\"scope\":\"";
  out += scope;  // scope, collection and id hold no character that JSON escapes
  out += "\",\"coll\":\"";
  out += coll;
  out += "\",\"id\":\"";
  out += id;
  out += "\",\"seq\":";
  append_integer(out, seq);
  if (visible.empty()) {
    out += ",\"deleted\":true";
  } else {
    out += ",\"fields\":";
    out += visible;
  }
  if (conflicts > 0) {
    out += ",\"conflicts\":";
    append_integer(out, static_cast<std::int64_t>(conflicts));
  }
  out += '}';
}

std::string encode_changes(const ChangesHead& head, std::string_view items) {
  std::string out;
  out.reserve(items.size() + head.cursor.size() + head.digests.size() * 180 + 128);
  out += "{\"changes\":{\"cursor\":";
  append_json_string(out, head.cursor);
  out += head.more ? ",\"more\":true" : ",\"more\":false";
  if (head.reset) out += ",\"reset\":true";
  out += ",\"changes\":[";
  out += items;
  out += "],\"left\":";
  append_string_array(out, head.left);
  // A round of pages ends with digests also when the next one must follow.
  if (!head.more || !head.digests.empty()) {
    out += ",\"digests\":[";
    for (std::size_t i = 0; i < head.digests.size(); ++i) {
      if (i > 0) out += ',';
      out += "{\"scope\":";
      append_json_string(out, head.digests[i].scope);
      out += ",\"seq\":";
      append_integer(out, head.digests[i].seq);
      out += ",\"digest\":\"";
      out += head.digests[i].digest.hex();
      out += "\"}";
    }
    out += ']';
  }
  out += "}}";
  return out;
}

std::string encode_busy(std::int64_t retry_after_ms) {
  return fmt::format(R"({{"busy":{{"retry_after_ms":{}}}}})", retry_after_ms);
}

std::string encode_error(const Error& error) {
  std::string out = fmt::format(R"({{"error":{{"code":"{}","detail":)", name(error.code));
  append_json_string(out, error.context);
  out += "}}";
  return out;
}

std::string encode_problem(const Error& error) {
  const CodeInfo& about = info(error.code);
  std::string out = R"({"type":"about:blank","title":)";
  append_json_string(out, about.meaning);
  out += fmt::format(R"(,"status":{},"code":"{}","detail":)", about.http, about.name);
  append_json_string(out, error.context);
  out += '}';
  return out;
}

std::string join_messages(const std::vector<std::string>& frames) {
  std::string out = "{";
  for (const std::string& frame : frames) {
    if (out.size() > 1) out += ',';
    out.append(frame, 1, frame.size() - 2);
  }
  out += '}';
  return out;
}

}  // namespace waystation
