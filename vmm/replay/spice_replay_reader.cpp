#include "vmm/replay/spice_replay_reader.h"

#include <array>
#include <utility>

#include "vmm/replay/drawable_text.h"

namespace vmm::replay {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kKeepData = 1;  // QXL_SURF_FLAG_KEEP_DATA

// An event's second number.
enum What : std::uint32_t { kCommand = 0, kRequest = 1 };

// Requests, as the server numbers its worker's messages. Those that are not here change no pixels.
enum Request : std::uint32_t {
  kDestroySurfaces = 19,
  kCreatePrimary = 20,
  kDestroyPrimary = 21,
  kResetCursor = 22,
  kDestroySurfacesAsync = 28,
  kCreatePrimaryAsync = 29,
  kDestroyPrimaryAsync = 30,
};

// QXL_CMD_*, QXL_SURFACE_CMD_*, QXL_CURSOR_*.
enum Command : std::uint32_t { kNop = 0, kDraw = 1, kUpdate = 2, kCursor = 3, kMessage = 4, kSurface = 5 };
enum SurfaceCommand : std::uint32_t { kCreate = 0, kDestroy = 1 };
enum CursorCommand : std::uint32_t { kSet = 0, kMove = 1, kHide = 2, kTrail = 3 };

}  // namespace

core::Result<std::unique_ptr<CallReader>> SpiceReplayReader::open(Input& input) {
  TextFields in(input);
  const auto version = in.number(kHeader);
  if (!input.ok()) return core::fail("this is no recording of a display");
  if (version != kVersion)
    return core::fail("the recording is of version {} of SPICE_REPLAY, this program reads version {}", version,
                      kVersion);
  return std::unique_ptr<CallReader>(new SpiceReplayReader(input));
}

core::Result<std::optional<Call>> SpiceReplayReader::next() {
  while (calls_.empty()) {
    if (input_.at_end() && input_.ok()) return std::nullopt;
    event();
    if (input_.ended_early()) return std::nullopt;
    if (!input_.ok()) return core::fail("{}", input_.error());
  }
  std::optional<Call> call = std::move(calls_.front());
  calls_.pop_front();
  return call;
}

void SpiceReplayReader::event() {
  std::array<std::uint64_t, 4> numbers{};  // count, what, type, nanoseconds
  in_.wide_numbers("event", numbers);
  const auto type = static_cast<std::uint32_t>(numbers[2]);
  switch (numbers[1]) {
    case kCommand: return command(type);
    case kRequest: return request(type);
    default: return in_.fail("an event is neither a command nor a request");
  }
}

void SpiceReplayReader::request(std::uint32_t type) {
  switch (type) {
    case kCreatePrimary:
    case kCreatePrimaryAsync: return create_primary();
    case kDestroyPrimary:
    case kDestroyPrimaryAsync:
      calls_.emplace_back(DestroySurface{0});
      calls_.emplace_back(ResetCursor{});
      return;
    case kDestroySurfaces:
    case kDestroySurfacesAsync:
      calls_.emplace_back(DestroySurfaces{});
      calls_.emplace_back(ResetCursor{});
      return;
    case kResetCursor: calls_.emplace_back(ResetCursor{}); return;
    default: return;
  }
}

void SpiceReplayReader::create_primary() {
  // A surface that the server refuses is not described.
  if (input_.at_end() || input_.peek() == 'e') return;
  const auto [width, height, stride, format] = in_.numbers<4>("");
  const auto [position, mouse_mode, flags, type] = in_.numbers<4>("");
  auto data = in_.binary("data");
  if ((static_cast<std::uint32_t>(flags) & kKeepData) == 0) data.clear();
  add_surface(0, {width, height, static_cast<core::SurfaceFormat>(format)}, stride, std::move(data));
}

void SpiceReplayReader::add_surface(core::SurfaceId id, const core::SurfaceShape& shape, std::int32_t stride,
                                    std::vector<std::uint8_t> kept) {
  calls_.emplace_back(CreateSurface{id, shape});
  if (kept.empty()) return;
  const auto step = static_cast<std::uint32_t>(stride < 0 ? -std::int64_t{stride} : stride);
  calls_.emplace_back(LoadSurface{id, shape, step, stride >= 0, std::move(kept)});
}

void SpiceReplayReader::command(std::uint32_t type) {
  switch (type) {
    case kNop: return;
    case kDraw: {
      in_.word("drawable");
      if (auto drawing = DrawableText(in_).read()) calls_.emplace_back(Draw{std::move(drawing)});
      return;
    }
    case kUpdate: return skip_update();
    case kCursor: return cursor_command();
    case kMessage: in_.binary("message"); return;
    case kSurface: return surface_command();
    default: return in_.fail("there is no such command");
  }
}

void SpiceReplayReader::skip_update() {
  in_.word("update");
  in_.numbers<4>("rect area");
  in_.number("update_id");
  in_.number("surface_id");
}

void SpiceReplayReader::surface_command() {
  in_.word("surface_cmd");
  const auto id = in_.number("surface_id");
  const auto type = in_.number("type");
  const auto flags = in_.number("flags");
  switch (type) {
    case kCreate: return create_surface(id, flags);
    case kDestroy: calls_.emplace_back(DestroySurface{id}); return;
    default: return;
  }
}

void SpiceReplayReader::create_surface(core::SurfaceId id, std::uint32_t flags) {
  const auto format = static_cast<core::SurfaceFormat>(in_.number("u.surface_create.format"));
  const auto width = static_cast<std::int32_t>(in_.number("u.surface_create.width"));
  const auto height = static_cast<std::int32_t>(in_.number("u.surface_create.height"));
  const auto stride = static_cast<std::int32_t>(in_.number("u.surface_create.stride"));
  std::vector<std::uint8_t> kept;
  if ((flags & kKeepData) != 0) kept = in_.binary("data");
  add_surface(id, {width, height, format}, stride, std::move(kept));
}

void SpiceReplayReader::cursor_command() {
  in_.word("cursor_cmd");
  switch (in_.number("type")) {
    case kSet: {
      const auto [x, y] = in_.numbers<2>("point16");
      const bool visible = in_.number("u.set.visible") != 0;
      calls_.emplace_back(SetCursor{cursor_shape(), {x, y}, visible});
      return;
    }
    case kMove: {
      const auto [x, y] = in_.numbers<2>("point16");
      calls_.emplace_back(MoveCursor{{x, y}});
      return;
    }
    case kHide: calls_.emplace_back(HideCursor{}); return;
    case kTrail: {
      const auto length = static_cast<std::uint16_t>(in_.number("u.trail.length"));
      const auto frequency = static_cast<std::uint16_t>(in_.number("u.trail.frequency"));
      calls_.emplace_back(SetCursorTrail{length, frequency});
      return;
    }
    default: return in_.fail("there is no such command of the pointer");
  }
}

core::CursorShapePtr SpiceReplayReader::cursor_shape() {
  auto shape = std::make_shared<core::CursorShape>();
  shape->unique = in_.wide_number("header.unique");
  shape->type = static_cast<core::CursorType>(in_.number("header.type"));
  shape->width = static_cast<std::uint16_t>(in_.number("header.width"));
  shape->height = static_cast<std::uint16_t>(in_.number("header.height"));
  shape->hot_spot.x = static_cast<std::int32_t>(in_.number("header.hot_spot_x"));
  shape->hot_spot.y = static_cast<std::int32_t>(in_.number("header.hot_spot_y"));
  in_.number("data_size");  // the chunks say it again
  shape->data = in_.chunks("cursor");
  return shape;
}

}  // namespace vmm::replay
