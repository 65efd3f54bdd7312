#include "spice/display/display_channel.h"

#include <utility>

namespace spice::display {

namespace {

image::ImageOptions options_for(const net::Connection& connection, const wire::Capabilities& capabilities,
                                image::ImageOptions options) {
  // On one machine copying is cheaper than compressing.
  if (connection.remote().family == "unix") options.compression = wire::ImageCompression::Off;
  options.takes_lz4 = capabilities.has(wire::kLz4Cap);
  return options;
}

}  // namespace

DisplayChannel::DisplayChannel(const Wiring& wiring, const Options& options, channel::LinkedConnection linked)
    : Channel(wiring.loop, std::move(linked)),
      wiring_(wiring),
      options_(options),
      client_(wiring.clients.of(session().id)),
      writer_(
          wiring.screen, wiring.encoder, options_for(connection(), client_caps(), options.images), client_caps(),
          {.send = [this](std::uint16_t type, wire::Gather body) { connection().send_encoded(type, std::move(body)); },
           .next_serial = [this] { return connection().next_serial(); }}),
      statistics_(std::make_shared<DisplayStatistics>(writer_.images().statistics())),
      init_timer_(wiring.loop, [this] { close("no INIT in time"); }),
      heal_timer_(wiring.loop, [this] { heal(); }) {
  wiring_.figures.watch(session().id, key().id, statistics_);
}

std::span<const channel::Channel::Handler> DisplayChannel::handlers() const {
  static constexpr std::array kHandlers{
      channel::on<&DisplayChannel::init>,
      channel::on<&DisplayChannel::prefer_compression>,
      channel::on<&DisplayChannel::prefer_video_codec>,
      channel::on<&DisplayChannel::stream_report>,
      channel::on<&DisplayChannel::gl_draw_done>,
  };
  return kHandlers;
}

bool DisplayChannel::init(const wire::DisplayInit& message) {
  if (surfaces_) return false;
  init_timer_.cancel();
  writer_.images().open(*client_, key().id, message);
  connection().start_acks(kAckWindow);
  surfaces_.emplace(wiring_.screen.surfaces(), wiring_.screen.primary(), writer_.abilities());
  video_.emplace(wiring_.video, *surfaces_, client_caps(), statistics_->video(),
                 [this](std::uint16_t type, wire::Gather body) { connection().send_encoded(type, std::move(body)); });
  video_->prefer(preferred_codecs_);
  wiring_.clients_changed();
  pump();
  return true;
}

bool DisplayChannel::prefer_compression(const wire::DisplayPreferredCompression& message) {
  if (message.compression < wire::ImageCompression::Off || message.compression > wire::ImageCompression::Lz4)
    return false;
  preferred_compression_ = message.compression;
  writer_.images().set_compression(message.compression);
  return true;
}

void DisplayChannel::set_images(const image::ImageOptions& options) {
  auto own = options_for(connection(), client_caps(), options);
  own.compression = preferred_compression_.value_or(own.compression);
  writer_.images().set_options(own);
}

void DisplayChannel::prefer_video_codec(const wire::DisplayPreferredVideoCodec& message) {
  preferred_codecs_ = message;
  if (!video_) return;
  video_->prefer(message);
  pump();
}

bool DisplayChannel::stream_report(const wire::DisplayStreamReport& message) {
  if (!video_) return true;
  if (!video_->report(message, line())) return false;
  pump();
  return true;
}

void DisplayChannel::on_writable() {
  pump();
  if (surfaces_ && patience_.has_caught_up(surfaces_->queued())) wiring_.caught_up();
}

void DisplayChannel::on_closed() {
  if (surfaces_) wiring_.clients_changed();
}

void DisplayChannel::primary_made(SurfaceKey key) {
  writer_.primary_made();
  if (!surfaces_ || !video_) return;
  video_->primary_changed();
  surfaces_->primary_made(key);
}

void DisplayChannel::surface_gone(SurfaceKey key) {
  writer_.surface_gone(key);
  if (!surfaces_ || !video_) return;
  if (key == surfaces_->primary()) video_->primary_changed();
  surfaces_->surface_gone(key);
}

void DisplayChannel::painted(SurfaceKey key, const canvas::Region& region) {
  if (!surfaces_ || !video_) return;
  if (key == surfaces_->primary()) video_->painted(region);
  surfaces_->painted(key, region);
}

void DisplayChannel::drawn(const PlacedDrawingPtr& drawing, const VideoFeed::Picture* picture) {
  if (video_) video_->drawn(drawing, picture, line());
}

void DisplayChannel::stream_ended(video::StreamId id) {
  if (!video_) return;
  video_->ended(id);
  pump();
}

void DisplayChannel::monitors_changed() {
  if (surfaces_) surfaces_->monitors_changed();
}

void DisplayChannel::drawings_too_many() {
  if (!surfaces_ || !video_) return;
  surfaces_->collapse();
  video_->drawings_too_many();
}

void DisplayChannel::pump() {
  writer_.images().set_slow_line(session().low_bandwidth());
  // A line that takes one message after the other is worth looking ahead for. What another would not take for long is
  // encoded when it does, from the newest pixels.
  for (int sent = 0; writable(); ++sent) {
    if (sent > 0 && !writer_.is_unfinished()) look_ahead();
    if (!send_next()) break;
    heal_timer_.cancel();
  }
  if (writer_.inexact(wiring_.screen.primary()) != nullptr && !heal_timer_.armed()) heal_timer_.arm(kQuiet);
  count_queue();
}

void DisplayChannel::count_queue() {
  if (!surfaces_) return;
  const auto* const lacking = surfaces_->lacking(surfaces_->primary());
  statistics_->set_queue({.drawings = surfaces_->queued(),
                          .drawing_bytes = surfaces_->queued_bytes(),
                          .pixels = lacking != nullptr ? static_cast<std::uint64_t>(lacking->area()) : 0});
}

void DisplayChannel::look_ahead() {
  const auto most = writer_.images().most_upcoming();
  if (most == 0 || !surfaces_) return;
  if (looked_ahead_ > 0) {
    --looked_ahead_;
    return;
  }
  const auto upcoming = surfaces_->upcoming(most);
  if (upcoming.size() < 2) return;
  looked_ahead_ = std::min(most, upcoming.size()) - 1;
  writer_.prepare(upcoming);
}

void DisplayChannel::heal() {
  const auto key = wiring_.screen.primary();
  const auto* const region = writer_.inexact(key);
  if (!surfaces_ || region == nullptr) return;
  if (writable()) surfaces_->painted(key, *region);
  pump();
}

// Pictures of videos and all else take turns.
bool DisplayChannel::send_next() {
  if (!surfaces_ || !video_) return false;
  if (writer_.is_unfinished()) {
    writer_.go_on();
    return true;
  }
  auto& surfaces = *surfaces_;
  if (video_->send_control()) return true;
  is_pictures_turn_ = !is_pictures_turn_;
  if (is_pictures_turn_ && send_picture()) return true;
  const auto step = surfaces.next();
  if (!step) return !is_pictures_turn_ && send_picture();
  if (!writer_.write(*step)) surfaces.not_sent(*step->drawing);
  return true;
}

bool DisplayChannel::send_picture() {
  if (!video_ || !video_->send_picture(line())) return false;
  const auto delay = video_->required_delay_ms();
  if (delay > told_delay_ms_) session().need_video_delay(delay);
  told_delay_ms_ = delay;
  return true;
}

ClientVideo::Line DisplayChannel::line() const {
  const auto round_trip = connection().round_trip().value_or(std::chrono::nanoseconds(0));
  return {.rate = {.measured = session().bit_rate, .is_low = session().low_bandwidth()},
          .latency_ms = static_cast<std::uint32_t>(
              std::chrono::duration_cast<std::chrono::milliseconds>(round_trip / 2).count())};
}

}  // namespace spice::display
