// A QXL display as a driver sees it: how fast commands are taken, how long ports keep a CPU, how soon a client has what
// was drawn, and what pictures, films and many surfaces cost.
//
// Each part is framed by the lines `begin: NAME` and `end: NAME` on the debug console, with time before and after for
// the host to look at its processes. Figures are lines `bench: NAME NUMBER`.
//
// A stamp is a fill of 3 x 3 pixels whose colour is the low half of the TSC when the drawing before it was begun.
#include <initializer_list>

#include "examples/qxl-rig/drawings.h"
#include "tests/bench/guest/clock.h"
#include "tests/guest/bare/bare.h"

namespace {

using qxl::box;

constexpr std::int32_t kWidth = 1024;
constexpr std::int32_t kHeight = 768;
constexpr std::int32_t kFilmWidth = 1920;
constexpr std::int32_t kFilmHeight = 1080;
constexpr std::uint32_t kPixelBytes = 4;

constexpr std::uint64_t kBeforeMs = 200;
constexpr std::uint64_t kAfterMs = 700;  // until a client has everything

qxl::Driver driver;
std::uint64_t ticks_per_ms;

void wait_until(std::uint64_t time) {
  while (bench::ticks() < time)
    bare::relax();
}

void wait_ms(std::uint64_t ms) {
  wait_until(bench::ticks() + ms * ticks_per_ms);
}

void say(const char* what, const char* name, const char* more, std::uint64_t number) {
  for (const auto* text : {what, name, more, " "})
    bare::print(text);
  bare::print_number(number);
  bare::print("\n");
}

template <class Work>
void part(const char* name, Work work) {
  for (const auto* text : {"begin: ", name, "\n"})
    bare::print(text);
  wait_ms(kBeforeMs);
  const auto begun = bench::ticks();
  work();
  const auto ended = bench::ticks();
  say("bench: ", name, "_begun", begun);
  say("bench: ", name, "_ticks", ended - begun);
  for (const auto* text : {"end: ", name, "\n"})
    bare::print(text);
  wait_ms(kAfterMs);
}

// xorshift64
std::uint64_t random() {
  static std::uint64_t state = 88172645463325252;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

std::int32_t random_below(std::int32_t end) {
  return static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(end));
}

void stamp(std::uint64_t begun) {
  static std::int32_t place = 0;
  constexpr std::int32_t kSide = 3;
  constexpr std::int32_t kInRow = kWidth / kSide;
  place = (place + 1) % (kInRow * (kHeight / kSide));
  qxl::fill(driver, box(place % kInRow * kSide, place / kInRow * kSide, kSide, kSide),
            static_cast<std::uint32_t>(begun));
}

// Many commands, until the last is drawn and all are released: so many that beginning and end are a small part of it.
template <class Draw>
void stream(const char* name, std::int32_t count, Draw draw) {
  part(name, [&] {
    for (std::int32_t i = 0; i < count; ++i)
      draw(i);
    driver.update(0, 0, kWidth, kHeight);
    driver.wait_for_releases();
  });
  say("bench: ", name, "_count", static_cast<std::uint64_t>(count));
}

constexpr std::int32_t kLineHeight = 8;
constexpr std::int32_t kLetters = 80;

void measure_streams() {
  stream("fills", 30000, [](std::int32_t i) {
    qxl::fill(driver, box(i * 7 % (kWidth - 100), i * 13 % (kHeight - 100), 100, 100),
              static_cast<std::uint32_t>(i) * 0x010305U);
  });
  stream("copies", 30000, [](std::int32_t i) { qxl::copy(driver, i * 7 % (kWidth - 16), i * 13 % (kHeight - 16)); });
  stream("texts", 20000, [](std::int32_t i) {
    qxl::text(driver, i * 7 % (kWidth - kLetters * 8), i * 13 % (kHeight - kLineHeight),
              static_cast<std::uint32_t>(i) * 0x030105U, kLetters);
  });
  // A terminal: all lines go up, the last one is cleared and written.
  constexpr std::int32_t kTop = 100;
  constexpr std::int32_t kLines = 50;
  stream("scrolls", 15000, [](std::int32_t i) {
    const auto terminal = box(100, kTop, kLetters * 8, kLines * kLineHeight);
    const auto last_line = terminal.bottom - kLineHeight;
    if (i % 3 == 0) return qxl::scroll(driver, terminal, kLineHeight);
    if (i % 3 == 1) return qxl::fill(driver, box(terminal.left, last_line, kLetters * 8, kLineHeight), 0);
    qxl::text(driver, terminal.left, last_line, 0xaaaaaa, i % kLetters + 1);
  });
}

// How long the CPU is kept by a port that does nothing, and by one that has something drawn and read back.
void measure_ports() {
  constexpr unsigned kSamples = 500;
  std::uint64_t plain = 0;
  std::uint64_t update = 0;
  part("ports", [&] {
    for (unsigned i = 0; i < kSamples; ++i) {
      const auto begun = bench::ticks();
      driver.update_irq();
      plain += bench::ticks() - begun;
    }
    for (unsigned i = 0; i < kSamples; ++i) {
      const auto x = static_cast<std::uint32_t>(random_below(kWidth - 64));
      const auto y = static_cast<std::uint32_t>(random_below(kHeight - 64));
      for (std::int32_t more = 0; more < 4; ++more)
        qxl::fill(driver, box(random_below(kWidth - 64), random_below(kHeight - 64), 64, 64),
                  static_cast<std::uint32_t>(random()));
      qxl::fill(driver, box(static_cast<std::int32_t>(x), static_cast<std::int32_t>(y), 64, 64), i);
      const auto begun = bench::ticks();
      driver.update(x, y, x + 64, y + 64);
      update += bench::ticks() - begun;
      bare::expect((driver.pixel(x + 32, y + 32) & 0xffffff) == i, "what was drawn last");
    }
    driver.wait_for_releases();
  });
  say("bench: ", "ports", "_plain_ns", plain / kSamples * 1'000'000 / ticks_per_ms);
  say("bench: ", "ports", "_update_ns", update / kSamples * 1'000'000 / ticks_per_ms);
}

// Pixels in the driver's spare memory, behind the header of a chunk.
class Picture {
 public:
  Picture(std::uint64_t offset, std::int32_t width, std::int32_t height)
      : chunk_(*reinterpret_cast<QXLDataChunk*>(static_cast<std::uint8_t*>(driver.spare_memory()) + offset)),
        width_(static_cast<std::uint32_t>(width)),
        height_(static_cast<std::uint32_t>(height)) {
    chunk_.data_size = width_ * height_ * kPixelBytes;
    chunk_.prev_chunk = chunk_.next_chunk = 0;
  }
  const QXLDataChunk& chunk() const { return chunk_; }
  std::uint32_t width() const { return width_; }
  std::uint64_t bytes() const { return (sizeof(QXLDataChunk) + chunk_.data_size + 0xfff) & ~std::uint64_t{0xfff}; }

