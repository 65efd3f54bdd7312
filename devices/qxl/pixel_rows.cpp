#include "devices/qxl/pixel_rows.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace devices::qxl {

namespace {

constexpr std::uint32_t kRgb = 0x00ff'ffff;

// The bits of a byte as bytes of 0 or 1, the leftmost bit in the lowest byte.
constexpr auto kSpread = [] {
  std::array<std::uint64_t, 256> table{};
  for (unsigned byte = 0; byte < table.size(); ++byte)
    for (unsigned pixel = 0; pixel < 8; ++pixel)
      table[byte] |= std::uint64_t{(byte >> (7 - pixel)) & 1} << (8 * pixel);
  return table;
}();

// The bit pairs of a byte as bytes of 0 to 3.
constexpr auto kSpreadPairs = [] {
  std::array<std::uint32_t, 256> table{};
  for (unsigned byte = 0; byte < table.size(); ++byte)
    for (unsigned pixel = 0; pixel < 4; ++pixel)
      table[byte] |= ((byte >> (6 - 2 * pixel)) & 3) << (8 * pixel);
  return table;
}();

// Eight palette indices, one a byte.
std::uint64_t planar_indices(const std::uint8_t* planes) {
  return kSpread[planes[0]] | kSpread[planes[1]] << 1 | kSpread[planes[2]] << 2 | kSpread[planes[3]] << 3;
}

// [VGA 2.6.6 bit 5] planes 0 and 1 one after the other, planes 2 and 3 above them.
std::uint64_t interleaved_indices(const std::uint8_t* planes) {
  const std::uint64_t left = kSpreadPairs[planes[0]] | kSpreadPairs[planes[2]] << 2;
  const std::uint64_t right = kSpreadPairs[planes[1]] | kSpreadPairs[planes[3]] << 2;
  return left | right << 32;
}

template <class Indices>
void convert_words(const Scanout& scanout, std::span<const std::uint8_t> bytes, std::span<std::uint32_t> out,
                   Indices indices_of) {
  const auto repeat = scanout.dot_repeat;
  auto* pixel = out.data();
  for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) {
    auto indices = indices_of(&bytes[at]);
    for (unsigned i = 0; i < 8; ++i, indices >>= 8) {
      const auto colour = scanout.colours[indices & 0xf];
      for (unsigned r = 0; r < repeat; ++r)
        *pixel++ = colour;
    }
  }
}

void convert_bytes(const Scanout& scanout, std::span<const std::uint8_t> bytes, std::span<std::uint32_t> out,
                   unsigned repeat) {
  auto* pixel = out.data();
  for (const auto byte : bytes) {
    const auto colour = scanout.colours[byte];
    for (unsigned r = 0; r < repeat; ++r)
      *pixel++ = colour;
  }
}

std::uint32_t load_half(const std::uint8_t* bytes) {
  std::uint16_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// Components of 5 and 6 bits to 8: the high bits fill the low ones.
constexpr std::uint32_t five(std::uint32_t c) {
  return c << 3 | c >> 2;
}
constexpr std::uint32_t six(std::uint32_t c) {
  return c << 2 | c >> 4;
}

void convert_555(std::span<const std::uint8_t> bytes, std::span<std::uint32_t> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto v = load_half(&bytes[2 * i]);
    out[i] = five(v >> 10 & 31) << 16 | five(v >> 5 & 31) << 8 | five(v & 31);
  }
}

void convert_565(std::span<const std::uint8_t> bytes, std::span<std::uint32_t> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto v = load_half(&bytes[2 * i]);
    out[i] = five(v >> 11) << 16 | six(v >> 5 & 63) << 8 | five(v & 31);
  }
}

void convert_888(std::span<const std::uint8_t> bytes, std::span<std::uint32_t> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto* bgr = &bytes[3 * i];
    out[i] = std::uint32_t{bgr[2]} << 16 | std::uint32_t{bgr[1]} << 8 | bgr[0];
  }
}

// The compiler makes vectors of a loop with a fixed count only; this one runs for every pixel of the largest modes.
void convert_x888(std::span<const std::uint8_t> bytes, std::span<std::uint32_t> out) {
  constexpr std::size_t kStep = 16;
  std::memcpy(out.data(), bytes.data(), out.size_bytes());
  auto rest = out;
  for (; rest.size() >= kStep; rest = rest.subspan(kStep)) {
    auto* pixels = rest.data();
    for (std::size_t i = 0; i < kStep; ++i)
      pixels[i] &= kRgb;
  }
  for (auto& pixel : rest)
    pixel &= kRgb;
}

}  // namespace

std::size_t row_pixels(const Scanout& scanout) {
  switch (scanout.kind) {
    case ScanoutKind::Planar:
    case ScanoutKind::Interleave:
    case ScanoutKind::Packed256: return std::size_t{scanout.line_bytes} / 4 * 8 * scanout.dot_repeat;
    default: return static_cast<std::size_t>(scanout.width);
  }
}

void convert_row(const Scanout& scanout, std::span<const std::uint8_t> bytes, std::span<std::uint32_t> out) {
  switch (scanout.kind) {
    case ScanoutKind::Blank:
    case ScanoutKind::Text: return;
    case ScanoutKind::Vbe4:
    case ScanoutKind::Planar: return convert_words(scanout, bytes, out, planar_indices);
    case ScanoutKind::Interleave: return convert_words(scanout, bytes, out, interleaved_indices);
    case ScanoutKind::Packed256: return convert_bytes(scanout, bytes, out, 2u * scanout.dot_repeat);
    case ScanoutKind::Vbe8: return convert_bytes(scanout, bytes, out, 1);
    case ScanoutKind::Vbe15: return convert_555(bytes, out);
    case ScanoutKind::Vbe16: return convert_565(bytes, out);
    case ScanoutKind::Vbe24: return convert_888(bytes, out);
    case ScanoutKind::Vbe32: return convert_x888(bytes, out);
  }
}

void update_row(std::span<const std::uint32_t> row, std::span<std::uint32_t> to, std::int32_t y, ChangeRects& changes) {
  // memcmp over blocks finds where; single pixels are looked at only at the ends of a changed piece.
  constexpr std::size_t kBlock = 32;
  const auto differs = [&](std::size_t from) {
    const auto count = std::min(kBlock, to.size() - from);
    return std::memcmp(&row[from], &to[from], count * sizeof row[0]) != 0;
  };
  for (std::size_t from = 0; from < to.size(); from += kBlock) {
    if (!differs(from)) continue;
    auto end = from + kBlock;
    // An unchanged gap of one block is not worth a rectangle of its own.
    while (end < to.size() && (differs(end) || (end + kBlock < to.size() && differs(end + kBlock))))
      end += kBlock;
    auto left = from;
    auto right = std::min(end, to.size());
    while (row[left] == to[left])
      ++left;
    while (row[right - 1] == to[right - 1])
      --right;
    std::ranges::copy(row.subspan(left, right - left), to.begin() + static_cast<std::ptrdiff_t>(left));
    changes.add({static_cast<std::int32_t>(left), y, static_cast<std::int32_t>(right), y + 1});
    from = end - kBlock;
  }
}

}  // namespace devices::qxl
