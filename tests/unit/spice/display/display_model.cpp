#include "tests/unit/spice/display/display_model.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "spice/canvas/draw.h"
#include "spice/canvas/source.h"

namespace display_test {
namespace {

using spice::canvas::Region;
using spice::canvas::Surface;

constexpr std::array kFormats{core::SurfaceFormat::Xrgb,   core::SurfaceFormat::Argb, core::SurfaceFormat::Xrgb,
                              core::SurfaceFormat::Rgb555, core::SurfaceFormat::A8,   core::SurfaceFormat::Rgb565,
                              core::SurfaceFormat::A1,     core::SurfaceFormat::Xrgb};

std::size_t row_bytes(const core::Pixels& pixels) {
  return (static_cast<std::size_t>(pixels.width) * spice::canvas::bits_per_pixel(pixels.format) + 7) / 8;
}

// Whether two surfaces show the same within `area`, but for bits in the last byte of each pixel.
bool is_same(const core::Pixels& a, const core::Pixels& b, const core::Rect& area, std::uint8_t unused = 0) {
  if (a.width != b.width || a.height != b.height || a.format != b.format) return false;
  const auto pixel = static_cast<std::ptrdiff_t>(spice::canvas::bits_per_pixel(a.format) / 8);
  for (auto y = area.top; y < area.bottom; ++y) {
    for (auto at = area.left * pixel; at < area.right * pixel; ++at) {
      const auto mask = at % pixel == pixel - 1 ? static_cast<std::uint8_t>(~unused) : std::uint8_t{0xff};
      if (((a.row(y)[at] ^ b.row(y)[at]) & mask) != 0) return false;
    }
  }
  return true;
}

bool is_same(const core::Pixels& a, const core::Pixels& b, const Region& region, std::uint8_t unused) {
  const auto rects = region.rects();
  return std::ranges::all_of(rects, [&](const core::Rect& rect) { return is_same(a, b, rect, unused); });
}

// Bits in the last byte of a pixel that nobody sees, and that not every encoding keeps.
std::uint8_t unused_bits(core::SurfaceFormat format) {
  if (format == core::SurfaceFormat::Rgb555) return 0x80;
  const bool is_wide = format == core::SurfaceFormat::Xrgb || format == core::SurfaceFormat::Rgb565;
  return is_wide ? 0xff : 0;
}

// What clients have instead of pixels of 5, 6 and 5 bits.
spice::canvas::SourcePixels wide(const Surface& surface) {
  return spice::canvas::converted(surface.pixels(), surface.bounds(), core::SurfaceFormat::Xrgb);
}

// Without the drawings that show what is in unused bits.
void look_away(core::Drawing& drawing) {
  if (auto* const blend = std::get_if<core::DrawAlphaBlend>(&drawing.operation))
    *blend = {.source = blend->source, .alpha = blend->alpha};
  if (std::holds_alternative<core::DrawTransparent>(drawing.operation)) drawing.operation = core::DrawInvers{};
}

// As drivers draw: within the surface, sources of the size of the box.
void tame(core::Drawing& drawing, const Surface& surface, bool stretches) {
  auto& box = drawing.box;
  const auto sorted = [](std::int32_t& low, std::int32_t& high, std::int32_t most) {
    low = std::clamp(low, 0, most - 1);
    high = std::clamp(high, 0, most);
    if (low > high) std::swap(low, high);
    if (low == high) ++high;
  };
  sorted(box.left, box.right, surface.width());
  sorted(box.top, box.bottom, surface.height());
  if (stretches) return;
  std::visit(
      [&box](auto& operation) {
        using Operation = std::decay_t<decltype(operation)>;
        if constexpr (requires { operation.source.area; }) {
          auto& area = operation.source.area;
          area.left = std::clamp(area.left, 0, 40);
          area.top = std::clamp(area.top, 0, 20);
          area.right = area.left + box.width();
          area.bottom = area.top + box.height();
        } else if constexpr (std::is_same_v<Operation, core::DrawCopyBits>) {
          operation.source.x = std::clamp(operation.source.x, 0, 40);
          operation.source.y = std::clamp(operation.source.y, 0, 20);
        }
      },
      drawing.operation);
}

}  // namespace

Surface* DisplayModel::Reference::find(core::SurfaceId id) {
  const auto found = surfaces.find(id);
  return found == surfaces.end() ? nullptr : &found->second;
}

DisplayModel::Client::Client(DisplayModel& display, std::shared_ptr<ModelSession> of,
                             const spice::wire::Capabilities& capabilities,
                             const spice::display::ClientSurfaces::Limits& limits)
    : session(std::move(of)),
      model(session->kept, display.number_),
      writer(display.screen_, display.encoder_, display.settings_.images, capabilities,
             {.send =
                  [this](std::uint16_t type, spice::wire::Gather body) {
                    ++sent;
                    model.receive(type, body.flatten());
                  },
              .next_serial = [this] { return sent + 1; }}),
      surfaces(std::as_const(display.screen_).surfaces(), display.screen_.primary(), writer.abilities(), limits) {
  const auto& settings = display.settings_;
  if (settings.cache_pixels == 0) return;
  writer.images().open(session->images, display.number_,
                       {.cache_id = 1,
                        .cache_pixels = settings.cache_pixels,
                        .dictionary_id = 1,
                        .dictionary_window_pixels = settings.window_pixels});
}

DisplayModel::DisplayModel(tests::FuzzInput& input, const ModelSettings& settings, ModelSessions& sessions,
                           std::uint8_t number)
    : input_(input),
      settings_(settings),
      sessions_(sessions),
      number_(number),
      maker_(input,
             settings.cache_pixels == 0 ? tests::DrawingMaker::Images::Any : tests::DrawingMaker::Images::ForClients,
             std::uint64_t{number} << 32),
      screen_(
          {.drawings = 1 + input_.u8() % 64U, .drawing_bytes = std::size_t{8192} + input_.u8() * std::size_t{1024}}),
      encoder_(settings.pool) {
  screen_.set_listener(this);
  reference_.surfaces.emplace(0, Surface(screen_.bounds().width(), screen_.bounds().height()));
  join();
}

void DisplayModel::fail(const std::string& what) {
  if (failure_.empty()) failure_ = what;
}

std::string DisplayModel::run() {
  while (!input_.empty() && step().empty()) {
  }
  return finish();
}

std::string DisplayModel::step() {
  // A client that has lost another display's channel has lost all.
  std::erase_if(clients_, [](const Client& client) { return client.session->has_ended; });
  auto next = Next::OnWake;
  screen_.pull(*this, next);
  encoder_.shared().set_clients(clients_.size());
  encoder_.shared().surfaces_changed();
  return failure_;
}

std::string DisplayModel::finish() {
  for (auto& client : clients_) {
    if (!client.session->has_ended) check(client);
    counts_.types.merge(std::set(client.session->kept.types));
  }
  return failure_;
}

bool DisplayModel::settle() {
  bool moved = false;
  for (auto& client : clients_) {
    if (client.session->has_ended) continue;  // it may wait for ever
    while (client.model.step())
      moved = true;
    if (!client.model.complaint().empty()) fail("a client complains: " + client.model.complaint());
  }
  return moved && failure_.empty();
}

core::DisplaySource::Next DisplayModel::pull(core::DisplayCanvas& canvas) {
  const auto what = input_.u8();
  if (what < 150) {
    draw(canvas);
  } else if (what < 160) {
    make_surface(canvas, 1 + input_.u8() % 6U);
  } else if (what < 165) {
    const auto id = input_.u8() < 20 ? 0U : 1 + input_.u8() % 6U;
    canvas.destroy_surface(id);
    reference_.surfaces.erase(id);
  } else if (what < 168) {
    load_surface(canvas);
  } else if (what < 180) {
    read_surface(canvas);
  } else if (what < 181) {
    if (input_.u8() < 100) switch_mode(canvas);
  } else if (what < 183 || !is_native_) {
    make_surface(canvas, 0);
  } else if (what < 192) {
    paint(canvas);
  } else if (what < 194) {
    set_monitors(canvas);
  } else if (what < 200) {
    join();
  } else if (clients_.empty()) {
    return Next::OnWake;
  } else {
    auto client = clients_.begin();
    std::advance(client, input_.u8() % clients_.size());
    if (what < 203) {
      client->session->has_ended = true;
      clients_.erase(client);
    } else if (what < 212) {
      check(*client);
    } else {
      send(*client, input_.u8() % 8);
      while (input_.u8() % 8 != 0 && client->model.step()) {
      }
    }
  }
  return Next::OnWake;
}

bool DisplayModel::refresh(core::DisplayCanvas&, bool) {
  return false;
}

void DisplayModel::draw(core::DisplayCanvas& canvas) {
  auto drawing = maker_.drawing();
  const auto how = input_.u8();
  drawing.memory = how * std::size_t{16};
  if (how % 4 != 0) {
    if (!reference_.surfaces.contains(drawing.surface)) drawing.surface = 0;
    if (const auto* surface = reference_.find(drawing.surface)) tame(drawing, *surface, how % 8 == 1);
  }
  drawing.effect = static_cast<core::Effect>(how % 8);
  if (settings_.cache_pixels != 0) look_away(drawing);
  ++counts_.drawings;
  const bool twice = how % 32 == 21;
  const auto shared = std::make_shared<const core::Drawing>(std::move(drawing));
  for (int i = 0; i < (twice ? 2 : 1); ++i) {
    canvas.draw(shared);
    if (shared->surface != 0 || is_native_) (void)spice::canvas::draw(*shared, reference_);
  }
}

void DisplayModel::make_surface(core::DisplayCanvas& canvas, core::SurfaceId id) {
  core::SurfaceShape shape{1 + input_.u8() % 60, 1 + input_.u8() % 40, kFormats[input_.u8() % kFormats.size()]};
  // Not every encoding keeps the bits that alpha would be made of.
  if (settings_.cache_pixels != 0 && shape.format == core::SurfaceFormat::Argb)
    shape.format = core::SurfaceFormat::Xrgb;
  const bool made = canvas.create_surface(id, shape);
  reference_.surfaces.erase(id);
  if (id == 0) is_native_ = true;
  if (made != (shape.format != core::SurfaceFormat::A1)) return fail("a surface was made, or not, against the rules");
  if (made) reference_.surfaces.emplace(id, Surface(shape.width, shape.height, shape.format));
}

void DisplayModel::load_surface(core::DisplayCanvas& canvas) {
  const auto id = some_id();
  auto* const surface = reference_.find(id);
  if (surface == nullptr) return;
  auto seed = input_.u32();
  for (std::int32_t y = 0; y < surface->height(); ++y) {
    for (std::size_t x = 0; x < row_bytes(surface->pixels()); ++x)
      surface->row(y)[x] = static_cast<std::uint8_t>((seed = seed * 1'664'525 + 1'013'904'223) >> 24);
  }
  canvas.load_surface(id, surface->pixels());
}

void DisplayModel::read_surface(core::DisplayCanvas& canvas) {
  const auto id = some_id();
  const auto* const surface = reference_.find(id);
  const core::Rect area{input_.u8() % 30, input_.u8() % 20, 30 + input_.u8() % 40, 20 + input_.u8() % 20};
  const auto pixels = canvas.read_surface(id, area);
  if (surface == nullptr) {
    if (pixels.rows != nullptr) fail("a surface is read that there is not");
    return;
  }
  ++counts_.comparisons;
  if (!is_same(pixels, surface->pixels(), spice::canvas::clipped(area, surface->width(), surface->height())))
    fail("the screen shows something else");
}

void DisplayModel::set_monitors(core::DisplayCanvas& canvas) {
  core::MonitorLayout layout{.max_allowed = static_cast<std::uint16_t>(input_.u8() % 4), .heads = {}};
  for (auto count = input_.u8() % 4U; count > 0; --count)
    layout.heads.push_back({.id = count, .area = {0, 0, input_.u8() % 4, 7}});
  canvas.set_monitors(layout);
}

void DisplayModel::switch_mode(core::DisplayCanvas& canvas) {
  const std::int32_t width = 1 + input_.u8() % 60, height = 1 + input_.u8() % 40;
  canvas.set_mode(width, height);
  reference_.surfaces.clear();
  reference_.surfaces.emplace(0, Surface(width, height));
  is_native_ = false;
}

void DisplayModel::paint(core::DisplayCanvas& canvas) {
  auto* const surface = reference_.find(0);
  const auto view = canvas.pixels();
  if (is_native_ || surface == nullptr) {
    if (view.pixels != nullptr) fail("there is a frame buffer in native mode");
    return;
  }
  const core::Rect area = spice::canvas::clipped(
      {input_.u8() % 40, input_.u8() % 30, input_.u8() % 80, input_.u8() % 60}, view.width, view.height);
  const auto color = input_.u32() & 0xff'ffff;
  for (auto y = area.top; y < area.bottom; ++y) {
    for (auto x = area.left; x < area.right; ++x)
      view.row(y)[static_cast<std::size_t>(x)] = surface->view().row(y)[static_cast<std::size_t>(x)] = color;
  }
  canvas.changed(area);
}

void DisplayModel::join() {
  if (clients_.size() >= 4) return;
  spice::wire::Capabilities capabilities{spice::wire::kMonitorsConfigCap};
  const auto can = input_.u8();
  if (can % 4 != 0) capabilities.set(spice::wire::kCompositeCap);
  if (can % 8 != 7) capabilities.set(spice::wire::kA8SurfaceCap);
  clients_.emplace_back(*this, free_session(), capabilities,
                        spice::display::ClientSurfaces::Limits{.drawings = 1 + input_.u8() % 40U,
                                                               .bytes = 4096 + input_.u8() * std::size_t{512}});
}

// One that has no channel here yet, if it may have one.
std::shared_ptr<ModelSession> DisplayModel::free_session() {
  std::erase_if(sessions_, [](const auto& session) { return session->has_ended; });
  for (const auto& session : sessions_) {
    if (std::ranges::find(clients_, session, &Client::session) == clients_.end()) return session;
  }
  return sessions_.emplace_back(std::make_shared<ModelSession>(settings_));
}

// False if there was nothing more to send.
bool DisplayModel::send(Client& client, int most) {
  if (const auto upcoming = client.writer.images().most_upcoming(); upcoming > 0)
    client.writer.prepare(client.surfaces.upcoming(upcoming));
  for (int i = 0; i < most; ++i) {
    const auto step = client.surfaces.next();
    if (!step) return false;
    const bool written = client.writer.write(*step);
    if (!written) client.surfaces.not_sent(*step->drawing);
    if (written && step->kind == spice::display::ClientSurfaces::Kind::Draw) ++counts_.client_drawings;
  }
  return true;
}

// A client that has taken everything shows what there is, except of surfaces that it does not look at.
void DisplayModel::check(Client& client) {
  constexpr int kMostSteps = 100'000;
  if (send(client, kMostSteps)) return fail("a client is never done");
  heal(client);
  while (on_settle ? on_settle() : settle()) {
  }
  if (!client.model.complaint().empty()) return fail("a client complains: " + client.model.complaint());
  if (!client.model.is_done()) return fail("a client waits for ever");
  std::size_t known = 0;
  for (const auto& [id, surface] : reference_.surfaces) {
    const auto key = screen_.surfaces().key_of(id);
    const auto* const lacking = client.surfaces.lacking(key);
    if (lacking == nullptr) {
      if (id == 0) fail("a client has no primary surface");
      continue;
    }
    ++known;
    if (client.writer.inexact(key)) continue;
    const auto* const shown = client.model.surface(id);
    if (shown == nullptr) return fail("a client has not got a surface");
    if (id == 0 && (!lacking->empty() || !client.model.is_marked())) return fail("a client lacks what it should show");
    Region there(surface.bounds());
    there.subtract(*lacking);
    ++counts_.comparisons;
    const std::uint8_t unused = settings_.cache_pixels == 0 ? 0 : unused_bits(surface.format());
    const auto is_same_there = surface.format() == core::SurfaceFormat::Rgb565
                                   ? is_same(shown->pixels(), wide(surface).pixels(), there, unused)
                                   : is_same(shown->pixels(), surface.pixels(), there, unused);
    if (!is_same_there) return fail("a client shows something else on surface " + std::to_string(id));
  }
  if (client.model.surfaces() != known) fail("a client keeps surfaces that are gone");
}

// What the client has got with loss comes again without, as a channel does when it is quiet.
void DisplayModel::heal(Client& client) {
  constexpr int kMostSteps = 1000;
  const auto key = screen_.primary();
  for (int i = 0; i < kMostSteps; ++i) {
    const auto area = client.writer.inexact(key);
    if (!area) return;
    client.surfaces.painted(key, Region(*area));
    send(client, kMostSteps);
  }
  fail("a client is never exact");
}

void DisplayModel::primary_made(spice::display::SurfaceKey key) {
  for (auto& client : clients_)
    client.surfaces.primary_made(key);
}

void DisplayModel::surface_gone(spice::display::SurfaceKey key) {
  for (auto& client : clients_)
    client.surfaces.surface_gone(key);
}

void DisplayModel::painted(spice::display::SurfaceKey key, const Region& region) {
  for (auto& client : clients_)
    client.surfaces.painted(key, region);
}

void DisplayModel::drawn(const spice::display::PlacedDrawingPtr& drawing) {
  for (auto& client : clients_)
    client.surfaces.drawn(drawing);
}

void DisplayModel::monitors_changed() {
  for (auto& client : clients_)
    client.surfaces.monitors_changed();
}

void DisplayModel::drawings_too_many() {
  for (auto& client : clients_)
    client.surfaces.collapse();
}

}  // namespace display_test
