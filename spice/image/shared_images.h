// Images that are encoded already: clients at the same pace want the same ones, so with more than one client what was
// encoded last is kept for the others; and what was prepared is kept until it is asked for. Thread of its encoder only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/ports/drawing.h"
#include "spice/image/method.h"
#include "spice/wire/payload.h"

namespace spice::image {

// An image in the form of its method, without a descriptor.
struct Encoded {
  Method method = Method::Raw;
  wire::Payload data;
  std::uint32_t stride = 0;         // of raw rows
  std::uint32_t glz_bytes = 0;      // what ZlibGlz inflates to
  std::uint32_t jpeg_bytes = 0;     // of Jpeg: how much of it is the JPEG, the rest being the alpha plane
  std::chrono::nanoseconds took{};  // of other threads, before it was asked for
};

// What is encoded: an image of the guest's, or an area of a surface as it is now.
struct ImageKey {
  core::ImagePtr image{};
  core::SurfaceId surface = 0;
  core::Rect area{};
};

class SharedImages {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{4} * 1024 * 1024;
  static constexpr std::size_t kMostImages = 64;

  void set_clients(std::size_t count);
  bool has(const ImageKey& key, Method method) const;
  // `method` is what was asked for, perhaps not what came of it.
  std::optional<Encoded> find(const ImageKey& key, Method method);
  void add(const ImageKey& key, Method method, const Encoded& encoded);
  // However many clients there are. What was prepared before and nobody has asked for can be dropped first.
  void add_prepared(const ImageKey& key, Method method, const Encoded& encoded);
  void drop_unclaimed();
  // Areas of surfaces are no more what they were.
  void surfaces_changed();
  void clear();

 private:
  struct Kept {
    Kept(const ImageKey& key, Method method_asked, Encoded made);
    bool is(const ImageKey& key, Method method_asked) const;

    // Its pixels may go, but as long as it is named here no other can have its place in memory.
    std::weak_ptr<const core::Image> image;
    bool is_of_surface;
    core::SurfaceId surface;
    core::Rect area;
    Method method;
    Encoded encoded;
    bool is_unclaimed = false;
  };
  void drop_if(const std::function<bool(const Kept&)>& goes);
  void make_room(std::size_t bytes);
  void keep(Kept kept);

  bool shares_ = false;
  std::vector<Kept> kept_;
  std::size_t bytes_ = 0;
};

}  // namespace spice::image
