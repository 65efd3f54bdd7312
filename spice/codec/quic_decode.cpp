// Works in the rows of the target where these have words with a byte a component, else in rows of its own.
#include <bit>

#include "spice/codec/quic.h"
#include "spice/codec/quic_model.h"

namespace spice::codec {
namespace quic {
namespace {

// Symbols whose codeword has at most kIndexBits bits are found by the next kIndexBits bits, per code number.
template <unsigned Bits>
struct Lookup {
  static constexpr unsigned kIndexBits = 10;
  static constexpr unsigned kStep = 1U << kIndexBits;

  // symbol << 8 | length; 0 where the codeword is longer
  static constexpr auto entries = [] {
    std::array<std::uint16_t, Bits * kStep> table{};
    for (unsigned l = 0; l < Bits; ++l) {
      for (unsigned s = 0; s < 1U << Bits; ++s) {
        const auto word = codeword(Bits, l, s);
        const auto length = Codeword::length(word);
        if (length > kIndexBits) continue;
        const auto first = Codeword::value(word) << (kIndexBits - length);
        for (unsigned i = 0; i < 1U << (kIndexBits - length); ++i)
          table[l * kStep + first + i] = static_cast<std::uint16_t>(s << 8 | length);
      }
    }
    return table;
  }();
  static constexpr auto codes = [] {
    std::array<Code, Bits> table{};
    for (unsigned l = 0; l < Bits; ++l)
      table[l] = code(Bits, l);
    return table;
  }();
};

// Reads bits, first bit highest, from little-endian 32-bit groups. Behind the end there are zeros, and it is
// remembered.
class BitReader {
 public:
  explicit BitReader(std::span<const std::uint8_t> data) : at_(data.data()), end_(data.data() + data.size() / 4 * 4) {}

  bool ok() const { return missing_ <= count_; }
  // Then at least 32 bits can be looked at and taken.
  void refill() {
    if (count_ >= 32) return;
    std::uint32_t group = 0;
    if (at_ != end_) [[likely]] {
      group = load<std::uint32_t>(at_);
      at_ += sizeof group;
    } else {
      missing_ += missing_ <= 64 ? 32 : 0;
    }
    bits_ |= std::uint64_t{group} << (32 - count_);
    count_ += 32;
  }
  std::uint64_t bits() const { return bits_; }  // from the highest
  std::uint32_t look(unsigned length) const { return static_cast<std::uint32_t>(bits_ >> 1 >> (63 - length)); }
  void skip(unsigned length) {
    bits_ <<= length;
    count_ -= length;
  }
  // By the six lowest bits of `length`.
  void skip_masked(std::uint32_t length) {
    bits_ <<= length & 63;
    count_ -= length & 63;
  }
  std::uint32_t take(unsigned length) {  // at most 32, which may be 0
    const auto value = look(length);
    skip(length);
    return value;
  }

 private:
  std::uint64_t bits_ = 0;
  unsigned count_ = 0;
  unsigned missing_ = 0;  // of the bits_, the last that many are not from the stream
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

struct Words {
  std::uint8_t* at = nullptr;

  std::uint32_t operator[](std::uint32_t i) const { return load<std::uint32_t>(at + std::size_t{i} * 4); }
  void put(std::uint32_t i, std::uint32_t word) const { std::memcpy(at + std::size_t{i} * 4, &word, sizeof word); }
};

// Bytewise, without carries from byte to byte.
std::uint32_t halved_sum(std::uint32_t a, std::uint32_t b) {
  return (a & b) + ((a ^ b) >> 1 & 0x7f7f7f7f);
}
std::uint32_t sum(std::uint32_t a, std::uint32_t b) {
  return ((a & 0x7f7f7f7f) + (b & 0x7f7f7f7f)) ^ ((a ^ b) & 0x80808080);
}

// Reads the rows of one group.
template <class Kind>
class GroupDecoder {
 public:
  GroupDecoder(std::uint32_t* symbols, BitReader& in) : symbols_(symbols), in_(in) {}

  // False for a run that passes its segment's end. Bits outside of the group are left as they are in `row`, if the
  // group comes after another, or made zero.
  bool row(Words row, Words above, std::uint32_t width, bool first) {
    row_ = row;
    above_ = above;
    symbols_[-1] = first ? 0 : symbols_[0];
    return group_.rhythm.cut(width, [&](std::uint32_t begin, std::uint32_t end) {
      return first ? segment<true>(begin, end) : segment<false>(begin, end);
    });
  }

 private:
  using Table = Lookup<Kind::bits>;
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  static constexpr bool kIsSecond = Kind::shifts.size() == 1;  // alpha is put to colours that are there already

  static bool same(std::uint32_t a, std::uint32_t b) { return ((a ^ b) & Kind::mask) == 0; }

  bool run_begins(std::uint32_t at, std::uint32_t last_run) const {
    return at > 2 && at != last_run && same(row_[at - 1], row_[at - 2]) && same(above_[at], above_[at - 1]);
  }

