// A client as the protocol wants it, for tests: channels that work through their messages independently, caches that
// hold what they were told to and nothing else, a GLZ window, and pixels in the end.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "spice/codec/glz.h"
#include "spice/image/stored_pixels.h"
#include "spice/wire/display.h"

namespace model {

// From the top row on. A pixel is 0x00RRGGBB, 0xAARRGGBB where there is alpha, five bits a colour where the image has
// those, or an alpha value.
struct Picture {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::vector<std::uint32_t> pixels;
  bool operator==(const Picture&) const = default;
};

// Of stored pixels, by the same rules.
Picture picture(const spice::image::StoredPixels& pixels, const std::vector<std::uint32_t>& palette = {});

struct Drawing {
  spice::wire::Image image;
  std::optional<Picture> expected;  // none: it is lossy
};

using Message =
    std::variant<spice::wire::WaitForChannels, spice::wire::DisplayInvalList, spice::wire::DisplayInvalPalette,
                 spice::wire::DisplayInvalAllPixmaps, spice::wire::DisplayInvalAllPalettes, Drawing>;

class Client {
 public:
  Client(std::int64_t cache_pixels, std::uint32_t window_pixels, std::size_t channels);

  void receive(std::size_t channel, Message message);
  // Works off the next message of a channel. False: there is none, or it has to wait.
  bool step(std::size_t channel);
  // Nothing is left on any channel.
  bool done() const;
  // What was wrong, if anything.
  const std::string& error() const { return error_; }
  std::size_t cached_images() const { return cache_.size(); }
  std::uint64_t cached_pixels() const;
  std::size_t shown() const { return shown_; }
  const Picture& last() const { return last_; }  // that was shown
  std::map<spice::wire::ImageType, std::size_t> types;

 private:
  struct Channel {
    std::deque<Message> messages;
    std::uint64_t processed = 0;  // serials
    std::map<std::uint64_t, std::vector<std::uint32_t>> palettes;
  };
  struct Cached {
    Picture picture;
    bool is_lossy = false;
  };
  enum class Outcome { Done, Waits };

  Outcome process(Channel& channel, const spice::wire::WaitForChannels& message);
  Outcome process(Channel& channel, const spice::wire::DisplayInvalList& message);
  Outcome process(Channel& channel, const spice::wire::DisplayInvalPalette& message);
  Outcome process(Channel& channel, const spice::wire::DisplayInvalAllPixmaps& message);
  Outcome process(Channel& channel, const spice::wire::DisplayInvalAllPalettes& message);
  Outcome process(Channel& channel, const Drawing& drawing);
  bool passed(const std::vector<spice::wire::WaitForChannel>& waits) const;

  // Nothing: it has to wait, or an error was noted.
  std::optional<Picture> decode(Channel& channel, const spice::wire::Image& image);
  std::optional<Picture> from_cache(const spice::wire::Image& image);
  std::optional<Picture> bitmap(Channel& channel, const spice::wire::Image& image);
  std::optional<Picture> quic(const spice::wire::Image& image);
  std::optional<Picture> lz(Channel& channel, const spice::wire::Image& image);
  std::optional<Picture> glz(const spice::wire::Image& image);
  std::optional<Picture> lz4(const spice::wire::Image& image);
  std::optional<Picture> jpeg(const spice::wire::Image& image);
  void keep(const spice::wire::Image& image, const Picture& picture);
  std::vector<std::uint32_t> palette(Channel& channel, std::uint8_t flags, const spice::wire::PaletteRef& reference);
  std::nullopt_t fail(const std::string& what);

  std::vector<Channel> channels_;
  std::map<std::uint64_t, Cached> cache_;
  spice::codec::GlzWindow window_;
  std::int64_t cache_pixels_;
  std::size_t shown_ = 0;
  Picture last_;
  std::string error_;
};

}  // namespace model
