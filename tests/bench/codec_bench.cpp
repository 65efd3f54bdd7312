// Speed of the image codecs in bytes of the raw image a second of CPU time of one thread, and the sizes they make.
// CODEC_VECTORS names another folder of vectors than tests/data/codec. tests/bench/codec_score.py sets the figures
// against those of the reference implementation.
#include <benchmark/benchmark.h>
#include <cstdlib>
#include <ctime>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <zlib.h>

#include "spice/codec/glz.h"
#include "spice/codec/jpeg.h"
#include "spice/codec/lz.h"
#include "spice/codec/lz4.h"
#include "spice/codec/quic.h"
#include "tests/vectors/picture.h"

namespace {

using namespace spice::codec;
using vectors::Bytes;
using vectors::Picture;

constexpr std::uint32_t kWindow = 16 << 20;

double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Image {
  std::string name;
  Picture picture;
  Bytes raw;
  Bytes second;  // the same with another block of 60x40 pixels

  LzImage lz(const Bytes& pixels) const {
    return {picture.lz_type(), picture.width, picture.height, pixels.data(), std::ptrdiff_t{picture.stride},
            picture.top_down};
  }
  QuicImage quic() const {
    auto type = QuicType::Rgb32;
    if (picture.format == "16") type = QuicType::Rgb16;
    if (picture.format == "24") type = QuicType::Rgb24;
    if (picture.format == "rgba") type = QuicType::Rgba;
    return {type, picture.width, picture.height, raw.data(), std::ptrdiff_t{picture.stride}};
  }
};

// What is timed is what `timed` does; it returns a size to report.
template <class Timed, class Before>
void measure(benchmark::State& state, const Image& image, Before before, Timed timed) {
  std::size_t size = 0;
  for (auto _ : state) {
    before();
    const auto begun = thread_seconds();
    size = timed();
    state.SetIterationTime(thread_seconds() - begun);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * image.raw.size()));
  state.counters["size"] = static_cast<double>(size);
}

constexpr auto kNothing = [] {};

void quic_encode_image(benchmark::State& state, const Image& image) {
  Bytes out(image.raw.size() * 3);
  QuicScratch scratch;
  measure(state, image, kNothing, [&] { return quic_encode(image.quic(), out, scratch).value(); });
}

void quic_decode_image(benchmark::State& state, const Image& image) {
  Bytes encoded(image.raw.size() * 3);
  QuicScratch scratch;
  encoded.resize(quic_encode(image.quic(), encoded, scratch).value());
  Bytes out(quic_read_header(encoded)->image_bytes());
  measure(state, image, kNothing, [&] { return quic_decode(encoded, out, scratch) ? encoded.size() : 0; });
}

void lz_encode_image(benchmark::State& state, const Image& image) {
  Bytes out(image.raw.size() * 2);
  LzScratch scratch;
  measure(state, image, kNothing, [&] { return lz_encode(image.lz(image.raw), out, scratch).value(); });
}

void lz_decode_image(benchmark::State& state, const Image& image) {
  Bytes encoded(image.raw.size() * 2);
  LzScratch scratch;
  encoded.resize(lz_encode(image.lz(image.raw), encoded, scratch).value());
  Bytes out(image.raw.size());
  measure(state, image, kNothing, [&] { return lz_decode(encoded, out) ? encoded.size() : 0; });
}

// As a session begins: a dictionary whose memory nobody has touched yet.
void glz_encode_first(benchmark::State& state, const Image& image) {
  Bytes out(image.raw.size() * 2);
  std::unique_ptr<GlzDictionary> dictionary;
  measure(
      state, image, [&] { dictionary = std::make_unique<GlzDictionary>(kWindow); },
      [&] { return dictionary->encode(image.lz(image.raw), out)->size; });
}

void glz_encode_second(benchmark::State& state, const Image& image) {
  Bytes out(image.raw.size() * 2);
  std::unique_ptr<GlzDictionary> dictionary;
  measure(
      state, image,
      [&] {
        dictionary = std::make_unique<GlzDictionary>(kWindow);
        (void)dictionary->encode(image.lz(image.raw), out);
      },
      [&] { return dictionary->encode(image.lz(image.second), out)->size; });
}

// And as it goes on: each image finds the one before it in memory that has been used.
void glz_encode_steady(benchmark::State& state, const Image& image) {
  Bytes out(image.raw.size() * 2);
  GlzDictionary dictionary(kWindow);
  bool second = false;
  measure(
      state, image, [&] { second = !second; },
      [&] { return dictionary.encode(image.lz(second ? image.second : image.raw), out)->size; });
}

