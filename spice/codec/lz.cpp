#include "spice/codec/lz.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "spice/codec/lz_units.h"

namespace spice::codec {

static_assert(std::endian::native == std::endian::little, "the comparisons below count bytes from the lowest");

std::uint64_t lz_row_bytes(LzType type, std::uint32_t width) {
  const std::uint64_t w = width;
  switch (type) {
    case LzType::Plt1Le:
    case LzType::Plt1Be: return (w + 7) / 8;
    case LzType::Plt4Le:
    case LzType::Plt4Be: return (w + 1) / 2;
    case LzType::Plt8:
    case LzType::A8: return w;
    case LzType::Rgb16: return w * 2;
    case LzType::Rgb24: return w * 3;
    case LzType::Rgb32:
    case LzType::Rgba:
    case LzType::Xxxa: return w * 4;
  }
  return 0;
}

// The hash table of one pass: entries from before the pass are recognised by their position and ignored.
class LzHistory {
 public:
  struct Place {
    std::uint32_t position = 0;
    std::uint32_t key = 0;  // of the unit there, so that most places that do not fit need not be looked at
  };

  LzHistory(LzScratch& scratch, std::uint32_t units) : slots_(scratch.slots_.data()) {
    if (units >= std::numeric_limits<std::uint32_t>::max() - scratch.next_base_) {
      scratch.slots_.fill({});
      scratch.next_base_ = 1;
    }
    base_ = scratch.next_base_;
    scratch.next_base_ += units;
  }

  static std::uint32_t hash(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
    const auto mixed = std::uint64_t{a} | std::uint64_t{b} << 24 | std::uint64_t{c} << 48;
    return static_cast<std::uint32_t>((mixed * 0x9e3779b97f4a7c15) >> (64 - LzScratch::kHashBits));
  }
  void put(std::uint32_t hash, Place place) { slots_[hash] = {base_ + place.position, place.key}; }
  // What was last put under this hash in this pass; `place` takes its place.
  std::optional<Place> exchange(std::uint32_t hash, Place place) {
    const auto seen = slots_[hash];
    put(hash, place);
    if (seen.position < base_) return std::nullopt;
    return Place{seen.position - base_, seen.key};
  }

 private:
  LzScratch::Seen* slots_;
  std::uint32_t base_;
};

namespace {

// The bytes written so far, and the literal run that is still open.
struct Output {
  std::uint8_t* at;
  std::uint8_t* end;
  std::uint8_t* control = nullptr;
  std::uint32_t literals = 0;

  std::size_t room() const { return static_cast<std::size_t>(end - at); }
  void put_be32(std::uint32_t value) {
    const auto swapped = std::byteswap(value);
    std::memcpy(at, &swapped, sizeof swapped);
    at += sizeof swapped;
  }
  void close_literals() {
    if (literals > 0) *control = static_cast<std::uint8_t>(literals - 1);
    literals = 0;
  }
};

// Units in rows; a picture without gaps between its rows is one long row.
struct Grid {
  const std::uint8_t* origin = nullptr;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::ptrdiff_t stride = 0;
};

template <class Unit>
class Pass {
 public:
  Pass(const Grid& grid, LzScratch& scratch, Output& out)
      : grid_(grid),
        out_(out),
        units_(grid.width * grid.height),
        history_(scratch, units_),
        here_{.offset = 0, .left = grid.width} {}

  // False if the output is full.
  bool run() {
    if (!literal(Unit::key(at(here_)))) return false;
    while (units_ - position_ >= 3) {
      if (!step()) return false;
    }
    while (position_ < units_) {
      if (!literal(Unit::key(at(here_)))) return false;
    }
    out_.close_literals();
    return true;
  }

 private:
  // A unit of the picture: where it lies and how many units its row still has, this one included.
  struct Cursor {
    std::ptrdiff_t offset = 0;
    std::uint32_t left = 0;
  };
  struct Window {
    std::uint32_t a = 0;
    std::uint32_t b = 0;
    std::uint32_t c = 0;
  };
  static constexpr auto kStep = static_cast<std::ptrdiff_t>(Unit::step);
  static constexpr std::size_t kMatchBytes = 5;  // of a match without its length's extension

  const std::uint8_t* at(const Cursor& cursor) const { return grid_.origin + cursor.offset; }

