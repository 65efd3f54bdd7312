#include "devices/qxl/qxl_function.h"

#include <algorithm>
#include <bit>

#include "core/base/log.h"

namespace devices::qxl {

using namespace abi;

namespace {

constexpr std::uint64_t kMinRomBar = 2048;
constexpr unsigned kRevisionStableV10 = 3;
// What remains of a log line.
constexpr std::size_t kLogLineLength = 256;

core::PciIdentity identity_of(const QxlLayout& layout) {
  return {.vendor = kVendor,
          .device = kDevice,
          .revision = static_cast<std::uint8_t>(layout.revision),
          .class_code = kClassVga,
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
    : PciFunction(identity_of(layout)),
      config_(std::move(config)),
      layout_(layout),
      blocks_(std::move(blocks)),
      saved_blocks_{blocks_.ram.get(), blocks_.vram.get(), blocks_.rom.get()},
      wiring_(wiring),
      header_(header_of(*blocks_.ram, layout_)),
      vga_(layout_.vgamem_bytes, {.memory = *blocks_.ram, .ram_map = wiring.ram_map, .clock = wiring.clock}),
      source_(lock(), vga_, *blocks_.ram, wiring.clock) {
  declare_bars();
  restart();
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
  declare_bar({.index = kIoBar, .kind = BarKind::Io, .size = layout_.io_bytes, .name = "qxl io", .handler = &ports_});
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
  return vga_.attach(wiring_.io, wiring_.mmio, lock());
}

void QxlFunction::reset() {
  reset_config();
  vga_.reset();
  restart();
}

// What port RESET and a PCI reset share. The VGA keeps its registers: a driver that gives up gets its text screen back.
void QxlFunction::restart() {
  blocks_.rom->all().write(0, rom_image(layout_, config_.rom));
  header_.reset();
  mode_ = Mode::Vga;
  guest_bug_ = false;
  update_irq();
}

std::uint64_t QxlFunction::read_port(std::uint64_t, unsigned) {
  return ~std::uint64_t{0};
}

// In VGA mode the others do nothing.
bool QxlFunction::acts_in_vga_mode(QxlPort port) const {
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

void QxlFunction::write_port(std::uint64_t offset, unsigned width, std::uint64_t) {
  if (width != 1) return;
  const auto port = static_cast<QxlPort>(offset);
  if (guest_bug_ && port != QxlPort::Reset) return;
  if (layout_.revision <= kRevisionStableV10 && port > QxlPort::FlushRelease) {
    return guest_bug("used a port its revision does not have");
  }
  if (!acts_in_vga_mode(port)) {
    // Asynchronous commands complete all the same: a driver waits for that.
    if (port >= QxlPort::UpdateAreaAsync && port <= QxlPort::MonitorsConfigAsync) raise(kInterruptIoCmd);
    return;
  }
  switch (port) {
    case QxlPort::Reset: return restart();
    case QxlPort::UpdateIrq: return update_irq();
    case QxlPort::Log:
      if (config_.guest_log) MV_LOG_LIMITED(Info, "qxl", "guest: {}", header_.log_text().substr(0, kLogLineLength));
      return;
    default: return guest_bug("asked for native mode, which is not built");
  }
}

void QxlFunction::raise(std::uint32_t interrupts) {
  if (header_.raise(interrupts)) update_irq();
}

void QxlFunction::guest_bug(std::string_view what) {
  MV_LOG_LIMITED(Warn, "qxl", "the guest {}; it must reset the device", what);
  guest_bug_ = true;
  raise(kInterruptError);
}

void QxlFunction::update_irq() {
  set_intx(header_.interrupt_wanted());
}

void QxlFunction::visit_state(core::StateVisitor& visitor) {
  visit_config(visitor);
  visitor.field("vga", vga_);
  visitor.field("mode", mode_);
  visitor.field("guest_bug", guest_bug_);
}

core::Result<> QxlFunction::state_loaded() {
  if (mode_ != Mode::Vga) return core::fail("mode {} is not VGA mode", static_cast<unsigned>(mode_));
  vga_.state_loaded();
  update_irq();
  return {};
}

}  // namespace devices::qxl