  template <bool First>
  bool segment(std::uint32_t at, std::uint32_t end) {
    auto& wait = group_.rhythm.wait;
    auto last_run = kNone;
    while (at < end) {
      const auto from = at;
      const auto stop = at + std::min(wait, end - at);
      at = pixels<First>(at, stop, last_run);
      wait -= at - from;
      if (at == end) return true;
      if (!First && run_begins(at, last_run)) {
        last_run = at;
        if (!run(at, end)) return false;
        continue;
      }
      const auto contexts = symbols_[std::ptrdiff_t{at} - 1];
      const auto symbols = read_symbols(contexts, in_);
      put_pixel<First>(at, symbols, at == 0 ? 0 : row_[at - 1]);
      group_.update(contexts, symbols);
      ++at;
    }
    return true;
  }

  // Pixels up to `stop`, or to where a run begins; returns where it stopped.
  template <bool First>
  std::uint32_t pixels(std::uint32_t at, std::uint32_t stop, std::uint32_t last_run) {
    if (at == stop) return at;
    auto in = in_;  // in registers: what is written to memory could change in_
    auto contexts = symbols_[std::ptrdiff_t{at} - 1];
    auto left = at == 0 ? 0 : row_[at - 1];
    auto left_of_it = at < 2 ? ~left : row_[at - 2];
    for (; at < stop; ++at) {
      if (!First && same(left, left_of_it) && run_begins(at, last_run)) break;
      contexts = read_symbols(contexts, in);
      left_of_it = left;
      left = put_pixel<First>(at, contexts, left);
    }
    in_ = in;
    return at;
  }

  template <bool First>
  std::uint32_t put_pixel(std::uint32_t at, std::uint32_t symbols, std::uint32_t left) {
    symbols_[at] = symbols;
    auto predicted = left;
    if constexpr (!First) {
      const auto above = above_[at];
      predicted = at == 0 ? above : halved_sum(left, above);
    }
    constexpr std::uint32_t kOnes = Kind::bits == 8 ? 0xff : 0x1f;
    const auto difference = (symbols >> 1 & 0x7f7f7f7f) ^ (symbols & 0x01010101) * kOnes;
    auto word = sum(predicted, difference) & (kOnes * 0x01010101) & Kind::mask;
    if constexpr (kIsSecond) word |= row_[at] & ~Kind::mask;
    row_.put(at, word);
    return word;
  }

  // The symbols of a pixel, given those of the one before it.
  std::uint32_t read_symbols(std::uint32_t contexts, BitReader& in) const {
    in.refill();
    static_assert(Kind::shifts.size() * Table::kIndexBits <= 32);
    std::uint32_t symbols = 0;
    for (std::size_t p = 0; p < Kind::shifts.size(); ++p) {
      const auto shift = Kind::shifts[p];
      const auto base = group_.planes[p].choice[contexts >> shift & 0xff];
      // The way from one symbol's bits to the next one's is what takes the time: shift, load, shift.
      const auto* const codes = Table::entries.data() + base;
      const std::uint32_t entry = codes[in.bits() >> (64 - Table::kIndexBits)];
      if (entry != 0) [[likely]] {
        in.skip_masked(entry);
        symbols |= entry >> 8 << shift;
      } else {
        const auto read = read_long(base / Table::kStep, in);
        in = read.behind;
        symbols |= read.symbol << shift;
      }
    }
    return symbols;
  }

  struct LongSymbol {
    std::uint32_t symbol;
    BitReader behind;
  };
  // A codeword that is not in the table. Leaves 32 bits to look at.
  [[gnu::noinline]] static LongSymbol read_long(unsigned l, BitReader in) {
    in.refill();
    const auto& c = Table::codes[l];
    const auto zeros = static_cast<unsigned>(std::countl_zero(in.bits()));
    std::uint32_t symbol = 0;
    if (zeros < c.zeros) {
      in.skip(zeros + 1);
      symbol = zeros << l | in.take(l);
    } else {
      in.skip(c.zeros);
      symbol = c.golomb + in.take(c.escape_bits);
    }
    in.refill();
    return {symbol & ((1U << Kind::bits) - 1), in};
  }

  bool run(std::uint32_t& at, std::uint32_t end) {
    auto& rhythm = group_.rhythm;
    std::uint32_t length = 0;
    for (;;) {
      in_.refill();
      if (in_.take(1) == 0) break;
      length += 1U << rhythm.run_bits();
      rhythm.raise_run();
      if (length > end - at) return false;
    }
    length += in_.take(rhythm.run_bits());
    rhythm.lower_run();
    if (length > end - at) return false;
    const auto word = row_[at - 1];
    for (const auto stop = at + length; at < stop; ++at)
      row_.put(at, kIsSecond ? (row_[at] & ~Kind::mask) | (word & Kind::mask) : word);
    return true;
  }

  std::uint32_t* symbols_;  // as last read in each column, a byte a component; also at [-1]
  BitReader& in_;
  Words row_;
  Words above_;
  Group<Kind, Table::kStep> group_;
};

// Five bits to eight.
std::uint32_t widen(std::uint32_t word) {
  return (word << 3 & 0xf8f8f8f8) | (word >> 2 & 0x07070707);
}

// Rows of the scratch, alternating, from which the target's are made.
class OwnRows {
 public:
  OwnRows(std::uint32_t* words, std::uint32_t width, const QuicTarget& target, QuicType type)
      : rows_{reinterpret_cast<std::uint8_t*>(words), reinterpret_cast<std::uint8_t*>(words + width)},
        width_(width),
        target_(target),
        type_(type) {}

