// Per row: the pixels as words with a byte a component, then all their symbols and the places where pixels repeat, both
// with vectors; only then one pixel after the other is written, from tables.
#include <bit>
#include <emmintrin.h>

#include "spice/codec/quic.h"
#include "spice/codec/quic_model.h"

namespace spice::codec {
namespace quic {
namespace {

// Bits on their way into little-endian 32-bit groups, the first of a group highest. A value of its own, so that a loop
// keeps it in registers.
struct Bits {
  std::uint64_t pending = 0;  // from the highest
  unsigned count = 0;         // below 32
  std::uint8_t* at = nullptr;

  // `value` has no bit above the lowest `length`, which is 1 to 32. Touches four bytes at `at`.
  void put(std::uint64_t value, unsigned length) {
    pending |= value << (64 - count - length);
    count += length;
    const auto group = static_cast<std::uint32_t>(pending >> 32);
    std::memcpy(at, &group, sizeof group);
    const auto complete = count & 32;
    at += complete >> 3;
    pending <<= complete;
    count -= complete;
  }
};

// Where the bits go. Whoever writes asks for room first; where the output gets short, bits go to a buffer of our own
// and are moved over as long as they fit.
class BitWriter {
 public:
  static constexpr std::ptrdiff_t kRoom = 1024;  // bytes that room() promises

  explicit BitWriter(std::span<std::uint8_t> out)
      : start_(out.data()), end_(out.data() + out.size()), safe_end_(end_), out_(out.data()) {
    bits.at = out.data();
  }

  Bits bits;

  bool full() const { return full_; }
  void room() {
    if (safe_end_ - bits.at < kRoom) spill();
  }
  // The rest of the last group and the zero group; returns the size of all.
  std::optional<std::size_t> finish() {
    room();
    if (bits.count > 0) bits.put(0, 32 - bits.count);
    bits.put(0, 32);
    if (spilling_) flush();
    if (full_) return std::nullopt;
    return static_cast<std::size_t>((spilling_ ? out_ : bits.at) - start_);
  }

 private:
  void spill() {
    if (spilling_) {
      flush();
    } else {
      out_ = bits.at;
      spilling_ = true;
    }
    bits.at = spilled_.data();
    safe_end_ = bits.at;  // so that the next room() comes here
  }
  void flush() {
    const auto size = static_cast<std::size_t>(bits.at - spilled_.data());
    full_ = full_ || size > static_cast<std::size_t>(end_ - out_);
    if (full_) return;
    std::memcpy(out_, spilled_.data(), size);
    out_ += size;
  }

  std::uint8_t* start_;
  std::uint8_t* end_;
  std::uint8_t* safe_end_;
  std::uint8_t* out_;  // behind what has been moved over
  bool spilling_ = false;
  bool full_ = false;
  std::array<std::uint8_t, std::size_t{kRoom} + 8> spilled_;
};

// A row's bits, one a column.
class Bitmap {
 public:
  explicit Bitmap(std::uint64_t* words) : words_(words) {}
  static std::size_t words_for(std::uint32_t width) { return width / 64 + 2; }

  std::uint64_t* words() { return words_; }
  // First column of [from, end) with a bit of that value, or end.
  template <bool Value>
  std::uint32_t find(std::uint32_t from, std::uint32_t end) const {
    if (from >= end) return end;
    std::size_t i = from / 64;
    auto word = bits<Value>(i) & ~std::uint64_t{0} << from % 64;
    for (; word == 0; word = bits<Value>(i)) {
      if (++i * 64 >= end) return end;
    }
    return std::min(end, static_cast<std::uint32_t>(i * 64 + static_cast<unsigned>(std::countr_zero(word))));
  }

 private:
  template <bool Value>
  std::uint64_t bits(std::size_t i) const {
    return Value ? words_[i] : ~words_[i];
  }
  std::uint64_t* words_;
};

// What one group remembers from row to row.
struct Memory {
  std::uint32_t* symbols;  // as last written in each column, a byte a component; also at [-1]
  Bitmap equal;            // this row: equals its left neighbour
  Bitmap candidates;       // this row: a run may begin here
};

// Writes the rows of one group.
template <class Kind>
class GroupEncoder {
 public:
  GroupEncoder(const Memory& memory, BitWriter& out) : memory_(memory), out_(out) {}

