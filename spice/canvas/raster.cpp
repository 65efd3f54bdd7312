#include "spice/canvas/raster.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace spice::canvas {
namespace {

// All operations are bitwise, so that rows are combined 16 bytes at a time whatever their pixels are.
using Word = std::uint8_t __attribute__((vector_size(16)));

Word load(const std::uint8_t* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

void store(std::uint8_t* to, Word word) {
  std::memcpy(to, &word, sizeof word);
}

Word all(std::uint8_t byte) {
  return Word{} + byte;
}

bool bit_of(unsigned table, unsigned index) {
  return (table >> index & 1U) != 0;
}

// A truth table as a polynomial over bits, in which "and" multiplies and "xor" adds: for two operands
// c[0] + c[1] second + c[2] first + c[3] first second. There is one for every table.
template <std::size_t Terms>
std::array<std::uint8_t, Terms> polynomial(unsigned table) {
  std::array<std::uint8_t, Terms> terms{};
  for (unsigned i = 0; i < Terms; ++i)
    terms[i] = bit_of(table, i) ? 0xff : 0;
  for (unsigned step = 1; step < Terms; step *= 2) {
    for (unsigned i = 0; i < Terms; ++i) {
      if ((i & step) != 0) terms[i] = static_cast<std::uint8_t>(terms[i] ^ terms[i - step]);
    }
  }
  return terms;
}

template <std::size_t Terms>
std::array<Word, Terms> words_of(const std::array<std::uint8_t, Terms>& terms) {
  std::array<Word, Terms> words{};
  for (std::size_t i = 0; i < Terms; ++i)
    words[i] = all(terms[i]);
  return words;
}

// Applies `combine(words of the destination, offset or words of the others)` along a row.
template <class Combine>
void along(std::uint8_t* to, const std::uint8_t* first, const std::uint8_t* second, std::size_t bytes,
           const Combine& combine) {
  std::size_t at = 0;
  for (; at + sizeof(Word) <= bytes; at += sizeof(Word))
    store(to + at, combine(load(to + at), load(first + at), load(second + at)));
  if (at == bytes) return;
  std::array<std::uint8_t, sizeof(Word)> tails[3]{};
  std::memcpy(tails[0].data(), to + at, bytes - at);
  std::memcpy(tails[1].data(), first + at, bytes - at);
  std::memcpy(tails[2].data(), second + at, bytes - at);
  store(tails[0].data(), combine(load(tails[0].data()), load(tails[1].data()), load(tails[2].data())));
  std::memcpy(to + at, tails[0].data(), bytes - at);
}

std::size_t pixel_bytes(core::SurfaceFormat format) {
  return bits_per_pixel(format) / 8;
}

std::uint8_t* at(Surface& surface, std::int32_t x, std::int32_t y) {
  return surface.row(y) + static_cast<std::size_t>(x) * pixel_bytes(surface.format());
}

std::size_t row_size(const Surface& surface, const core::Rect& area) {
  return static_cast<std::size_t>(area.width()) * pixel_bytes(surface.format());
}

std::int32_t positive_modulo(std::int64_t value, std::int32_t modulus) {
  const auto rest = static_cast<std::int32_t>(value % modulus);
  return rest < 0 ? rest + modulus : rest;
}

// Makes `row` of `size` bytes repeat its first `period` bytes.
void repeat(std::uint8_t* row, std::size_t period, std::size_t size) {
  for (std::size_t done = period; done < size; done *= 2)
    std::memcpy(row + done, row, std::min(done, size - done));
}

template <class Pixel>
void copy_row_keyed(std::uint8_t* to, const std::uint8_t* from, std::int32_t width, Pixel key, Pixel mask) {
  for (std::int32_t x = 0; x < width; ++x, to += sizeof(Pixel), from += sizeof(Pixel)) {
    Pixel pixel;
    std::memcpy(&pixel, from, sizeof pixel);
    if ((pixel & mask) != key) std::memcpy(to, &pixel, sizeof pixel);
  }
}

template <class Pixel>
void copy_keyed(Surface& to, const core::Rect& area, const PlacedPixels& from, std::uint32_t key, Pixel mask) {
  for (auto y = area.top; y < area.bottom; ++y)
    copy_row_keyed<Pixel>(at(to, area.left, y), from.at(area.left, y), area.width(), static_cast<Pixel>(key & mask),
                          mask);
}

}  // namespace

Rop2 rop2_of(core::Rop descriptor, RopOperands operands) {
  const auto has = [descriptor](unsigned bit) { return (descriptor & bit) != 0; };
  const bool invert_first =
      has(operands == RopOperands::SourceDestination ? core::kRopInvertSource : core::kRopInvertBrush);
  const bool invert_second =
      has(operands == RopOperands::BrushSource ? core::kRopInvertSource : core::kRopInvertDestination);
  const auto first = static_cast<unsigned>(Rop2::First) ^ (invert_first ? 15U : 0U);
  const auto second = static_cast<unsigned>(Rop2::Second) ^ (invert_second ? 15U : 0U);
  const unsigned invert_result = has(core::kRopInvertResult) ? 15U : 0U;
  if (has(core::kRopPut)) return Rop2(first ^ invert_result);
  if (has(core::kRopOr)) return Rop2((first | second) ^ invert_result);
  if (has(core::kRopAnd)) return Rop2((first & second) ^ invert_result);
  if (has(core::kRopXor)) return Rop2(first ^ second ^ invert_result);
  if (has(core::kRopBlackness)) return Rop2(0);
  if (has(core::kRopWhiteness)) return Rop2(15);
  if (has(core::kRopInvert)) return Rop2(static_cast<unsigned>(Rop2::Second) ^ 15U);
  return Rop2::First;
}

RowCombiner::RowCombiner(Rop2 rop) : is_copy_(rop == Rop2::First) {
  if (!is_copy_) terms_ = polynomial<4>(static_cast<unsigned>(rop));
}

void RowCombiner::operator()(std::uint8_t* to, const std::uint8_t* from, std::size_t bytes) const {
  if (is_copy_) {
    std::memcpy(to, from, bytes);
    return;
  }
  const auto c = words_of(terms_);
  along(to, from, from, bytes, [c](Word d, Word s, Word) { return c[0] ^ (c[1] & d) ^ (s & (c[2] ^ (c[3] & d))); });
}

BrushRows::BrushRows(std::uint32_t color, unsigned bits_per_pixel, std::int32_t most_pixels)
    : pixel_bytes_(bits_per_pixel / 8) {
  const std::size_t size = static_cast<std::size_t>(most_pixels) * pixel_bytes_;
  row_ = std::make_unique_for_overwrite<std::uint8_t[]>(std::max(size, sizeof color));
  std::memcpy(row_.get(), &color, sizeof color);
  repeat(row_.get(), pixel_bytes_, size);
}

BrushRows::BrushRows(const Pixels& tile, core::Point origin, std::int32_t most_pixels)
    : tile_(tile), origin_(origin), pixel_bytes_(pixel_bytes(tile.format)) {
  row_ = std::make_unique_for_overwrite<std::uint8_t[]>(static_cast<std::size_t>(most_pixels) * pixel_bytes_);
}

const std::uint8_t* BrushRows::row(std::int32_t y, std::int32_t left, std::int32_t right) {
  if (tile_.rows == nullptr) return row_.get();
  const auto* const from = tile_.row(positive_modulo(std::int64_t{y} - origin_.y, tile_.height));
  const std::size_t start =
      static_cast<std::size_t>(positive_modulo(std::int64_t{left} - origin_.x, tile_.width)) * pixel_bytes_;
  const std::size_t size = static_cast<std::size_t>(right - left) * pixel_bytes_;
  const std::size_t period = static_cast<std::size_t>(tile_.width) * pixel_bytes_;
  // From `start` to the tile's edge, then from the tile's start to make up a period.
  const std::size_t head = std::min(period - start, size);
  const std::size_t rest = std::min(start, size - head);
  std::memcpy(row_.get(), from + start, head);
  std::memcpy(row_.get() + head, from, rest);
  repeat(row_.get(), period, size);
  return row_.get();
}

void fill(Surface& to, const core::Rect& area, BrushRows& brush, const RowCombiner& combine) {
  const auto size = row_size(to, area);
  for (auto y = area.top; y < area.bottom; ++y)
    combine(at(to, area.left, y), brush.row(y, area.left, area.right), size);
}

core::Rect PlacedPixels::covered(const core::Rect& area) const {
  const auto l = std::max(std::int64_t{area.left}, left);
  const auto t = std::max(std::int64_t{area.top}, top);
  const auto r = std::min(std::int64_t{area.right}, left + pixels.width);
  const auto b = std::min(std::int64_t{area.bottom}, top + pixels.height);
  if (l >= r || t >= b) return {};
  return {static_cast<std::int32_t>(l), static_cast<std::int32_t>(t), static_cast<std::int32_t>(r),
          static_cast<std::int32_t>(b)};
}

const std::uint8_t* PlacedPixels::at(std::int32_t x, std::int32_t y) const {
  return pixels.row(static_cast<std::int32_t>(y - top)) +
         (x - left) * static_cast<std::ptrdiff_t>(pixel_bytes(pixels.format));
}

void blit(Surface& to, const core::Rect& area, const PlacedPixels& from, const RowCombiner& combine) {
  const auto size = row_size(to, area);
  for (auto y = area.top; y < area.bottom; ++y)
    combine(at(to, area.left, y), from.at(area.left, y), size);
}

void blit_keyed(Surface& to, const core::Rect& area, const PlacedPixels& from, std::uint32_t key) {
  switch (bits_per_pixel(to.format())) {
    case 8: return copy_keyed<std::uint8_t>(to, area, from, key, 0xff);
    case 16: return copy_keyed<std::uint16_t>(to, area, from, key, 0xffff);
    default: return copy_keyed<std::uint32_t>(to, area, from, key, 0xffffff);
  }
}

void blit_rop3(Surface& to, const core::Rect& area, const PlacedPixels& from, BrushRows& brush, std::uint8_t code) {
  const auto c = words_of(polynomial<8>(code));
  const auto size = row_size(to, area);
  const auto combine = [&c](Word d, Word s, Word p) {
    return c[0] ^ (c[1] & d) ^ (s & (c[2] ^ (c[3] & d))) ^ (p & (c[4] ^ (c[5] & d) ^ (s & (c[6] ^ (c[7] & d)))));
  };
  for (auto y = area.top; y < area.bottom; ++y)
    along(at(to, area.left, y), from.at(area.left, y), brush.row(y, area.left, area.right), size, combine);
}

void move(Surface& surface, const core::Rect& area, std::int32_t dx, std::int32_t dy) {
  const auto size = row_size(surface, area);
  const auto row = [&](std::int32_t y) {
    std::memmove(at(surface, area.left, y), at(surface, area.left - dx, y - dy), size);
  };
  if (dy > 0) {
    for (auto y = area.bottom; y-- > area.top;)
      row(y);
  } else {
    for (auto y = area.top; y < area.bottom; ++y)
      row(y);
  }
}

}  // namespace spice::canvas
