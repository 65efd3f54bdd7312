#include "tests/vectors/render_images.h"

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "spice/codec/jpeg.h"
#include "spice/codec/lz.h"
#include "spice/codec/lz4.h"
#include "tests/vectors/render.h"

namespace vectors {
namespace {

using core::Bitmap;
using core::BitmapFormat;
using nlohmann::json;
using Bytes = std::vector<std::uint8_t>;

std::shared_ptr<const core::Palette> palette_of(const json& description) {
  if (!description.contains("palette") || description["palette"].is_null()) return nullptr;
  return std::make_shared<core::Palette>(
      core::Palette{.colors = description["palette"].get<std::vector<std::uint32_t>>()});
}

Bitmap stored_bitmap(const json& description, Bytes data) {
  constexpr unsigned kTopDown = 4;
  return {.format = BitmapFormat(description.at("bitmap_fmt").get<int>()),
          .top_down = (description.at("bitmap_flags").get<unsigned>() & kTopDown) != 0,
          .width = description.at("width"),
          .height = description.at("height"),
          .stride = description.at("stride"),
          .palette = palette_of(description),
          .data = std::move(data)};
}

Bitmap decoded_lz(const json& description, const Bytes& data) {
  static const std::map<spice::codec::LzType, BitmapFormat> formats = {
      {spice::codec::LzType::Plt1Le, BitmapFormat::Le1},    {spice::codec::LzType::Plt1Be, BitmapFormat::Be1},
      {spice::codec::LzType::Plt4Le, BitmapFormat::Le4},    {spice::codec::LzType::Plt4Be, BitmapFormat::Be4},
      {spice::codec::LzType::Plt8, BitmapFormat::Indexed8}, {spice::codec::LzType::Rgb16, BitmapFormat::Rgb555},
      {spice::codec::LzType::Rgb24, BitmapFormat::Rgb24},   {spice::codec::LzType::Rgb32, BitmapFormat::Rgb32},
      {spice::codec::LzType::Rgba, BitmapFormat::Rgba},     {spice::codec::LzType::A8, BitmapFormat::A8}};
  const auto header = spice::codec::lz_read_header(data);
  if (!header) throw std::runtime_error("bad LZ header");
  Bytes pixels(header->image_bytes());
  if (!spice::codec::lz_decode(data, pixels)) throw std::runtime_error("bad LZ stream");
  return {.format = formats.at(header->type),
          .top_down = header->top_down,
          .width = header->width,
          .height = header->height,
          .stride = header->stride,
          .palette = palette_of(description),
          .data = std::move(pixels)};
}

Bitmap tight(BitmapFormat format, bool top_down, const json& description, std::uint32_t pixel_bytes, Bytes data) {
  const std::uint32_t width = description.at("width");
  return {.format = format,
          .top_down = top_down,
          .width = width,
          .height = description.at("height"),
          .stride = width * pixel_bytes,
          .palette = nullptr,
          .data = std::move(data)};
}

Bitmap decoded_lz4(const json& description, const Bytes& data) {
  const auto header = spice::codec::lz4_read_header(data);
  if (!header) throw std::runtime_error("bad LZ4 header");
  const std::uint32_t width = description.at("width"), height = description.at("height");
  const auto pixel_bytes = spice::codec::lz4_pixel_bytes(header->format);
  Bytes pixels(pixel_bytes * width * height);
  if (!spice::codec::lz4_decode(data, width, height, pixels)) throw std::runtime_error("bad LZ4 image");
  return tight(BitmapFormat(header->format), header->top_down, description, static_cast<std::uint32_t>(pixel_bytes),
               std::move(pixels));
}

Bitmap decoded_jpeg(const json& description, const Bytes& data, bool has_alpha) {
  const std::size_t width = description.at("width"), height = description.at("height");
  Bytes pixels(width * height * 4);
  spice::codec::JpegScratch scratch;
  const auto header = has_alpha ? spice::codec::jpeg_alpha_decode(data, description.at("aux_size"), pixels, scratch)
                                : spice::codec::jpeg_decode(data, pixels, scratch);
  if (!header || header->width != width || header->height != height) throw std::runtime_error("bad JPEG");
  return tight(has_alpha ? BitmapFormat::Rgba : BitmapFormat::Rgb32, true, description, 4, std::move(pixels));
}

core::Image decoded(const json& description, Bytes data) {
  const std::string codec = description.at("codec");
  if (codec == "lz") return {.content = decoded_lz(description, data)};
  if (codec == "quic") return {.content = core::QuicBitmap{std::move(data)}};
  if (codec == "lz4") return {.content = decoded_lz4(description, data)};
  if (codec == "jpeg" || codec == "jpeg_alpha")
    return {.content = decoded_jpeg(description, data, codec == "jpeg_alpha")};
  throw std::runtime_error("no codec " + codec);
}

}  // namespace

core::ImagePtr image_of(const json& description, const std::string& folder) {
  const std::string kind = description.at("kind");
  if (kind == "surface")
    return std::make_shared<core::Image>(core::Image{.content = core::SurfacePixels{description.at("surface_id")}});
  auto data = read_gzip(folder + "/" + description.at("file").get<std::string>());
  if (kind == "bitmap")
    return std::make_shared<core::Image>(core::Image{.content = stored_bitmap(description, std::move(data))});
  return std::make_shared<core::Image>(decoded(description, std::move(data)));
}

}  // namespace vectors