  // `count` is at most cursor.left.
  void advance(Cursor& cursor, std::uint32_t count) const {
    cursor.offset += static_cast<std::ptrdiff_t>(count) * kStep;
    cursor.left -= count;
    if (cursor.left > 0) return;
    cursor.offset += grid_.stride - static_cast<std::ptrdiff_t>(grid_.width) * kStep;
    cursor.left = grid_.width;
  }

  Cursor before(const Cursor& cursor) const {
    if (cursor.left < grid_.width) return {cursor.offset - kStep, cursor.left + 1};
    return {cursor.offset - grid_.stride + static_cast<std::ptrdiff_t>(grid_.width - 1) * kStep, 1};
  }

  Cursor cursor_at(std::uint32_t position) const {
    if (grid_.height == 1) return {static_cast<std::ptrdiff_t>(position) * kStep, grid_.width - position};
    const auto column = position % grid_.width;
    return {std::ptrdiff_t{position / grid_.width} * grid_.stride + static_cast<std::ptrdiff_t>(column) * kStep,
            grid_.width - column};
  }

  // The three units from `cursor` on, which must exist.
  Window window(Cursor cursor) const {
    if (cursor.left >= 3) {
      const auto* from = at(cursor);
      return {Unit::key(from), Unit::key(from + kStep), Unit::key(from + 2 * kStep)};
    }
    Window result;
    result.a = Unit::key(at(cursor));
    advance(cursor, 1);
    result.b = Unit::key(at(cursor));
    advance(cursor, 1);
    result.c = Unit::key(at(cursor));
    return result;
  }

  static std::uint32_t hash(const Window& w) { return LzHistory::hash(w.a, w.b, w.c); }

  // How many of `count` units are equal; both lie in one piece.
  static std::uint32_t equal_units(const std::uint8_t* x, const std::uint8_t* y, std::uint32_t count) {
    const std::size_t bytes = count * Unit::step;
    std::size_t done = 0;
    for (; done + 8 <= bytes; done += 8) {
      const auto differing = (lz::load<std::uint64_t>(x + done) ^ lz::load<std::uint64_t>(y + done)) & Unit::mask;
      if (differing != 0) {
        const auto equal_bytes = done + static_cast<std::size_t>(std::countr_zero(differing)) / 8;
        return static_cast<std::uint32_t>(equal_bytes / Unit::step);
      }
    }
    auto unit = static_cast<std::uint32_t>(done / Unit::step);
    while (unit < count && Unit::key(x + unit * Unit::step) == Unit::key(y + unit * Unit::step))
      ++unit;
    return unit;
  }

  // Walks both cursors over equal units; returns how many there were. `ahead` ends behind the last of them.
  std::uint32_t match(Cursor& ahead, Cursor behind) const {
    const auto limit = units_ - position_;
    std::uint32_t length = 0;
    while (length < limit) {
      const auto piece = std::min({limit - length, ahead.left, behind.left});
      const auto equal = equal_units(at(ahead), at(behind), piece);
      length += equal;
      advance(ahead, equal);
      if (equal < piece) break;
      advance(behind, equal);
    }
    return length;
  }

  bool step() {
    if (out_.room() < kMatchBytes + 1) return false;
    const auto w = window(here_);
    if (w.a == last_ && w.b == last_ && w.c == last_) {
      Cursor end = here_;
      const auto length = match(end, before(here_));
      return put_match(length, 0, end);
    }
    const auto seen = history_.exchange(hash(w), {position_, w.a});
    if (seen && seen->key == w.a) {
      const auto distance = position_ - seen->position - 1;
      if (distance <= lz::kFarDistance) {
        Cursor end = here_;
        const auto length = match(end, cursor_at(seen->position));
        const auto minimum = distance < lz::kNearDistance ? Unit::near_minimum : Unit::far_minimum;
        if (length >= minimum) return put_match(length, distance, end);
      }
    }
    return literal(w.a);
  }

  // Writes the unit here, whose key is `key`.
  bool literal(std::uint32_t key) {
    if (out_.room() < kMatchBytes) return false;
    if (out_.literals == 0) out_.control = out_.at++;
    const auto* from = at(here_);
    put_literal(from);
    if (++out_.literals == lz::kMaxLiterals) out_.close_literals();
    last_ = key;
    ++position_;
    advance(here_, 1);
    return true;
  }

  void put_literal(const std::uint8_t* from) {
    if constexpr (Unit::literal == 1) {
      *out_.at = static_cast<std::uint8_t>(Unit::key(from));
    } else if constexpr (Unit::literal == 2) {
      out_.at[0] = from[1];
      out_.at[1] = from[0];
    } else if constexpr (Unit::step == 4) {
      std::memcpy(out_.at, from, 4);  // the fourth byte is overwritten by what follows; room() has seen to it
    } else {
      std::memcpy(out_.at, from, 3);
    }
    out_.at += Unit::literal;
  }

