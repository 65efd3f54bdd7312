#include "devices/qxl/drawing_parser.h"

#include <utility>

#include "core/base/bits.h"
#include "devices/qxl/shape_parser.h"

namespace devices::qxl {

using namespace abi;

namespace {

class DrawingParser {
 public:
  DrawingParser(CommandReader& in, const CommandFlags& flags) : in_(in), flags_(flags) {}

  core::DrawingPtr parse(QxlAddress at) {
    auto drawing = std::make_shared<core::Drawing>();
    const auto body = flags_.compat ? compat_head(at, *drawing) : native_head(at, *drawing);
    operation(body, *drawing);
    if (!in_.ok()) return nullptr;
    drawing->memory = sizeof(core::Drawing) + in_.charged();
    return drawing;
  }

 private:
  // Both answer where the part that depends on the type lies.
  QxlAddress native_head(QxlAddress at, core::Drawing& drawing);
  QxlAddress compat_head(QxlAddress at, core::Drawing& drawing);

  void operation(QxlAddress body, core::Drawing& drawing);
  core::DrawFill fill(QxlAddress body);
  core::DrawOpaque opaque(QxlAddress body);
  template <class Operation>
  Operation copy(QxlAddress body);
  core::DrawRop3 rop3(QxlAddress body);
  core::DrawStroke stroke(QxlAddress body);
  core::DrawText text(QxlAddress body);
  core::DrawTransparent transparent(QxlAddress body);
  core::DrawAlphaBlend alpha_blend(QxlAddress body);
  core::DrawComposite composite(QxlAddress body);

  core::Mask mask(const QXLQMask& mask);
  core::Mask mask_at(QxlAddress body) { return mask(in_.read<QXLQMask>(body)); }
  core::Brush brush(const QXLBrush& brush);
  core::ImagePtr image(QxlAddress at);
  core::Source source(QxlAddress image, const QXLRect& area, std::uint8_t scale);
  core::Source source_inside(QxlAddress image, const QXLRect& area, std::uint8_t scale);
  std::optional<core::Transform> transform(QxlAddress at);

