#include "devices/qxl/qxl_ports.h"

#include <algorithm>

#include "core/base/log.h"
#include "devices/qxl/qxl_command_abi.h"

namespace devices::qxl {

using namespace abi;

namespace {

constexpr unsigned kRevisionStableV10 = 3;
constexpr unsigned kRevisionStableV12 = 4;
constexpr std::uint8_t kSlotsEnd = MemorySlots::kSlots;

bool is_async(QxlPort port) {
  return port >= QxlPort::UpdateAreaAsync && port <= QxlPort::MonitorsConfigAsync && port != QxlPort::FlushRelease;
}

// In VGA mode the others do nothing.
bool acts_in_vga_mode(QxlPort port) {
  switch (port) {
    case QxlPort::Reset:
    case QxlPort::SetMode:
    case QxlPort::MemslotAdd:
    case QxlPort::MemslotDel:
    case QxlPort::CreatePrimary:
    case QxlPort::UpdateIrq:
    case QxlPort::Log:
    case QxlPort::MemslotAddAsync:
    case QxlPort::CreatePrimaryAsync: return true;
    default: return false;
  }
}

core::Rect signed_rect(const QXLURect& rect) {
  return {static_cast<std::int32_t>(std::uint32_t{rect.left}), static_cast<std::int32_t>(std::uint32_t{rect.top}),
          static_cast<std::int32_t>(std::uint32_t{rect.right}), static_cast<std::int32_t>(std::uint32_t{rect.bottom})};
}

}  // namespace

QxlPorts::QxlPorts(const Config& config, const QxlRamHeader& header, QxlRom& rom, SourceMailbox& mailbox,
                   QxlPortsHost& host)
    : config_(config),
      header_(header),
      rom_(rom),
      mailbox_(mailbox),
      host_(host),
      mode_(config.primary ? QxlMode::Vga : QxlMode::Undefined) {}

void QxlPorts::guest_bug(std::string_view what) {
  MV_LOG_LIMITED(Warn, "qxl", "the guest's driver made a mistake: {}; it must reset the device", what);
  if (!guest_bug_.exchange(true)) guest_bug_text_ = what;
  host_.raise_locked(kInterruptError);
}

// Everything but what the source has to do for it.
void QxlPorts::reset() {
  mode_ = config_.primary ? QxlMode::Vga : QxlMode::Undefined;
  guest_bug_ = false;
  guest_bug_text_.clear();
  slots_used_ = 0;
  async_port_ = 0;
}

void QxlPorts::vga_touched() {
  if (mode_ == QxlMode::Vga || config_.layout.revision > kRevisionStableV12) return;
  mode_ = QxlMode::Vga;
  mailbox_.post({.what = EnterVga{}});
}

void QxlPorts::write(std::uint64_t offset, unsigned width, std::uint64_t value) {
  if (width != 1) return;
  if (config_.trace)
    core::log(core::LogLevel::Info, "qxl", "port {} value {} in mode {}", offset, value, static_cast<unsigned>(mode_));
  const auto port = static_cast<Port>(offset);
  if (guest_bug_ && port != Port::Reset) return;
  if (config_.layout.revision <= kRevisionStableV10 && port > Port::FlushRelease) {
    return guest_bug("it used a port that its revision of the device does not have");
  }
  if (!allowed(port)) return;
  if (is_async(port) && !begin_async(port)) return;
  command(port, static_cast<std::uint8_t>(value));
}

bool QxlPorts::allowed(Port port) {
  if (mode_ != QxlMode::Vga) return true;
  if (acts_in_vga_mode(port)) return true;
  // Asynchronous commands complete all the same: a driver waits for that.
  if (port >= Port::UpdateAreaAsync && port <= Port::MonitorsConfigAsync) host_.raise_locked(kInterruptIoCmd);
  return false;
}

bool QxlPorts::begin_async(Port port) {
  if (async_port_ != 0) {
    guest_bug("it used an asynchronous port while another had not completed");
    return false;
  }
  async_port_ = static_cast<std::uint8_t>(port);
  if (++async_ticket_ == 0) ++async_ticket_;
  return true;
}

// Of the present command, if it is asynchronous: it is done, or there is nothing to do.
void QxlPorts::finish_async() {
  if (async_port_ == 0) return;
  async_port_ = 0;
  host_.raise_locked(kInterruptIoCmd);
}

void QxlPorts::async_done(std::uint32_t ticket) {
  if (ticket == async_ticket_) finish_async();  // or it was before a reset
}

void QxlPorts::command(Port port, std::uint8_t value) {
  // Others that come while one is under way are synchronous; what they ask for belongs to nobody's ticket.
  const auto under_way = is_async(port) ? std::uint8_t{0} : std::exchange(async_port_, std::uint8_t{0});
  run(port, value);
  if (under_way != 0 && port != Port::Reset && port != Port::SetMode) async_port_ = under_way;
}

void QxlPorts::run(Port port, std::uint8_t value) {
  switch (port) {
    case Port::NotifyCmd:
    case Port::NotifyCursor: return mailbox_.ring();
    case Port::UpdateArea:
    case Port::UpdateAreaAsync: return update_area();
    case Port::UpdateIrq: return host_.update_irq();
    case Port::NotifyOom: return notify_oom();
    case Port::Reset: return restart(std::nullopt);
    case Port::SetMode: return set_mode(value);
    case Port::Log: return host_.port_log();
    case Port::MemslotAdd:
    case Port::MemslotAddAsync: return add_slot(value);
    case Port::MemslotDel: return remove_slot(value);
    case Port::CreatePrimary:
    case Port::CreatePrimaryAsync: return create_primary(value);
    case Port::DestroyPrimary:
    case Port::DestroyPrimaryAsync: return destroy_primary(value);
    case Port::DestroySurfaceWait:
    case Port::DestroySurfaceAsync: return destroy_surface(value);
    case Port::DestroyAllSurfaces:
    case Port::DestroyAllSurfacesAsync: return destroy_all_surfaces();
    case Port::FlushSurfacesAsync: return post(FlushSurfaces{});
    case Port::FlushRelease: return post(FlushRelease{});
    case Port::MonitorsConfigAsync: return post(SetMonitors{{header_.monitors_config()}});
    case Port::DetachPrimary:
    case Port::AttachPrimary: break;
  }
  guest_bug("it used a port without a meaning");
}

void QxlPorts::restart(std::optional<std::uint32_t> rom_mode) {
  reset();
  mailbox_.post({.what = Restart{.mode = rom_mode}});
}

void QxlPorts::notify_oom() {
  // What lies there would help: it must have missed the interrupt for it.
  if (!header_.release_ring_empty()) return host_.raise_locked(kInterruptDisplay);
  mailbox_.ask_for_memory();
  mailbox_.ring();
}

void QxlPorts::update_area() {
  const auto [surface, rect] = header_.update_area();
  if (surface >= config_.surfaces) return guest_bug("UPDATE_AREA of a surface beyond the last");
  const auto area = signed_rect(rect);
  if (area.left == area.right || area.top == area.bottom) {
    // Old drivers do: the error is reported, and that is all.
    host_.raise_locked(kInterruptError);
    return finish_async();
  }
  if (area.empty() || area.left < 0 || area.top < 0) return guest_bug("UPDATE_AREA of an area that is none");
  post(UpdateArea{surface, area});
}

// What drivers of the first revision do instead of slots and CREATE_PRIMARY: all of BAR0 is one slot, in which
// addresses are the guest's own.
void QxlPorts::set_mode(std::uint8_t value) {
  const auto mode = rom_.mode(value);
  const auto base = host_.bar_address(kRamBar);
  if (!mode) return guest_bug("SET_MODE to a mode that is not in the list");
  if (!base) return guest_bug("SET_MODE without memory");
  const auto bytes = std::uint64_t{mode->x_res} * 4u * mode->y_res;
  if (bytes > config_.layout.vgamem_bytes) return guest_bug("SET_MODE to a mode larger than the video memory");
  restart(value);
  constexpr std::uint8_t kSlot = 0;
  slots_used_ = 1u << kSlot;
  post(AddSlot{kSlot, {.active = true, .start = {QxlMemory::Ram, 0}, .size = config_.layout.ram_bytes, .base = *base}});
  post(CreatePrimary{.surface = {.width = mode->x_res,
                                 .height = mode->y_res,
                                 .format = static_cast<std::uint32_t>(core::SurfaceFormat::Xrgb),
                                 .stride = -static_cast<std::int32_t>(mode->x_res * 4),
                                 .pixels = {*base}},
                     .flags = {.compat = true, .colors_15bit = mode->bits == 16}});
  mode_ = QxlMode::Compat;
}

std::optional<MemorySlot> QxlPorts::find_memory(std::uint64_t start, std::uint64_t end) const {
  struct Window {
    unsigned bar;
    QxlMemory memory;
    std::uint64_t size;
  };
  const Window windows[] = {{kRamBar, QxlMemory::Ram, config_.layout.ram_bytes},
                            {kVramBar, QxlMemory::Vram, config_.layout.vram_bytes},
                            {kVram64Bar, QxlMemory::Vram, config_.layout.vram64_bytes}};
  for (const auto& window : windows) {
    const auto base = host_.bar_address(window.bar);
    if (!base || start < *base || end > *base + window.size) continue;
    return MemorySlot{.active = true, .start = {window.memory, start - *base}, .size = end - start};
  }
  return std::nullopt;
}

void QxlPorts::add_slot(std::uint8_t id) {
  if (id >= kSlotsEnd) return guest_bug("MEMSLOT_ADD of a slot beyond the last");
  if ((slots_used_ >> id & 1) != 0) return guest_bug("MEMSLOT_ADD of a slot that is in use");
  const auto [start, end] = header_.mem_slot();
  if (start > end) return guest_bug("MEMSLOT_ADD of a range that ends before it starts");
  const auto slot = find_memory(start, end);
  if (!slot) return guest_bug("MEMSLOT_ADD of a range that does not lie in one of the device's memories");
  slots_used_ = static_cast<std::uint8_t>(slots_used_ | 1u << id);
  rom_.set_slot_generation(slot->generation);
  post(AddSlot{id, *slot});
}

void QxlPorts::remove_slot(std::uint8_t id) {
  if (id >= kSlotsEnd) return guest_bug("MEMSLOT_DEL of a slot beyond the last");
  slots_used_ = static_cast<std::uint8_t>(slots_used_ & ~(1u << id));
  post(RemoveSlot{id});
}

void QxlPorts::create_primary(std::uint8_t value) {
  if (value != 0) return finish_async();
  const auto wanted = header_.create_surface();
  const auto stride = static_cast<std::int32_t>(std::uint32_t{wanted.stride});
  const auto row = static_cast<std::uint64_t>(std::abs(std::int64_t{stride}));
  if (row * wanted.height > config_.layout.vgamem_bytes) {
    return guest_bug("CREATE_PRIMARY of a surface larger than the video memory");
  }
  if (mode_ == QxlMode::Vga) mode_ = QxlMode::Undefined;
  if (stride % 4 != 0) return guest_bug("CREATE_PRIMARY with rows that are not multiples of 4 bytes");
  if (mode_ == QxlMode::Native) guest_bug("CREATE_PRIMARY while there is a primary surface");
  mode_ = QxlMode::Native;
  post(CreatePrimary{.surface = {.width = wanted.width,
                                 .height = wanted.height,
                                 .format = wanted.format,
                                 .stride = stride,
                                 .pixels = {wanted.mem},
                                 .keep_data = (wanted.flags & kSurfaceKeepData) != 0},
                     .flags = {}});
}

void QxlPorts::destroy_primary(std::uint8_t value) {
  if (value != 0 || mode_ == QxlMode::Undefined) return finish_async();
  mode_ = QxlMode::Undefined;
  post(DestroyPrimary{});
}

void QxlPorts::destroy_surface(std::uint32_t id) {
  if (id >= config_.surfaces) return guest_bug("DESTROY_SURFACE of a surface beyond the last");
  post(DestroySurface{id});
}

void QxlPorts::destroy_all_surfaces() {
  mode_ = QxlMode::Undefined;
  post(DestroyAllSurfaces{});
}

void QxlPorts::visit(core::StateVisitor& visitor) {
  visitor.field("mode", mode_);
  bool bug = guest_bug_;
  visitor.field("guest_bug", bug);
  guest_bug_ = bug;
  visitor.field("slots_used", slots_used_);
  visitor.field("async_port", async_port_);
}

core::Result<> QxlPorts::state_loaded() {
  if (mode_ > QxlMode::Native) return core::fail("mode {} does not exist", static_cast<unsigned>(mode_));
  if (mode_ == QxlMode::Vga && !config_.primary) return core::fail("a second display is not in VGA mode");
  if (async_port_ != 0 && !is_async(static_cast<Port>(async_port_))) {
    return core::fail("port {} cannot be pending", async_port_);
  }
  guest_bug_text_ = guest_bug_ ? "it was made before the state was saved" : "";
  return {};
}

}  // namespace devices::qxl
