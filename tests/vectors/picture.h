// The pictures of the vectors: what their descriptions say and how stored pixels become those that are compared.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "spice/codec/lz.h"
#include "tests/vectors/verb.h"

namespace vectors {

// Its rows lie in stored order.
struct Picture {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t stride = 0;
  std::string format;  // 1le 1be 4le 4be 8 16 24 32 rgba a8
  bool top_down = true;
  std::vector<std::uint32_t> palette;  // 0x00RRGGBB

  explicit Picture(const nlohmann::json& meta);

  spice::codec::LzType lz_type() const;
  // Rows without padding, in stored order.
  std::size_t row_bytes() const { return spice::codec::lz_row_bytes(lz_type(), width); }
};

// Stored rows of `stride` bytes as tightly packed B, G, R, 0 or B, G, R, A or alpha bytes, top row first.
Bytes shown(const Picture& picture, const Bytes& stored, std::size_t stride);
// The same from GLZ's words.
Bytes shown(const Picture& picture, std::span<const std::uint32_t> stored);

}  // namespace vectors
