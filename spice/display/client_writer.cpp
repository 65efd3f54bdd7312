#include "spice/display/client_writer.h"

#include <utility>

#include "spice/display/drawing_message.h"
#include "spice/wire/coding.h"

namespace spice::display {

namespace {

image::LossyAreas::Effect effect_of(const PlacedDrawing& placed) {
  image::LossyAreas::Effect effect{.changed = placed.changed, .covers = placed.covers};
  for (const auto& read : placed.reads)
    effect.reads.push_back({read.surface, read.area});
  return effect;
}

}  // namespace

ClientWriter::ClientWriter(Screen& screen, image::ImageEncoder& encoder, const image::ImageOptions& options,
                           const wire::Capabilities& capabilities, Line line)
    : screen_(screen), capabilities_(capabilities), images_(encoder, options), line_(std::move(line)) {}

template <class M>
void ClientWriter::send(const M& message) {
  line_.send(M::kType, wire::encode(message));
}

ClientSurfaces::Abilities ClientWriter::abilities() const {
  return {.draws = [capabilities =
                        capabilities_](const core::Drawing& drawing) { return is_for_clients(drawing, capabilities); },
          .has_a8 = capabilities_.has(wire::kA8SurfaceCap)};
}

bool ClientWriter::write(const ClientSurfaces::Step& step) {
  if (std::exchange(names_are_old_, false)) forget_names();
  using Kind = ClientSurfaces::Kind;
  switch (step.kind) {
    case Kind::SetUp: set_up(step.set_up); break;
    case Kind::Create: create(step.surface); break;
    case Kind::Destroy: send(wire::DisplaySurfaceDestroy{.id = surface_id(step.surface)}); break;
    case Kind::Pixels: pixels(step.surface, step.area); break;
    case Kind::Draw: return drawing(step.drawing);
  }
  return true;
}

void ClientWriter::forget_names() {
  if (images_.keeps_images()) send(images_.forget_images(line_.next_serial()));
  if (images_.keeps_palettes()) send(images_.forget_palettes());
}

void ClientWriter::prepare(std::span<const ClientSurfaces::Step> upcoming) {
  std::vector<image::ImageSender::Upcoming> images;
  for (const auto& step : upcoming) {
    if (step.kind == ClientSurfaces::Kind::Pixels) {
      const auto& surface = *screen_.surfaces().up_to_date(step.surface, step.area);
      images.push_back({.surface = surface_id(step.surface), .pixels = surface.pixels(), .area = step.area});
      continue;
    }
    const auto* const copy = std::get_if<core::DrawCopy>(&step.drawing->drawing->operation);
    if (copy == nullptr || copy->source.image == nullptr) continue;
    if (DrawingStrips::of(*step.drawing->drawing, images_)) continue;  // several threads make each of these
    if (std::holds_alternative<core::Bitmap>(copy->source.image->content))
      images.push_back({.image = copy->source.image, .may_lose = only_shows(*copy)});
  }
  images_.prepare(images);
}

void ClientWriter::set_up(const ClientPicture::Step& step) {
  using Kind = ClientPicture::Kind;
  switch (step.kind) {
    case Kind::InvalidatePalettes: return send(images_.forget_palettes());
    case Kind::DestroySurface: return send(wire::DisplaySurfaceDestroy{.id = 0});
    case Kind::DestroyStreams: return send(wire::DisplayStreamDestroyAll{});
    case Kind::CreateSurface: return create(screen_.primary());
    case Kind::MonitorsConfig: return monitors();
    case Kind::Mark: return send(wire::DisplayMark{});
    case Kind::Draw: return pixels(screen_.primary(), step.area);
  }
}

void ClientWriter::create(SurfaceKey key) {
  if (key == screen_.primary()) primary_is_new_ = true;
  const auto& surface = *screen_.surfaces().surface(key);
  // Clients cannot keep pixels of 5, 6 and 5 bits.
  const auto format = surface.format() == core::SurfaceFormat::Rgb565 ? core::SurfaceFormat::Xrgb : surface.format();
  send(wire::DisplaySurfaceCreate{.id = surface_id(key),
                                  .width = static_cast<std::uint32_t>(surface.width()),
                                  .height = static_cast<std::uint32_t>(surface.height()),
                                  .format = static_cast<wire::SurfaceFormat>(format),
                                  .flags = surface_id(key) == 0 ? wire::kPrimarySurface : std::uint32_t{0}});
}

void ClientWriter::monitors() {
  if (!capabilities_.has(wire::kMonitorsConfigCap)) return;
  // As the reference server has it: who knows some keeps them after a switch, until the driver sets others.
  if (!screen_.has_monitors() && screen_.source_sets_monitors() && knows_monitors_) return;
  knows_monitors_ = true;
  const auto layout = screen_.monitors();
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

void ClientWriter::pixels(SurfaceKey key, const core::Rect& area) {
  const auto& surface = *screen_.surfaces().up_to_date(key, area);
  const bool is_first = key == screen_.primary() && std::exchange(primary_is_new_, false);
  const bool is_whole = key != screen_.primary() || (is_first && area == surface.bounds());
  auto images = images_.message();
  ImageWriter writer(std::as_const(screen_).surfaces(), images);
  const auto message = pixels_message(key, area, is_whole, writer);
  images.send_before(line_.next_serial(), [this](const auto& before) { send(before); });
  send(message);
  lossy_.healed(key, area);
}

bool ClientWriter::drawing(const PlacedDrawingPtr& placed) {
  if (!lossy_.needed_by(placed->surface, effect_of(*placed)).empty()) return false;
  if (auto strips = DrawingStrips::of(*placed->drawing, images_)) {
    unfinished_.emplace(placed, *std::move(strips));
    go_on();
    return true;
  }
  const auto is_lossy = whole(*placed->drawing);
  if (is_lossy) all_sent(*placed, *is_lossy);
  return is_lossy.has_value();
}

void ClientWriter::all_sent(const PlacedDrawing& placed, bool is_lossy) {
  lossy_.drawn(placed.surface, effect_of(placed), is_lossy);
}

std::optional<bool> ClientWriter::whole(const core::Drawing& drawing) {
  auto images = images_.message();
  ImageWriter writer(std::as_const(screen_).surfaces(), images);
  auto message = drawing_message(drawing, writer);
  if (!message) return std::nullopt;
  images.send_before(line_.next_serial(), [this](const auto& before) { send(before); });
  line_.send(message->type, std::move(message->body));
  return writer.is_lossy();
}

void ClientWriter::go_on() {
  if (!unfinished_) return;
  auto& [placed, strips, sent, is_lossy] = *unfinished_;
  if (const auto upcoming = std::span(strips.shown()).subspan(sent); !upcoming.empty()) {
    images_.prepare(strips.image(), strips.cuts(), upcoming);
    auto images = images_.message();
    auto made = images.of_strip(strips.image(), strips.cuts(), upcoming.front());
    images.send_before(line_.next_serial(), [this](const auto& before) { send(before); });
    send(strips.message(upcoming.front(), std::move(made.image)));
    is_lossy = is_lossy || made.is_lossy;
    ++sent;
  }
  if (sent < strips.shown().size()) return;
  all_sent(*placed, is_lossy);
  unfinished_.reset();
}

void ClientWriter::surface_gone(SurfaceKey key) {
  lossy_.forget(key);
  if (unfinished_ && unfinished_->placed->surface == key) unfinished_.reset();
}

}  // namespace spice::display
