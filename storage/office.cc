#include "storage/office.h"

#include <algorithm>
#include <array>

#include "sync/bytes.h"
#include "sync/digest.h"

namespace waystation {
namespace {

constexpr std::uint8_t kAccountV1 = 1;
constexpr std::uint8_t kSessionV1 = 1;
constexpr std::uint8_t kFirstV1 = 1;
constexpr std::uint8_t kDeskV1 = 1;
constexpr std::uint8_t kEditsV1 = 1;

// The rows of the column.
constexpr std::string_view kAccountRow = "a";
constexpr std::string_view kSessionRow = "s";
constexpr std::string_view kDeskRow = "d";
constexpr std::string_view kFirstRow = "first";
constexpr std::string_view kBrowserKeyRow = "key";

constexpr std::array kRoles{std::string_view("office"), std::string_view("administrator")};

std::string row_key(std::string_view prefix, std::string_view rest) {
  std::string key(prefix);
  key += '/';
  key += rest;
  return key;
}

// Times are after 1970 here.
void put_time(std::string& out, std::int64_t ms) {
  put_varint(out, static_cast<std::uint64_t>(std::max<std::int64_t>(ms, 0)));
}

class Reader : public ByteReader {
 public:
  Reader(std::string_view bytes, std::uint8_t layout) : ByteReader(bytes) {
    if (byte() != layout) fail();
  }
  std::string text() { return std::string(string()); }
  std::int64_t time() {
    const std::uint64_t ms = varint();
    if (ms > static_cast<std::uint64_t>(INT64_MAX)) fail();
    return static_cast<std::int64_t>(ms);
  }
  std::uint8_t below(std::uint8_t limit) {
    const std::uint8_t value = byte();
    if (value >= limit) fail();
    return value;
  }
};

template <typename T>
Result<T> finish(const Reader& in, T value, const char* what) {
  if (!in.done()) return Error{Code::kStoreCorrupt, std::string("a damaged value: ") + what};
  return value;
}

}  // namespace

std::string_view role_name(OfficeRole role) { return kRoles.at(static_cast<std::size_t>(role)); }

std::optional<OfficeRole> parse_office_role(std::string_view name) {
  const auto* const at = std::find(kRoles.begin(), kRoles.end(), name);
  if (at == kRoles.end()) return std::nullopt;
  return static_cast<OfficeRole>(at - kRoles.begin());
}

std::string encode_office_account(const OfficeAccount& account) {
  std::string out(1, static_cast<char>(kAccountV1));
  put_string(out, account.name);
  put_string(out, account.display);
  out += static_cast<char>(account.role);
  put_string(out, account.password_hash);
  put_string(out, account.totp_secret);
  put_string(out, account.totp_pending);
  put_varint(out, account.totp_step);
  put_varint(out, account.recovery.size());
  for (const std::string& hash : account.recovery) put_string(out, hash);
  out += static_cast<char>(account.disabled ? 1 : 0);
  put_string(out, account.link_hash);
  put_time(out, account.link_expires_ms);
  put_time(out, account.made_ms);
  put_time(out, account.signed_in_ms);
  return out;
}

Result<OfficeAccount> decode_office_account(std::string_view bytes) {
  Reader in(bytes, kAccountV1);
  OfficeAccount account;
  account.name = in.text();
  account.display = in.text();
  account.role = static_cast<OfficeRole>(in.below(kRoles.size()));
  account.password_hash = in.text();
  account.totp_secret = in.text();
  account.totp_pending = in.text();
  account.totp_step = in.varint();
  const std::size_t codes = in.count();
  for (std::size_t i = 0; i < codes && !in.failed(); ++i) account.recovery.push_back(in.text());
  account.disabled = in.below(2) == 1;
  account.link_hash = in.text();
  account.link_expires_ms = in.time();
  account.made_ms = in.time();
  account.signed_in_ms = in.time();
  return finish(in, std::move(account), "office account");
}

std::string encode_office_session(const OfficeSession& session) {
  std::string out(1, static_cast<char>(kSessionV1));
  put_string(out, session.account);
  put_time(out, session.opened_ms);
  put_time(out, session.seen_ms);
  return out;
}

Result<OfficeSession> decode_office_session(std::string_view bytes) {
  Reader in(bytes, kSessionV1);
  OfficeSession session;
  session.account = in.text();
  session.opened_ms = in.time();
  session.seen_ms = in.time();
  return finish(in, std::move(session), "office session");
}

std::string encode_first_link(const FirstLink& link) {
  std::string out(1, static_cast<char>(kFirstV1));
  put_string(out, link.hash);
  put_time(out, link.expires_ms);
  return out;
}

Result<FirstLink> decode_first_link(std::string_view bytes) {
  Reader in(bytes, kFirstV1);
  FirstLink link;
  link.hash = in.text();
  link.expires_ms = in.time();
  return finish(in, std::move(link), "link of the first administrator");
}

std::string kept_edits_key(std::string_view account, std::string_view request) {
  std::string key(kKeptEditsPrefix);
  key += account;
  key += '/';
  key += sha256(request);
  return key;
}

std::string encode_kept_edits(const KeptEdits& kept) {
  std::string out(1, static_cast<char>(kEditsV1));
  put_time(out, kept.time_ms);
  put_string(out, kept.hash);
  put_string(out, kept.answer);
  return out;
}

Result<KeptEdits> decode_kept_edits(std::string_view bytes) {
  Reader in(bytes, kEditsV1);
  KeptEdits kept;
  kept.time_ms = in.time();
  kept.hash = in.text();
  kept.answer = in.text();
  return finish(in, std::move(kept), "answer to edits");
}

namespace {

std::string encode_desk(std::uint64_t device) {
  std::string out(1, static_cast<char>(kDeskV1));
  put_varint(out, device);
  return out;
}

Result<std::uint64_t> decode_desk(std::string_view bytes) {
  Reader in(bytes, kDeskV1);
  const std::uint64_t device = in.varint();
  return finish(in, device, "desk of an account");
}

}  // namespace

OfficeAccountPtr OfficeTables::find(std::string_view name) const {
  const auto at = accounts.find(name);
  return at == accounts.end() ? nullptr : at->second;
}

bool OfficeTables::has_administrator() const {
  return std::any_of(accounts.begin(), accounts.end(), [](const auto& named) {
    return named.second->active() && named.second->role == OfficeRole::kAdministrator;
  });
}

bool OfficeTables::is_desk(std::uint64_t device) const {
  return std::any_of(desks.begin(), desks.end(),
                     [&](const auto& named) { return named.second == device; });
}

Result<OfficeTablesPtr> load_office(const Kv& kv) {
  auto tables = std::make_shared<OfficeTables>();
  const auto rows = kv.iterate(Column::kOffice);
  for (rows->seek(""); rows->valid(); rows->next()) {
    const std::string_view key = rows->key();
    if (key == kBrowserKeyRow) {
      tables->browser_key = std::string(rows->value());
    } else if (key == kFirstRow) {
      auto link = decode_first_link(rows->value());
      if (!link) return link.error();
      tables->first = std::move(*link);
    } else if (key.starts_with(row_key(kSessionRow, ""))) {
      auto session = decode_office_session(rows->value());
      if (!session) return session.error();
      tables->sessions[std::string(key.substr(kSessionRow.size() + 1))] = std::move(*session);
    } else if (key.starts_with(row_key(kAccountRow, ""))) {
      auto account = decode_office_account(rows->value());
      if (!account) return account.error();
      const std::string name = account->name;
      tables->accounts[name] = std::make_shared<const OfficeAccount>(std::move(*account));
    } else if (key.starts_with(row_key(kDeskRow, ""))) {
      auto desk = decode_desk(rows->value());
      if (!desk) return desk.error();
      tables->desks[std::string(key.substr(kDeskRow.size() + 1))] = *desk;
    } else if (!key.starts_with(kKeptEditsPrefix)) {
      return Error{Code::kStoreCorrupt, "an unknown row of the office"};
    }
  }
  if (!rows->status()) return rows->status().error();
  return OfficeTablesPtr(std::move(tables));
}

void OfficeChange::end_sessions_of(const OfficeTables& tables, std::string_view account,
                                   std::string_view but_hash) {
  for (const auto& [hash, session] : tables.sessions) {
    if (session.account == account && hash != but_hash) sessions.emplace_back(hash, std::nullopt);
  }
}

OfficeTablesPtr apply_change(const OfficeTables& tables, const OfficeChange& change) {
  auto changed = std::make_shared<OfficeTables>(tables);
  for (const OfficeAccount& account : change.accounts) {
    changed->accounts[account.name] = std::make_shared<const OfficeAccount>(account);
  }
  for (const auto& [hash, session] : change.sessions) {
    if (session) {
      changed->sessions[hash] = *session;
    } else {
      changed->sessions.erase(hash);
    }
  }
  if (change.first) changed->first = *change.first;
  if (change.browser_key) changed->browser_key = *change.browser_key;
  for (const auto& [account, device] : change.desks) changed->desks[account] = device;
  return changed;
}

OfficeChange forget_secrets(const OfficeTables& tables) {
  OfficeChange change;
  for (const auto& [hash, session] : tables.sessions)
    change.sessions.emplace_back(hash, std::nullopt);
  for (const auto& [name, account] : tables.accounts) {
    if (account->link_hash.empty()) continue;
    change.accounts.push_back(*account);
    change.accounts.back().link_hash.clear();
  }
  if (!tables.first.hash.empty()) change.first = FirstLink{};
  if (!tables.browser_key.empty()) change.browser_key = std::string();
  return change;
}

void put_change(Batch& batch, const OfficeChange& change) {
  for (const OfficeAccount& account : change.accounts) {
    batch.put(Column::kOffice, row_key(kAccountRow, account.name), encode_office_account(account));
  }
  for (const auto& [hash, session] : change.sessions) {
    if (session) {
      batch.put(Column::kOffice, row_key(kSessionRow, hash), encode_office_session(*session));
    } else {
      batch.erase(Column::kOffice, row_key(kSessionRow, hash));
    }
  }
  if (change.first) {
    batch.put(Column::kOffice, std::string(kFirstRow), encode_first_link(*change.first));
  }
  for (const auto& [account, device] : change.desks) {
    batch.put(Column::kOffice, row_key(kDeskRow, account), encode_desk(device));
  }
  if (change.browser_key) {
    batch.put(Column::kOffice, std::string(kBrowserKeyRow), *change.browser_key);
  }
}

}  // namespace waystation
