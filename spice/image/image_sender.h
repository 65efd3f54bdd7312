// Makes the images of one display channel's messages: chooses how they are encoded, and knows what the client keeps.
// Thread of the channel only; what the channels of a client share has its own locks.
//
// For each message:
//   auto images = sender.message();
//   draw.source = images.of_surface(...).image;                   // as many as the message has
//   images.send_before(connection().next_serial(), [this](const auto& before) { send(before); });
//   send(draw);                                                   // while `images` lives
// A message whose images were made is sent, whatever happens: ids of the dictionary are counted by the client.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/ports/drawing.h"
#include "spice/image/client_images.h"
#include "spice/image/image_encoder.h"
#include "spice/image/image_source.h"
#include "spice/image/image_strips.h"
#include "spice/image/palette_cache.h"
#include "spice/image/pixmap_cache.h"
#include "spice/image/statistics.h"
#include "spice/wire/display.h"
#include "spice/wire/image.h"

namespace spice::image {

// When images are made smaller at the cost of exactness or of time.
enum class OnSlowLines : std::uint8_t { Auto, Never, Always };

struct ImageOptions {
  wire::ImageCompression compression = wire::ImageCompression::AutoGlz;
  OnSlowLines jpeg = OnSlowLines::Auto;
  OnSlowLines zlib_glz = OnSlowLines::Auto;
  bool takes_lz4 = false;  // the client has that capability
};

class ImageMessage;

class ImageSender {
 public:
  // Until open() nothing is kept by the client and no dictionary is used. The encoder is that of the thread.
  ImageSender(ImageEncoder& encoder, const ImageOptions& options);

  // The client's INIT.
  void open(ClientImages& client, std::uint8_t channel_id, const wire::DisplayInit& init);
  void set_compression(wire::ImageCompression compression) { options_.compression = compression; }
  void set_slow_line(bool is_slow) { is_slow_ = is_slow; }
  void set_options(const ImageOptions& options) { options_ = options; }
  const ImageOptions& options() const { return options_; }

  ImageMessage message();

  // What images of a surface, or of plain copies, will probably be asked for next. Encodes some of them at once on
  // several threads, if there are such. How many are worth it: most_upcoming(), 0 for none.
  struct Upcoming {
    core::ImagePtr image{};       // a bitmap, which may lose something if `may_lose`; or else:
    core::SurfaceId surface = 0;  // an area of one, in a drawing
    core::Pixels pixels{};
    core::Rect area{};
    bool may_lose = false;
  };
  std::size_t most_upcoming() const { return encoder_.most_expected(); }
  void prepare(std::span<const Upcoming> upcoming);

  // A guest's bitmap as strips, if it is worth that and the client does not keep it: then each is an image in a message
  // of its own.
  std::optional<ImageStrips> strips(const core::ImagePtr& image, bool may_lose) const;
  // Strips of an image that are sent next: encodes the first few at once, unless it has the first.
  static constexpr std::size_t kMostStripsAtOnce = 4;
  void prepare(const core::ImagePtr& image, const ImageStrips& strips, std::span<const std::size_t> upcoming);

  // The client is to forget its images or palettes: the message that says so, to be sent next, with this serial.
  wire::DisplayInvalAllPixmaps forget_images(std::uint64_t serial);
  bool keeps_images() const { return keeps_images_; }  // the client has got some to keep since, on this channel
  wire::DisplayInvalAllPalettes forget_palettes();
  bool keeps_palettes() const { return !palettes_.empty(); }

  std::shared_ptr<const ImageStatistics> statistics() const { return statistics_; }

 private:
  friend class ImageMessage;

  Method method_for(const StoredPixels& pixels, bool is_drawing, bool may_lose) const;
  std::optional<ImageEncoder::Expected> expected(const Upcoming& upcoming) const;
  bool takes_jpeg() const { return applies(options_.jpeg); }
  bool applies(OnSlowLines when) const {
    return when == OnSlowLines::Always || (when == OnSlowLines::Auto && is_slow_);
  }

