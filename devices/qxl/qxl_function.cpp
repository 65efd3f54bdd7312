#include "devices/qxl/qxl_function.h"

#include <algorithm>
#include <bit>

#include "core/base/log.h"

namespace devices::qxl {

using namespace abi;

namespace {

constexpr std::uint64_t kMinRomBar = 2048;
constexpr unsigned kRevisionStableV12 = 4;
// What one command may refer to, at least.
constexpr std::uint64_t kMinCommandBytes = 64 << 20;
// What remains of a log line.
constexpr std::size_t kLogLineLength = 256;

core::PciIdentity identity_of(const QxlLayout& layout, bool primary) {
  return {.vendor = kVendor,
          .device = kDevice,
          .revision = static_cast<std::uint8_t>(layout.revision),
          .class_code = primary ? kClassVga : kClassDisplay,
          .subsystem_vendor = kSubsystemVendor,
          .subsystem = kSubsystem,
          .interrupt_pin = 1};
}

core::MemorySlice header_of(core::MemoryBlock& ram, const QxlLayout& layout) {
  return ram.slice(layout.ram_header_offset(), kRamHeaderSize).value_or(core::MemorySlice{});
}

}  // namespace

core::Result<QxlFunction::Blocks> QxlFunction::create_blocks(const QxlLayout& layout, const Config& config) {
  Blocks blocks;
  struct Wanted {
    std::unique_ptr<core::MemoryBlock>& block;
    std::string_view suffix;
    std::uint64_t bytes;
  };
  const Wanted wanted[] = {{blocks.ram, "ram", layout.ram_bytes},
                           {blocks.vram, "vram", layout.vram64_bytes},
                           {blocks.rom, "rom", kRomSize},
                           {blocks.bios, "bios", std::bit_ceil(std::max(config.vga_bios.size(), kMinRomBar))}};
  for (const auto& [block, suffix, bytes] : wanted) {
    auto created = core::MemoryBlock::create(fmt::format("{}.{}", config.name, suffix), bytes);
    if (!created) return std::unexpected(created.error());
    block = std::move(*created);
  }
  blocks.bios->all().write(0, config.vga_bios);
  return blocks;
}

core::Result<std::unique_ptr<QxlFunction>> QxlFunction::create(Config config, const Wiring& wiring) {
  const auto layout = layout_of(config.sizes);
  if (!layout) return std::unexpected(layout.error());
  auto blocks = create_blocks(*layout, config);
  if (!blocks) return std::unexpected(blocks.error());
  return std::unique_ptr<QxlFunction>(new QxlFunction(std::move(config), *layout, std::move(*blocks), wiring));
}

QxlFunction::QxlFunction(Config config, const QxlLayout& layout, Blocks blocks, const Wiring& wiring)
    : PciFunction(identity_of(layout, config.primary)),
      config_(std::move(config)),
      layout_(layout),
      blocks_(std::move(blocks)),
      saved_blocks_{blocks_.ram.get(), blocks_.vram.get(), blocks_.rom.get()},
      wiring_(wiring),
      header_(header_of(*blocks_.ram, layout_)),
      rom_(*blocks_.rom, layout_, config_.rom),
      mailbox_(config_.counted_time),
      doorbell_(make_doorbell(config_)),
      ports_({.layout = layout_, .surfaces = config_.rom.surfaces, .primary = config_.primary, .trace = config_.trace},
             header_, rom_, mailbox_, *this),
      vga_(layout_.vgamem_bytes, {.memory = *blocks_.ram,
                                  .ram_map = wiring.ram_map,
                                  .clock = wiring.clock,
                                  .on_register_write = [this] { ports_.vga_touched(); },
                                  .on_written = settling()}),
      native_(
          native_config(),
          {.memories = {*blocks_.ram, *blocks_.vram}, .header = header_, .events = static_cast<SourceEvents&>(*this)}),
      source_({.lock = lock(),
               .vga = config_.primary ? &vga_ : nullptr,
               .ram = *blocks_.ram,
               .clock = wiring.clock,
               .events = *this,
               .mailbox = mailbox_,
               .native = native_,
               .doorbell = doorbell_ ? doorbell_->get() : -1}) {
  declare_bars();
  restart_contents();
}

// Not where each port is to be seen, or where the guest waits until the rings are empty.
std::optional<core::EventFd> QxlFunction::make_doorbell(const Config& config) {
  if (!config.doorbell || config.trace || config.counted_time) return std::nullopt;
  auto created = core::EventFd::create();
  if (created) return std::move(*created);
  core::log(core::LogLevel::Warn, "qxl", "{} has no doorbell: {}", config.name, created.error().message);
  return std::nullopt;
}

// A write to the VGA is waited for only where it must be: there are many.
std::function<void()> QxlFunction::settling() {
  if (!config_.counted_time) return {};
  return [this] { mailbox_.settle(); };
}

// The pixels of surfaces that do not lie over each other never need more than the memory they lie in.
NativeMode::Config QxlFunction::native_config() const {
  return {.name = config_.name,
          .surface_bytes = layout_.ram_bytes + layout_.vram64_bytes,
          .command_bytes = std::max<std::uint64_t>(kMinCommandBytes, 2 * std::uint64_t{layout_.vgamem_bytes}),
          .surfaces = config_.rom.surfaces,
          .max_outputs = config_.max_outputs,
          .command_log = config_.command_log};
}

QxlFunction::~QxlFunction() = default;

void QxlFunction::declare_bars() {
  using core::BarKind;
  declare_bar({.index = kRamBar,
               .kind = BarKind::Memory32,
               .size = layout_.ram_bytes,
               .name = "qxl ram",
               .memory = blocks_.ram.get(),
               .log_dirty = true});
  // BAR1 shows the start of BAR4 where there is one.
  declare_bar({.index = kVramBar,
               .kind = BarKind::Memory32,
               .size = layout_.vram_bytes,
               .name = "qxl vram",
               .memory = blocks_.vram.get()});
  declare_bar({.index = abi::kRomBar,
               .kind = BarKind::Memory32,
               .size = kRomSize,
               .name = "qxl rom",
               .memory = blocks_.rom.get(),
               .writable = false});
  std::vector<core::BarDoorbell> doorbells;
  if (doorbell_) {
    for (const auto port : {QxlPort::NotifyCmd, QxlPort::NotifyCursor})
      doorbells.push_back(
          {.offset = static_cast<std::uint64_t>(port), .width = 1, .match = {}, .eventfd = doorbell_->get()});
  }
  declare_bar({.index = kIoBar,
               .kind = BarKind::Io,
               .size = layout_.io_bytes,
               .name = "qxl io",
               .handler = &ports_,
               .doorbells = std::move(doorbells)});
  if (layout_.has_vram64()) {
    declare_bar({.index = kVram64Bar,
                 .kind = BarKind::Memory64,
                 .size = layout_.vram64_bytes,
                 .prefetchable = true,
                 .name = "qxl vram64",
                 .memory = blocks_.vram.get()});
  }
  if (!config_.vga_bios.empty()) {
    declare_bar({.kind = BarKind::Rom,
                 .size = blocks_.bios->size(),
                 .name = "qxl bios",
                 .memory = blocks_.bios.get(),
                 .writable = false});
  }
}

core::Result<> QxlFunction::attach() {
  if (!config_.primary) return {};
  return vga_.attach(wiring_.io, wiring_.mmio, lock());
}

void QxlFunction::reset() {
  reset_config();
  vga_.reset();
  ports_.reset();
  source_.reset();
  restart_contents();
}

// The VGA keeps its registers: a driver that gives up gets its text screen back.
void QxlFunction::restart_contents() {
  rom_.reset();
  header_.reset();
  update_irq();
}

void QxlFunction::raise_locked(std::uint32_t interrupts) {
  if (header_.raise(interrupts)) update_irq();
}

void QxlFunction::update_irq() {
  set_intx(header_.interrupt_wanted());
}

void QxlFunction::port_log() {
  if (config_.guest_log) MV_LOG_LIMITED(Info, "qxl", "guest: {}", header_.log_text().substr(0, kLogLineLength));
}

std::optional<std::uint64_t> QxlFunction::bar_address(unsigned bar) const {
  for (const auto& window : windows()) {
    if (window.bar->index == bar && window.bar->kind != core::BarKind::Rom) return window.base;
  }
  return std::nullopt;
}

void QxlFunction::raise(std::uint32_t interrupts) {
  if (!header_.raise(interrupts)) return;
  const std::scoped_lock guard(lock());
  update_irq();
}

void QxlFunction::guest_bug(std::string_view what) {
  const std::scoped_lock guard(lock());
  ports_.guest_bug(what);
}

void QxlFunction::async_done(std::uint32_t ticket) {
  const std::scoped_lock guard(lock());
  ports_.async_done(ticket);
}

void QxlFunction::restart_memory(std::optional<std::uint32_t> mode) {
  const std::scoped_lock guard(lock());
  restart_contents();
  if (mode) rom_.set_mode(*mode);
}

void QxlFunction::updated(std::uint32_t update_id) {
  const std::scoped_lock guard(lock());
  rom_.set_update_id(update_id);
}

void QxlFunction::clients_changed(const core::DisplayClients& clients) {
  if (layout_.revision < kRevisionStableV12) return;
  const std::scoped_lock guard(lock());
  if (rom_.set_clients(clients)) raise_locked(kInterruptClient);
}

void QxlFunction::set_compression_level(std::uint32_t level) {
  const std::scoped_lock guard(lock());
  rom_.set_compression_level(level);
}

// A driver that polls has no mask, or all of it: it does not listen.
bool QxlFunction::takes_client_monitors() {
  const auto mask = header_.interrupt_mask();
  return layout_.revision >= kRevisionStableV12 && mask != ~std::uint32_t{0} &&
         (mask & kInterruptClientMonitorsConfig) != 0;
}

void QxlFunction::set_client_monitors(std::span<const core::ClientMonitor> monitors) {
  if (!takes_client_monitors()) return;
  const std::scoped_lock guard(lock());
  const std::size_t most = config_.max_outputs == 0 ? kMaxHeads : config_.max_outputs;
  if (rom_.set_client_monitors(monitors, most)) raise_locked(kInterruptClientMonitorsConfig);
}

void QxlFunction::visit_state(core::StateVisitor& visitor) {
  visit_config(visitor);
  visitor.field("vga", vga_);
  visitor.field("ports", ports_);
  visitor.field("source", source_);
}

core::Result<> QxlFunction::state_loaded() {
  if (auto loaded = ports_.state_loaded(); !loaded) return loaded;
  if (auto loaded = source_.state_loaded(); !loaded) return loaded;
  vga_.state_loaded();
  rom_.restore_clients();
  update_irq();
  return {};
}

}  // namespace devices::qxl
