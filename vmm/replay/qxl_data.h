// Packed lists of QXL's structures, which libspice-server's recordings have as the driver made them.
// [spice-protocol qxl_dev.h]
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/ports/drawing.h"

namespace vmm::replay {

using Bytes = std::span<const std::uint8_t>;

// Nothing if the bytes are too few for what they announce.
std::optional<std::vector<core::Rect>> parse_rects(Bytes bytes, std::uint32_t count);  // QXLRect
std::optional<std::vector<core::PathSegment>> parse_path(Bytes bytes);                 // QXLPathSeg
// QXLRasterGlyph, of `bytes` from their start on; the values are those of that depth.
std::optional<std::vector<core::Glyph>> parse_glyphs(Bytes bytes, std::uint32_t count, core::GlyphDepth depth);
std::optional<core::Transform> parse_transform(Bytes bytes);  // QXLTransform
std::vector<std::int32_t> parse_lengths(Bytes bytes);         // QXLFIXED

}  // namespace vmm::replay
