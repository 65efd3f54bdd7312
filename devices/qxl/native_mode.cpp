#include "devices/qxl/native_mode.h"

#include <algorithm>
#include <utility>

#include "core/base/log.h"
#include "devices/qxl/command_log.h"
#include "devices/qxl/drawing_parser.h"
#include "devices/qxl/shape_parser.h"

namespace devices::qxl {

using namespace abi;
using Next = core::DisplaySource::Next;

NativeMode::NativeMode(const Config& config, const Wiring& wiring)
    : config_(config),
      header_(wiring.header),
      events_(wiring.events),
      slots_(wiring.memories),
      surfaces_(slots_, config.surface_bytes, config.surfaces),
      commands_(header_.command_ring()),
      cursors_(header_.cursor_ring()),
      releases_(header_.release_ring(), slots_) {
  publish();
}

Next NativeMode::run(core::DisplayCanvas& canvas, const Slice& slice, bool is_active) {
  bool did_any = false;
  bool did = true;
  for (std::size_t steps = 0; did && steps < slice.steps; ++steps) {
    if (did_any && std::chrono::steady_clock::now() >= slice.deadline) break;
    did = step(Ring::Command, canvas);
    did = step(Ring::Cursor, canvas) || did;
    did_any = did_any || did;
  }
  if (did_any) publish();
  if (did) return Next::AtOnce;
  if (releases_.feed()) events_.raise(kInterruptDisplay);
  // Who has just drawn often draws again before it would have to wake us.
  if (did_any || is_active) return Next::Soon;
  const bool commands_sleep = commands_.arm() || events_.has_guest_bug();
  const bool cursors_sleep = cursors_.arm() || events_.has_guest_bug();
  return commands_sleep && cursors_sleep ? Next::OnWake : Next::AtOnce;
}

// One command of this ring, if there is one.
bool NativeMode::step(Ring which, core::DisplayCanvas& canvas) {
  const auto command = pop(which);
  if (!command) return false;
  if (which == Ring::Command) {
    execute(*command, canvas);
  } else {
    cursor(*command, canvas);
  }
  return true;
}

std::optional<QXLCommand> NativeMode::pop(Ring which) {
  const bool is_command = which == Ring::Command;
  if (is_command && events_.has_guest_bug()) return std::nullopt;
  auto& ring = is_command ? commands_ : cursors_;
  if (!ring.waiting()) {
    if (!events_.has_guest_bug()) events_.guest_bug("a ring's indices say that it has more commands than fit");
    return std::nullopt;
  }
  auto command = ring.pop();
  if (command && ring.wants_interrupt()) events_.raise(is_command ? kInterruptDisplay : kInterruptCursor);
  return command;
}

// What is in the rings now; what comes meanwhile may wait.
void NativeMode::drain(core::DisplayCanvas& canvas) {
  for (const auto which : {Ring::Command, Ring::Cursor}) {
    const auto& ring = which == Ring::Command ? commands_ : cursors_;
    for (auto left = ring.waiting().value_or(0); left > 0; --left) {
      if (!step(which, canvas)) break;
    }
  }
}

void NativeMode::make_room(core::DisplayCanvas& canvas) {
  drain(canvas);
  if (releases_.flush()) events_.raise(kInterruptDisplay);
  publish();
}

void NativeMode::execute(const QXLCommand& command, core::DisplayCanvas& canvas) {
  const QxlAddress at{command.data};
  switch (static_cast<QxlCommandType>(std::uint32_t{command.type})) {
    case QxlCommandType::Nop: return;
    case QxlCommandType::Draw: return draw(at, canvas);
    case QxlCommandType::Update: return update(at, canvas);
    case QxlCommandType::Surface: return surface(at, canvas);
    case QxlCommandType::Message:
      if (const auto release = release_of(at)) give_back(*release);
      return;
    case QxlCommandType::Cursor: break;
  }
  mistake("the command ring holds a command of an unknown type");
}

void NativeMode::draw(QxlAddress at, core::DisplayCanvas& canvas) {
  const auto release = release_of(at);
  if (!release) return;
  ++counted_.drawings;
  CommandReader in(slots_, config_.command_bytes);
  auto drawing = parse_drawing(in, at, flags_);
  if (drawing && !surfaces_.has(drawing->surface)) in.fail("a drawable is for a surface that does not exist");
  if (in.ok()) {
    if (config_.command_log) log_command(describe_drawing(*drawing));
    canvas.draw(std::move(drawing));
  } else {
    mistake(in.error());
  }
  give_back(*release);
}

void NativeMode::update(QxlAddress at, core::DisplayCanvas& canvas) {
  const auto release = release_of(at);
  if (!release) return;
  CommandReader in(slots_, config_.command_bytes);
  const auto head = in.read<QXLUpdateCmd>(at);
  if (in.ok()) {
    surfaces_.update(flags_.compat ? 0 : std::uint32_t{head.surface_id}, rect_of(head.area), canvas);
    events_.updated(head.update_id);
    events_.raise(kInterruptDisplay);
  } else {
    mistake(in.error());
  }
  give_back(*release);
}

void NativeMode::surface(QxlAddress at, core::DisplayCanvas& canvas) {
  const auto release = release_of(at);
  if (!release) return;
  ++counted_.surface_commands;
  CommandReader in(slots_, config_.command_bytes);
  const auto head = in.read<QXLSurfaceCmd>(at);
  const std::uint32_t id = head.surface_id;
  if (!in.ok()) {
    mistake(in.error());
  } else if (id >= surfaces_.most_surfaces()) {
    events_.guest_bug("a surface command is for a surface beyond the last");
  } else if (id == 0) {
    mistake("a surface command is for the primary surface");
  } else if (head.type == QXLSurfaceCmd::kCreate) {
    return create_surface(head, *release, canvas);
  } else if (head.type != QXLSurfaceCmd::kDestroy) {
    mistake("a surface command has an unknown type");
  } else if (!surfaces_.has(id)) {
    mistake("a surface is destroyed that does not exist");
  } else if (const auto created = surfaces_.destroy(id, canvas)) {
    // The command that destroys comes back last: its surface's id and memory are free then.
    give_back(*created);
  }
  if (in.ok() && config_.command_log) log_command(fmt::format("surface {} destroyed", id));
  give_back(*release);
}

void NativeMode::create_surface(const QXLSurfaceCmd& head, const Release& release, core::DisplayCanvas& canvas) {
  const std::uint32_t id = head.surface_id;
  const auto problem = surfaces_.has(id)
                           ? std::string_view("a surface is created that exists")
                           : surfaces_.create(id,
                                              {.width = head.width,
                                               .height = head.height,
                                               .format = head.format,
                                               .stride = static_cast<std::int32_t>(std::uint32_t{head.stride}),
                                               .pixels = {head.data},
                                               .keep_data = (head.flags & kSurfaceKeepData) != 0},
                                              canvas);
  if (!problem.empty()) {
    mistake(problem);
    return give_back(release);
  }
  surfaces_.set_release(id, release);
  if (config_.command_log) {
    log_command(fmt::format("surface {} created: {} x {}, format {}, stride {}", id, std::uint32_t{head.width},
                            std::uint32_t{head.height}, std::uint32_t{head.format},
                            static_cast<std::int32_t>(std::uint32_t{head.stride})));
  }
}

void NativeMode::cursor(const QXLCommand& command, core::DisplayCanvas& canvas) {
  if (static_cast<QxlCommandType>(std::uint32_t{command.type}) != QxlCommandType::Cursor) {
    return mistake("the cursor ring holds a command of an unknown type");
  }
  const QxlAddress at{command.data};
  const auto release = release_of(at);
  if (!release) return;
  ++counted_.cursor_commands;
  CommandReader in(slots_, config_.command_bytes);
  const auto parsed = parse_cursor(in, at);
  if (in.ok()) {
    if (config_.command_log) log_command(describe_cursor(parsed));
    pointer_.apply(parsed, canvas.cursor());
  } else {
    mistake(in.error());
  }
  give_back(*release);
}

// The id is read before anything is written over it: it shares its place with the list's link.
std::optional<Release> NativeMode::release_of(QxlAddress command) {
  const auto place = slots_.locate(command, sizeof(core::le64));
  const auto slice = place ? slots_.at(*place, sizeof(core::le64)) : std::nullopt;
  if (!slice) {
    mistake("a command's address lies in no memory slot");
    return std::nullopt;
  }
  return Release{*place, slice->read<core::le64>(0).value_or(0)};
}

void NativeMode::give_back(const Release& release) {
  if (releases_.add(release)) events_.raise(kInterruptDisplay);
}

void NativeMode::mistake(std::string_view what) {
  ++counted_.mistakes;
  counted_.last_mistake = what;
  MV_LOG_LIMITED(Warn, "qxl", "{}: the guest's driver made a mistake: {}", config_.name, what);
}

void NativeMode::log_command(std::string_view what) const {
  core::log(core::LogLevel::Info, "qxl", "{}: {}", config_.name, what);
}

NativeFigures NativeMode::figures() const {
  const std::scoped_lock guard(figures_mutex_);
  return figures_;
}

void NativeMode::publish() {
  counted_.slots = slots_.slots();
  counted_.surfaces = static_cast<std::uint32_t>(surfaces_.all().size());
  counted_.surface_bytes = surfaces_.bytes();
  counted_.most_surface_bytes = config_.surface_bytes;
  counted_.releases_held = releases_.held();
  const std::scoped_lock guard(figures_mutex_);
  figures_ = counted_;
}

}  // namespace devices::qxl
