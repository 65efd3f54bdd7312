#include "vmm/replay/drawable_text.h"

#include <utility>

#include "vmm/replay/qxl_data.h"

namespace vmm::replay {
namespace {

// Numbers of spice-protocol's enums.h and qxl_dev.h.
enum ImageType : std::uint32_t { kImageBitmap = 0, kImageQuic = 1, kImageSurface = 104 };
enum ImageFlag : std::uint32_t { kImageCache = 1, kImageHighBitsSet = 2 };
enum BitmapFlag : std::uint32_t { kBitmapDirect = 1, kBitmapTopDown = 4 };
enum BrushType : std::uint32_t { kBrushSolid = 1, kBrushPattern = 2 };
enum LineFlag : std::uint32_t { kLineStartsWithGap = 4, kLineStyled = 8 };
enum StringFlag : std::uint32_t { kStringA1 = 1, kStringA4 = 2, kStringA8 = 4, kStringTopDown = 8 };
enum AlphaFlag : std::uint32_t { kAlphaDestination = 1, kAlphaSourceSurface = 2 };
constexpr std::uint32_t kClipRects = 1;
constexpr std::uint32_t kMaskInvers = 1;

std::uint32_t bits(std::uint32_t value, unsigned first, unsigned count) {
  return value >> first & ((1U << count) - 1);
}

core::GlyphDepth depth_of(std::uint32_t flags) {
  if ((flags & kStringA1) != 0) return core::GlyphDepth::A1;
  return (flags & kStringA4) != 0 ? core::GlyphDepth::A4 : core::GlyphDepth::A8;
}

}  // namespace

core::Point DrawableText::point() {
  const auto [x, y] = in_.numbers<2>("point");
  return {x, y};
}

core::Rect DrawableText::rect(std::string_view label) {
  const auto [top, left, bottom, right] = in_.numbers<4>(fmt::format("rect {}", label));
  return {left, top, right, bottom};
}

core::Clip DrawableText::clip() {
  if (in_.number("type") != kClipRects) return std::nullopt;
  const auto count = in_.number("num_rects");
  auto rects = parse_rects(in_.chunks("clip_rects"), count);
  if (!rects) in_.fail("a clip has fewer rectangles than it says");
  return rects;
}

core::Bitmap DrawableText::bitmap() {
  core::Bitmap bitmap;
  bitmap.format = static_cast<core::BitmapFormat>(in_.number("bitmap.format"));
  const auto flags = in_.number("bitmap.flags");
  bitmap.top_down = (flags & kBitmapTopDown) != 0;
  bitmap.width = in_.number("bitmap.x");
  bitmap.height = in_.number("bitmap.y");
  bitmap.stride = in_.number("bitmap.stride");
  if (in_.number("has_palette") != 0) {
    auto palette = std::make_shared<core::Palette>();
    const auto count = in_.number("qp.num_ents");
    palette->unique = in_.wide_number("unique");
    for (std::uint32_t i = 0; i < count && in_.ok(); ++i)
      palette->colors.push_back(in_.number("ents"));
    bitmap.palette = std::move(palette);
  }
  bitmap.data = (flags & kBitmapDirect) != 0 ? in_.binary("image_data_flat") : in_.chunks("bitmap.data");
  return bitmap;
}

core::QuicBitmap DrawableText::quic() {
  in_.number("quic.data_size");  // the chunks say it again
  return {in_.chunks("quic.data")};
}

core::ImagePtr DrawableText::image() {
  if (in_.number("image") == 0) return nullptr;
  core::Image image;
  image.id = in_.wide_number("descriptor.id");
  const auto type = in_.number("descriptor.type");
  const auto flags = in_.number("descriptor.flags");
  in_.number("descriptor.width");
  in_.number("descriptor.height");
  image.cacheable = (flags & kImageCache) != 0;
  image.high_bits_set = (flags & kImageHighBitsSet) != 0;
  switch (type) {
    case kImageBitmap: image.content = bitmap(); break;
    case kImageQuic: image.content = quic(); break;
    case kImageSurface: {
      // Drivers leave the rest of the descriptor as it was.
      const auto surface = in_.number("surface_image.surface_id");
      image = {.content = core::SurfacePixels{surface}};
      break;
    }
    default: in_.fail("an image is of a type that drivers do not make");
  }
  return std::make_shared<const core::Image>(std::move(image));
}

core::ImagePtr DrawableText::image_or_own() {
  auto result = image();
  if (result != nullptr || !own_) return result;
  return std::make_shared<const core::Image>(core::Image{.content = core::OwnPixels{*own_}});
}

core::Brush DrawableText::brush() {
  switch (in_.number("type")) {
    case kBrushSolid: return core::SolidBrush{in_.number("u.color")};
    case kBrushPattern: {
      auto pattern = image_or_own();
      return core::PatternBrush{std::move(pattern), point()};
    }
    default: return {};
  }
}

core::Mask DrawableText::mask() {
  core::Mask mask;
  mask.inverted = (in_.number("flags") & kMaskInvers) != 0;
  mask.origin = point();
  mask.image = image();
  return mask;
}

core::Source DrawableText::source() {
  core::Source source;
  source.image = image_or_own();
  source.area = rect("src_area");
  return source;
}

std::optional<core::Transform> DrawableText::transform(std::string_view label) {
  if (in_.number(label) == 0) return std::nullopt;
  auto result = parse_transform(in_.binary("transform"));
  if (!result) in_.fail("a transform is too short");
  return result;
}

core::DrawingPtr DrawableText::read() {
  auto drawing = std::make_shared<core::Drawing>();
  drawing->box = rect("bbox");
  drawing->clip = clip();
  drawing->effect = static_cast<core::Effect>(in_.number("effect"));
  drawing->time_ms = in_.number("mm_time");
  // Nothing else tells the two layouts apart.
  constexpr std::array<std::string_view, 2> kOwnLabels{"self_bitmap", "bitmap_offset"};
  is_compat_ = in_.which(kOwnLabels) == 1;
  const bool reads_itself = in_.value() != 0;
  const auto own = rect(is_compat_ ? "bitmap_area" : "self_bitmap_area");
  if (reads_itself) own_ = own;
  if (!is_compat_) {
    drawing->surface = in_.number("surface_id");
    for (int i = 0; i < 3; ++i) {
      in_.number("surfaces_dest");
      rect("surfaces_rects");
    }
  }
  operation(*drawing);
  if (!in_.ok()) return nullptr;
  return drawing;
}

void DrawableText::operation(core::Drawing& drawing) {
  const auto read = [&]<class D>(D made, auto member) {
    (this->*member)(made);
    drawing.operation = std::move(made);
  };
  switch (in_.number("type")) {  // QXL_DRAW_*
    case 0: break;
    case 1: return read(core::DrawFill{}, &DrawableText::fill);
    case 2: return read(core::DrawOpaque{}, &DrawableText::opaque);
    case 3:
      own_.reset();  // a copy of nothing is none, whatever else it says
      return read(core::DrawCopy{}, &DrawableText::copy<core::DrawCopy>);
    case 4: drawing.operation = core::DrawCopyBits{point()}; return;
    case 5: return read(core::DrawBlend{}, &DrawableText::copy<core::DrawBlend>);
    case 6: drawing.operation = core::DrawBlackness{mask()}; return;
    case 7: drawing.operation = core::DrawWhiteness{mask()}; return;
    case 8: drawing.operation = core::DrawInvers{mask()}; return;
    case 9: return read(core::DrawRop3{}, &DrawableText::rop3);
    case 10: return read(core::DrawStroke{}, &DrawableText::stroke);
    case 11: return read(core::DrawText{}, &DrawableText::text);
    case 12: return read(core::DrawTransparent{}, &DrawableText::transparent);
    case 13: return read(core::DrawAlphaBlend{}, &DrawableText::alpha_blend);
    case 14: return read(core::DrawComposite{}, &DrawableText::composite);
    default: in_.fail("there is no such operation");
  }
}

void DrawableText::fill(core::DrawFill& fill) {
  fill.brush = brush();
  fill.rop = rop();
  fill.mask = mask();
}

void DrawableText::opaque(core::DrawOpaque& opaque) {
  opaque.source = source();
  opaque.brush = brush();
  opaque.rop = rop();
  opaque.source.scale = scale();
  opaque.mask = mask();
}

template <class D>
void DrawableText::copy(D& copy) {
  copy.source = source();
  copy.rop = rop();
  copy.source.scale = scale();
  copy.mask = mask();
}

void DrawableText::rop3(core::DrawRop3& rop3) {
  rop3.source = source();
  rop3.brush = brush();
  rop3.code = static_cast<std::uint8_t>(in_.number("rop3"));
  rop3.source.scale = scale();
  rop3.mask = mask();
}

void DrawableText::stroke(core::DrawStroke& stroke) {
  auto path = parse_path(in_.chunks("path"));
  if (!path) return in_.fail("a path has fewer points than it says");
  stroke.path = std::move(*path);
  const auto flags = in_.number("attr.flags");
  stroke.starts_with_gap = (flags & kLineStartsWithGap) != 0;
  if ((flags & kLineStyled) != 0) {
    in_.number("attr.style_nseg");  // the bytes say it again
    stroke.dashes = parse_lengths(in_.binary("style"));
  }
  stroke.brush = brush();
  stroke.fore_mode = static_cast<core::Rop>(in_.number("fore_mode"));
  stroke.back_mode = static_cast<core::Rop>(in_.number("back_mode"));
}

void DrawableText::text(core::DrawText& text) {
  in_.number("data_size");  // the chunks say it again
  const auto count = in_.number("length");
  const auto flags = in_.number("flags");
  text.depth = depth_of(flags);
  text.top_down = (flags & kStringTopDown) != 0;
  text.values = in_.chunks("string");
  auto glyphs = parse_glyphs(text.values, count, text.depth);
  if (!glyphs) return in_.fail("a text has fewer glyphs than it says");
  text.glyphs = std::move(*glyphs);
  text.back_area = rect("back_area");
  text.fore_brush = brush();
  text.back_brush = brush();
  text.fore_mode = static_cast<core::Rop>(in_.number("fore_mode"));
  text.back_mode = static_cast<core::Rop>(in_.number("back_mode"));
}

void DrawableText::transparent(core::DrawTransparent& transparent) {
  transparent.source = source();
  transparent.source_color = in_.number("src_color");
  transparent.true_color = in_.number("true_color");
}

void DrawableText::alpha_blend(core::DrawAlphaBlend& blend) {
  const auto flags = is_compat_ ? 0 : in_.number("alpha_flags");
  blend.destination_has_alpha = (flags & kAlphaDestination) != 0;
  blend.source_surface_has_alpha = (flags & kAlphaSourceSurface) != 0;
  blend.alpha = static_cast<std::uint8_t>(in_.number("alpha"));
  blend.source = source();
}

void DrawableText::composite(core::DrawComposite& composite) {
  const auto flags = in_.number("flags");
  composite.operation = static_cast<std::uint8_t>(bits(flags, 0, 8));
  composite.source.image = image_or_own();
  composite.source.filter = static_cast<core::CompositeFilter>(bits(flags, 8, 3));
  composite.source.repeat = static_cast<core::CompositeRepeat>(bits(flags, 14, 2));
  composite.source.transform = transform("src_transform");
  core::CompositeImage mask;
  const bool has_mask = in_.number("mask") != 0;
  if (has_mask) mask.image = image();
  mask.filter = static_cast<core::CompositeFilter>(bits(flags, 11, 3));
  mask.repeat = static_cast<core::CompositeRepeat>(bits(flags, 16, 2));
  mask.transform = transform("mask_transform");
  const auto [source_x, source_y] = in_.numbers<2>("src_origin");
  const auto [mask_x, mask_y] = in_.numbers<2>("mask_origin");
  composite.source.origin = {source_x, source_y};
  mask.origin = {mask_x, mask_y};
  if (has_mask) composite.mask = std::move(mask);
  composite.component_alpha = bits(flags, 18, 1) != 0;
  composite.source_opaque = bits(flags, 22, 1) != 0;
  composite.mask_opaque = bits(flags, 23, 1) != 0;
  composite.destination_opaque = bits(flags, 24, 1) != 0;
}

}  // namespace vmm::replay