  bool put_match(std::uint32_t length, std::uint32_t distance, const Cursor& end) {
    out_.close_literals();
    const auto coded = length - Unit::bias;
    const auto extension = coded < lz::kLengthEscape ? 0 : (coded - lz::kLengthEscape) / 255 + 1;
    if (out_.room() < kMatchBytes + extension) return false;
    const bool far = distance >= lz::kNearDistance;
    const auto high = far ? 31U : distance >> 8;
    *out_.at++ = static_cast<std::uint8_t>(std::min(coded, lz::kLengthEscape) << 5 | high);
    if (extension > 0) {
      std::memset(out_.at, 255, extension - 1);
      out_.at += extension - 1;
      *out_.at++ = static_cast<std::uint8_t>((coded - lz::kLengthEscape) % 255);
    }
    if (far) {
      const auto rest = distance - lz::kNearDistance;
      *out_.at++ = 255;
      *out_.at++ = static_cast<std::uint8_t>(rest >> 8);
      *out_.at++ = static_cast<std::uint8_t>(rest);
    } else {
      *out_.at++ = static_cast<std::uint8_t>(distance);
    }
    position_ += length;
    here_ = end;
    remember_end();
    return true;
  }

  // Enters the last two units of a match in the history; the others are not worth it.
  void remember_end() {
    const Cursor one = before(here_);
    last_ = Unit::key(at(one));
    const auto remaining = units_ - position_;
    if (remaining < 2) return;
    const auto w = window(before(one));
    history_.put(hash(w), {position_ - 2, w.a});
    const auto v = window(one);
    history_.put(hash(v), {position_ - 1, v.a});
  }

  const Grid grid_;
  Output& out_;
  const std::uint32_t units_;
  LzHistory history_;
  Cursor here_;
  std::uint32_t position_ = 0;
  std::uint32_t last_ = 0;  // key of the unit before this one
};

template <class Unit>
bool encode_pass(const LzImage& image, std::uint32_t units_a_row, LzScratch& scratch, Output& out) {
  Grid grid{image.rows, units_a_row, image.height, image.stride};
  const auto row = static_cast<std::ptrdiff_t>(units_a_row * Unit::step);
  if (image.stride == row || image.height == 1) {
    grid.width *= grid.height;
    grid.height = 1;
    grid.stride = row;
  }
  return Pass<Unit>(grid, scratch, out).run();
}

bool encode_body(const LzImage& image, LzScratch& scratch, Output& out) {
  const auto row = static_cast<std::uint32_t>(lz_row_bytes(image.type, image.width));
  switch (image.type) {
    case LzType::Rgb16: return encode_pass<lz::Rgb16Unit>(image, image.width, scratch, out);
    case LzType::Rgb24: return encode_pass<lz::Rgb24Unit>(image, image.width, scratch, out);
    case LzType::Rgb32: return encode_pass<lz::Rgb32Unit>(image, image.width, scratch, out);
    case LzType::Rgba:
      return encode_pass<lz::Rgb32Unit>(image, image.width, scratch, out) &&
             encode_pass<lz::AlphaUnit>(image, image.width, scratch, out);
    case LzType::Xxxa: return encode_pass<lz::AlphaUnit>(image, image.width, scratch, out);
    default: return encode_pass<lz::ByteUnit>(image, row, scratch, out);
  }
}

}  // namespace

std::optional<std::size_t> lz_encode(const LzImage& image, std::span<std::uint8_t> out, LzScratch& scratch) {
  const auto row = lz_row_bytes(image.type, image.width);
  if (image.width == 0 || image.height == 0 || row >= kLzMaxImageBytes / image.height) return std::nullopt;
  if (out.size() < kLzHeaderBytes) return std::nullopt;
  Output output{out.data(), out.data() + out.size()};
  for (const auto word : {lz::kMagic, lz::kVersion, std::uint32_t{static_cast<std::uint8_t>(image.type)}, image.width,
                          image.height, static_cast<std::uint32_t>(row), std::uint32_t{image.top_down}})
    output.put_be32(word);
  if (!encode_body(image, scratch, output)) return std::nullopt;
  return static_cast<std::size_t>(output.at - out.data());
}

}  // namespace spice::codec