  // `symbols` are those of the whole row, also of the columns that runs will cover.
  void row(const std::uint32_t* symbols, std::uint32_t width, bool first) {
    memory_.symbols[-1] = first ? 0 : memory_.symbols[0];
    group_.rhythm.cut(width, [&](std::uint32_t begin, std::uint32_t end) {
      if (first) {
        pixels(symbols, begin, end);
      } else {
        segment(symbols, begin, end);
      }
      return true;
    });
  }

 private:
  static constexpr unsigned kStep = 1U << Kind::bits;
  // A pixel needs 78 bits at most, so room() is enough for a stretch between updates.
  static_assert((63 + 1) * Kind::shifts.size() * kMaxCodeBits / 8 + 64 < std::size_t{BitWriter::kRoom});

  void segment(const std::uint32_t* symbols, std::uint32_t at, std::uint32_t end) {
    auto search = at;
    while (at < end) {
      const auto run = memory_.candidates.find<true>(search, end);
      pixels(symbols, at, run);
      if (run == end) return;
      at = memory_.equal.find<false>(run, end);
      put_run(at - run);
      search = at == run ? at + 1 : at;
    }
  }

  void pixels(const std::uint32_t* symbols, std::uint32_t at, std::uint32_t end) {
    auto* const memory = memory_.symbols;
    auto context = memory[std::ptrdiff_t{at} - 1];
    auto& wait = group_.rhythm.wait;
    while (at < end) {
      out_.room();
      auto bits = out_.bits;
      const auto stop = at + std::min(wait, end - at);
      wait -= stop - at;
      for (; at < stop; ++at) {
        const auto word = symbols[at];
        memory[at] = word;
        pixel(context, word, bits);
        context = word;
      }
      if (at < end) {
        const auto word = memory[at] = symbols[at];
        pixel(context, word, bits);
        group_.update(context, word);
        context = word;
        ++at;
      }
      out_.bits = bits;
    }
  }

  unsigned find_codeword(std::size_t plane, std::uint32_t contexts, std::uint32_t symbols) const {
    const auto shift = Kind::shifts[plane];
    return Codes<Kind::bits>::words[group_.planes[plane].choice[contexts >> shift & 0xff] + (symbols >> shift & 0xff)];
  }

  void pixel(std::uint32_t contexts, std::uint32_t symbols, Bits& bits) const {
    const auto first = find_codeword(0, contexts, symbols);
    if constexpr (Kind::shifts.size() == 1) {
      bits.put(Codeword::value(first), Codeword::length(first));
    } else {
      const auto second = find_codeword(1, contexts, symbols);
      const auto third = find_codeword(2, contexts, symbols);
      const auto behind = Codeword::length(second) + Codeword::length(third);
      const auto length = Codeword::length(first) + behind;
      if (length <= 32) [[likely]] {
        const auto value = std::uint64_t{Codeword::value(first)} << behind |
                           std::uint64_t{Codeword::value(second)} << Codeword::length(third) | Codeword::value(third);
        bits.put(value, length);
      } else {
        bits.put(Codeword::value(first), Codeword::length(first));
        bits.put(Codeword::value(second), Codeword::length(second));
        bits.put(Codeword::value(third), Codeword::length(third));
      }
    }
  }

  void put_run(std::uint32_t length) {
    auto& rhythm = group_.rhythm;
    out_.room();
    for (unsigned ones = 1; length >= 1U << rhythm.run_bits(); ++ones) {
      out_.bits.put(1, 1);
      length -= 1U << rhythm.run_bits();
      rhythm.raise_run();
      if (ones % 1024 == 0) out_.room();
    }
    out_.bits.put(length, rhythm.run_bits() + 1);
    rhythm.lower_run();
  }

