#include "tests/unit/spice/display/display_model.h"

#include <algorithm>
#include <cstring>
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

// Whether two surfaces show the same within `area`. Unused bits count, too.
bool is_same(const core::Pixels& a, const core::Pixels& b, const core::Rect& area) {
  if (a.width != b.width || a.height != b.height || a.format != b.format) return false;
  const auto pixel = spice::canvas::bits_per_pixel(a.format) / 8;
  const auto from = static_cast<std::size_t>(area.left) * pixel;
  const auto bytes = static_cast<std::size_t>(area.width()) * pixel;
  for (auto y = area.top; y < area.bottom; ++y) {
    if (std::memcmp(a.row(y) + from, b.row(y) + from, bytes) != 0) return false;
  }
  return true;
}

bool is_same(const core::Pixels& a, const core::Pixels& b, const Region& region) {
  const auto rects = region.rects();
  return std::ranges::all_of(rects, [&](const core::Rect& rect) { return is_same(a, b, rect); });
}

// What clients have instead of pixels of 5, 6 and 5 bits.
spice::canvas::SourcePixels wide(const Surface& surface) {
  return spice::canvas::converted(surface.pixels(), surface.bounds(), core::SurfaceFormat::Xrgb);
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

DisplayModel::Client::Client(spice::display::Screen& screen, spice::image::ImageEncoder& encoder,
                             const spice::wire::Capabilities& capabilities,
                             const spice::display::ClientSurfaces::Limits& limits)
    : writer(screen, encoder, {.compression = spice::wire::ImageCompression::Off}, capabilities,
             {.send = [this](std::uint16_t type, spice::wire::Gather body) { model.apply(type, body.flatten()); },
              .next_serial = [] { return 1; }}),
      surfaces(std::as_const(screen).surfaces(), screen.primary(), writer.abilities(), limits) {}

DisplayModel::DisplayModel(tests::FuzzInput& input)
    : input_(input),
      maker_(input),
      screen_({.drawings = 1 + input.u8() % 64U, .drawing_bytes = std::size_t{8192} + input.u8() * std::size_t{1024}}) {
  screen_.set_listener(this);
  reference_.surfaces.emplace(0, Surface(screen_.bounds().width(), screen_.bounds().height()));
}

void DisplayModel::fail(const std::string& what) {
  if (failure_.empty()) failure_ = what;
}

std::string DisplayModel::run() {
  join();
  while (!input_.empty() && failure_.empty()) {
    auto next = Next::OnWake;
    screen_.pull(*this, next);
    encoder_.shared().surfaces_changed();
  }
  for (auto& client : clients_)
    check(client);
  return failure_;
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
    if (what < 203)
      clients_.erase(client);
    else if (what < 212)
      check(*client);
    else
      send(*client, input_.u8() % 8);
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
  ++counts_.drawings;
  const bool twice = how % 32 == 21;
  const auto shared = std::make_shared<const core::Drawing>(std::move(drawing));
  for (int i = 0; i < (twice ? 2 : 1); ++i) {
    canvas.draw(shared);
    if (shared->surface != 0 || is_native_) (void)spice::canvas::draw(*shared, reference_);
  }
}

void DisplayModel::make_surface(core::DisplayCanvas& canvas, core::SurfaceId id) {
  const core::SurfaceShape shape{1 + input_.u8() % 60, 1 + input_.u8() % 40, kFormats[input_.u8() % kFormats.size()]};
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
  clients_.emplace_back(screen_, encoder_, capabilities,
                        spice::display::ClientSurfaces::Limits{.drawings = 1 + input_.u8() % 40U,
                                                               .bytes = 4096 + input_.u8() * std::size_t{512}});
}

// False if there was nothing more to send.
bool DisplayModel::send(Client& client, int most) {
  for (int i = 0; i < most; ++i) {
    const auto before = client.model.drawings();
    const auto step = client.surfaces.next();
    if (!step) return false;
    if (!client.writer.write(*step)) client.surfaces.not_sent(*step->drawing);
    if (step->kind == spice::display::ClientSurfaces::Kind::Draw)
      counts_.client_drawings += client.model.drawings() - before;
  }
  if (!client.model.complaint().empty()) fail("a client complains: " + client.model.complaint());
  return true;
}

// A client that has taken everything shows what there is, except of surfaces that it does not look at.
void DisplayModel::check(Client& client) {
  constexpr int kMostSteps = 100'000;
  if (send(client, kMostSteps)) return fail("a client is never done");
  if (!client.model.complaint().empty()) return fail("a client complains: " + client.model.complaint());
  std::size_t known = 0;
  for (const auto& [id, surface] : reference_.surfaces) {
    const auto key = screen_.surfaces().key_of(id);
    const auto lacking = client.surfaces.lacking(key);
    if (!lacking) {
      if (id == 0) fail("a client has no primary surface");
      continue;
    }
    ++known;
    const auto* const shown = client.model.surface(id);
    if (shown == nullptr) return fail("a client has not got a surface");
    if (id == 0 && (!lacking->empty() || !client.model.is_marked())) return fail("a client lacks what it should show");
    Region there(surface.bounds());
    there.subtract(*lacking);
    ++counts_.comparisons;
    const auto is_same_there = surface.format() == core::SurfaceFormat::Rgb565
                                   ? is_same(shown->pixels(), wide(surface).pixels(), there)
                                   : is_same(shown->pixels(), surface.pixels(), there);
    if (!is_same_there) return fail("a client shows something else on surface " + std::to_string(id));
  }
  if (client.model.surfaces() != known) fail("a client keeps surfaces that are gone");
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
