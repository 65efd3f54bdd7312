#include "devices/qxl/image_parser.h"

#include <utility>

#include "devices/qxl/qxl_command_abi.h"

namespace devices::qxl {

using namespace abi;

namespace {

constexpr std::uint64_t kMaxImageBytes = 0x7fffffff;

std::uint64_t bits_per_pixel(core::BitmapFormat format) {
  switch (format) {
    case core::BitmapFormat::Le1:
    case core::BitmapFormat::Be1: return 1;
    case core::BitmapFormat::Le4:
    case core::BitmapFormat::Be4: return 4;
    case core::BitmapFormat::Indexed8:
    case core::BitmapFormat::A8: return 8;
    case core::BitmapFormat::Rgb555: return 16;
    case core::BitmapFormat::Rgb24: return 24;
    case core::BitmapFormat::Rgb32:
    case core::BitmapFormat::Rgba: return 32;
  }
  return 0;
}

bool has_palette(core::BitmapFormat format) {
  return format <= core::BitmapFormat::Indexed8;
}

std::shared_ptr<const core::Palette> parse_palette(CommandReader& in, QxlAddress at, const CommandFlags& flags) {
  const auto head = in.read<QXLPalette>(at);
  const auto entries = in.bytes(at + sizeof head, head.num_ents * sizeof(std::uint32_t));
  auto palette = std::make_shared<core::Palette>();
  palette->unique = head.unique;
  palette->colors.reserve(entries.size() / sizeof(std::uint32_t));
  for (std::size_t i = 0; i < entries.size(); i += sizeof(std::uint32_t))
    palette->colors.push_back(color_of(core::load_le<std::uint32_t>(&entries[i]), flags));
  return palette;
}

core::Bitmap parse_bitmap(CommandReader& in, QxlAddress at, ImageUse use, const CommandFlags& flags) {
  const auto head = in.read<QXLBitmap>(at);
  core::Bitmap bitmap{.format = static_cast<core::BitmapFormat>(head.format),
                      .top_down = (head.flags & QXLBitmap::kTopDown) != 0,
                      .width = head.x,
                      .height = head.y,
                      .stride = head.stride};
  const auto bits = bits_per_pixel(bitmap.format);
  if (bits == 0) in.fail("a bitmap has an unknown format");
  if (bitmap.width == 0 || bitmap.height == 0) in.fail("a bitmap has no pixels");
  if (bitmap.stride < (bitmap.width * bits + 7) / 8) in.fail("a bitmap's rows are shorter than their pixels");
  const auto bytes = std::uint64_t{bitmap.height} * bitmap.stride;
  if (bytes > kMaxImageBytes) in.fail("a bitmap is too large");
  const bool wants_palette = has_palette(bitmap.format) && use == ImageUse::Picture;
  if (wants_palette && head.palette == 0) in.fail("a bitmap of indices has no palette");
  if (!in.ok()) return bitmap;
  if (wants_palette) bitmap.palette = parse_palette(in, {head.palette}, flags);
  const bool direct = (head.flags & QXLBitmap::kDirect) != 0;
  bitmap.data = direct ? in.bytes({head.data}, bytes) : in.chunks({head.data}, bytes);
  return bitmap;
}

}  // namespace

std::uint32_t color_of(std::uint32_t color, const CommandFlags& flags) {
  if (!flags.colors_15bit) return color;
  const auto widen = [color](unsigned shift) {
    const auto five = color >> shift & 0x1f;
    return five << 3 | five >> 2;
  };
  return widen(10) << 16 | widen(5) << 8 | widen(0);
}

core::ImagePtr parse_image(CommandReader& in, QxlAddress at, ImageUse use, const CommandFlags& flags) {
  const auto head = in.read<QXLImageDescriptor>(at);
  const auto body = at + sizeof head;
  auto image = std::make_shared<core::Image>();
  switch (head.type) {
    case QXLImageDescriptor::kBitmap: image->content = parse_bitmap(in, body, use, flags); break;
    case QXLImageDescriptor::kQuic: {
      const std::uint32_t length = in.read<core::le32>(body);
      image->content = core::QuicBitmap{in.chunks(body + sizeof(core::le32), length)};
      break;
    }
    case QXLImageDescriptor::kSurface: image->content = core::SurfacePixels{in.read<core::le32>(body)}; break;
    default: in.fail("an image has a type that drivers do not send"); break;
  }
  if (!in.ok()) return nullptr;
  // Drivers leave the other fields of a surface's descriptor as they were.
  if (head.type == QXLImageDescriptor::kSurface) return image;
  image->id = head.id;
  image->cacheable = (head.flags & QXLImageDescriptor::kCache) != 0;
  image->high_bits_set = (head.flags & QXLImageDescriptor::kHighBitsSet) != 0;
  return image;
}

}  // namespace devices::qxl
