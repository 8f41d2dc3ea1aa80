// A server without sockets, threads or a disk, for what the office does over HTTP: time stands
// still until the test moves it, and what was asked is answered before the next line. Given, when,
// then:
//
//   OfficeServer server;
//   server.make_first("limei");
//   Browser browser = server.sign_in("limei");
//   EXPECT_EQ(browser.get("/v1/devices").status, 200);
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "server/service.h"
#include "tests/support/world.h"

namespace waystation::testing {

inline constexpr const char* kPassword = "correct horse battery";
inline constexpr const char* kStranger = "203.0.113.9";

class OfficeServer;

// One browser: its cookies, and the token against forged requests once it has signed in.
class Browser {
 public:
  explicit Browser(OfficeServer& server, std::string peer = "192.0.2.1")
      : server_(&server), peer_(std::move(peer)) {}

  ApiReply sign_in(const std::string& name, const std::string& password = kPassword,
                   const std::string& code = {});
  ApiReply get(const std::string& path) { return send("GET", path, ""); }
  ApiReply send(const std::string& method, const std::string& path, const std::string& body);
  ApiReply send(ApiRequest request);  // with the cookies of this browser

  // By their names; "name=value" pairs as a browser sends them.
  std::map<std::string, std::string> cookies;
  std::string csrf;

 private:
  OfficeServer* server_;
  std::string peer_;
};

class OfficeServer {
 public:
  OfficeServer();
  ~OfficeServer();
  OfficeServer(const OfficeServer&) = delete;
  OfficeServer& operator=(const OfficeServer&) = delete;

  std::int64_t now = kStart;
  std::shared_ptr<const Policy> policy;  // as of the next restart(); null: the shipped one
  std::vector<Erasure> erasures;         // the list that it keeps apart

  ApiReply call(ApiRequest request);
  // A device with all scopes.
  struct Tablet {
    std::string device;
    std::string token;
  };
  Tablet enroll_tablet(const std::string& role = "office");
  ApiReply admin(const std::string& method, const std::string& path, const std::string& body = "");
  // An account with the password, by its link.
  void make_first(const std::string& name);
  void make(const std::string& name, const std::string& role);
  ApiReply use_link(const std::string& secret, const std::string& password,
                    const std::string& name = "");
  // A browser that has signed in.
  Browser sign_in(const std::string& name);
  void restart();

  [[nodiscard]] Service& service() { return *service_; }
  [[nodiscard]] const MemoryKv& disk() const { return *disk_; }
  // "what" of all entries of the audit log, in order.
  [[nodiscard]] std::vector<std::string> audited() const;
  [[nodiscard]] std::vector<AuditEntry> audit_log() const;

 private:
  void open();

  std::shared_ptr<MemoryKv> disk_ = std::make_shared<MemoryKv>();
  std::unique_ptr<Service> service_;
};

// A string member of a JSON object, which must be there.
[[nodiscard]] std::string member(const std::string& json, const std::string& key);
[[nodiscard]] std::string code_of(const ApiReply& reply);

}  // namespace waystation::testing
