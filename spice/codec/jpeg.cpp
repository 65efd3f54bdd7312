// libjpeg-turbo's own C interface (turbojpeg) is used: it returns errors, so that no longjmp passes through C++.
#include "spice/codec/jpeg.h"

#include <algorithm>
#include <cstring>
#include <turbojpeg.h>

#include "spice/codec/lz_units.h"

namespace spice::codec {

struct JpegScratch::State {
  tjhandle encoder = nullptr;
  tjhandle decoder = nullptr;
  unsigned char* file = nullptr;  // tjAlloc's; grows as needed
  unsigned long file_bytes = 0;
  std::vector<std::uint8_t> pixels;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (encoder != nullptr) tjDestroy(encoder);
    if (decoder != nullptr) tjDestroy(decoder);
    tjFree(file);
  }
};

JpegScratch::JpegScratch() : state_(std::make_unique<State>()) {}
JpegScratch::~JpegScratch() = default;
JpegScratch::JpegScratch(JpegScratch&&) noexcept = default;
JpegScratch& JpegScratch::operator=(JpegScratch&&) noexcept = default;

namespace {

// Five bits a component to eight.
void widen_row(const std::uint8_t* from, std::uint32_t width, std::uint8_t* to) {
  for (std::size_t x = 0; x < width; ++x) {
    const std::uint32_t pixel = lz::load<std::uint16_t>(from + 2 * x);
    const auto five = (pixel & 0x1f) | (pixel << 3 & 0x1f00) | (pixel << 6 & 0x1f0000);
    const auto eight = (five << 3 & 0xf8f8f8) | (five >> 2 & 0x070707);
    std::memcpy(to + 4 * x, &eight, sizeof eight);
  }
}

}  // namespace

// The turbojpeg calls over a scratch.
class TurboJpeg {
 public:
  explicit TurboJpeg(JpegScratch& scratch) : state_(*scratch.state_) {}

  std::optional<std::size_t> encode(const JpegImage& given, int quality, std::span<std::uint8_t> out, JpegSpeed speed) {
    if (state_.encoder == nullptr) state_.encoder = tjInitCompress();
    if (state_.encoder == nullptr) return std::nullopt;
    auto image = given.format == JpegFormat::Rgb16 ? widened(given) : given;
    int flags = speed == JpegSpeed::Exact ? TJFLAG_ACCURATEDCT : TJFLAG_FASTDCT;
    if (image.stride < 0) {  // turbojpeg counts such rows from the lowest address
      image.rows += image.stride * (std::ptrdiff_t{image.height} - 1);
      image.stride = -image.stride;
      flags |= TJFLAG_BOTTOMUP;
    }
    auto size = state_.file_bytes;
    const auto result =
        tjCompress2(state_.encoder, image.rows, static_cast<int>(image.width), static_cast<int>(image.stride),
                    static_cast<int>(image.height), image.format == JpegFormat::Rgb24 ? TJPF_BGR : TJPF_BGRX,
                    &state_.file, &size, TJSAMP_420, quality, flags);
    if (result != 0) {
      // What happened to the buffer's size is not known.
      forget(state_.encoder);
      tjFree(state_.file);
      state_.file = nullptr;
      size = 0;
    }
    state_.file_bytes = std::max(size, state_.file == nullptr ? 0 : state_.file_bytes);
    if (result != 0 || size > out.size()) return std::nullopt;
    std::memcpy(out.data(), state_.file, size);
    return size;
  }

  std::expected<JpegHeader, JpegError> read_header(std::span<const std::uint8_t> data) {
    if (state_.decoder == nullptr) state_.decoder = tjInitDecompress();
    int width = 0;
    int height = 0;
    int subsampling = 0;
    int colours = 0;
    if (state_.decoder == nullptr ||
        tjDecompressHeader3(state_.decoder, data.data(), data.size(), &width, &height, &subsampling, &colours) != 0) {
      forget(state_.decoder);
      return std::unexpected(JpegError::BadHeader);
    }
    const JpegHeader header{static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height)};
    if (width <= 0 || height <= 0 || header.width > kJpegMaxSide || header.height > kJpegMaxSide)
      return std::unexpected(JpegError::BadHeader);
    return header;
  }

  bool decode(std::span<const std::uint8_t> data, const JpegHeader& header, std::uint8_t* out) {
    const auto result = tjDecompress2(state_.decoder, data.data(), data.size(), out, static_cast<int>(header.width), 0,
                                      static_cast<int>(header.height), TJPF_BGRX,
                                      TJFLAG_ACCURATEDCT | TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS);
    if (result != 0) forget(state_.decoder);
    return result == 0;
  }

 private:
  // After an error the library (2.1) is in a state in which the next call fails, too.
  static void forget(tjhandle& handle) {
    if (handle != nullptr) tjDestroy(handle);
    handle = nullptr;
  }

  JpegImage widened(const JpegImage& image) {
    const auto pixels = std::size_t{image.width} * image.height;
    if (state_.pixels.size() < pixels * 4) state_.pixels.resize(pixels * 4);
    for (std::uint32_t y = 0; y < image.height; ++y)
      widen_row(image.rows + std::ptrdiff_t{y} * image.stride, image.width,
                state_.pixels.data() + std::size_t{y} * image.width * 4);
    return {JpegFormat::Rgb32, image.width, image.height, state_.pixels.data(), std::ptrdiff_t{image.width} * 4};
  }

  JpegScratch::State& state_;
};

