#include <algorithm>
#include <bit>

#include "spice/codec/lz.h"
#include "spice/codec/lz_input.h"
#include "spice/codec/lz_units.h"

namespace spice::codec {
namespace {

using Status = std::expected<void, LzError>;
using lz::Input;

template <class Unit>
void store_literal(std::uint8_t* to, const std::uint8_t* from) {
  if constexpr (Unit::literal == 2) {
    to[0] = from[1];
    to[1] = from[0];
  } else if constexpr (Unit::literal == 3) {
    std::memcpy(to, from, 3);
    if constexpr (Unit::step == 4) to[3] = 0;
  } else if constexpr (Unit::step == 4) {
    to[3] = *from;
  } else {
    *to = *from;
  }
}

// Repeats the `distance` units before `to` until `count` units are written; they may overlap.
template <class Unit>
void copy_units(std::uint8_t* to, std::size_t distance, std::size_t count) {
  if constexpr (Unit::step != Unit::literal && Unit::literal == 1) {
    const auto* from = to - distance * Unit::step;
    for (std::size_t i = 0; i < count; ++i)
      to[i * Unit::step + 3] = from[i * Unit::step + 3];
  } else {
    const auto* from = to - distance * Unit::step;
    std::size_t left = count * Unit::step;
    while (left > 0) {  // what has been copied doubles what can be copied at once
      const auto piece = std::min(left, static_cast<std::size_t>(to - from));
      std::memcpy(to, from, piece);
      to += piece;
      left -= piece;
    }
  }
}

struct Match {
  std::size_t length = 0;  // without the bias
  std::size_t distance = 0;
};

Match read_match(Input& in, std::uint32_t control, std::size_t limit) {
  Match match{control >> 5, (control & 31U) << 8};
  if (match.length == lz::kLengthEscape) {
    std::uint32_t more = 0;
    do {
      more = in.byte();
      match.length += more;
    } while (more == 255 && match.length <= limit);
  }
  const auto low = in.byte();
  match.distance += low;
  if (low == 255 && (control & 31U) == 31) {
    const auto high = in.byte();
    match.distance = lz::kNearDistance + (high << 8) + in.byte();
  }
  return match;
}

template <class Unit>
Status decode_pass(Input& in, std::uint8_t* out, std::size_t units) {
  std::size_t position = 0;
  while (position < units) {
    const auto control = in.byte();
    if (!in.ok()) return std::unexpected(LzError::Truncated);
    if (control < lz::kMaxLiterals) {
      const std::size_t count = control + 1;
      if (in.left() < count * Unit::literal) return std::unexpected(LzError::Truncated);
      if (count > units - position) return std::unexpected(LzError::TrailingData);
      const auto* from = in.take(count * Unit::literal);
      auto* to = out + position * Unit::step;
      for (std::size_t i = 0; i < count; ++i)
        store_literal<Unit>(to + i * Unit::step, from + i * Unit::literal);
      position += count;
      continue;
    }
    const auto match = read_match(in, control, units);
    if (!in.ok()) return std::unexpected(LzError::Truncated);
    const auto length = match.length + Unit::bias;
    if (match.distance >= position || length > units - position) return std::unexpected(LzError::BadMatch);
    copy_units<Unit>(out + position * Unit::step, match.distance + 1, length);
    position += length;
  }
  return {};
}

Status decode_body(const LzHeader& header, Input& in, std::uint8_t* out) {
  const auto pixels = std::size_t{header.width} * header.height;
  switch (header.type) {
    case LzType::Rgb16: return decode_pass<lz::Rgb16Unit>(in, out, pixels);
    case LzType::Rgb24: return decode_pass<lz::Rgb24Unit>(in, out, pixels);
    case LzType::Rgb32: return decode_pass<lz::Rgb32Unit>(in, out, pixels);
    case LzType::Rgba: {
      const auto colours = decode_pass<lz::Rgb32Unit>(in, out, pixels);
      return colours ? decode_pass<lz::AlphaUnit>(in, out, pixels) : colours;
    }
    case LzType::Xxxa: return decode_pass<lz::AlphaUnit>(in, out, pixels);
    default: return decode_pass<lz::ByteUnit>(in, out, header.image_bytes());
  }
}

}  // namespace

std::expected<LzHeader, LzError> lz_read_header(std::span<const std::uint8_t> data) {
  if (data.size() < kLzHeaderBytes) return std::unexpected(LzError::Truncated);
  Input in(data);
  const auto magic = in.be<std::uint32_t>();
  const auto version = in.be<std::uint32_t>();
  const auto type = in.be<std::uint32_t>();
  LzHeader header;
  header.width = in.be<std::uint32_t>();
  header.height = in.be<std::uint32_t>();
  header.stride = in.be<std::uint32_t>();
  const auto top_down = in.be<std::uint32_t>();
  if (magic != lz::kMagic || version != lz::kVersion || type < 1 || type > 11 || top_down > 1)
    return std::unexpected(LzError::BadHeader);
  header.type = static_cast<LzType>(type);
  header.top_down = top_down == 1;
  if (header.width == 0 || header.height == 0 || header.stride != lz_row_bytes(header.type, header.width) ||
      header.stride >= kLzMaxImageBytes / header.height)
    return std::unexpected(LzError::BadHeader);
  return header;
}

std::expected<LzHeader, LzError> lz_decode(std::span<const std::uint8_t> data, std::span<std::uint8_t> out) {
  const auto header = lz_read_header(data);
  if (!header) return header;
  if (out.size() < header->image_bytes()) return std::unexpected(LzError::SmallBuffer);
  Input in(data.subspan(kLzHeaderBytes));
  const auto body = decode_body(*header, in, out.data());
  if (!body) return std::unexpected(body.error());
  if (in.left() > 0) return std::unexpected(LzError::TrailingData);
  return header;
}

}  // namespace spice::codec
