#include "spice/display/display_channel.h"

#include <utility>

#include "spice/display/drawing_message.h"

namespace spice::display {

DisplayChannel::DisplayChannel(const Wiring& wiring, const Options& options, channel::LinkedConnection linked)
    : Channel(wiring.loop, std::move(linked)),
      wiring_(wiring),
      options_(options),
      images_(wiring.screen.surfaces(), wiring.encoder),
      init_timer_(wiring.loop, [this] { close("no INIT in time"); }) {
  // On one machine copying is cheaper than compressing.
  if (connection().remote().family == "unix") options_.compression = wire::ImageCompression::Off;
  images_.set_compresses(compresses());
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
  if (surfaces_) return false;
  init_timer_.cancel();
  // The cache and the dictionary it names are not used yet.
  connection().start_acks(kAckWindow);
  surfaces_.emplace(
      wiring_.screen.surfaces(), wiring_.screen.primary(),
      ClientSurfaces::Abilities{
          .draws = [this](const core::Drawing& drawing) { return is_for_clients(drawing, client_caps()); },
          .has_a8 = client_caps().has(wire::kA8SurfaceCap)});
  wiring_.clients_changed();
  pump();
  return true;
}

bool DisplayChannel::prefer_compression(const wire::DisplayPreferredCompression& message) {
  if (message.compression < wire::ImageCompression::Off || message.compression > wire::ImageCompression::Lz4)
    return false;
  options_.compression = message.compression;
  images_.set_compresses(compresses());
  return true;
}

void DisplayChannel::on_closed() {
  if (surfaces_) wiring_.clients_changed();
}

void DisplayChannel::primary_made(SurfaceKey key) {
  if (surfaces_) surfaces_->primary_made(key);
}

void DisplayChannel::surface_gone(SurfaceKey key) {
  if (surfaces_) surfaces_->surface_gone(key);
}

void DisplayChannel::painted(SurfaceKey key, const canvas::Region& region) {
  if (surfaces_) surfaces_->painted(key, region);
}

void DisplayChannel::drawn(const PlacedDrawingPtr& drawing) {
  if (surfaces_) surfaces_->drawn(drawing);
}

void DisplayChannel::monitors_changed() {
  if (surfaces_) surfaces_->monitors_changed();
}

void DisplayChannel::drawings_too_many() {
  if (surfaces_) surfaces_->collapse();
}

void DisplayChannel::pump() {
  while (surfaces_ && writable()) {
    const auto step = surfaces_->next();
    if (!step) return;
    send_step(*step);
  }
}

void DisplayChannel::send_step(const ClientSurfaces::Step& step) {
  using Kind = ClientSurfaces::Kind;
  switch (step.kind) {
    case Kind::SetUp: return send_set_up(step.set_up);
    case Kind::Create: return send_create(step.surface);
    case Kind::Destroy: return send(wire::DisplaySurfaceDestroy{.id = surface_id(step.surface)});
    case Kind::Pixels: return send_pixels(step.surface, step.area);
    case Kind::Draw: return send_drawing(step.drawing);
  }
}

void DisplayChannel::send_set_up(const ClientPicture::Step& step) {
  using Kind = ClientPicture::Kind;
  switch (step.kind) {
    case Kind::InvalidatePalettes: return send(wire::DisplayInvalAllPalettes{});
    case Kind::DestroySurface: return send(wire::DisplaySurfaceDestroy{.id = 0});
    case Kind::DestroyStreams: return send(wire::DisplayStreamDestroyAll{});
    case Kind::CreateSurface: return send_create(wiring_.screen.primary());
    case Kind::MonitorsConfig: return send_monitors();
    case Kind::Mark: return send(wire::DisplayMark{});
    case Kind::Draw: return send_pixels(wiring_.screen.primary(), step.area);
  }
}

void DisplayChannel::send_create(SurfaceKey key) {
  const auto& surface = *wiring_.screen.surfaces().surface(key);
  // Clients cannot keep pixels of 5, 6 and 5 bits.
  const auto format = surface.format() == core::SurfaceFormat::Rgb565 ? core::SurfaceFormat::Xrgb : surface.format();
  send(wire::DisplaySurfaceCreate{.id = surface_id(key),
                                  .width = static_cast<std::uint32_t>(surface.width()),
                                  .height = static_cast<std::uint32_t>(surface.height()),
                                  .format = static_cast<wire::SurfaceFormat>(format),
                                  .flags = surface_id(key) == 0 ? wire::kPrimarySurface : std::uint32_t{0}});
}

void DisplayChannel::send_monitors() {
  if (!client_caps().has(wire::kMonitorsConfigCap)) return;
  const auto layout = wiring_.screen.monitors();
  wire::DisplayMonitorsConfig message{.max_allowed = layout.max_allowed, .heads = {}};
  for (const auto& head : layout.heads)
    message.heads.push_back({.id = head.id,
                             .surface_id = head.surface,
                             .width = static_cast<std::uint32_t>(head.area.width()),
                             .height = static_cast<std::uint32_t>(head.area.height()),
                             .x = static_cast<std::uint32_t>(head.area.left),
                             .y = static_cast<std::uint32_t>(head.area.top),
                             .flags = head.flags});
  send(message);
}

void DisplayChannel::send_pixels(SurfaceKey key, const core::Rect& area) {
  wiring_.screen.surfaces().up_to_date(key, area);
  send(pixels_message(key, area, images_));
}

void DisplayChannel::send_drawing(const PlacedDrawingPtr& drawing) {
  auto message = drawing_message(*drawing->drawing, images_);
  if (!message) return surfaces_->not_sent(*drawing);
  connection().send_encoded(message->type, std::move(message->body));
}

}  // namespace spice::display
