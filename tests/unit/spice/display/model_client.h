// A client of a display channel as the protocol has it, without a connection: applies each message to surfaces of its
// own, with the canvas for its drawings, and keeps the images that it is told to keep. What is not allowed it remembers
// as its complaint.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "spice/canvas/region.h"
#include "spice/canvas/surface.h"
#include "spice/wire/display.h"
#include "tests/unit/spice/display/model_images.h"

namespace display_test {

class ModelClient final : private spice::canvas::SurfaceTable {
 public:
  ModelClient() : own_(std::make_unique<KeptImages>()), images_(*own_, 0) {}
  // One of several channels of a client.
  ModelClient(KeptImages& kept, std::uint8_t channel) : images_(kept, channel) {}

  // At once: it must not have to wait for another channel.
  void apply(std::uint16_t type, std::span<const std::uint8_t> body);
  // Later: by step(), which says whether it has applied the next one.
  void receive(std::uint16_t type, std::vector<std::uint8_t> body) { waiting_.push_back({type, std::move(body)}); }
  bool step();
  bool is_done() const { return waiting_.empty(); }
  // A picture of a video is shown on the primary surface: pixels that nobody else has.
  void show_video(const spice::canvas::Region& where);

  const std::string& complaint() const { return complaint_.empty() ? images_.complaint() : complaint_; }  // empty: none
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
  // Nothing happens if images_.waits() afterwards.
  void process(std::uint16_t type, std::span<const std::uint8_t> body);
  bool process_images(std::uint16_t type, std::span<const std::uint8_t> body);
  template <class M>
  void draw(std::span<const std::uint8_t> body);
  void complain(const std::string& about);

  struct Message {
    std::uint16_t type = 0;
    std::vector<std::uint8_t> body;
  };

  std::unique_ptr<KeptImages> own_;
  ModelImages images_;
  std::deque<Message> waiting_;
  std::map<std::uint32_t, spice::canvas::Surface> surfaces_;
  bool is_marked_ = false;
  std::optional<spice::wire::DisplayMonitorsConfig> monitors_;
  int drawings_ = 0;
  std::string complaint_;
};

}  // namespace display_test
