#include "tools/demo/day.h"

#include <fmt/format.h>

namespace waystation::demo {
namespace {

constexpr std::array<const char*, 5> kVisitors{"courier", "delivery_rider", "ride_hailing_driver",
                                               "lorry_driver", "sanitation_worker"};
constexpr std::array<const char*, 5> kUsed{"water", "cooling", "phone_charging", "microwave",
                                           "rest"};

std::string at_time(const City& city, std::size_t hour, std::size_t minute, std::size_t second) {
  return fmt::format("{}T{:02}:{:02}:{:02}+08:00", city.day, hour, minute, second);
}

// One tablet's share of a station's day.
class TabletDay {
 public:
  TabletDay(const City& city, const Station& station, Device& tablet, Random& random,
            Expected& expected)
      : city_(city), station_(station), tablet_(tablet), random_(random), expected_(expected) {}

  void work() {
    for (std::size_t hour = 0; hour < kHours; ++hour) {
      const std::size_t taps = 1 + draw(random_, 5);
      for (std::size_t i = 0; i < taps; ++i) tap(hour);
      if (draw(random_, 12) == 0) correct(hour);
    }
    write("note", fmt::format("shift-{}", tablet_.replica().device()),
          fmt::format(R"("set":{{"text":"第{}班:饮用水还剩半桶 💧","author":"{}"}})",
                      tablet_.number(), tablet_.replica().device()));
    ++expected_.notes;
    if (draw(random_, 6) == 0) refused();
  }

 private:
  void write(const char* coll, std::string id, std::string edits) {
    tablet_.edit(Draft{station_.scope, coll, std::move(id), std::move(edits)});
    ++expected_.edits;
  }

  void count(const char* counter, int change) {
    write("station_day", fmt::format("{}~{}", station_.id, city_.day),
          fmt::format(R"("inc":{{"{}":{}}})", counter, change));
    expected_.taps[{station_.id, counter}] += change;
  }

  void tap(std::size_t hour) {
    last_kind_ = kVisitors.at(draw(random_, kVisitors.size()));
    const char* used = kUsed.at(draw(random_, kUsed.size()));
    last_visit_ = fmt::format("visit-{}-{}", tablet_.replica().device(), ++visits_);
    write("visit", last_visit_,
          fmt::format(
              R"("set":{{"visitor":"{}","party_size":1,"at":"{}"}},"add":{{"services":["{}"]}})",
              last_kind_, at_time(city_, kFirstHour + hour, draw(random_, 60), 0), used));
    count(last_kind_, 1);
    count(used, 1);
    ++expected_.visits[station_.id].at(hour);
  }

  // A visit that did not happen: a new fact names the old one, and the tap is taken back.
  void correct(std::size_t hour) {
    write("visit", fmt::format("visit-{}-{}", tablet_.replica().device(), ++visits_),
          fmt::format(R"("set":{{"visitor":"{}","at":"{}","corrects":"{}","void":true}})",
                      last_kind_, at_time(city_, kFirstHour + hour, 59, 0), last_visit_));
    count(last_kind_, -1);
    --expected_.visits[station_.id].at(hour);
  }

  void refused() {
    write("visit", fmt::format("visit-{}-{}", tablet_.replica().device(), ++visits_),
          R"("set":{"visitor":"astronaut","at":"yesterday"})");
    ++expected_.quarantine;
  }

  const City& city_;
  const Station& station_;
  Device& tablet_;
  Random& random_;
  Expected& expected_;
  const char* last_kind_ = kVisitors[0];
  std::string last_visit_;
  std::size_t visits_ = 0;
};

// What several phones wrote to one field, none seeing the other: all but one value are conflicts.
// Values of different phones always differ here.
std::uint64_t conflicts_of(std::size_t writers) { return writers == 0 ? 0 : writers - 1; }

class EventDay {
 public:
  EventDay(const City& city, const Event& event, std::vector<Device*>& phones, Random& random,
           Expected& expected)
      : city_(city), event_(event), phones_(phones), random_(random), expected_(expected) {}

