// A client of a display channel as the protocol has it, without a connection: applies each message to surfaces of its
// own, with the canvas for its drawings. What is not allowed it remembers as its complaint.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "spice/canvas/region.h"
#include "spice/canvas/surface.h"
#include "spice/wire/display.h"

namespace display_test {

class ModelClient final : private spice::canvas::SurfaceTable {
 public:
  void apply(std::uint16_t type, std::span<const std::uint8_t> body);
  // A picture of a video is shown on the primary surface: pixels that nobody else has.
  void show_video(const spice::canvas::Region& where);

  const std::string& complaint() const { return complaint_; }  // empty: none
  const spice::canvas::Surface* surface(std::uint32_t id) { return find(id); }
  std::size_t surfaces() const { return surfaces_.size(); }
  bool is_marked() const { return is_marked_; }
  const std::optional<spice::wire::DisplayMonitorsConfig>& monitors() const { return monitors_; }
  int drawings() const { return drawings_; }  // but copies of pixels

 private:
  spice::canvas::Surface* find(core::SurfaceId id) override;
  template <class M>
  std::optional<M> decoded(std::span<const std::uint8_t> body);
  void create(const spice::wire::DisplaySurfaceCreate& message);
  void destroy(std::uint32_t id);
  template <class M>
  void draw(std::span<const std::uint8_t> body);
  void complain(const std::string& about);

  std::map<std::uint32_t, spice::canvas::Surface> surfaces_;
  bool is_marked_ = false;
  std::optional<spice::wire::DisplayMonitorsConfig> monitors_;
  int drawings_ = 0;
  std::string complaint_;
};

}  // namespace display_test