  template <class Color>
  void paint(Color color) {
    auto* to = chunk_.data;
    for (std::uint32_t y = 0; y < height_; ++y) {
      for (std::uint32_t x = 0; x < width_; ++x, to += kPixelBytes) {
        const std::uint32_t pixel = color(x, y);
        __builtin_memcpy(to, &pixel, kPixelBytes);
      }
    }
  }

 private:
  QXLDataChunk& chunk_;
  std::uint32_t width_;
  std::uint32_t height_;
};

// As photographs are: neighbours are alike, and no two the same.
std::uint32_t photo(std::uint32_t x, std::uint32_t y, std::uint32_t seed) {
  const auto noise = static_cast<std::uint32_t>(random() & 3);
  const auto red = ((x + seed * 40) / 6 + noise) & 0xff;
  const auto green = ((y * 2 + seed * 17) / 7 + noise) & 0xff;
  const auto blue = ((x + y + seed * 80) / 12 + noise) & 0xff;
  return red << 16 | green << 8 | blue;
}

// As windows are: plain areas, and letters on some.
std::uint32_t window(std::uint32_t x, std::uint32_t y, std::uint32_t seed) {
  const bool has_letters = (x / 160 + y / 96 + seed) % 3 != 0;
  const auto background = 0xf0f0f0U - (x / 160 * 5 + y / 96 + seed) % 16 * 0x080808U;
  const auto bits = (x / 8 + seed) * 0x9e3779b9U ^ (y / 12) * 0x85ebca6bU;
  const bool ink = y % 12 < 8 && (bits >> ((x % 8) * 3 + y % 4) & 1) != 0;
  return has_letters && ink ? 0x202020 : background;
}

// From a drawing until a client has it. `least` to `most` microseconds lie between two.
void measure_way(const char* name, std::uint64_t count, std::int32_t least_us, std::int32_t most_us) {
  constexpr std::int32_t kSide = 64;
  constexpr std::uint64_t kPictures = 64;  // one is not painted anew while it may still be wanted
  const auto each = Picture(0, kSide, kSide).bytes();
  part(name, [&] {
    for (std::uint64_t i = 0; i < count; ++i) {
      Picture picture(i % kPictures * each, kSide, kSide);
      const auto gap_us = static_cast<std::uint64_t>(least_us + random_below(most_us - least_us));
      if (i % 3 == 1) picture.paint([i](auto x, auto y) { return window(x, y, static_cast<std::uint32_t>(i)); });
      const auto begun = bench::ticks();
      if (i % 3 == 1)
        qxl::copy_picture(driver, box(random_below(kWidth - kSide), random_below(kHeight - kSide), kSide, kSide),
                          picture.chunk(), picture.width());
      if (i % 3 == 2)
        qxl::text(driver, random_below(kWidth - kLetters * 8), random_below(kHeight - 8), 0xffff00, kLetters);
      stamp(begun);
      wait_until(begun + gap_us * ticks_per_ms / 1000);
    }
  });
  driver.wait_for_releases();
}

// Whole screens, too far from each other to be a film.
template <class Color>
void measure_frames(const char* name, Color color) {
  constexpr std::uint32_t kFrames = 100;  // memory that is used for the first time is dear
  constexpr std::uint64_t kGapMs = 250;
  part(name, [&] {
    auto next = bench::ticks();
    for (std::uint32_t i = 0; i < kFrames; ++i) {
      Picture picture(i % 4 * (std::uint64_t{4} << 20), kWidth, kHeight);
      picture.paint([&](auto x, auto y) { return color(x, y, i); });
      wait_until(next += kGapMs * ticks_per_ms);
      qxl::copy_picture(driver, box(0, 0, kWidth, kHeight), picture.chunk(), picture.width());
    }
    wait_ms(kGapMs);
  });
  driver.wait_for_releases();
  say("bench: ", name, "_count", kFrames);
}

void measure_film() {
  constexpr std::uint32_t kPictures = 4;
  constexpr std::uint32_t kFrames = 100;
  constexpr std::uint64_t kGapMs = 40;
  const std::uint64_t each = Picture(0, kFilmWidth, kFilmHeight).bytes();
  for (std::uint32_t i = 0; i < kPictures; ++i)
    Picture(i * each, kFilmWidth, kFilmHeight).paint([i](auto x, auto y) { return photo(x, y, i); });
  driver.stop();
  driver.start(kFilmWidth, kFilmHeight);
  part("film", [&] {
    auto next = bench::ticks();
    for (std::uint32_t i = 0; i < kFrames; ++i) {
      const Picture picture(i % kPictures * each, kFilmWidth, kFilmHeight);
      wait_until(next += kGapMs * ticks_per_ms);
      qxl::copy_picture(driver, box(0, 0, kFilmWidth, kFilmHeight), picture.chunk(), picture.width());
    }
    wait_ms(kGapMs);
  });
  driver.wait_for_releases();
  say("bench: ", "film", "_count", kFrames);
  driver.stop();
  driver.start(kWidth, kHeight);
}

void measure_surfaces() {
  constexpr std::uint32_t kSurfaces = 500;
  constexpr std::uint32_t kSide = 64;
  part("surfaces", [] {
    for (std::uint32_t id = 1; id <= kSurfaces; ++id) {
      qxl::create_surface(driver, id, kSide, kSide);
      qxl::fill(driver, box(0, 0, kSide, kSide), id, id);
      driver.update(0, 0, kSide, kSide, id);
    }
  });
  say("bench: ", "surfaces", "_count", kSurfaces);
  say("bench: ", "surfaces", "_bytes", kSurfaces * kSide * kSide * kPixelBytes);
  for (std::uint32_t id = 1; id <= kSurfaces; ++id)
    qxl::destroy_surface(driver, id);
  driver.wait_for_releases();
}

// Each command has all of one large picture copied, and none hides another.
void measure_references() {
  constexpr std::int32_t kPictureWidth = 1024;
  constexpr std::int32_t kPictureHeight = 1024;
  constexpr std::uint32_t kReferences = 1000;
  Picture picture(0, kPictureWidth, kPictureHeight);
  picture.paint([](auto x, auto y) { return photo(x, y, 1); });
  part("references", [&] {
    for (std::uint32_t i = 0; i < kReferences; ++i)
      qxl::copy_picture(driver, box(0, 0, kWidth, kHeight), picture.chunk(), picture.width(), SPICE_ROPD_OP_XOR);
    driver.wait_for_releases();
  });
}

}  // namespace

void guest_main() {
  ticks_per_ms = bench::calibrate();
  bare::expect(driver.find(), "a QXL function");
  driver.start(kWidth, kHeight);
  say("bench: ", "tsc", "_khz", ticks_per_ms);
  wait_ms(kAfterMs);
  measure_streams();
  measure_ports();
  measure_way("soon", 300, 500, 8000);
  measure_way("later", 100, 25000, 35000);
  measure_frames("photos", photo);
  measure_frames("windows", window);
  measure_film();
  measure_surfaces();
  measure_references();
  driver.stop();
}
