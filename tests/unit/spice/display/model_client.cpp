#include "tests/unit/spice/display/model_client.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "spice/canvas/draw.h"
#include "spice/wire/coding.h"

namespace display_test {
namespace {

namespace wire = spice::wire;

core::Rect rect_of(const wire::Rect& rect) {
  return {rect.left, rect.top, rect.right, rect.bottom};
}

core::Point point_of(const wire::Point& point) {
  return {point.x, point.y};
}

core::Point point_of(const wire::Point16& point) {
  return {point.x, point.y};
}

std::vector<std::uint8_t> copy_of(const wire::Payload& payload) {
  return {payload.bytes().begin(), payload.bytes().end()};
}

// A message's drawing, with its images.
class Reader {
 public:
  explicit Reader(ModelImages& images) : images_(images) {}

  core::Brush brush_of(const wire::Brush& brush) {
    if (const auto* solid = std::get_if<wire::SolidBrush>(&brush.fill)) return core::SolidBrush{solid->color};
    if (const auto* pattern = std::get_if<wire::PatternBrush>(&brush.fill))
      return core::PatternBrush{image_of(pattern->image), point_of(pattern->position)};
    return {};
  }

  core::Mask mask_of(const wire::Mask& mask) {
    return {mask.bitmap ? image_of(*mask.bitmap) : nullptr, (mask.flags & 1) != 0, point_of(mask.position)};
  }

  template <class M>
  core::Source source_of(const M& message) {
    core::Source source{.image = image_of(message.source), .area = rect_of(message.source_area)};
    if constexpr (requires { message.scale; }) source.scale = static_cast<core::ScaleMode>(message.scale);
    return source;
  }

  core::DrawFill operation_of(const wire::DisplayDrawFill& message) {
    return {brush_of(message.brush), message.rop, mask_of(message.mask)};
  }
  core::DrawOpaque operation_of(const wire::DisplayDrawOpaque& message) {
    return {source_of(message), brush_of(message.brush), message.rop, mask_of(message.mask)};
  }
  core::DrawCopy operation_of(const wire::DisplayDrawCopy& message) {
    return {source_of(message), message.rop, mask_of(message.mask)};
  }
  core::DrawBlend operation_of(const wire::DisplayDrawBlend& message) {
    return {source_of(message), message.rop, mask_of(message.mask)};
  }
  core::DrawCopyBits operation_of(const wire::DisplayCopyBits& message) { return {point_of(message.source)}; }
  core::DrawBlackness operation_of(const wire::DisplayDrawBlackness& message) { return {mask_of(message.mask)}; }
  core::DrawWhiteness operation_of(const wire::DisplayDrawWhiteness& message) { return {mask_of(message.mask)}; }
  core::DrawInvers operation_of(const wire::DisplayDrawInvers& message) { return {mask_of(message.mask)}; }
  core::DrawRop3 operation_of(const wire::DisplayDrawRop3& message) {
    return {source_of(message), brush_of(message.brush), message.code, mask_of(message.mask)};
  }
  core::DrawStroke operation_of(const wire::DisplayDrawStroke& message) {
    core::DrawStroke stroke{.brush = brush_of(message.brush), .fore_mode = message.fore_mode};
    for (const auto& segment : message.path.segments) {
      auto& last = stroke.path.emplace_back();
      last.flags = segment.flags;
      for (const auto& point : segment.points)
        last.points.push_back({point.x, point.y});
    }
    stroke.dashes = message.line.dashes.lengths;
    stroke.starts_with_gap = (message.line.flags & wire::kLineStartsWithGap) != 0;
    return stroke;
  }
  core::DrawText operation_of(const wire::DisplayDrawText& message) {
    core::DrawText text{.fore_brush = brush_of(message.fore_brush), .back_brush = brush_of(message.back_brush)};
    text.depth = (message.string.flags & wire::kGlyphsA8) != 0   ? core::GlyphDepth::A8
                 : (message.string.flags & wire::kGlyphsA4) != 0 ? core::GlyphDepth::A4
                                                                 : core::GlyphDepth::A1;
    text.top_down = (message.string.flags & wire::kGlyphsTopDown) != 0;
    text.back_area = rect_of(message.back_area);
    for (const auto& glyph : message.string.glyphs) {
      text.glyphs.push_back({.position = point_of(glyph.position),
                             .origin = point_of(glyph.origin),
                             .width = glyph.width,
                             .height = glyph.height,
                             .start = static_cast<std::uint32_t>(text.values.size())});
      std::ranges::copy(copy_of(glyph.data), std::back_inserter(text.values));
    }
    return text;
  }
  core::DrawTransparent operation_of(const wire::DisplayDrawTransparent& message) {
    return {source_of(message), message.source_color, message.true_color};
  }
  core::DrawAlphaBlend operation_of(const wire::DisplayDrawAlphaBlend& message) {
    return {source_of(message), message.alpha, (message.flags & wire::kDestinationHasAlpha) != 0,
            (message.flags & wire::kSourceSurfaceHasAlpha) != 0};
  }

