// A whole picture on its way to one client: bytes of the raw picture a second of one thread, and the bytes that are
// sent, for each image-compression. The picture goes out in the bands that a display cuts it into, again and again, so
// that the dictionary knows it.
#include <algorithm>
#include <benchmark/benchmark.h>
#include <zlib.h>

#include "spice/canvas/surface.h"
#include "spice/image/image_sender.h"

namespace {

using namespace spice::image;
using spice::canvas::Surface;
using spice::wire::ImageCompression;

constexpr std::int32_t kWidth = 1920, kHeight = 1080, kBandRows = 128 * 1024 / kWidth;

// A desktop of the codecs' vectors, or a photo made of slopes.
Surface desktop() {
  Surface surface(kWidth, kHeight);
  auto* file = ::gzopen(MINIVMM_TEST_DATA "/codec/raw/desk1920.gz", "rb");
  for (std::int32_t y = 0; y < kHeight; ++y)
    ::gzread(file, surface.row(y), kWidth * 4);
  ::gzclose(file);
  return surface;
}

Surface photo() {
  Surface surface(kWidth, kHeight);
  for (std::int32_t y = 0; y < kHeight; ++y) {
    for (std::int32_t x = 0; x < kWidth; ++x) {
      const auto grain = static_cast<std::uint32_t>((x * 7919 + y * 104'729) % 5);
      const auto wave = static_cast<std::uint32_t>((x / 3 + y / 2) % 200) + grain;
      surface.view().row(y)[static_cast<std::size_t>(x)] = wave << 16 | (255 - wave) << 8 | (wave / 2 + 30);
    }
  }
  return surface;
}

void send_picture(benchmark::State& state, const Surface& surface, const ImageOptions& options) {
  ClientImages client;
  ImageEncoder encoder;
  ImageSender sender(encoder, options);
  sender.open(client, 0, {.cache_pixels = 20 << 20, .dictionary_window_pixels = 12 << 20});
  std::uint64_t serial = 1;
  for (auto _ : state) {
    for (std::int32_t top = 0; top < kHeight; top += kBandRows) {
      auto message = sender.message();
      const core::Rect band{0, top, kWidth, std::min(top + kBandRows, kHeight)};
      benchmark::DoNotOptimize(
          message.of_surface({.pixels = surface.pixels(), .area = band}, ImageMessage::Exactness::MayLose));
      message.send_before(serial++, [](const auto&) {});
    }
  }
  std::uint64_t raw = 0, sent = 0;
  for (const auto& method : sender.statistics()->figures().methods) {
    raw += method.raw_bytes;
    sent += method.sent_bytes;
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(raw));
  state.counters["sent"] = static_cast<double>(sent) / static_cast<double>(state.iterations());
}

}  // namespace

int main(int argc, char** argv) {
  const auto desk = desktop(), slopes = photo();
  const std::pair<const char*, ImageOptions> modes[] = {
      {"off", {.compression = ImageCompression::Off}},
      {"auto_glz", {.compression = ImageCompression::AutoGlz}},
      {"auto_lz", {.compression = ImageCompression::AutoLz}},
      {"quic", {.compression = ImageCompression::Quic}},
      {"glz", {.compression = ImageCompression::Glz}},
      {"lz", {.compression = ImageCompression::Lz}},
      {"lz4", {.compression = ImageCompression::Lz4, .takes_lz4 = true}},
      {"auto_glz+jpeg+zlib", {.jpeg = OnSlowLines::Always, .zlib_glz = OnSlowLines::Always}},
  };
  for (const auto& [name, options] : modes) {
    const auto add = [&](const char* picture, const Surface& surface) {
      benchmark::RegisterBenchmark((std::string(picture) + '/' + name).c_str(), [&surface, chosen = options](
                                                                                    benchmark::State& state) {
        send_picture(state, surface, chosen);
      })->Unit(benchmark::kMillisecond);
    };
    add("desktop", desk);
    add("photo", slopes);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