namespace {

bool is_encodable(const JpegImage& image) {
  return image.width > 0 && image.height > 0 && image.width <= kJpegMaxSide && image.height <= kJpegMaxSide;
}

// The rows' fourth bytes in the opposite order.
void turn_alpha(const JpegHeader& header, std::uint8_t* pixels) {
  const auto row = std::size_t{header.width} * 4;
  for (std::size_t y = 0; y < header.height / 2; ++y) {
    auto* upper = pixels + y * row;
    auto* lower = pixels + (header.height - 1 - y) * row;
    for (std::size_t x = 3; x < row; x += 4)
      std::swap(upper[x], lower[x]);
  }
}

}  // namespace

std::optional<std::size_t> jpeg_encode(const JpegImage& image, int quality, std::span<std::uint8_t> out,
                                       JpegScratch& scratch, JpegSpeed speed) {
  if (!is_encodable(image) || quality < 1 || quality > 100) return std::nullopt;
  return TurboJpeg(scratch).encode(image, quality, out, speed);
}

std::optional<JpegAlphaSize> jpeg_alpha_encode(const JpegImage& image, int quality, bool top_down,
                                               std::span<std::uint8_t> out, JpegScratch& scratch,
                                               LzScratch& lz_scratch) {
  if (image.format != JpegFormat::Rgb32) return std::nullopt;
  const auto jpeg = jpeg_encode(image, quality, out, scratch);
  if (!jpeg) return std::nullopt;
  LzImage alpha{LzType::Xxxa, image.width, image.height, image.rows, image.stride, top_down};
  if (!top_down) {
    alpha.rows += image.stride * (std::ptrdiff_t{image.height} - 1);
    alpha.stride = -image.stride;
  }
  const auto lz = lz_encode(alpha, out.subspan(*jpeg), lz_scratch);
  if (!lz) return std::nullopt;
  return JpegAlphaSize{*jpeg, *jpeg + *lz};
}

std::expected<JpegHeader, JpegError> jpeg_read_header(std::span<const std::uint8_t> data, JpegScratch& scratch) {
  return TurboJpeg(scratch).read_header(data);
}

std::expected<JpegHeader, JpegError> jpeg_decode(std::span<const std::uint8_t> data, std::span<std::uint8_t> out,
                                                 JpegScratch& scratch) {
  TurboJpeg jpeg(scratch);
  const auto header = jpeg.read_header(data);
  if (!header) return header;
  if (out.size() < header->image_bytes()) return std::unexpected(JpegError::SmallBuffer);
  if (!jpeg.decode(data, *header, out.data())) return std::unexpected(JpegError::BadData);
  return header;
}

std::expected<JpegHeader, JpegError> jpeg_alpha_decode(std::span<const std::uint8_t> data, std::size_t jpeg_bytes,
                                                       std::span<std::uint8_t> out, JpegScratch& scratch) {
  if (jpeg_bytes > data.size()) return std::unexpected(JpegError::BadData);
  const auto alpha = data.subspan(jpeg_bytes);
  const auto lz = lz_read_header(alpha);
  if (!lz || lz->type != LzType::Xxxa) return std::unexpected(JpegError::BadAlpha);
  const auto header = jpeg_decode(data.first(jpeg_bytes), out, scratch);
  if (!header) return header;
  if (lz->width != header->width || lz->height != header->height || !lz_decode(alpha, out))
    return std::unexpected(JpegError::BadAlpha);
  if (!lz->top_down) turn_alpha(*header, out.data());
  return header;
}

}  // namespace spice::codec
