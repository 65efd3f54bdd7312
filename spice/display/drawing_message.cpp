#include "spice/display/drawing_message.h"

#include <algorithm>
#include <span>
#include <utility>
#include <variant>

#include "spice/canvas/glyphs.h"
#include "spice/wire/coding.h"

namespace spice::display {
namespace {

// So much of paths and texts is told to clients; what is larger they get as pixels.
constexpr std::size_t kMostPoints = 65'536;
constexpr std::size_t kMostGlyphBytes = std::size_t{4} << 20;

bool fits16(std::int32_t value) {
  return value >= INT16_MIN && value <= INT16_MAX;
}

bool fits16(const core::CompositeImage& image) {
  return fits16(image.origin.x) && fits16(image.origin.y);
}

// As far as images and brushes do not matter.
class Suits {
 public:
  explicit Suits(const wire::Capabilities& capabilities) : capabilities_(capabilities) {}

  bool operator()(const core::DrawNothing&) const { return false; }
  bool operator()(const core::DrawStroke& stroke) const {
    std::size_t points = stroke.path.size();
    for (const auto& segment : stroke.path)
      points += segment.points.size();
    return points <= kMostPoints && stroke.dashes.size() <= UINT8_MAX;
  }
  bool operator()(const core::DrawText& text) const {
    std::size_t bytes = 0;
    for (const auto& glyph : text.glyphs)
      bytes += core::values_of(glyph, text).size();
    return text.glyphs.size() <= UINT16_MAX && bytes <= kMostGlyphBytes && canvas::has_all_values(text);
  }
  bool operator()(const core::DrawComposite& composite) const {
    return capabilities_.has(wire::kCompositeCap) && fits16(composite.source) &&
           (!composite.mask || fits16(*composite.mask));
  }
  template <class Other>
  bool operator()(const Other&) const {
    return true;
  }

 private:
  const wire::Capabilities& capabilities_;
};

wire::Clip wire_clip(const core::Clip& clip) {
  wire::Clip result;
  if (!clip) return result;
  result.kind = wire::Clip::Kind::Rects;
  std::ranges::transform(*clip, std::back_inserter(result.rects), wire_rect);
  return result;
}

wire::Point wire_point(const core::Point& point) {
  return {point.x, point.y};
}

wire::Point16 wire_point16(const core::Point& point) {
  return {static_cast<std::int16_t>(point.x), static_cast<std::int16_t>(point.y)};
}

wire::ScaleMode wire_scale(core::ScaleMode mode) {
  return mode == core::ScaleMode::Nearest ? wire::ScaleMode::Nearest : wire::ScaleMode::Interpolate;
}

// Writes a message part by part. All its images can be written.
class Message {
 public:
  Message(const core::Drawing& drawing, ImageWriter& images) : images_(images) {
    base_.surface_id = drawing.surface;
    base_.box = wire_rect(drawing.box);
    base_.clip = wire_clip(drawing.clip);
  }
  std::optional<EncodedMessage> take() { return std::move(result_); }

