#include "tests/vectors/picture.h"

#include <algorithm>
#include <map>

namespace vectors {
namespace {

using spice::codec::LzType;

// Index `x` of a row of packed palette indices.
unsigned index_at(LzType type, const std::uint8_t* row, std::uint32_t x) {
  switch (type) {
    case LzType::Plt1Le: return row[x / 8] >> (x % 8) & 1U;
    case LzType::Plt1Be: return row[x / 8] >> (7 - x % 8) & 1U;
    case LzType::Plt4Le: return row[x / 2] >> (x % 2 * 4) & 15U;
    case LzType::Plt4Be: return row[x / 2] >> (4 - x % 2 * 4) & 15U;
    default: return row[x];
  }
}

std::uint32_t widened(std::uint32_t pixel) {  // x1r5g5b5
  std::uint32_t result = 0;
  for (const unsigned component : {2U, 1U, 0U}) {
    const auto value = pixel >> (5 * component) & 31;
    result = result << 8 | (value << 3 | value >> 2);
  }
  return result;
}

std::uint32_t pixel_at(const Picture& picture, const std::uint8_t* row, std::uint32_t x) {
  const auto byte = [row](std::size_t i) { return std::uint32_t{row[i]}; };
  const std::size_t i = x;
  switch (picture.lz_type()) {
    case LzType::Rgb16: return widened(byte(2 * i) | byte(2 * i + 1) << 8);
    case LzType::Rgb24: return byte(3 * i) | byte(3 * i + 1) << 8 | byte(3 * i + 2) << 16;
    case LzType::Rgb32: return byte(4 * i) | byte(4 * i + 1) << 8 | byte(4 * i + 2) << 16;
    case LzType::Rgba: return byte(4 * i) | byte(4 * i + 1) << 8 | byte(4 * i + 2) << 16 | byte(4 * i + 3) << 24;
    default: return picture.palette.at(index_at(picture.lz_type(), row, x)) & 0xffffff;
  }
}

}  // namespace

Picture::Picture(const nlohmann::json& meta)
    : width(meta.at("width")),
      height(meta.at("height")),
      stride(meta.at("stride")),
      format(meta.at("format")),
      top_down(meta.at("top_down") != 0) {
  if (meta.contains("palette") && meta["palette"].is_array())
    palette = meta["palette"].get<std::vector<std::uint32_t>>();
}

LzType Picture::lz_type() const {
  static const std::map<std::string, LzType> types = {
      {"1le", LzType::Plt1Le}, {"1be", LzType::Plt1Be}, {"4le", LzType::Plt4Le}, {"4be", LzType::Plt4Be},
      {"8", LzType::Plt8},     {"16", LzType::Rgb16},   {"24", LzType::Rgb24},   {"32", LzType::Rgb32},
      {"rgba", LzType::Rgba},  {"a8", LzType::A8}};
  return types.at(format);
}

Bytes shown(const Picture& picture, const Bytes& stored, std::size_t stride) {
  if (stored.size() < stride * (picture.height - 1) + picture.row_bytes()) throw std::runtime_error("too few bytes");
  Bytes result;
  for (std::uint32_t y = 0; y < picture.height; ++y) {
    const auto* row = stored.data() + stride * (picture.top_down ? y : picture.height - 1 - y);
    for (std::uint32_t x = 0; x < picture.width; ++x) {
      if (picture.lz_type() == LzType::A8) {
        result.push_back(row[x]);
        continue;
      }
      const auto pixel = pixel_at(picture, row, x);
      for (unsigned shift = 0; shift < 32; shift += 8)
        result.push_back(static_cast<std::uint8_t>(pixel >> shift));
    }
  }
  return result;
}

Bytes shown(const Picture& picture, std::span<const std::uint32_t> stored) {
  Bytes rows;
  const auto bytes = picture.row_bytes() / picture.width;
  for (const auto pixel : stored) {
    for (std::size_t i = 0; i < bytes; ++i)
      rows.push_back(static_cast<std::uint8_t>(pixel >> (8 * i)));
  }
  return shown(picture, rows, picture.row_bytes());
}

}  // namespace vectors