  void work() {
    for (const std::string& volunteer : event_.volunteers) sign(volunteer);
    for (std::size_t phone = 0; phone < phones_.size(); ++phone) {
      edit(phone, "event", event_.id, fmt::format(R"("set":{{"headcount":{}}})", 20 + phone));
      edit(phone, "note", fmt::format("log-{}", event_.id),
           fmt::format(
               R"("set":{{"text":"手机{}的记录:下午有小雨"}},"add":{{"tags":["现场","phone{}"]}})",
               phone, phone));
      mistake(phone);
    }
    ++expected_.notes;
    expected_.conflicts += 2 * conflicts_of(phones_.size());  // headcount, text
    delete_draft();
  }

 private:
  void edit(std::size_t phone, const char* coll, std::string id, std::string edits) {
    phones_[phone]->edit(Draft{event_.scope, coll, std::move(id), std::move(edits)});
    ++expected_.edits;
  }

  std::string attendance_id(const std::string& volunteer) const {
    return event_.id + "~" + volunteer;
  }

  // Each phone that saw the person signs them in; whoever stood at the exit signs them out.
  void sign(const std::string& volunteer) {
    std::size_t in = 0;
    std::size_t out = 0;
    for (std::size_t phone = 0; phone < phones_.size(); ++phone) {
      if (draw(random_, 10) < 6) {
        edit(phone, "attendance", attendance_id(volunteer),
             fmt::format(R"("set":{{"event":"{}","volunteer":"{}","signed_in":"{}"}})", event_.id,
                         volunteer, at_time(city_, 8, draw(random_, 60), phone)));
        ++in;
      }
      if (draw(random_, 10) < 4) {
        edit(
            phone, "attendance", attendance_id(volunteer),
            fmt::format(
                R"("set":{{"event":"{}","volunteer":"{}","signed_out":"{}","minutes":{},"points":10}})",
                event_.id, volunteer, at_time(city_, 17, draw(random_, 60), phone), 480 + phone));
        ++out;
      }
    }
    if (in + out > 0) expected_.attendance.emplace(event_.id, volunteer);
    expected_.conflicts += conflicts_of(in) + 2 * conflicts_of(out);  // in; out and minutes
  }

  // Somebody is signed in by mistake and taken out again.
  void mistake(std::size_t phone) {
    const std::string nobody = "walkin-" + phones_[phone]->replica().device();
    edit(phone, "attendance", attendance_id(nobody),
         fmt::format(R"("set":{{"event":"{}","volunteer":"{}","signed_in":"{}"}})", event_.id,
                     nobody, at_time(city_, 9, 0, 0)));
    edit(phone, "attendance", attendance_id(nobody), R"("del":true)");
  }

  // The first phone deletes the office's draft while the others still write to it: it stays
  // deleted, and what they wrote is kept as a conflict each.
  void delete_draft() {
    for (std::size_t phone = 1; phone < phones_.size(); ++phone) {
      edit(phone, "note", draft_note_id(event_),
           fmt::format(R"("set":{{"text":"补充{}"}})", phone));
    }
    edit(0, "note", draft_note_id(event_), R"("del":true)");
    expected_.conflicts += phones_.size() - 1;
  }

  const City& city_;
  const Event& event_;
  std::vector<Device*>& phones_;
  Random& random_;
  Expected& expected_;
};

}  // namespace

std::string draft_note_id(const Event& event) { return "draft-" + event.id; }

void work_at_station(const City& city, const Station& station, std::vector<Device*>& tablets,
                     Random& random, Expected& expected) {
  for (Device* tablet : tablets) TabletDay(city, station, *tablet, random, expected).work();
}

void work_at_event(const City& city, const Event& event, std::vector<Device*>& phones,
                   Random& random, Expected& expected) {
  EventDay(city, event, phones, random, expected).work();
}

}  // namespace waystation::demo
