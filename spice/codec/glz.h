// GLZ, the LZ of SPICE whose matches reach into earlier images: the server keeps a dictionary, the client a window of
// the same images. Image types are LZ's RGB16, RGB24, RGB32 and RGBA.
//
// Stream: magic and version as in LZ, a byte type | top-down << 4, big-endian width, height and stride (of rows without
// padding), a 64-bit image id and the distance of the oldest image the client has to keep. Then literals and matches; a
// match names how many images back its source is and where it begins there.
//
// The dictionary, for whoever owns one:
// - There is one per client and dictionary id; the client's first display INIT names that id and the window size in
//   pixels. All display channels of the client use it. Ids count 0, 1, 2, ... in the order of encoding over all of
//   these channels.
// - It has no lock inside. Its owner holds one lock per dictionary from the call of encode() until the image is in the
//   sending queue of its channel, so that images are queued in the order of their ids. Any thread may do that. Do not
//   hand encoding to a pool: the lock would be held all the time.
// - An id that encode() gave must be sent, even if the drawing it belongs to is gone by then, as the client waits for
//   ids without gaps. So encode when you send. Two channels may overtake each other on the wire; the client sorts that.
// - Pixels are copied: nothing of the caller's needs to stay. A dictionary takes up to four bytes a pixel of its
//   window, as far as they have been used (in pages of 2 MiB), and 592 KiB.
// - While a migration is prepared, encode nothing with it (use LZ). The target's dictionary goes on at next_id(); for a
//   new session of the client call restart().
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "spice/codec/lz.h"

namespace spice::codec {

constexpr std::size_t kGlzHeaderBytes = 33;
// Positions inside an image and a dictionary stay below this.
constexpr std::uint32_t kGlzMaxPixels = std::uint32_t{1} << 25;

// The types GLZ has.
constexpr bool glz_has(LzType type) {
  return type == LzType::Rgb16 || type == LzType::Rgb24 || type == LzType::Rgb32 || type == LzType::Rgba;
}
// The most bytes an image of this size can become.
std::size_t glz_max_bytes(LzType type, std::uint32_t width, std::uint32_t height);

struct GlzEncoded {
  std::size_t size = 0;
  std::uint64_t id = 0;
  std::uint32_t head_distance = 0;  // from the image to the oldest that is kept
};

class GlzDictionary {
 public:
  // At most kGlzMaxPixels. `next_id` is 0 but for a client that comes from another server.
  explicit GlzDictionary(std::uint32_t window_pixels, std::uint64_t next_id = 0);
  ~GlzDictionary();
  GlzDictionary(GlzDictionary&&) noexcept;
  GlzDictionary& operator=(GlzDictionary&&) noexcept;

  std::uint32_t window_pixels() const { return window_pixels_; }
  std::uint64_t next_id() const { return next_id_; }
  // Whether encode() takes such an image: of a type that GLZ has, not empty, smaller than the window.
  bool takes(const LzImage& image) const;

  // Writes the encoded image to `out`, of at least glz_max_bytes(), enters it in the dictionary and drops the oldest
  // images for which the window is too small now. Nothing, and no id used, if takes() is false or `out` too small.
  std::optional<GlzEncoded> encode(const LzImage& image, std::span<std::uint8_t> out);
  // Forgets all images: for a new session of the client.
  void restart(std::uint64_t next_id = 0);

 private:
  template <class Pixel>
  friend class GlzMatcher;
  struct Entry {
    std::uint64_t id = 0;
    std::uint64_t start = 0;  // in words since the last restart
    std::uint32_t index = 0;  // of its first word in the store
    std::uint32_t pixels = 0;
    std::uint32_t words = 0;
    std::uint32_t width = 0;
    LzType type = LzType::Rgb32;
  };

  struct Release {
    void operator()(std::uint32_t* store) const;
  };
  using Store = std::unique_ptr<std::uint32_t[], Release>;

  static constexpr unsigned kSlotBits = 17;
  static constexpr std::size_t kSlots = std::size_t{1} << kSlotBits;
  static constexpr unsigned kLongSlotBits = 14;
  static constexpr std::size_t kLongSlots = std::size_t{1} << kLongSlotBits;
  static constexpr unsigned kRowSlotBits = 12;
  static constexpr std::size_t kTables = kSlots + kLongSlots + (std::size_t{1} << kRowSlotBits);

  static Store allocate(std::size_t pixels);
  std::uint32_t* slots() const { return store_.get(); }
  std::uint32_t* long_slots() const { return store_.get() + kSlots; }
  std::uint32_t* row_slots() const { return long_slots() + kLongSlots; }
  std::uint32_t* pixels() const { return store_.get() + kTables; }
  void make_room(std::uint32_t pixels);
  std::uint64_t place(std::uint32_t words);

  std::uint32_t window_pixels_;
  std::uint64_t next_id_;
  std::uint64_t kept_pixels_ = 0;  // of `window_`
  std::uint64_t next_start_ = 0;
  std::uint64_t first_valid_ = 0;  // what started before that has been overwritten
  std::deque<Entry> window_;       // the oldest first
  // Hash tables, then window_pixels_ words of pixels. Tables: hash of three pixels, of eight, and of some of a row ->
  // where they are. Pixels: one a word, RGB16's half a word; unused bits zero.
  Store store_;
};

struct GlzHeader {
  LzType type = LzType::Rgb32;
  bool top_down = true;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint64_t id = 0;
  std::uint32_t head_distance = 0;

  std::uint64_t pixels() const { return std::uint64_t{width} * height; }
  bool operator==(const GlzHeader&) const = default;
};

enum class GlzError : std::uint8_t {
  Truncated,     // the bytes end before the image does
  BadHeader,     // wrong magic, version, type, stride or size, or more pixels than the window may have
  BadMatch,      // a match starts before its pass, runs past an end, or names an image of another type
  MissingImage,  // a match names an image that has not come or is gone
  TrailingData,  // bytes are left over
};

std::expected<GlzHeader, GlzError> glz_read_header(std::span<const std::uint8_t> data);

// A client's window: decoded images by id. Images may come in any order of ids as long as what they refer to is there.
class GlzWindow {
 public:
  // Images that would make the window larger than `max_pixels` are refused (BadHeader).
  explicit GlzWindow(std::uint64_t max_pixels) : max_pixels_(max_pixels) {}

  // Decodes and keeps the image, then drops those that it or its predecessors say are not needed any more.
  std::expected<GlzHeader, GlzError> decode(std::span<const std::uint8_t> data);
  // Stored rows side by side, a pixel a word: x1r5g5b5 or, from the lowest byte, B, G, R and A or 0. Empty if the image
  // is not there.
  std::span<const std::uint32_t> pixels(std::uint64_t id) const;
  std::size_t images() const { return images_.size(); }

 private:
  friend class GlzReader;
  struct Image {
    LzType type = LzType::Rgb32;
    std::uint32_t head_distance = 0;
    std::vector<std::uint32_t> pixels;
  };

  void drop_unneeded();

  std::uint64_t max_pixels_;
  std::uint64_t kept_pixels_ = 0;
  std::uint64_t next_id_ = 0;  // all below have come
  std::map<std::uint64_t, Image> images_;
};

}  // namespace spice::codec
