#include "spice/wire/display.h"

#include "spice/wire/coding_impl.h"

namespace spice::wire {

namespace {

enum ImageDataIndex : std::size_t { kNone, kBitmap, kCompressed, kLzPlt, kSurface, kZlibGlz, kJpegAlpha, kUnknown };

std::size_t data_index(ImageType type) {
  switch (type) {
    case ImageType::Bitmap: return kBitmap;
    case ImageType::Quic:
    case ImageType::LzRgb:
    case ImageType::GlzRgb:
    case ImageType::Jpeg:
    case ImageType::Lz4: return kCompressed;
    case ImageType::LzPlt: return kLzPlt;
    case ImageType::FromCache:
    case ImageType::FromCacheLossless: return kNone;
    case ImageType::Surface: return kSurface;
    case ImageType::ZlibGlzRgb: return kZlibGlz;
    case ImageType::JpegAlpha: return kJpegAlpha;
  }
  return kUnknown;
}

unsigned glyph_bits(std::uint8_t string_flags) {
  if ((string_flags & kGlyphsA8) != 0) return 8;
  return (string_flags & kGlyphsA4) != 0 ? 4 : 1;
}

}  // namespace

template <class IO>
void Palette::wire(IO& io) {
  io.value("unique", unique);
  io.array16("entries", entries);
}

template <class IO>
void PaletteRef::wire_for(IO& io, std::uint8_t bitmap_flags) {
  if ((bitmap_flags & kPaletteFromCache) != 0) {
    io.value("palette_id", cached_id);
  } else {
    io.pointer("palette", palette);
  }
}

template <class IO>
void BitmapData::wire(IO& io) {
  io.value("format", format);
  io.value("flags", flags);
  io.value("width", width);
  io.value("height", height);
  io.value("stride", stride);
  palette.wire_for(io, flags);
  io.payload("data", data, std::uint64_t{stride} * height);
}

template <class IO>
void CompressedData::wire(IO& io) {
  io.payload32("data", data);
}

template <class IO>
void LzPltData::wire(IO& io) {
  auto size = static_cast<std::uint32_t>(data.size());
  io.value("flags", flags);
  io.value("size", size);
  palette.wire_for(io, flags);
  io.payload("data", data, size);
}

template <class IO>
void SurfaceData::wire(IO& io) {
  io.value("surface_id", surface_id);
}

template <class IO>
void ZlibGlzData::wire(IO& io) {
  io.value("glz_size", glz_size);
  io.payload32("data", data);
}

template <class IO>
void JpegAlphaData::wire(IO& io) {
  io.value("flags", flags);
  io.value("jpeg_size", jpeg_size);
  io.payload32("data", data);
}

template <class IO>
void Image::wire(IO& io) {
  io.value("id", id);
  io.value("type", type);
  io.value("flags", flags);
  io.value("width", width);
  io.value("height", height);
  io.choice("data", data, data_index(type));
}

template <class IO>
void DrawBase::wire(IO& io) {
  io.value("surface_id", surface_id);
  io.object("box", box);
  io.object("clip", clip);
}

template <class IO>
void Mask::wire(IO& io) {
  io.value("flags", flags);
  io.object("position", position);
  io.pointer("bitmap", bitmap);
}

template <class IO>
void SolidBrush::wire(IO& io) {
  io.value("color", color);
}

template <class IO>
void PatternBrush::wire(IO& io) {
  io.reference("image", image);
  io.object("position", position);
}

template <class IO>
void Brush::wire(IO& io) {
  io.value("kind", kind);
  io.choice("fill", fill, static_cast<std::size_t>(kind));
}

template <class IO>
void PathPoint::wire(IO& io) {
  io.value("x", x);
  io.value("y", y);
}

template <class IO>
void PathSegment::wire(IO& io) {
  io.value("flags", flags);
  io.array32("points", points);
}

template <class IO>
void Path::wire(IO& io) {
  io.array32("segments", segments);
}

template <class IO>
void Dashes::wire(IO& io) {
  io.elements("lengths", lengths);
}

template <class IO>
void LineAttributes::wire(IO& io) {
  io.value("flags", flags);
  if ((flags & kLineStyled) == 0) return;
  io.count8("dashes", dashes.lengths);
  io.reference("dashes", dashes);
}

template <class IO>
void Glyph::wire(IO& io) {
  io.object("position", position);
  io.object("origin", origin);
  io.value("width", width);
  io.value("height", height);
  io.payload("data", data, (std::uint64_t{width} * bits + 7) / 8 * height);
}

template <class IO>
void GlyphString::wire(IO& io) {
  io.count16("glyphs", glyphs);
  io.value("flags", flags);
  const unsigned bits = glyph_bits(flags);
  for (auto& glyph : glyphs)
    glyph.bits = bits;
  io.elements("glyphs", glyphs);
}

template <class IO>
void Transform::wire(IO& io) {
  io.fixed("rows", rows);
}

template <class IO>
void DisplayCopyBits::wire(IO& io) {
  io.object("base", base);
  io.object("source", source);
}

template <class IO>
void DisplayInvalList::wire(IO& io) {
  io.array16("items", items);
}

template <class IO>
void DisplayInvalAllPixmaps::wire(IO& io) {
  io.array8("waits", waits);
}

template <class IO>
void DisplayInvalPalette::wire(IO& io) {
  io.value("id", id);
}

template <class IO>
void DisplayDrawFill::wire(IO& io) {
  io.object("base", base);
  io.object("brush", brush);
  io.value("rop", rop);
  io.object("mask", mask);
}

template <class IO>
void DisplayDrawCopy::wire(IO& io) {
  io.object("base", base);
  io.reference("source", source);
  io.object("source_area", source_area);
  io.value("rop", rop);
  io.value("scale", scale);
  io.object("mask", mask);
}

template <class IO>
void DisplayDrawOpaque::wire(IO& io) {
  io.object("base", base);
  io.reference("source", source);
  io.object("source_area", source_area);
  io.object("brush", brush);
  io.value("rop", rop);
  io.value("scale", scale);
  io.object("mask", mask);
}

template <class IO>
void DisplayDrawBlend::wire(IO& io) {
  io.object("base", base);
  io.reference("source", source);
  io.object("source_area", source_area);
  io.value("rop", rop);
  io.value("scale", scale);
  io.object("mask", mask);
}

template <std::uint16_t Type>
template <class IO>
void DrawPlain<Type>::wire(IO& io) {
  io.object("base", base);
  io.object("mask", mask);
}

template <class IO>
void DisplayDrawRop3::wire(IO& io) {
  io.object("base", base);
  io.reference("source", source);
  io.object("source_area", source_area);
  io.object("brush", brush);
  io.value("code", code);
  io.value("scale", scale);
  io.object("mask", mask);
}

template <class IO>
void DisplayDrawStroke::wire(IO& io) {
  io.object("base", base);
  io.reference("path", path);
  io.object("line", line);
  io.object("brush", brush);
  io.value("fore_mode", fore_mode);
  io.value("back_mode", back_mode);
}

template <class IO>
void DisplayDrawText::wire(IO& io) {
  io.object("base", base);
  io.reference("string", string);
  io.object("back_area", back_area);
  io.object("fore_brush", fore_brush);
  io.object("back_brush", back_brush);
  io.value("fore_mode", fore_mode);
  io.value("back_mode", back_mode);
}

template <class IO>
void DisplayDrawTransparent::wire(IO& io) {
  io.object("base", base);
  io.reference("source", source);
  io.object("source_area", source_area);
  io.value("source_color", source_color);
  io.value("true_color", true_color);
}

template <class IO>
void DisplayDrawAlphaBlend::wire(IO& io) {
  io.object("base", base);
  io.value("flags", flags);
  io.value("alpha", alpha);
  io.reference("source", source);
  io.object("source_area", source_area);
}

template <class IO>
void DisplayDrawComposite::wire(IO& io) {
  io.object("base", base);
  io.value("flags", flags);
  io.reference("source", source);
  if ((flags & kCompositeHasMask) != 0) io.reference("mask", mask);
  if ((flags & kCompositeHasSourceTransform) != 0) io.object("source_transform", source_transform);
  if ((flags & kCompositeHasMaskTransform) != 0) io.object("mask_transform", mask_transform);
  io.object("source_origin", source_origin);
  io.object("mask_origin", mask_origin);
}

template <class IO>
void DisplaySurfaceCreate::wire(IO& io) {
  io.value("id", id);
  io.value("width", width);
  io.value("height", height);
  io.value("format", format);
  io.value("flags", flags);
}

template <class IO>
void DisplaySurfaceDestroy::wire(IO& io) {
  io.value("id", id);
}

template <class IO>
void Head::wire(IO& io) {
  io.value("id", id);
  io.value("surface_id", surface_id);
  io.value("width", width);
  io.value("height", height);
  io.value("x", x);
  io.value("y", y);
  io.value("flags", flags);
}

template <class IO>
void DisplayMonitorsConfig::wire(IO& io) {
  io.count16("heads", heads);
  io.value("max_allowed", max_allowed);
  io.elements("heads", heads);
}

template <class IO>
void DisplayInit::wire(IO& io) {
  io.value("cache_id", cache_id);
  io.value("cache_pixels", cache_pixels);
  io.value("dictionary_id", dictionary_id);
  io.value("dictionary_window_pixels", dictionary_window_pixels);
}

template <class IO>
void DisplayPreferredCompression::wire(IO& io) {
  io.value("compression", compression);
}

template <class IO>
void DisplayPreferredVideoCodec::wire(IO& io) {
  io.array8("codecs", codecs);
}

template struct Coding<DisplayMark>;
template struct Coding<DisplayCopyBits>;
template struct Coding<DisplayInvalList>;
template struct Coding<DisplayInvalAllPixmaps>;
template struct Coding<DisplayInvalPalette>;
template struct Coding<DisplayInvalAllPalettes>;
template struct Coding<DisplayStreamDestroyAll>;
template struct Coding<DisplayDrawFill>;
template struct Coding<DisplayDrawCopy>;
template struct Coding<DisplayDrawOpaque>;
template struct Coding<DisplayDrawBlend>;
template struct Coding<DisplayDrawBlackness>;
template struct Coding<DisplayDrawWhiteness>;
template struct Coding<DisplayDrawInvers>;
template struct Coding<DisplayDrawRop3>;
template struct Coding<DisplayDrawStroke>;
template struct Coding<DisplayDrawText>;
template struct Coding<DisplayDrawTransparent>;
template struct Coding<DisplayDrawAlphaBlend>;
template struct Coding<DisplayDrawComposite>;
template struct Coding<DisplaySurfaceCreate>;
template struct Coding<DisplaySurfaceDestroy>;
template struct Coding<DisplayMonitorsConfig>;
template struct Coding<DisplayInit>;
template struct Coding<DisplayPreferredCompression>;
template struct Coding<DisplayGlDrawDone>;
template struct Coding<DisplayPreferredVideoCodec>;

}  // namespace spice::wire
