// What a client keeps of images, by the protocol's rules: a cache and a dictionary's window that its display channels
// share, and palettes of each. Makes of a message's images those that the canvas draws.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/ports/drawing.h"
#include "spice/codec/glz.h"
#include "spice/wire/common.h"
#include "spice/wire/display.h"

namespace display_test {

// Shared by the channels of one client.
struct KeptImages {
  struct Kept {
    core::ImagePtr image;
    std::uint64_t pixels = 0;
    bool is_lossy = false;
  };
  explicit KeptImages(std::uint64_t window_pixels = std::uint64_t{1} << 22) : window(window_pixels) {}
  std::uint64_t pixels() const;

  std::map<std::uint64_t, Kept> cache;
  spice::codec::GlzWindow window;
  std::map<std::uint8_t, std::uint64_t> processed;  // messages of each channel
  std::set<spice::wire::ImageType> types;           // that came
};

// Of one channel. A message may have to wait for another channel's: then all it has asked for is asked for again later,
// in the same order, and what was decoded is not decoded twice.
class ModelImages {
 public:
  ModelImages(KeptImages& kept, std::uint8_t channel) : kept_(kept), channel_(channel) { kept_.processed[channel] = 0; }

  void begin_message() { next_ = 0, waits_ = false; }
  // Null if it has to wait, or is wrong.
  core::ImagePtr image(const spice::wire::Image& image);
  bool waits() const { return waits_; }
  void end_message();  // that did not wait

  void wait(const std::vector<spice::wire::WaitForChannel>& waits);
  void drop(const spice::wire::DisplayInvalList& message);
  void drop_palette(const spice::wire::DisplayInvalPalette& message);
  void drop_palettes() { palettes_.clear(); }
  void drop_all(const spice::wire::DisplayInvalAllPixmaps& message);

  const std::string& complaint() const { return complaint_; }

 private:
  static constexpr std::size_t kMostPalettes = 128;

  core::ImagePtr decoded(const spice::wire::Image& image);
  core::ImagePtr from_cache(const spice::wire::Image& image);
  core::Bitmap bitmap(const spice::wire::Image& image);
  core::Bitmap lz(const spice::wire::Image& image);
  core::Bitmap lz4(const spice::wire::Image& image);
  core::Bitmap jpeg(const spice::wire::Image& image);
  std::optional<core::Bitmap> glz(const spice::wire::Image& image);
  void keep(const spice::wire::Image& wire, const core::ImagePtr& image);
  std::shared_ptr<const core::Palette> palette(std::uint8_t flags, const spice::wire::PaletteRef& reference);
  void complain(const std::string& about);

  KeptImages& kept_;
  std::uint8_t channel_;
  std::map<std::uint64_t, std::shared_ptr<const core::Palette>> palettes_;
  std::vector<core::ImagePtr> ready_;  // of the message that is looked at
  std::size_t next_ = 0;
  bool waits_ = false;
  std::string complaint_;
};

}  // namespace display_test