  ImageEncoder& encoder_;
  ImageOptions options_;
  bool is_slow_ = false;
  bool keeps_images_ = false;
  std::unique_ptr<PixmapChannel> pixmaps_;
  std::shared_ptr<Dictionary> dictionary_;
  PaletteCache palettes_;
  std::uint32_t next_number_ = 1;
  std::shared_ptr<ImageStatistics> statistics_ = std::make_shared<ImageStatistics>();
};

class ImageMessage {
 public:
  struct Made {
    wire::Image image;
    bool is_lossy = false;
  };
  enum class Exactness : std::uint8_t { Exact, MayLose };

  ImageMessage(ImageMessage&&) = delete;
  ImageMessage& operator=(ImageMessage&&) = delete;
  ~ImageMessage();

  // Whether of_image() and of_mask() make something of it. As what was made must be sent, ask about all images of a
  // message before the first is made.
  static bool makes(const core::ImagePtr& image);
  static bool makes_mask(const core::ImagePtr& image);

  // A guest's bitmap or QUIC stream, in a drawing. Nothing if it is neither or makes no sense.
  std::optional<Made> of_image(const core::ImagePtr& image, Exactness exactness);
  // The same as a mask: never compressed, without a palette.
  std::optional<Made> of_mask(const core::ImagePtr& image);
  // One of a bitmap's strips.
  Made of_strip(const core::ImagePtr& image, const ImageStrips& strips, std::size_t strip);
  // Pixels of a surface as they are now, in a drawing or (`is_whole`) to give the client the surface itself.
  struct SurfaceArea {
    core::SurfaceId surface = 0;
    core::Pixels pixels;
    core::Rect area;  // within it
    bool is_whole = false;
  };
  std::optional<Made> of_surface(const SurfaceArea& from, Exactness exactness);
  // A surface that the client has.
  static wire::Image surface(core::SurfaceId id);

  // Calls `send` with what must go before the message, which follows at once. `next_serial` is that of the first
  // message now sent.
  template <class Send>
  void send_before(std::uint64_t next_serial, Send send) {
    const auto [waits, drops] = finish(next_serial);
    if (!waits.waits.empty()) send(waits);
    if (!drops.items.empty()) send(drops);
    for (const auto palette : dropped_palettes_)
      send(wire::DisplayInvalPalette{palette});
  }

 private:
  friend class ImageSender;
  struct Before {
    wire::WaitForChannels waits;
    wire::DisplayInvalList drops;
  };
  struct Request {
    Exactness exactness = Exactness::Exact;
    bool is_mask = false;
    bool is_drawing = true;
    std::optional<ImageKey> key = {};
    std::optional<Method> method = {};  // chosen already
  };

  explicit ImageMessage(ImageSender& sender);
  Before finish(std::uint64_t next_serial);
  std::optional<Made> of_quic(const core::ImagePtr& image, const core::QuicBitmap& quic, Exactness exactness);
  Made of_source(const core::Image& image, const ImageSource& source, const Request& request);
  // `encode` fills the descriptor in and says whether something was lost.
  template <class Encode>
  Made cached(const core::Image& image, wire::Image descriptor, Exactness exactness, Encode encode);
  bool encode(wire::Image& image, const ImageSource& source, const Request& request);
  Method choose(const ImageSource& source, const Request& request) const;
  Encoded encode_with_dictionary(const ImageSource& source);
  void fill(wire::Image& image, const ImageSource& source, Encoded encoded);
  wire::PaletteRef palette(const ImageSource& source, std::uint8_t& flags);
  wire::Image described(const StoredPixels& pixels, bool high_bits_set);

  ImageSender& sender_;
  std::optional<PixmapMessage> pixmaps_;
  Dictionary::Lock dictionary_lock_;
  std::vector<std::uint64_t> dropped_palettes_;
  bool owes_message_ = false;  // an image of the dictionary was made
};

}  // namespace spice::image
