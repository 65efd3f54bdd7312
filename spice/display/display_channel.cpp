#include "spice/display/display_channel.h"

#include <utility>

namespace spice::display {
namespace {

// An image's number says who made it, in its low half; the device itself is group 1. Nothing is cached by it.
constexpr std::uint64_t kDeviceGroup = 1;

wire::Rect wire_rect(const core::Rect& rect) {
  return {.top = rect.top, .left = rect.left, .bottom = rect.bottom, .right = rect.right};
}

}  // namespace

DisplayChannel::DisplayChannel(const Wiring& wiring, const Options& options, channel::LinkedConnection linked)
    : Channel(wiring.loop, std::move(linked)),
      wiring_(wiring),
      options_(options),
      init_timer_(wiring.loop, [this] { close("no INIT in time"); }) {
  // On one machine copying is cheaper than compressing.
  if (connection().remote().family == "unix") options_.compression = wire::ImageCompression::Off;
}

std::span<const channel::Channel::Handler> DisplayChannel::handlers() const {
  static constexpr std::array kHandlers{
      channel::on<&DisplayChannel::init>,
      channel::on<&DisplayChannel::prefer_compression>,
      channel::on<&DisplayChannel::prefer_video_codec>,
      channel::on<&DisplayChannel::gl_draw_done>,
  };
  return kHandlers;
}

bool DisplayChannel::init(const wire::DisplayInit&) {
  if (picture_) return false;
  init_timer_.cancel();
  // The cache and the dictionary it names are not used yet.
  connection().start_acks(kAckWindow);
  picture_.emplace(wiring_.screen.surface().bounds());
  pump();
  return true;
}

bool DisplayChannel::prefer_compression(const wire::DisplayPreferredCompression& message) {
  if (message.compression < wire::ImageCompression::Off || message.compression > wire::ImageCompression::Lz4)
    return false;
  options_.compression = message.compression;
  return true;
}

void DisplayChannel::changed(const Screen::Changes& changes) {
  if (!picture_ || !changes.any()) return;
  if (changes.mode_set)
    picture_->mode_set(wiring_.screen.surface().bounds());
  else
    picture_->changed(changes.region);
  pump();
}

void DisplayChannel::pump() {
  while (picture_ && writable()) {
    const auto step = picture_->next();
    if (!step) return;
    send_step(*step);
  }
}

void DisplayChannel::send_step(const ClientPicture::Step& step) {
  using Kind = ClientPicture::Kind;
  const auto width = static_cast<std::uint32_t>(step.area.width());
  const auto height = static_cast<std::uint32_t>(step.area.height());
  switch (step.kind) {
    case Kind::InvalidatePalettes: return send(wire::DisplayInvalAllPalettes{});
    case Kind::DestroySurface: return send(wire::DisplaySurfaceDestroy{.id = 0});
    case Kind::DestroyStreams: return send(wire::DisplayStreamDestroyAll{});
    case Kind::CreateSurface:
      return send(
          wire::DisplaySurfaceCreate{.id = 0, .width = width, .height = height, .flags = wire::kPrimarySurface});
    case Kind::MonitorsConfig:
      if (!client_caps().has(wire::kMonitorsConfigCap)) return;
      return send(wire::DisplayMonitorsConfig{.max_allowed = 1, .heads = {{.width = width, .height = height}}});
    case Kind::Mark: return send(wire::DisplayMark{});
    case Kind::Draw: return send_pixels(step.area);
  }
}

void DisplayChannel::send_pixels(const core::Rect& area) {
  auto image = wiring_.encoder.encode(wiring_.screen.surface(), area, compresses());
  wire::DisplayDrawCopy draw;
  draw.base.box = wire_rect(area);
  draw.source_area = wire_rect({0, 0, area.width(), area.height()});
  draw.source.id = std::uint64_t{next_image_++} << 32 | kDeviceGroup;
  draw.source.width = static_cast<std::uint32_t>(area.width());
  draw.source.height = static_cast<std::uint32_t>(area.height());
  if (image.is_lz) {
    draw.source.type = wire::ImageType::LzRgb;
    draw.source.data = wire::CompressedData{std::move(image.data)};
  } else {
    draw.source.type = wire::ImageType::Bitmap;
    draw.source.data = wire::BitmapData{.width = draw.source.width,
                                        .height = draw.source.height,
                                        .stride = draw.source.width * 4,
                                        .palette = {},
                                        .data = std::move(image.data)};
  }
  send(draw);
}

}  // namespace spice::display
