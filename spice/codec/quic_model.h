// What QUIC's encoder and decoder have in common: the codes, the adaptive choice between them, the cutting of rows into
// segments and the run lengths. After Starosolski's SFALIC, in the variant of SPICE.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "spice/codec/quic.h"

namespace spice::codec::quic {

constexpr std::uint32_t kMagic = 0x43495551;  // "QUIC"
constexpr unsigned kMaxCodeBits = 26;
constexpr unsigned kMaxCodes = 8;
constexpr unsigned kBuckets = 8;
// Rows keep this many words before their first pixel, so that there is something left of it.
constexpr std::size_t kRowMargin = 4;

// The first words of a pixel's working form have a component a byte: B, G, R, A from the lowest. A group is what shares
// its runs and its rhythm of updates.
struct Colours8 {
  static constexpr unsigned bits = 8;
  static constexpr std::array<unsigned, 3> shifts = {16, 8, 0};  // in coding order
  static constexpr std::uint32_t mask = 0x00ffffff;
};
struct Colours5 {
  static constexpr unsigned bits = 5;
  static constexpr std::array<unsigned, 3> shifts = {16, 8, 0};
  static constexpr std::uint32_t mask = 0x00ffffff;
};
struct Alpha8 {
  static constexpr unsigned bits = 8;
  static constexpr std::array<unsigned, 1> shifts = {24};
  static constexpr std::uint32_t mask = 0xff000000;
};

// Code number l of symbols of `bits` bits: s < golomb: s >> l zeros, a one, the l low bits of s; others: `zeros` zeros
// and s - golomb in `escape_bits` bits.
struct Code {
  unsigned zeros = 0;
  unsigned golomb = 0;
  unsigned escape_bits = 0;
};

constexpr Code code(unsigned bits, unsigned l) {
  Code result;
  result.zeros = std::min(kMaxCodeBits - bits, (1U << (bits - l)) - 1);
  result.golomb = result.zeros << l;
  while ((1U << result.escape_bits) < (1U << bits) - result.golomb)
    ++result.escape_bits;
  return result;
}

// A codeword: its bits are at most nine, after zeros.
struct Codeword {
  static constexpr unsigned kValueBits = 11;

  static constexpr std::uint16_t pack(unsigned value, unsigned length) {
    return static_cast<std::uint16_t>(length << kValueBits | value);
  }
  static constexpr unsigned length(unsigned packed) { return packed >> kValueBits; }
  static constexpr unsigned value(unsigned packed) { return packed & ((1U << kValueBits) - 1); }
};

constexpr std::uint16_t codeword(unsigned bits, unsigned l, unsigned symbol) {
  const auto c = code(bits, l);
  if (symbol >= c.golomb) return Codeword::pack(symbol - c.golomb, c.zeros + c.escape_bits);
  return Codeword::pack(1U << l | (symbol & ((1U << l) - 1)), (symbol >> l) + 1 + l);
}

template <unsigned Bits>
struct Codes {
  static constexpr std::size_t kSymbols = std::size_t{1} << Bits;

  // words[l * kSymbols + s]
  static constexpr auto words = [] {
    std::array<std::uint16_t, Bits * kSymbols> table{};
    for (unsigned l = 0; l < Bits; ++l) {
      for (unsigned s = 0; s < kSymbols; ++s)
        table[l * kSymbols + s] = codeword(Bits, l, s);
    }
    return table;
  }();

  // lengths[s][l]
  static constexpr auto lengths = [] {
    std::array<std::array<std::uint16_t, kMaxCodes>, kSymbols> table{};
    for (unsigned s = 0; s < kSymbols; ++s) {
      for (unsigned l = 0; l < Bits; ++l)
        table[s][l] = static_cast<std::uint16_t>(Codeword::length(codeword(Bits, l, s)));
    }
    return table;
  }();
};

// The buckets are {0}, {1, 2}, {3..6}, ... up to the last, which takes what is left.
template <unsigned Bits>
struct Buckets {
  static constexpr std::size_t kSymbols = std::size_t{1} << Bits;
  static constexpr unsigned kCount = Bits == 8 ? 8 : 5;

