#include "spice/display/display_channel.h"

#include <utility>

namespace spice::display {

DisplayChannel::DisplayChannel(const Wiring& wiring, const Options& options, channel::LinkedConnection linked)
    : Channel(wiring.loop, std::move(linked)),
      wiring_(wiring),
      options_(options),
      writer_(wiring.screen, wiring.encoder, client_caps(),
              [this](std::uint16_t type, wire::Gather body) { connection().send_encoded(type, std::move(body)); }),
      init_timer_(wiring.loop, [this] { close("no INIT in time"); }) {
  // On one machine copying is cheaper than compressing.
  if (connection().remote().family == "unix") options_.compression = wire::ImageCompression::Off;
  writer_.images().set_compresses(compresses());
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
  surfaces_.emplace(wiring_.screen.surfaces(), wiring_.screen.primary(), writer_.abilities());
  wiring_.clients_changed();
  pump();
  return true;
}

bool DisplayChannel::prefer_compression(const wire::DisplayPreferredCompression& message) {
  if (message.compression < wire::ImageCompression::Off || message.compression > wire::ImageCompression::Lz4)
    return false;
  options_.compression = message.compression;
  writer_.images().set_compresses(compresses());
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
    if (!writer_.write(*step)) surfaces_->not_sent(*step->drawing);
  }
}

}  // namespace spice::display
