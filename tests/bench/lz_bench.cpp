// Speed of the LZ encoder and decoder over the larger vectors, in bytes of the raw image a second.
#include <benchmark/benchmark.h>

#include "tests/unit/spice/codec/lz_vectors.h"

namespace {

using lz_vectors::Bytes;
using lz_vectors::Vector;

void encode(benchmark::State& state, const Vector& vector) {
  spice::codec::LzScratch scratch;
  Bytes out(vector.raw.size() * 2 + 1024);
  std::size_t size = 0;
  for (auto _ : state) {
    size = spice::codec::lz_encode(vector.image(), out, scratch).value_or(0);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * vector.raw.size()));
  state.counters["size"] = static_cast<double>(size);
}

void decode(benchmark::State& state, const Vector& vector) {
  Bytes out(vector.raw.size());
  for (auto _ : state) {
    benchmark::DoNotOptimize(spice::codec::lz_decode(vector.encoded.front(), out));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * vector.raw.size()));
}

}  // namespace

int main(int argc, char** argv) {
  static const auto vectors = lz_vectors::load(MINIVMM_TEST_DATA "/codec");
  for (const auto& vector : vectors) {
    if (vector.raw.size() < 200'000) continue;
    benchmark::RegisterBenchmark(("lz_encode/" + vector.name).c_str(), encode, vector);
    benchmark::RegisterBenchmark(("lz_decode/" + vector.name).c_str(), decode, vector);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