  void operator()(const core::DrawNothing&) {}
  void operator()(const core::DrawFill& fill) {
    wire::DisplayDrawFill to;
    to.brush = brush(fill.brush);
    to.rop = fill.rop;
    to.mask = mask(fill.mask);
    finish(to);
  }
  void operator()(const core::DrawOpaque& opaque) {
    wire::DisplayDrawOpaque to;
    put(to, opaque.source);
    to.scale = wire_scale(opaque.source.scale);
    to.brush = brush(opaque.brush);
    to.rop = opaque.rop;
    to.mask = mask(opaque.mask);
    finish(to);
  }
  // Photos may lose something where they are only shown.
  void operator()(const core::DrawCopy& copy) {
    copied<wire::DisplayDrawCopy>(copy,
                                  only_shows(copy) ? ImageWriter::Exactness::MayLose : ImageWriter::Exactness::Exact);
  }
  void operator()(const core::DrawBlend& blend) { copied<wire::DisplayDrawBlend>(blend); }
  void operator()(const core::DrawCopyBits& bits) {
    wire::DisplayCopyBits to;
    to.source = wire_point(bits.source);
    finish(to);
  }
  void operator()(const core::DrawBlackness& drawing) { plain<wire::DisplayDrawBlackness>(drawing.mask); }
  void operator()(const core::DrawWhiteness& drawing) { plain<wire::DisplayDrawWhiteness>(drawing.mask); }
  void operator()(const core::DrawInvers& drawing) { plain<wire::DisplayDrawInvers>(drawing.mask); }
  void operator()(const core::DrawRop3& rop3) {
    wire::DisplayDrawRop3 to;
    put(to, rop3.source);
    to.scale = wire_scale(rop3.source.scale);
    to.brush = brush(rop3.brush);
    to.code = rop3.code;
    to.mask = mask(rop3.mask);
    finish(to);
  }
  void operator()(const core::DrawStroke& stroke) {
    wire::DisplayDrawStroke to;
    for (const auto& segment : stroke.path) {
      auto& last = to.path.segments.emplace_back();
      last.flags = static_cast<std::uint8_t>(segment.flags);
      for (const auto& point : segment.points)
        last.points.push_back({point.x, point.y});
    }
    if (!stroke.dashes.empty()) {
      to.line.flags = wire::kLineStyled;
      if (stroke.starts_with_gap) to.line.flags |= wire::kLineStartsWithGap;
      to.line.dashes.lengths = stroke.dashes;
    }
    to.brush = brush(stroke.brush);
    to.fore_mode = stroke.fore_mode;
    to.back_mode = stroke.back_mode;
    finish(to);
  }
  void operator()(const core::DrawText& text) {
    wire::DisplayDrawText to;
    to.string = string(text);
    to.back_area = wire_rect(text.back_area);
    to.fore_brush = brush(text.fore_brush);
    to.back_brush = brush(text.back_brush);
    to.fore_mode = text.fore_mode;
    to.back_mode = text.back_mode;
    finish(to);
  }
  void operator()(const core::DrawTransparent& transparent) {
    wire::DisplayDrawTransparent to;
    put(to, transparent.source);
    to.source_color = transparent.source_color;
    to.true_color = transparent.true_color;
    finish(to);
  }
  void operator()(const core::DrawAlphaBlend& blend) {
    wire::DisplayDrawAlphaBlend to;
    put(to, blend.source);
    if (blend.destination_has_alpha) to.flags |= wire::kDestinationHasAlpha;
    if (blend.source_surface_has_alpha) to.flags |= wire::kSourceSurfaceHasAlpha;
    to.alpha = blend.alpha;
    finish(to);
  }
  void operator()(const core::DrawComposite& composite) {
    wire::DisplayDrawComposite to;
    to.flags = composite_flags(composite);
    to.source = images_.image(composite.source.image);
    to.source_origin = wire_point16(composite.source.origin);
    if (composite.source.transform) to.source_transform = transform(*composite.source.transform);
    if (composite.mask) {
      to.mask = images_.image(composite.mask->image);
      to.mask_origin = wire_point16(composite.mask->origin);
      if (composite.mask->transform) to.mask_transform = transform(*composite.mask->transform);
    }
    finish(to);
  }

 private:
  template <class M>
  void finish(M& message) {
    message.base = std::move(base_);
    result_.emplace(M::kType, wire::encode(message));
  }
  template <class M>
  void plain(const core::Mask& from) {
    M to;
    to.mask = mask(from);
    finish(to);
  }
  template <class M, class From>
  void copied(const From& from, ImageWriter::Exactness exactness = ImageWriter::Exactness::Exact) {
    M to;
    put(to, from.source, exactness);
    to.rop = from.rop;
    to.scale = wire_scale(from.source.scale);
    to.mask = mask(from.mask);
    finish(to);
  }
  template <class M>
  void put(M& message, const core::Source& source, ImageWriter::Exactness exactness = ImageWriter::Exactness::Exact) {
    message.source = images_.image(source.image, exactness);
    message.source_area = wire_rect(source.area);
  }