  Memory memory_;
  BitWriter& out_;
  Group<Kind, kStep> group_;
};

// --- rows of words ---

void load_row(QuicType type, const std::uint8_t* from, std::uint32_t width, std::uint32_t* to) {
  switch (type) {
    case QuicType::Gray:
      for (std::uint32_t x = 0; x < width; ++x)
        to[x] = std::uint32_t{from[x]} << 24;
      break;
    case QuicType::Rgb16:
      for (std::uint32_t x = 0; x < width; ++x) {
        const std::uint32_t pixel = load<std::uint16_t>(from + std::size_t{x} * 2);
        to[x] = (pixel & 0x1f) | (pixel << 3 & 0x1f00) | (pixel << 6 & 0x1f0000);
      }
      break;
    case QuicType::Rgb24:
      if (width == 0) break;
      for (std::uint32_t x = 0; x + 1 < width; ++x)
        to[x] = load<std::uint32_t>(from + std::size_t{x} * 3) & 0xffffff;
      from += std::size_t{width - 1} * 3;
      to[width - 1] = load<std::uint16_t>(from) | std::uint32_t{from[2]} << 16;
      break;
    case QuicType::Rgb32:
      for (std::uint32_t x = 0; x < width; ++x)
        to[x] = load<std::uint32_t>(from + std::size_t{x} * 4) & 0xffffff;
      break;
    case QuicType::Rgba: std::memcpy(to, from, std::size_t{width} * 4); break;
  }
}

__m128i load_quad(const std::uint32_t* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

// Symbols of four pixels: differences to what the neighbours predict, small ones of either sign to small numbers.
template <unsigned Bits>
__m128i symbols_of(__m128i pixels, __m128i left, __m128i above) {
  const auto odd = _mm_and_si128(_mm_xor_si128(left, above), _mm_set1_epi8(1));
  const auto predicted = _mm_sub_epi8(_mm_avg_epu8(left, above), odd);
  const auto difference = _mm_sub_epi8(pixels, predicted);
  const auto doubled = _mm_add_epi8(difference, difference);
  if constexpr (Bits == 8) {
    return _mm_xor_si128(doubled, _mm_cmpgt_epi8(_mm_setzero_si128(), difference));
  } else {
    const auto low = _mm_set1_epi8(0x1f);
    const auto high = _mm_slli_epi16(_mm_and_si128(difference, low), 3);
    return _mm_and_si128(_mm_xor_si128(doubled, _mm_cmpgt_epi8(_mm_setzero_si128(), high)), low);
  }
}

unsigned equal_quad(__m128i differences) {
  return static_cast<unsigned>(_mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(differences, _mm_setzero_si128()))));
}

struct Row {
  const std::uint32_t* pixels;  // with what is left of the first at [-1]
  const std::uint32_t* above;
  std::uint32_t width;
};

// Writes `symbols` and, per group, which pixels equal their left neighbours. Both words of rows and symbols may be
// touched up to the next multiple of 64 pixels.
template <class Colours, bool HasColours, bool HasAlpha>
void analyse(const Row& row, std::uint32_t* symbols, std::uint64_t* equal_colours, std::uint64_t* equal_alpha) {
  for (std::uint32_t x = 0; x < row.width; x += 64) {
    std::uint64_t colours = 0;
    std::uint64_t alpha = 0;
    const auto quads = std::min(16U, (row.width - x + 3) / 4);
    for (unsigned q = 0; q < quads; ++q) {
      const auto i = std::size_t{x} + q * 4;
      const auto pixels = load_quad(row.pixels + i);
      const auto left = load_quad(row.pixels + i - 1);
      const auto quad = symbols_of<Colours::bits>(pixels, left, load_quad(row.above + i));
      _mm_store_si128(reinterpret_cast<__m128i*>(symbols + i), quad);
      const auto different = _mm_xor_si128(pixels, left);
      if constexpr (HasColours) colours |= std::uint64_t{equal_quad(_mm_slli_epi32(different, 8))} << q * 4;
      if constexpr (HasAlpha) alpha |= std::uint64_t{equal_quad(_mm_srli_epi32(different, 24))} << q * 4;
    }
    if constexpr (HasColours) equal_colours[x / 64] = colours;
    if constexpr (HasAlpha) equal_alpha[x / 64] = alpha;
  }
}

// A run may begin where the pixels above have just been equal and so have the two on the left. On entry `candidates`
// has the row above's `equal`; never in the first three columns.
void find_candidates(std::uint64_t* candidates, const std::uint64_t* equal, std::size_t words) {
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < words; ++i) {
    const auto shifted = equal[i] << 1 | carry;
    carry = equal[i] >> 63;
    candidates[i] &= shifted;
  }
  candidates[0] &= ~std::uint64_t{7};
}

// Memory of one image out of a scratch.
class Layout {
 public:
  Layout(QuicScratch& scratch, std::uint32_t width)
      : row_words_((std::size_t{width} + 3) / 4 * 4 + 2 * kRowMargin), bitmap_words_(Bitmap::words_for(width) * 2 + 2) {
    bitmap_words_ = (bitmap_words_ + 3) / 4 * 4;
    at_ = scratch.words(5 * row_words_ + 4 * bitmap_words_);
    std::memset(at_, 0, (5 * row_words_ + 4 * bitmap_words_) * sizeof *at_);
  }
  std::uint32_t* row() {
    auto* const result = at_ + kRowMargin;
    at_ += row_words_;
    return result;
  }
  Bitmap bitmap() {
    auto* const words = reinterpret_cast<std::uint64_t*>(at_);
    at_ += bitmap_words_;
    return Bitmap(words);
  }
  Memory memory() { return {row(), bitmap(), bitmap()}; }