void glz_decode_both(benchmark::State& state, const Image& image, bool second) {
  GlzDictionary dictionary(kWindow);
  std::array<Bytes, 2> encoded = {Bytes(image.raw.size() * 2), Bytes(image.raw.size() * 2)};
  encoded[0].resize(dictionary.encode(image.lz(image.raw), encoded[0])->size);
  encoded[1].resize(dictionary.encode(image.lz(image.second), encoded[1])->size);
  auto window = std::make_unique<GlzWindow>(kWindow);
  measure(
      state, image,
      [&] {
        window = std::make_unique<GlzWindow>(kWindow);
        if (second) (void)window->decode(encoded[0]);
      },
      [&] { return window->decode(encoded[second ? 1 : 0]) ? encoded[second ? 1 : 0].size() : 0; });
}

void lz4_encode_image(benchmark::State& state, const Image& image) {
  Bytes out(image.raw.size() * 2);
  Lz4Scratch scratch;
  const auto lz = image.lz(image.raw);
  const Lz4Image source{static_cast<Lz4Format>(lz.type), lz.width, lz.height, lz.rows, lz.stride, lz.top_down};
  measure(state, image, kNothing, [&] { return lz4_encode(source, out, scratch).value(); });
}

void jpeg_encode_image(benchmark::State& state, const Image& image) {
  Bytes out(image.raw.size() * 2);
  JpegScratch scratch;
  auto format = JpegFormat::Rgb32;
  if (image.picture.format == "16") format = JpegFormat::Rgb16;
  if (image.picture.format == "24") format = JpegFormat::Rgb24;
  const JpegImage source{format, image.picture.width, image.picture.height, image.raw.data(),
                         std::ptrdiff_t{image.picture.stride}};
  measure(state, image, kNothing, [&] { return jpeg_encode(source, kJpegQuality, out, scratch).value(); });
}

Bytes read_gzip(const std::string& path) {
  Bytes bytes;
  const auto file = ::gzopen(path.c_str(), "rb");
  if (file == nullptr) return bytes;
  std::array<std::uint8_t, 65536> piece;
  for (int n = 0; (n = ::gzread(file, piece.data(), piece.size())) > 0;)
    bytes.insert(bytes.end(), piece.begin(), piece.begin() + n);
  ::gzclose(file);
  return bytes;
}

Bytes with_block(const Picture& picture, Bytes pixels) {
  const auto pixel = picture.row_bytes() / picture.width;
  for (std::size_t y = 100; y < 140; ++y) {
    for (std::size_t i = 100 * pixel; i < 160 * pixel; ++i)
      pixels[y * picture.stride + i] ^= 0xff;
  }
  return pixels;
}

std::vector<Image> load() {
  const auto* given = std::getenv("CODEC_VECTORS");
  const std::string folder = given != nullptr ? given : MINIVMM_TEST_DATA "/codec";
  const auto text = vectors::read_file(folder + "/index.json");
  const auto index = nlohmann::json::parse(text.begin(), text.end());
  std::vector<Image> images;
  for (const auto& meta : index.at("images")) {
    Picture picture(meta);
    if (!glz_has(picture.lz_type()) || meta.at("raw_size") < 1'000'000 || meta.at("name") == "solid640") continue;
    auto raw = read_gzip(folder + "/" + meta.at("raw").get<std::string>());
    auto second = with_block(picture, raw);
    images.push_back({meta.at("name"), picture, std::move(raw), std::move(second)});
  }
  return images;
}

}  // namespace

int main(int argc, char** argv) {
  static const auto images = load();
  const std::map<std::string, void (*)(benchmark::State&, const Image&)> cases = {
      {"quic_encode", quic_encode_image},
      {"quic_decode", quic_decode_image},
      {"lz_encode", lz_encode_image},
      {"lz_decode", lz_decode_image},
      {"glz_first_encode", glz_encode_first},
      {"glz_second_frame_encode", glz_encode_second},
      {"glz_steady_encode", glz_encode_steady},
      {"glz_first_decode", [](benchmark::State& s, const Image& image) { glz_decode_both(s, image, false); }},
      {"glz_second_frame_decode", [](benchmark::State& s, const Image& image) { glz_decode_both(s, image, true); }},
      {"lz4_encode", lz4_encode_image},
      {"jpeg85_encode", jpeg_encode_image},
  };
  for (const auto& image : images) {
    for (const auto& [name, run] : cases) {
      const auto& call = run;
      benchmark::RegisterBenchmark((name + "/" + image.name).c_str(), [call, &image](benchmark::State& state) {
        call(state, image);
      })->UseManualTime();
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