  wire::Brush brush(const core::Brush& from) {
    if (const auto* solid = std::get_if<core::SolidBrush>(&from))
      return {wire::Brush::Kind::Solid, wire::SolidBrush{solid->color}};
    if (const auto* pattern = std::get_if<core::PatternBrush>(&from))
      return {wire::Brush::Kind::Pattern,
              wire::PatternBrush{images_.image(pattern->image), wire_point(pattern->origin)}};
    return {};
  }
  wire::Mask mask(const core::Mask& from) {
    wire::Mask to;
    if (from.image == nullptr) return to;
    to.flags = from.inverted ? 1 : 0;
    to.position = wire_point(from.origin);
    to.bitmap = images_.mask(from.image);
    return to;
  }
  wire::GlyphString string(const core::DrawText& text) {
    wire::GlyphString to;
    to.flags = text.depth == core::GlyphDepth::A8   ? wire::kGlyphsA8
               : text.depth == core::GlyphDepth::A4 ? wire::kGlyphsA4
                                                    : wire::kGlyphsA1;
    if (text.top_down) to.flags |= wire::kGlyphsTopDown;
    to.glyphs.reserve(text.glyphs.size());
    for (const auto& from : text.glyphs) {
      to.glyphs.push_back({.position = wire_point(from.position),
                           .origin = wire_point(from.origin),
                           .width = from.width,
                           .height = from.height,
                           .data = glyph_data(core::values_of(from, text))});
    }
    return to;
  }
  // Small ones are copied when the message is encoded, which is before the drawing goes.
  static wire::Payload glyph_data(std::span<const std::uint8_t> values) {
    if (values.size() < wire::Gather::kCopiedBelow) return wire::Payload::borrowed(values);
    return wire::Payload(std::vector(values.begin(), values.end()));
  }
  static wire::Transform transform(const core::Transform& from) {
    return {{from.t00, from.t01, from.t02, from.t10, from.t11, from.t12}};
  }
  static std::uint32_t composite_flags(const core::DrawComposite& from) {
    auto flags = std::uint32_t{from.operation} | static_cast<std::uint32_t>(from.source.filter) << 8 |
                 static_cast<std::uint32_t>(from.source.repeat) << 14;
    if (from.component_alpha) flags |= wire::kCompositeComponentAlpha;
    if (from.source.transform) flags |= wire::kCompositeHasSourceTransform;
    if (from.source_opaque) flags |= wire::kCompositeSourceOpaque;
    if (from.mask_opaque) flags |= wire::kCompositeMaskOpaque;
    if (from.destination_opaque) flags |= wire::kCompositeDestinationOpaque;
    if (!from.mask) return flags;
    flags |= wire::kCompositeHasMask | static_cast<std::uint32_t>(from.mask->filter) << 11 |
             static_cast<std::uint32_t>(from.mask->repeat) << 16;
    return from.mask->transform ? flags | wire::kCompositeHasMaskTransform : flags;
  }

  ImageWriter& images_;
  wire::DrawBase base_;
  std::optional<EncodedMessage> result_;
};

}  // namespace

wire::Rect wire_rect(const core::Rect& rect) {
  return {.top = rect.top, .left = rect.left, .bottom = rect.bottom, .right = rect.right};
}

bool only_shows(const core::DrawCopy& copy) {
  return copy.rop == core::kRopPut && copy.mask.image == nullptr;
}

bool is_for_clients(const core::Drawing& drawing, const wire::Capabilities& capabilities) {
  bool suits = std::visit(Suits(capabilities), drawing.operation);
  for_each_image(drawing, [&suits](const core::ImagePtr& image, ImageRole) {
    if (image != nullptr && std::holds_alternative<core::OwnPixels>(image->content)) suits = false;
  });
  return suits;
}

std::optional<EncodedMessage> drawing_message(const core::Drawing& drawing, ImageWriter& images) {
  bool can_write = true;
  for_each_image(drawing, [&](const core::ImagePtr& image, ImageRole role) {
    can_write = can_write && images.can_write(image, role);
  });
  if (!can_write) return std::nullopt;
  Message message(drawing, images);
  std::visit([&message](const auto& operation) { message(operation); }, drawing.operation);
  return message.take();
}

wire::DisplayDrawCopy pixels_message(SurfaceKey surface, const core::Rect& area, bool is_whole, ImageWriter& images) {
  wire::DisplayDrawCopy draw;
  draw.base.surface_id = surface_id(surface);
  draw.base.box = wire_rect(area);
  draw.source = images.pixels(surface, area, is_whole);
  draw.source_area = wire_rect({0, 0, area.width(), area.height()});
  return draw;
}

}  // namespace spice::display