 private:
  std::size_t row_words_;
  std::size_t bitmap_words_;
  std::uint32_t* at_;
};

template <class Colours, bool HasColours, bool HasAlpha>
bool encode_rows(const QuicImage& image, QuicScratch& scratch, BitWriter& out) {
  Layout layout(scratch, image.width);
  auto* pixels = layout.row();
  auto* above = layout.row();
  auto* const symbols = layout.row();
  auto colours_memory = layout.memory();
  auto alpha_memory = layout.memory();
  GroupEncoder<Colours> colours(colours_memory, out);
  GroupEncoder<Alpha8> alpha(alpha_memory, out);
  const auto words = Bitmap::words_for(image.width) - 1;
  const auto prepare = [words](Memory& memory) {
    std::memcpy(memory.candidates.words(), memory.equal.words(), words * sizeof(std::uint64_t));
  };
  for (std::uint32_t y = 0; y < image.height; ++y) {
    const bool first = y == 0;
    load_row(image.type, image.rows + std::ptrdiff_t{y} * image.stride, image.width, pixels);
    // The first pixel is predicted by the one above alone, those of the first row by their left neighbours alone.
    pixels[-1] = first ? 0 : above[0];
    const Row row{pixels, first ? pixels - 1 : above, image.width};
    if constexpr (HasColours) prepare(colours_memory);
    if constexpr (HasAlpha) prepare(alpha_memory);
    analyse<Colours, HasColours, HasAlpha>(row, symbols, colours_memory.equal.words(), alpha_memory.equal.words());
    if constexpr (HasColours) {
      find_candidates(colours_memory.candidates.words(), colours_memory.equal.words(), words);
      colours.row(symbols, image.width, first);
    }
    if constexpr (HasAlpha) {
      find_candidates(alpha_memory.candidates.words(), alpha_memory.equal.words(), words);
      alpha.row(symbols, image.width, first);
    }
    if (out.full()) return false;
    std::swap(pixels, above);
  }
  return true;
}

bool encode_body(const QuicImage& image, QuicScratch& scratch, BitWriter& out) {
  switch (image.type) {
    case QuicType::Gray: return encode_rows<Colours8, false, true>(image, scratch, out);
    case QuicType::Rgb16: return encode_rows<Colours5, true, false>(image, scratch, out);
    case QuicType::Rgb24:
    case QuicType::Rgb32: return encode_rows<Colours8, true, false>(image, scratch, out);
    case QuicType::Rgba: return encode_rows<Colours8, true, true>(image, scratch, out);
  }
  return false;
}

}  // namespace
}  // namespace quic

std::optional<std::size_t> quic_encode(const QuicImage& image, std::span<std::uint8_t> out, QuicScratch& scratch) {
  if (image.width == 0 || image.height == 0 || image.width > kQuicMaxWidth) return std::nullopt;
  if (image.width > kQuicMaxPixels / image.height) return std::nullopt;
  quic::BitWriter writer(out);
  writer.room();
  for (const auto group :
       {quic::kMagic, 0U, std::uint32_t{static_cast<std::uint8_t>(image.type)}, image.width, image.height})
    writer.bits.put(group, 32);
  if (!quic::encode_body(image, scratch, writer)) return std::nullopt;
  return writer.finish();
}

}  // namespace spice::codec