  static constexpr auto of_symbol = [] {
    std::array<std::uint8_t, kSymbols> table{};
    for (unsigned s = 0; s < kSymbols; ++s) {
      unsigned bucket = 0;
      while (bucket + 1 < kCount && s >= (2U << bucket) - 1)
        ++bucket;
      table[s] = static_cast<std::uint8_t>(bucket);
    }
    return table;
  }();
};

// Which code each bucket of one component uses, learnt from the symbols. Step is what a code number counts in `choice`.
template <unsigned Bits, unsigned Step>
class Plane {
 public:
  Plane() { choice.fill((Bits - 1) * Step); }

  void update(unsigned context, unsigned symbol, unsigned trigger) {
    const unsigned bucket = Buckets<Bits>::of_symbol[context];
    auto& counters = counters_[bucket];
    const auto& lengths = Codes<Bits>::lengths[symbol];
    for (unsigned l = 0; l < kMaxCodes; ++l)
      counters[l] = static_cast<std::uint16_t>(counters[l] + lengths[l]);
    unsigned best = Bits - 1;
    for (unsigned l = Bits - 1; l-- > 0;)
      best = counters[l] < counters[best] ? l : best;
    if (best != best_[bucket]) choose(bucket, best);
    if (counters[best] <= trigger) return;
    for (auto& counter : counters)
      counter = static_cast<std::uint16_t>(counter >> 1);
  }

  // Code number times Step for each context.
  std::array<std::uint16_t, std::size_t{1} << Bits> choice;

 private:
  void choose(unsigned bucket, unsigned best) {
    best_[bucket] = static_cast<std::uint8_t>(best);
    const std::size_t first = (std::size_t{1} << bucket) - 1;
    const auto end = bucket + 1 == Buckets<Bits>::kCount ? choice.size() : 2 * first + 1;
    std::fill(choice.begin() + static_cast<std::ptrdiff_t>(first), choice.begin() + static_cast<std::ptrdiff_t>(end),
              static_cast<std::uint16_t>(best * Step));
  }

  // A counter stays below 26 times the smallest of its bucket, which is halved at 900.
  std::array<std::array<std::uint16_t, kMaxCodes>, kBuckets> counters_{};
  std::array<std::uint8_t, kBuckets> best_ = [] {
    std::array<std::uint8_t, kBuckets> all{};
    all.fill(Bits - 1);
    return all;
  }();
};

// The rhythm of updates and the state of the run lengths.
struct Rhythm {
  static constexpr std::uint32_t kSegment = 2048;
  static constexpr unsigned kLastLevel = 6;
  static constexpr std::array<std::uint16_t, kLastLevel + 1> kTriggers = {110, 550, 900, 800, 550, 400, 350};
  static constexpr std::array<std::uint8_t, 32> kRunBits = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,  2,  3,  3,  3,  3,
                                                            4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15};

  unsigned wait = 0;  // pixels until the next update
  unsigned level = 0;
  std::uint32_t left = kSegment;  // of the segment, while level < kLastLevel
  unsigned run_level = 0;
  std::uint8_t seed = 255;

  unsigned trigger() const { return kTriggers[level]; }
  unsigned run_bits() const { return kRunBits[run_level]; }
  void raise_run() { run_level = std::min(run_level + 1, 31U); }
  void lower_run() { run_level -= run_level > 0 ? 1 : 0; }
  void draw_wait();  // after an update

  // Calls segment(begin, end) for each piece of a row; stops early where that returns false.
  template <class Segment>
  bool cut(std::uint32_t width, Segment segment) {
    std::uint32_t at = 0;
    while (level < kLastLevel && left <= width - at) {
      const auto end = at + left;
      if (!segment(at, end)) return false;
      at = end;
      ++level;
      left = kSegment;
    }
    if (at == width) return true;
    if (!segment(at, width)) return false;
    if (level < kLastLevel) left -= width - at;
    return true;
  }
};

template <class Kind, unsigned Step>
struct Group {
  std::array<Plane<Kind::bits, Step>, Kind::shifts.size()> planes;
  Rhythm rhythm;

  // Learns from a coded pixel; both words hold a symbol a byte.
  void update(std::uint32_t contexts, std::uint32_t symbols) {
    for (std::size_t p = 0; p < planes.size(); ++p) {
      const auto shift = Kind::shifts[p];
      planes[p].update(contexts >> shift & 0xff, symbols >> shift & 0xff, rhythm.trigger());
    }
    rhythm.draw_wait();
  }
};

template <class T>
T load(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

}  // namespace spice::codec::quic