  core::Transform transform_of(const wire::Transform& from) {
    const auto& rows = from.rows;
    return {rows[0], rows[1], rows[2], rows[3], rows[4], rows[5]};
  }

  core::DrawComposite operation_of(const wire::DisplayDrawComposite& message) {
    const auto flags = message.flags;
    const auto has = [flags](std::uint32_t flag) { return (flags & flag) != 0; };
    core::DrawComposite composite;
    composite.operation = static_cast<std::uint8_t>(flags);
    composite.source = {.image = image_of(message.source),
                        .origin = point_of(message.source_origin),
                        .filter = static_cast<core::CompositeFilter>(flags >> 8 & 7U),
                        .repeat = static_cast<core::CompositeRepeat>(flags >> 14 & 3U)};
    if (has(wire::kCompositeHasSourceTransform)) composite.source.transform = transform_of(message.source_transform);
    if (has(wire::kCompositeHasMask)) {
      composite.mask = {.image = image_of(message.mask),
                        .origin = point_of(message.mask_origin),
                        .filter = static_cast<core::CompositeFilter>(flags >> 11 & 7U),
                        .repeat = static_cast<core::CompositeRepeat>(flags >> 16 & 3U)};
      if (has(wire::kCompositeHasMaskTransform)) composite.mask->transform = transform_of(message.mask_transform);
    }
    composite.component_alpha = has(wire::kCompositeComponentAlpha);
    composite.source_opaque = has(wire::kCompositeSourceOpaque);
    return composite;
  }

 private:
  core::ImagePtr image_of(const wire::Image& image) { return images_.image(image); }