  Words row(std::uint32_t y) const { return {rows_[y % 2]}; }
  void done(std::uint32_t y) const {
    const Words from{rows_[y % 2]};
    auto* const to = target_.rows + std::ptrdiff_t{y} * target_.stride;
    for (std::uint32_t x = 0; x < width_; ++x) {
      if (type_ == QuicType::Gray) {
        to[x] = static_cast<std::uint8_t>(from[x] >> 24);
      } else {
        Words{to}.put(x, widen(from[x]));
      }
    }
  }

 private:
  std::array<std::uint8_t*, 2> rows_;
  std::uint32_t width_;
  QuicTarget target_;
  QuicType type_;
};

class TargetRows {
 public:
  explicit TargetRows(const QuicTarget& target) : target_(target) {}
  Words row(std::uint32_t y) const { return {target_.rows + std::ptrdiff_t{y} * target_.stride}; }
  void done(std::uint32_t) const {}

 private:
  QuicTarget target_;
};

using Status = std::expected<void, QuicError>;

template <class Colours, bool HasColours, bool HasAlpha, class Rows>
Status decode_rows(const QuicHeader& header, std::uint32_t* symbols, const Rows& rows, BitReader& in) {
  GroupDecoder<Colours> colours(symbols + kRowMargin, in);
  GroupDecoder<Alpha8> alpha(symbols + 2 * kRowMargin + header.width, in);
  for (std::uint32_t y = 0; y < header.height; ++y) {
    const auto row = rows.row(y);
    const auto above = y == 0 ? row : rows.row(y - 1);
    if constexpr (HasColours) {
      if (!colours.row(row, above, header.width, y == 0)) return std::unexpected(QuicError::BadRun);
    }
    if constexpr (HasAlpha) {
      if (!alpha.row(row, above, header.width, y == 0)) return std::unexpected(QuicError::BadRun);
    }
    if (!in.ok()) return std::unexpected(QuicError::Truncated);
    rows.done(y);
  }
  return {};
}

Status decode_body(const QuicHeader& header, const QuicTarget& target, QuicScratch& scratch, BitReader& in) {
  const std::size_t symbol_words = 2 * (kRowMargin + std::size_t{header.width});
  auto* const symbols = scratch.words(symbol_words + 2 * std::size_t{header.width});
  std::memset(symbols, 0, symbol_words * sizeof *symbols);
  const OwnRows own(symbols + symbol_words, header.width, target, header.type);
  switch (header.type) {
    case QuicType::Gray: return decode_rows<Colours8, false, true>(header, symbols, own, in);
    case QuicType::Rgb16: return decode_rows<Colours5, true, false>(header, symbols, own, in);
    case QuicType::Rgb24:
    case QuicType::Rgb32: return decode_rows<Colours8, true, false>(header, symbols, TargetRows(target), in);
    case QuicType::Rgba: return decode_rows<Colours8, true, true>(header, symbols, TargetRows(target), in);
  }
  return std::unexpected(QuicError::BadHeader);
}

}  // namespace
}  // namespace quic

std::expected<QuicHeader, QuicError> quic_read_header(std::span<const std::uint8_t> data) {
  if (data.size() < kQuicHeaderBytes) return std::unexpected(QuicError::Truncated);
  const auto word = [&data](std::size_t i) { return quic::load<std::uint32_t>(data.data() + i * 4); };
  const auto type = word(2);
  const QuicHeader header{static_cast<QuicType>(type), word(3), word(4)};
  if (word(0) != quic::kMagic || word(1) != 0 || type < 1 || type > 5 || header.width == 0 || header.height == 0 ||
      header.width > kQuicMaxWidth || header.width > kQuicMaxPixels / header.height)
    return std::unexpected(QuicError::BadHeader);
  return header;
}

std::expected<QuicHeader, QuicError> quic_decode(std::span<const std::uint8_t> data, const QuicTarget& target,
                                                 QuicScratch& scratch) {
  const auto header = quic_read_header(data);
  if (!header) return header;
  quic::BitReader in(data.subspan(kQuicHeaderBytes));
  const auto body = quic::decode_body(*header, target, scratch, in);
  if (!body) return std::unexpected(body.error());
  return header;
}

std::expected<QuicHeader, QuicError> quic_decode(std::span<const std::uint8_t> data, std::span<std::uint8_t> out,
                                                 QuicScratch& scratch) {
  const auto header = quic_read_header(data);
  if (!header) return header;
  if (out.size() < header->image_bytes()) return std::unexpected(QuicError::SmallBuffer);
  const auto stride = static_cast<std::ptrdiff_t>(std::size_t{header->width} * header->pixel_bytes());
  return quic_decode(data, QuicTarget{out.data(), stride}, scratch);
}

}  // namespace spice::codec
