// What a recording has of each type, named once for both directions. The order of fields and of the alternatives of
// variants is the format: another order is another version (recording_format.h).
#pragma once

#include <concepts>
#include <type_traits>

#include "vmm/replay/call.h"
#include "vmm/replay/recorded_glyph.h"

namespace vmm::replay {

// The type itself or const: an encoder's values are, a decoder's are not.
template <class T, class U>
concept Is = std::same_as<std::remove_const_t<T>, U>;

void fields(auto& io, Is<core::Point> auto& v) {
  io(v.x, v.y);
}
void fields(auto& io, Is<core::Rect> auto& v) {
  io(v.left, v.top, v.right, v.bottom);
}
void fields(auto& io, Is<core::SurfaceShape> auto& v) {
  io(v.width, v.height, v.format);
}
void fields(auto& io, Is<core::MonitorHead> auto& v) {
  io(v.id, v.surface, v.area, v.flags);
}
void fields(auto& io, Is<core::MonitorLayout> auto& v) {
  io(v.max_allowed, v.heads);
}
void fields(auto& io, Is<core::CursorShape> auto& v) {
  io(v.unique, v.type, v.width, v.height, v.hot_spot, v.data);
}

// Parts of drawings.
void fields(auto& io, Is<core::Palette> auto& v) {
  io(v.unique, v.colors);
}
void fields(auto& io, Is<core::Bitmap> auto& v) {
  io(v.format, v.top_down, v.width, v.height, v.stride, v.palette, v.data);
}
void fields(auto& io, Is<core::QuicBitmap> auto& v) {
  io(v.data);
}
void fields(auto& io, Is<core::SurfacePixels> auto& v) {
  io(v.surface);
}
void fields(auto& io, Is<core::OwnPixels> auto& v) {
  io(v.area);
}
void fields(auto& io, Is<core::Image> auto& v) {
  io(v.id, v.cacheable, v.high_bits_set, v.content);
}
void fields(auto& io, Is<core::Mask> auto& v) {
  io(v.image, v.inverted, v.origin);
}
void fields(auto&, Is<std::monostate> auto&) {}
void fields(auto& io, Is<core::SolidBrush> auto& v) {
  io(v.color);
}
void fields(auto& io, Is<core::PatternBrush> auto& v) {
  io(v.image, v.origin);
}
void fields(auto& io, Is<core::Source> auto& v) {
  io(v.image, v.area, v.scale);
}
void fields(auto& io, Is<core::PathPoint> auto& v) {
  io(v.x, v.y);
}
void fields(auto& io, Is<core::PathSegment> auto& v) {
  io(v.flags, v.points);
}
void fields(auto& io, Is<RecordedGlyph> auto& v) {
  io(v.glyph.position, v.glyph.origin, v.glyph.width, v.glyph.height, v.values);
}
void fields(auto& io, Is<core::Transform> auto& v) {
  io(v.t00, v.t01, v.t02, v.t10, v.t11, v.t12);
}
void fields(auto& io, Is<core::CompositeImage> auto& v) {
  io(v.image, v.origin, v.filter, v.repeat, v.transform);
}

// Operations.
void fields(auto&, Is<core::DrawNothing> auto&) {}
void fields(auto& io, Is<core::DrawFill> auto& v) {
  io(v.brush, v.rop, v.mask);
}
void fields(auto& io, Is<core::DrawOpaque> auto& v) {
  io(v.source, v.brush, v.rop, v.mask);
}
void fields(auto& io, Is<core::DrawCopy> auto& v) {
  io(v.source, v.rop, v.mask);
}
void fields(auto& io, Is<core::DrawBlend> auto& v) {
  io(v.source, v.rop, v.mask);
}
void fields(auto& io, Is<core::DrawCopyBits> auto& v) {
  io(v.source);
}
void fields(auto& io, Is<core::DrawBlackness> auto& v) {
  io(v.mask);
}
void fields(auto& io, Is<core::DrawWhiteness> auto& v) {
  io(v.mask);
}
void fields(auto& io, Is<core::DrawInvers> auto& v) {
  io(v.mask);
}
void fields(auto& io, Is<core::DrawRop3> auto& v) {
  io(v.source, v.brush, v.code, v.mask);
}
void fields(auto& io, Is<core::DrawStroke> auto& v) {
  io(v.path, v.dashes, v.starts_with_gap, v.brush, v.fore_mode, v.back_mode);
}
void fields(auto& io, Is<core::DrawText> auto& v) {
  auto glyphs = recorded_glyphs(v);
  io(v.depth, v.top_down, glyphs, v.back_area, v.fore_brush, v.back_brush, v.fore_mode, v.back_mode);
  if constexpr (!std::is_const_v<std::remove_reference_t<decltype(v)>>) take_glyphs(glyphs, v);
}
void fields(auto& io, Is<core::DrawTransparent> auto& v) {
  io(v.source, v.source_color, v.true_color);
}
void fields(auto& io, Is<core::DrawAlphaBlend> auto& v) {
  io(v.source, v.alpha, v.destination_has_alpha, v.source_surface_has_alpha);
}
void fields(auto& io, Is<core::DrawComposite> auto& v) {
  io(v.operation, v.source, v.mask, v.component_alpha, v.source_opaque, v.mask_opaque, v.destination_opaque);
}
void fields(auto& io, Is<core::Drawing> auto& v) {
  io(v.surface, v.box, v.clip, v.effect, v.time_ms, v.memory, v.operation);
}

// Calls.
void fields(auto& io, Is<SetMode> auto& v) {
  io(v.width, v.height);
}
void fields(auto& io, Is<Changed> auto& v) {
  io(v.area, v.pixels);
}
void fields(auto& io, Is<CreateSurface> auto& v) {
  io(v.id, v.shape);
}
void fields(auto& io, Is<DestroySurface> auto& v) {
  io(v.id);
}
void fields(auto&, Is<DestroySurfaces> auto&) {}
void fields(auto& io, Is<LoadSurface> auto& v) {
  io(v.id, v.shape, v.stride, v.top_down, v.rows);
}
void fields(auto& io, Is<Draw> auto& v) {
  io(v.drawing);
}
void fields(auto& io, Is<SetMonitors> auto& v) {
  io(v.layout);
}
void fields(auto& io, Is<SetCursor> auto& v) {
  io(v.shape, v.position, v.visible);
}
void fields(auto& io, Is<MoveCursor> auto& v) {
  io(v.position);
}
void fields(auto&, Is<HideCursor> auto&) {}
void fields(auto& io, Is<SetCursorTrail> auto& v) {
  io(v.length, v.frequency);
}
void fields(auto&, Is<ResetCursor> auto&) {}

}  // namespace vmm::replay
