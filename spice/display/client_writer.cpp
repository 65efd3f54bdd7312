#include "spice/display/client_writer.h"

#include <utility>

#include "spice/display/drawing_message.h"
#include "spice/wire/coding.h"

namespace spice::display {

template <class M>
void ClientWriter::send(const M& message) {
  send_(M::kType, wire::encode(message));
}

ClientSurfaces::Abilities ClientWriter::abilities() const {
  return {.draws = [capabilities =
                        capabilities_](const core::Drawing& drawing) { return is_for_clients(drawing, capabilities); },
          .has_a8 = capabilities_.has(wire::kA8SurfaceCap)};
}

bool ClientWriter::write(const ClientSurfaces::Step& step) {
  using Kind = ClientSurfaces::Kind;
  switch (step.kind) {
    case Kind::SetUp: set_up(step.set_up); break;
    case Kind::Create: create(step.surface); break;
    case Kind::Destroy: send(wire::DisplaySurfaceDestroy{.id = surface_id(step.surface)}); break;
    case Kind::Pixels: pixels(step.surface, step.area); break;
    case Kind::Draw: return drawing(*step.drawing->drawing);
  }
  return true;
}

void ClientWriter::set_up(const ClientPicture::Step& step) {
  using Kind = ClientPicture::Kind;
  switch (step.kind) {
    case Kind::InvalidatePalettes: return send(wire::DisplayInvalAllPalettes{});
    case Kind::DestroySurface: return send(wire::DisplaySurfaceDestroy{.id = 0});
    case Kind::DestroyStreams: return send(wire::DisplayStreamDestroyAll{});
    case Kind::CreateSurface: return create(screen_.primary());
    case Kind::MonitorsConfig: return monitors();
    case Kind::Mark: return send(wire::DisplayMark{});
    case Kind::Draw: return pixels(screen_.primary(), step.area);
  }
}

void ClientWriter::create(SurfaceKey key) {
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
  // As the reference server has it: a driver that sets them will do so again after a switch.
  if (!screen_.has_monitors() && screen_.source_sets_monitors()) return;
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
  screen_.surfaces().up_to_date(key, area);
  send(pixels_message(key, area, images_));
}

bool ClientWriter::drawing(const core::Drawing& drawing) {
  auto message = drawing_message(drawing, images_);
  if (message) send_(message->type, std::move(message->body));
  return message.has_value();
}

}  // namespace spice::display
