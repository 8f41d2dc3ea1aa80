// A phone of a World: the model device of sync/replica.h, with the server's part of every frame
// done at once and in place. A test may keep an answer back, or let it be heard later:
//
//   Handset phone(world, {"t"});
//   phone.edit(R"("set":{"text":"a"})");
//   const auto lost = phone.asks(phone.replica.push(10));  // the server has it, the phone does not
//   know phone.sync();
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sync/replica.h"
#include "tests/support/world.h"

namespace waystation::testing {

class Handset {
 public:
  Handset(World& of, const std::vector<std::string>& scopes);

  // An edit of note "n1" in scope "t" unless told otherwise. Returns its n.
  std::uint64_t edit(const std::string& edits, const std::string& coll = "note",
                     const std::string& id = "n1", const std::string& scope = "t");
  // What the server answers to a frame, message by message; the phone has not heard it yet.
  [[nodiscard]] std::vector<std::string> asks(const std::string& text);
  // Takes the answers in. False where one of them is an error or busy.
  bool hears(const std::vector<std::string>& answers);
  // hello, push and pull, until nothing waits and nothing is left to be pulled. False when the
  // server does not let it.
  bool sync(std::size_t page = 1000);
  // The phone's battery dies: it has what it saved last.
  void save() { saved_ = replica.save(); }
  void dies();

  // Canonical fields with the phone's own ops laid over them, or "nothing".
  [[nodiscard]] std::string shows(const std::string& coll = "note", const std::string& id = "n1",
                                  const std::string& scope = "t") const;
  [[nodiscard]] ClockReading clock() const;
  // The change messages among the answers, word for word.
  [[nodiscard]] static std::string changes_of(const std::vector<std::string>& answers);

  World* world;
  std::uint64_t device;
  Replica replica;
  std::int64_t clock_error_ms = 0;  // of its calendar
  std::uint32_t schema = 1;         // its app was built with

 private:
  std::string saved_;
};

}  // namespace waystation::testing