  ModelImages& images_;
};

core::Drawing drawing_of(const wire::DrawBase& base) {
  core::Drawing drawing{.surface = base.surface_id, .box = rect_of(base.box)};
  if (base.clip.kind == wire::Clip::Kind::Rects) {
    drawing.clip.emplace();
    for (const auto& rect : base.clip.rects)
      drawing.clip->push_back(rect_of(rect));
  }
  return drawing;
}

}  // namespace

void ModelClient::complain(const std::string& about) {
  if (complaint_.empty()) complaint_ = about;
}

spice::canvas::Surface* ModelClient::find(core::SurfaceId id) {
  const auto found = surfaces_.find(id);
  return found == surfaces_.end() ? nullptr : &found->second;
}

template <class M>
std::optional<M> ModelClient::decoded(std::span<const std::uint8_t> body) {
  auto message = wire::decode<M>(body);
  if (!message) complain("message " + std::to_string(M::kType) + " cannot be decoded");
  return message;
}

void ModelClient::create(const wire::DisplaySurfaceCreate& message) {
  if (surfaces_.contains(message.id)) return complain("a surface is made twice");
  const auto format = static_cast<core::SurfaceFormat>(message.format);
  if (format == core::SurfaceFormat::A1 || format == core::SurfaceFormat::Rgb565)
    return complain("a surface of a format that clients do not know");
  surfaces_.emplace(message.id, spice::canvas::Surface(static_cast<std::int32_t>(message.width),
                                                       static_cast<std::int32_t>(message.height), format));
}

void ModelClient::destroy(std::uint32_t id) {
  if (surfaces_.erase(id) == 0) complain("a surface is destroyed that there is not");
  if (id == 0) is_marked_ = false;
}

template <class M>
void ModelClient::draw(std::span<const std::uint8_t> body) {
  const auto message = decoded<M>(body);
  if (!message) return;
  auto drawing = drawing_of(message->base);
  drawing.operation = Reader(images_).operation_of(*message);
  if (images_.waits() || !complaint().empty()) return;
  if (const auto drawn = spice::canvas::draw(drawing, *this); !drawn)
    complain("drawing " + std::to_string(M::kType) + " cannot be drawn: error " +
             std::to_string(static_cast<int>(drawn.error())) + ", " + wire::to_text(*message));
  ++drawings_;
}

void ModelClient::show_video(const spice::canvas::Region& where) {
  auto* const primary = find(0);
  if (primary == nullptr) return complain("video without a primary surface");
  for (const auto& rect : where.rects()) {
    core::Drawing blur{.box = rect, .operation = core::DrawInvers{}};
    if (!spice::canvas::draw(blur, *this)) complain("video that lies elsewhere");
  }
}

void ModelClient::apply(std::uint16_t type, std::span<const std::uint8_t> body) {
  receive(type, {body.begin(), body.end()});
  if (!step()) complain("a message that has to wait: " + std::to_string(type));
}

bool ModelClient::step() {
  if (waiting_.empty()) return false;
  images_.begin_message();
  process(waiting_.front().type, waiting_.front().body);
  if (images_.waits()) return false;
  images_.end_message();
  waiting_.pop_front();
  return true;
}

bool ModelClient::process_images(std::uint16_t type, std::span<const std::uint8_t> body) {
  const auto with = [&]<class M>(void (ModelImages::*act)(const M&)) {
    if (const auto message = decoded<M>(body)) (images_.*act)(*message);
    return true;
  };
  switch (type) {
    case wire::WaitForChannels::kType:
      if (const auto message = decoded<wire::WaitForChannels>(body)) images_.wait(message->waits);
      return true;
    case wire::DisplayInvalList::kType: return with(&ModelImages::drop);
    case wire::DisplayInvalPalette::kType: return with(&ModelImages::drop_palette);
    case wire::DisplayInvalAllPixmaps::kType: return with(&ModelImages::drop_all);
    case wire::DisplayInvalAllPalettes::kType: images_.drop_palettes(); return true;
    default: return false;
  }
}

void ModelClient::process(std::uint16_t type, std::span<const std::uint8_t> body) {
  if (process_images(type, body)) return;
  switch (type) {
    case wire::DisplayStreamDestroyAll::kType: return;
    case wire::DisplayMark::kType:
      is_marked_ = true;
      if (!surfaces_.contains(0)) complain("mark without a primary surface");
      return;
    case wire::DisplayMonitorsConfig::kType: monitors_ = decoded<wire::DisplayMonitorsConfig>(body); return;
    case wire::DisplaySurfaceCreate::kType:
      if (const auto message = decoded<wire::DisplaySurfaceCreate>(body)) create(*message);
      return;
    case wire::DisplaySurfaceDestroy::kType:
      if (const auto message = decoded<wire::DisplaySurfaceDestroy>(body)) destroy(message->id);
      return;
    case wire::DisplayCopyBits::kType: return draw<wire::DisplayCopyBits>(body);
    case wire::DisplayDrawFill::kType: return draw<wire::DisplayDrawFill>(body);
    case wire::DisplayDrawOpaque::kType: return draw<wire::DisplayDrawOpaque>(body);
    case wire::DisplayDrawCopy::kType: return draw<wire::DisplayDrawCopy>(body);
    case wire::DisplayDrawBlend::kType: return draw<wire::DisplayDrawBlend>(body);
    case wire::DisplayDrawBlackness::kType: return draw<wire::DisplayDrawBlackness>(body);
    case wire::DisplayDrawWhiteness::kType: return draw<wire::DisplayDrawWhiteness>(body);
    case wire::DisplayDrawInvers::kType: return draw<wire::DisplayDrawInvers>(body);
    case wire::DisplayDrawRop3::kType: return draw<wire::DisplayDrawRop3>(body);
    case wire::DisplayDrawStroke::kType: return draw<wire::DisplayDrawStroke>(body);
    case wire::DisplayDrawText::kType: return draw<wire::DisplayDrawText>(body);
    case wire::DisplayDrawTransparent::kType: return draw<wire::DisplayDrawTransparent>(body);
    case wire::DisplayDrawAlphaBlend::kType: return draw<wire::DisplayDrawAlphaBlend>(body);
    case wire::DisplayDrawComposite::kType: return draw<wire::DisplayDrawComposite>(body);
    default: complain("an unknown message " + std::to_string(type));
  }
}

}  // namespace display_test
