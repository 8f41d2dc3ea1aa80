// Runs a fuzz target without libFuzzer: every file of the given folders, and mutations of each that
// are the same at every run.
//
//   ws_fuzz_frame tests/fuzz/corpus/frame [mutations of each file, 3000]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.h"

namespace {

class Random {  // splitmix64
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
  }
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : next() % bound; }

 private:
  std::uint64_t state_;
};

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

void mutate(std::string& input, const std::vector<std::string>& corpus, Random& random) {
  const std::size_t at = random.below(input.size() + 1);
  const std::size_t length = 1 + random.below(8);
  switch (random.below(7)) {
    case 0:
      if (at < input.size()) input[at] = static_cast<char>(random.next());
      return;
    case 1:
      if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << random.below(8)));
      return;
    case 2: input.erase(std::min(at, input.size()), length); return;
    case 3: input.insert(at, length, static_cast<char>(random.next())); return;
    case 4: input.insert(at, input.substr(random.below(input.size() + 1), length * 4)); return;
    case 5: input.resize(at); return;
    default: {  // the head of one with the tail of another
      const std::string& other = corpus[random.below(corpus.size())];
      input.resize(at);
      input += other.substr(std::min(random.below(other.size() + 1), other.size()));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s corpus-folder [mutations]\n", argv[0]);
    return 2;
  }
  const int mutations = argc > 2 ? std::atoi(argv[2]) : 3000;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    if (entry.is_regular_file()) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> corpus;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    run(corpus.back());
  }
  if (corpus.empty()) {
    std::fprintf(stderr, "no corpus in %s\n", argv[1]);
    return 2;
  }
  Random random(2026);
  for (const std::string& seed : corpus) {
    for (int i = 0; i < mutations; ++i) {
      std::string input = seed;
      for (std::size_t edits = 1 + random.below(4); edits > 0; --edits) {
        mutate(input, corpus, random);
      }
      run(input);
    }
  }
  std::printf("%zu files, %d mutations of each\n", corpus.size(), mutations);
  return 0;
}
