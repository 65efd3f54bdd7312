// Runs a fuzz target without a fuzzing engine: over every file of the directories and files named, and with
// --random SECONDS over chance variations of them for that long (--seed N: the same ones). The input that is being run
// lies in PROGRAM.last, for when the process does not survive it. The corpus being empty is an error, so that a lost
// corpus does not pass.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;
using Random = std::mt19937_64;

Bytes contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<Bytes> corpus_of(const std::vector<std::filesystem::path>& places) {
  std::vector<std::filesystem::path> names;
  for (const auto& place : places) {
    if (!std::filesystem::is_directory(place)) {
      names.push_back(place);
      continue;
    }
    const std::size_t first = names.size();
    for (const auto& entry : std::filesystem::directory_iterator(place))
      names.push_back(entry.path());
    std::sort(names.begin() + static_cast<std::ptrdiff_t>(first), names.end());
  }
  std::vector<Bytes> corpus;
  for (const auto& name : names)
    corpus.push_back(contents(name));
  return corpus;
}

std::size_t below(Random& random, std::size_t end) {
  return static_cast<std::size_t>(random() % end);
}

// One change: bytes replaced, a bit flipped, or a piece of another input put in or over.
void change(Bytes& input, const std::vector<Bytes>& corpus, Random& random) {
  constexpr std::size_t kMostBytes = 4096, kMostAtOnce = 16;
  if (input.empty()) input.push_back(0);
  const std::size_t at = below(random, input.size());
  switch (below(random, 4)) {
    case 0: input[at] = static_cast<std::uint8_t>(random()); break;
    case 1: input[at] ^= static_cast<std::uint8_t>(1u << below(random, 8)); break;
    case 2:
      for (std::size_t i = at; i < input.size() && i < at + kMostAtOnce; ++i)
        input[i] = static_cast<std::uint8_t>(random());
      break;
    default: {
      const Bytes& other = corpus[below(random, corpus.size())];
      if (other.empty() || input.size() > kMostBytes) break;
      const std::size_t from = below(random, other.size());
      const std::size_t size = std::min(other.size() - from, 1 + below(random, kMostAtOnce));
      const auto first = other.begin() + static_cast<std::ptrdiff_t>(from);
      input.insert(input.begin() + static_cast<std::ptrdiff_t>(at), first, first + static_cast<std::ptrdiff_t>(size));
    }
  }
}

unsigned run_at_random(const std::vector<Bytes>& corpus, std::chrono::seconds time, unsigned seed,
                       const std::string& last) {
  std::printf("seed %u\n", seed);
  std::fflush(stdout);
  Random random(seed);
  unsigned runs = 0;
  for (const auto end = std::chrono::steady_clock::now() + time; std::chrono::steady_clock::now() < end; ++runs) {
    Bytes input = corpus[below(random, corpus.size())];
    for (std::size_t changes = 1 + below(random, 8); changes > 0; --changes)
      change(input, corpus, random);
    std::ofstream(last, std::ios::binary)
        .write(reinterpret_cast<const char*>(input.data()), static_cast<std::streamsize>(input.size()));
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  std::filesystem::remove(last);
  return runs;
}

}  // namespace

int main(int argc, char** argv) {
  std::chrono::seconds random_time{0};
  unsigned seed = std::random_device()();
  std::vector<std::filesystem::path> places;
  for (int i = 1; i < argc; ++i) {
    if (argv[i] == std::string("--random") && i + 1 < argc) {
      random_time = std::chrono::seconds(std::atoi(argv[++i]));
    } else if (argv[i] == std::string("--seed") && i + 1 < argc) {
      seed = static_cast<unsigned>(std::strtoul(argv[++i], nullptr, 10));
    } else {
      places.emplace_back(argv[i]);
    }
  }
  const auto corpus = corpus_of(places);
  for (const Bytes& input : corpus)
    LLVMFuzzerTestOneInput(input.data(), input.size());
  std::printf("%zu inputs replayed\n", corpus.size());
  if (corpus.empty()) return 1;
  if (random_time.count() > 0)
    std::printf("%u variations run\n", run_at_random(corpus, random_time, seed, std::string(argv[0]) + ".last"));
  return 0;
}