  CommandReader& in_;
  CommandFlags flags_;
  QxlDrawType type_ = QxlDrawType::Nop;
  std::optional<core::Rect> own_;  // the drawing uses its own surface's pixels, of this area
};

QxlAddress DrawingParser::native_head(QxlAddress at, core::Drawing& drawing) {
  const auto head = in_.read<QXLDrawable>(at);
  drawing.surface = head.surface_id;
  drawing.box = rect_of(head.bbox);
  drawing.effect = static_cast<core::Effect>(head.effect);
  drawing.time_ms = head.mm_time;
  drawing.clip = parse_clip(in_, head.clip);
  type_ = static_cast<QxlDrawType>(head.type);
  if (head.self_bitmap != 0) own_ = rect_of(head.self_bitmap_area);
  return at + sizeof head;
}

QxlAddress DrawingParser::compat_head(QxlAddress at, core::Drawing& drawing) {
  const auto head = in_.read<QXLCompatDrawable>(at);
  drawing.box = rect_of(head.bbox);
  drawing.effect = static_cast<core::Effect>(head.effect);
  drawing.time_ms = head.mm_time;
  drawing.clip = parse_clip(in_, head.clip);
  type_ = static_cast<QxlDrawType>(head.type);
  if (head.bitmap_offset != 0) own_ = rect_of(head.bitmap_area);
  return at + sizeof head;
}

void DrawingParser::operation(QxlAddress body, core::Drawing& drawing) {
  auto& made = drawing.operation;
  if (type_ == QxlDrawType::Copy) own_.reset();  // drivers set it without meaning it
  switch (type_) {
    case QxlDrawType::Nop: made = core::DrawNothing{}; return;
    case QxlDrawType::Fill: made = fill(body); return;
    case QxlDrawType::Opaque: made = opaque(body); return;
    case QxlDrawType::Copy: made = copy<core::DrawCopy>(body); return;
    case QxlDrawType::CopyBits: made = core::DrawCopyBits{point_of(in_.read<QXLPoint>(body))}; return;
    case QxlDrawType::Blend: made = copy<core::DrawBlend>(body); return;
    case QxlDrawType::Blackness: made = core::DrawBlackness{mask_at(body)}; return;
    case QxlDrawType::Whiteness: made = core::DrawWhiteness{mask_at(body)}; return;
    case QxlDrawType::Invers: made = core::DrawInvers{mask_at(body)}; return;
    case QxlDrawType::Rop3: made = rop3(body); return;
    case QxlDrawType::Stroke: made = stroke(body); return;
    case QxlDrawType::Text: made = text(body); return;
    case QxlDrawType::Transparent: made = transparent(body); return;
    case QxlDrawType::AlphaBlend: made = alpha_blend(body); return;
    case QxlDrawType::Composite:
      if (flags_.compat) break;
      made = composite(body);
      return;
  }
  in_.fail("a drawable has an unknown type");
}

core::ImagePtr DrawingParser::image(QxlAddress at) {
  if (!at.null()) return parse_image(in_, at, ImageUse::Picture, flags_);
  if (!own_) {
    in_.fail("a drawable has no image");
    return nullptr;
  }
  auto own = std::make_shared<core::Image>();
  own->content = core::OwnPixels{*own_};
  return own;
}

core::Mask DrawingParser::mask(const QXLQMask& mask) {
  const QxlAddress at{mask.bitmap};
  if (at.null()) return {};
  return {.image = parse_image(in_, at, ImageUse::Mask, flags_),
          .inverted = (mask.flags & QXLQMask::kInvers) != 0,
          .origin = point_of(mask.pos)};
}

core::Brush DrawingParser::brush(const QXLBrush& brush) {
  if (brush.type == QXLBrush::kSolid) {
    return core::SolidBrush{color_of(static_cast<std::uint32_t>(brush.color_or_pattern), flags_)};
  }
  if (brush.type == QXLBrush::kPattern) {
    return core::PatternBrush{image({brush.color_or_pattern}), point_of(brush.position)};
  }
  return std::monostate{};
}

core::Source DrawingParser::source(QxlAddress at, const QXLRect& area, std::uint8_t scale) {
  return {.image = image(at), .area = rect_of(area), .scale = static_cast<core::ScaleMode>(scale)};
}

// Of copies, where areas beyond the image are refused, and not drawn as zeros.
core::Source DrawingParser::source_inside(QxlAddress at, const QXLRect& area, std::uint8_t scale) {
  auto result = source(at, area, scale);
  if (!in_.ok()) return result;
  const auto& wanted = result.area;
  if (wanted.left < 0 || wanted.top < 0 || wanted.right < wanted.left || wanted.bottom < wanted.top) {
    in_.fail("a drawable's source area is upside down");
  }
  const auto* bitmap = std::get_if<core::Bitmap>(&result.image->content);
  if (bitmap != nullptr &&
      (std::cmp_greater(wanted.right, bitmap->width) || std::cmp_greater(wanted.bottom, bitmap->height))) {
    in_.fail("a drawable's source area is larger than its image");
  }
  return result;
}

core::DrawFill DrawingParser::fill(QxlAddress body) {
  const auto from = in_.read<QXLFill>(body);
  return {.brush = brush(from.brush), .rop = from.rop_descriptor, .mask = mask(from.mask)};
}

core::DrawOpaque DrawingParser::opaque(QxlAddress body) {
  const auto from = in_.read<QXLOpaque>(body);
  return {.source = source({from.src_bitmap}, from.src_area, from.scale_mode),
          .brush = brush(from.brush),
          .rop = from.rop_descriptor,
          .mask = mask(from.mask)};
}

template <class Operation>
Operation DrawingParser::copy(QxlAddress body) {
  const auto from = in_.read<QXLCopy>(body);
  return {.source = source_inside({from.src_bitmap}, from.src_area, from.scale_mode),
          .rop = from.rop_descriptor,
          .mask = mask(from.mask)};
}

core::DrawRop3 DrawingParser::rop3(QxlAddress body) {
  const auto from = in_.read<QXLRop3>(body);
  return {.source = source({from.src_bitmap}, from.src_area, from.scale_mode),
          .brush = brush(from.brush),
          .code = from.rop3,
          .mask = mask(from.mask)};
}

core::DrawStroke DrawingParser::stroke(QxlAddress body) {
  const auto from = in_.read<QXLStroke>(body);
  return {.path = parse_path(in_, {from.path}),
          .dashes = parse_dashes(in_, from.attr),
          .starts_with_gap = (from.attr.flags & QXLLineAttr::kStartWithGap) != 0,
          .brush = brush(from.brush),
          .fore_mode = from.fore_mode,
          .back_mode = from.back_mode};
}

core::DrawText DrawingParser::text(QxlAddress body) {
  const auto from = in_.read<QXLText>(body);
  core::DrawText made{.back_area = rect_of(from.back_area),
                      .fore_brush = brush(from.fore_brush),
                      .back_brush = brush(from.back_brush),
                      .fore_mode = from.fore_mode,
                      .back_mode = from.back_mode};
  parse_string(in_, {from.str}, made);
  return made;
}

core::DrawTransparent DrawingParser::transparent(QxlAddress body) {
  const auto from = in_.read<QXLTransparent>(body);
  return {.source = source({from.src_bitmap}, from.src_area, 0),
          .source_color = from.src_color,
          .true_color = from.true_color};
}

core::DrawAlphaBlend DrawingParser::alpha_blend(QxlAddress body) {
  if (flags_.compat) {
    const auto from = in_.read<QXLCompatAlphaBlend>(body);
    return {.source = source({from.src_bitmap}, from.src_area, 0), .alpha = from.alpha};
  }
  const auto from = in_.read<QXLAlphaBlend>(body);
  return {.source = source({from.src_bitmap}, from.src_area, 0),
          .alpha = from.alpha,
          .destination_has_alpha = (from.alpha_flags & QXLAlphaBlend::kDestinationHasAlpha) != 0,
          .source_surface_has_alpha = (from.alpha_flags & QXLAlphaBlend::kSourceSurfaceHasAlpha) != 0};
}

std::optional<core::Transform> DrawingParser::transform(QxlAddress at) {
  if (at.null()) return std::nullopt;
  const auto from = in_.read<QXLTransform>(at).t;
  const auto number = [&from](std::size_t index) { return static_cast<std::int32_t>(std::uint32_t{from[index]}); };
  return core::Transform{number(0), number(1), number(2), number(3), number(4), number(5)};
}

// [QXL QXLComposite flags]
core::DrawComposite DrawingParser::composite(QxlAddress body) {
  const auto from = in_.read<QXLComposite>(body);
  const std::uint32_t flags = from.flags;
  core::DrawComposite made{.operation = static_cast<std::uint8_t>(flags),
                           .source = {.image = image({from.src}),
                                      .origin = point_of(from.src_origin),
                                      .filter = static_cast<core::CompositeFilter>(core::bits(flags, 8, 3)),
                                      .repeat = static_cast<core::CompositeRepeat>(core::bits(flags, 14, 2)),
                                      .transform = transform({from.src_transform})},
                           .component_alpha = core::bit(flags, 18),
                           .source_opaque = core::bit(flags, 22),
                           .mask_opaque = core::bit(flags, 23),
                           .destination_opaque = core::bit(flags, 24)};
  const QxlAddress mask{from.mask};
  if (!mask.null()) {
    made.mask = core::CompositeImage{.image = parse_image(in_, mask, ImageUse::Picture, flags_),
                                     .origin = point_of(from.mask_origin),
                                     .filter = static_cast<core::CompositeFilter>(core::bits(flags, 11, 3)),
                                     .repeat = static_cast<core::CompositeRepeat>(core::bits(flags, 16, 2)),
                                     .transform = transform({from.mask_transform})};
  }
  return made;
}

}  // namespace

core::DrawingPtr parse_drawing(CommandReader& in, QxlAddress at, const CommandFlags& flags) {
  return DrawingParser(in, flags).parse(at);
}

}  // namespace devices::qxl
