// waystation simulate: looks for what breaks the laws, in one thread, on a fake clock, network and
// disk, and repeats what it found to the byte.

#include <fmt/format.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "sync/broken.h"
#include "tools/commands.h"
#include "tools/simulate/shrink.h"
#include "tools/simulate/simulation.h"

namespace waystation::cli {
namespace {

using simulate::Breach;
using simulate::Outcome;
using simulate::Plan;
using simulate::Request;
using simulate::SchemaSets;

constexpr std::size_t kShrinkRuns = 150;
constexpr std::uint64_t kHuntSeeds = 400;

struct Flags {
  Request request;
  std::string seeds;    // "A..B"
  std::string without;  // names, with commas
  std::string broken;
  std::size_t jobs = 1;
  bool hunt = false;
  bool whole = false;  // do not look for a shorter failure
};

Outcome run_one(const Request& request, const SchemaSets& schemas) {
  return simulate::Simulation(request, schemas).run();
}

std::string suffix(const Flags& flags) {
  return flags.broken.empty() ? std::string() : " --broken " + flags.broken;
}

void print_breach(const Breach& breach) {
  fmt::print("broken: {}\n  expected: {}\n  seen:     {}\n",
             breach.law == 0 ? std::string("liveness") : fmt::format("law {}", breach.law),
             breach.expected, breach.seen);
  for (const std::string& line : breach.details) fmt::print("    {}\n", line);
}

// Tells of a failure, and of the smallest one like it that can be found.
int report_failure(const Flags& flags, const Request& request, const Outcome& outcome,
                   const SchemaSets& schemas) {
  fmt::print("seed {} fails at step {}\n", request.seed, outcome.step);
  fmt::print("drawn: {}\n", Plan::draw(request).text());
  print_breach(outcome.breach);
  fmt::print("repeat: {}{}\n", simulate::command_line(request), suffix(flags));
  if (flags.whole) return 1;
  Request quiet = request;
  quiet.trace = false;
  const auto run = [&schemas](const Request& smaller) { return run_one(smaller, schemas); };
  const simulate::Shrunk shrunk = simulate::shrink(quiet, outcome, run, kShrinkRuns);
  fmt::print("shortest found ({} runs): step {}\n", shrunk.runs, shrunk.outcome.step);
  fmt::print("drawn: {}\n", Plan::draw(shrunk.request).text());
  print_breach(shrunk.outcome.breach);
  fmt::print("repeat: {}{} --trace --whole\n", simulate::command_line(shrunk.request),
             suffix(flags));
  return 1;
}

int run_single(const Flags& flags, const SchemaSets& schemas) {
  fmt::print("seed {} steps {}: {}\n", flags.request.seed, flags.request.steps,
             Plan::draw(flags.request).text());
  const Outcome outcome = run_one(flags.request, schemas);
  fmt::print("trace {:016x}\n", outcome.hash);
  if (outcome.failed) return report_failure(flags, flags.request, outcome, schemas);
  fmt::print("seed {}: {} steps, {} ops, every law held\n", flags.request.seed, outcome.steps,
             outcome.ops);
  return 0;
}

struct SeedRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

std::optional<SeedRange> parse_range(const std::string& text) {
  const std::size_t dots = text.find("..");
  if (dots == std::string::npos) return std::nullopt;
  SeedRange range;
  range.first = std::strtoull(text.c_str(), nullptr, 10);
  range.last = std::strtoull(text.c_str() + dots + 2, nullptr, 10);
  if (range.last < range.first) return std::nullopt;
  return range;
}

// What a process that runs seeds tells at the end, or when one has failed.
struct Told {
  std::uint64_t seeds = 0;
  std::uint64_t steps = 0;
  std::uint64_t ops = 0;
  std::uint64_t failed = 0;  // a seed; meaningful when `any`
  bool any = false;
};

Told run_share(const Flags& flags, const SeedRange& range, std::size_t job,
               const SchemaSets& schemas) {
  Told told;
  for (std::uint64_t seed = range.first + job; seed <= range.last; seed += flags.jobs) {
    Request request = flags.request;
    request.seed = seed;
    const Outcome outcome = run_one(request, schemas);
    ++told.seeds;
    told.steps += outcome.steps;
    told.ops += outcome.ops;
    if (outcome.failed) {
      told.failed = seed;
      told.any = true;
      return told;
    }
  }
  return told;
}

Told run_all(const Flags& flags, const SeedRange& range, const SchemaSets& schemas) {
  if (flags.jobs == 1) return run_share(flags, range, 0, schemas);
  int pipe_ends[2] = {-1, -1};
  Told sum;
  if (::pipe(pipe_ends) != 0) return sum;
  std::vector<pid_t> children;
  for (std::size_t job = 0; job < flags.jobs; ++job) {
    const pid_t child = ::fork();
    if (child == 0) {
      const Told told = run_share(flags, range, job, schemas);
      const bool written = ::write(pipe_ends[1], &told, sizeof told) == sizeof told;
      ::_exit(written ? 0 : 1);
    }
    children.push_back(child);
  }
  ::close(pipe_ends[1]);
  Told told;
  std::size_t heard = 0;
  while (::read(pipe_ends[0], &told, sizeof told) == sizeof told) {
    ++heard;
    sum.seeds += told.seeds;
    sum.steps += told.steps;
    sum.ops += told.ops;
    if (!told.any || sum.any) continue;
    sum.any = true;
    sum.failed = told.failed;
    for (const pid_t child : children) ::kill(child, SIGTERM);
  }
  ::close(pipe_ends[0]);
  for (const pid_t child : children) ::waitpid(child, nullptr, 0);
  if (heard < children.size() && !sum.any) {
    fmt::print("a process of the simulation ended without an answer: run with --jobs 1\n");
    sum.any = true;
  }
  return sum;
}

int run_range(const Flags& flags, const SchemaSets& schemas) {
  const auto range = parse_range(flags.seeds);
  if (!range) {
    fmt::print(stderr, "waystation: --seeds takes FIRST..LAST\n");
    return 2;
  }
  const auto start = std::chrono::steady_clock::now();
  std::fflush(stdout);
  const Told told = run_all(flags, *range, schemas);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print("{} seeds, {} steps, {} ops in {:.1f} s: {:.0f} steps/s\n", told.seeds, told.steps,
             told.ops, seconds, static_cast<double>(told.steps) / std::max(seconds, 1e-6));
  if (!told.any) {
    fmt::print("every law held\n");
    return 0;
  }
  Request request = flags.request;
  request.seed = told.failed;
  return report_failure(flags, request, run_one(request, schemas), schemas);
}

#ifdef WS_BROKEN_VARIANTS

bool break_engine(const std::string& variant) {
  for (const auto& [name, broken] : kBrokenVariants) {
    if (name != variant) continue;
    broken_in_force = broken;
    return true;
  }
  return false;
}

// How many seeds each broken variant needs, as a table for docs/testing.md.
int hunt(const Flags& flags, const SchemaSets& schemas) {
  std::size_t missed = 0;
  fmt::print("| variant | seeds | law | what was seen |\n| --- | --- | --- | --- |\n");
  for (const auto& [name, broken] : kBrokenVariants) {
    if (!flags.broken.empty() && flags.broken != name) continue;
    broken_in_force = broken;
    std::uint64_t seeds = 0;
    Outcome outcome;
    while (!outcome.failed && seeds < kHuntSeeds) {
      Request request = flags.request;
      request.seed = flags.request.seed + seeds;
      ++seeds;
      outcome = run_one(request, schemas);
    }
    if (outcome.failed) {
      fmt::print("| `{}` | {} | {} | {} |\n", name, seeds,
                 outcome.breach.law == 0 ? "liveness" : std::to_string(outcome.breach.law),
                 outcome.breach.expected.substr(0, 90));
    } else {
      fmt::print("| `{}` | not in {} | | |\n", name, seeds);
      ++missed;
    }
    std::fflush(stdout);
  }
  broken_in_force = Broken::kNone;
  return missed == 0 ? 0 : 1;
}

#endif

int run_simulate(Flags& flags, const Config& config) {
  spdlog::set_level(spdlog::level::off);
  std::string names = flags.without;
  while (!names.empty()) {
    const std::string one = names.substr(0, names.find(','));
    names.erase(0, one.size() + 1);
    const auto fault = simulate::parse_fault(one);
    if (!fault) {
      fmt::print(stderr, "waystation: --without {}: no such fault\n", one);
      return 2;
    }
    flags.request.without[static_cast<std::size_t>(*fault)] = true;
  }
  const auto schemas = simulate::load_schema_sets(schemas_folder(config));
  if (!schemas) return report(schemas.error());
#ifdef WS_BROKEN_VARIANTS
  if (flags.hunt) return hunt(flags, *schemas);
  if (!flags.broken.empty() && !break_engine(flags.broken)) {
    fmt::print(stderr, "waystation: --broken {}: no such variant\n", flags.broken);
    return 2;
  }
#endif
  return flags.seeds.empty() ? run_single(flags, *schemas) : run_range(flags, *schemas);
}

}  // namespace

void add_simulate(CLI::App& app, Options& options, Run& run) {
  CLI::App* command =
      app.add_subcommand("simulate", "Look for what breaks the laws, on fake clocks and disks");
  const auto flags = std::make_shared<Flags>();
  command->add_option("--seed", flags->request.seed, "What everything is drawn from")
      ->capture_default_str();
  command->add_option("--seeds", flags->seeds, "Many: FIRST..LAST; stops at the first failure");
  command->add_option("--steps", flags->request.steps, "Steps before faults stop")
      ->capture_default_str();
  command->add_option("--devices", flags->request.devices, "At most so many devices");
  command->add_option("--without", flags->without, "Kinds of faults to leave out: loss,crash,…");
  command->add_option("--jobs", flags->jobs, "Processes for --seeds")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_flag("--trace", flags->request.trace, "Print each step");
  command->add_flag("--whole", flags->whole, "Do not look for a shorter failure");
#ifdef WS_BROKEN_VARIANTS
  command->add_option("--broken", flags->broken)->group("");
  command->add_flag("--hunt", flags->hunt)->group("");
#endif
  command->footer(
      "Everything is drawn from the seed: the same command gives the same output, to the byte "
      "(but for the speed).\nExit codes: 0 every law held, 1 one was broken, 2 wrong use.");
  command->callback([flags, &options, &run] {
    run = [flags, &options] { return run_simulate(*flags, options.config); };
  });
}

}  // namespace waystation::cli
