// `info qxl`.
#include <fmt/format.h>
#include <iterator>

#include "devices/qxl/qxl_function.h"

namespace devices::qxl {

using namespace abi;

namespace {

std::string_view name_of(QxlMode mode) {
  switch (mode) {
    case QxlMode::Undefined: return "no primary surface";
    case QxlMode::Vga: return "VGA";
    case QxlMode::Compat: return "compat (SET_MODE)";
    case QxlMode::Native: return "native";
  }
  return "unknown";
}

template <class Ring>
std::string text_of(std::string_view name, const core::MemorySlice& ring) {
  const auto word = [&ring](std::size_t offset) { return ring.read<std::uint32_t>(offset).value_or(0); };
  return fmt::format("  {} ring: prod {}, cons {}, notify on prod {}, on cons {}\n", name, word(offsetof(Ring, prod)),
                     word(offsetof(Ring, cons)), word(offsetof(Ring, notify_on_prod)),
                     word(offsetof(Ring, notify_on_cons)));
}

}  // namespace

std::string QxlFunction::describe() {
  const auto figures = native_.figures();
  const std::scoped_lock guard(lock());
  auto text = fmt::format("{}: revision {}, {}\n", config_.name, layout_.revision, name_of(ports_.mode()));
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "  memory: RAM {} MiB, VRAM {} KiB, of it 32-bit {} KiB, surface 0 up to {} MiB\n",
                 layout_.ram_bytes >> 20, layout_.vram64_bytes >> 10, layout_.vram_bytes >> 10,
                 layout_.vgamem_bytes >> 20);
  text += text_of<QXLCommandRing>("command", header_.command_ring());
  text += text_of<QXLCommandRing>("cursor", header_.cursor_ring());
  text += text_of<QXLReleaseRing>("release", header_.release_ring());
  for (std::size_t id = 0; id < figures.slots.size(); ++id) {
    const auto& slot = figures.slots[id];
    if (!slot.active) continue;
    fmt::format_to(out, "  slot {}: {} {:#x}..{:#x}, generation {}\n", id,
                   slot.start.memory == QxlMemory::Ram ? "RAM" : "VRAM", slot.start.offset,
                   slot.start.offset + slot.size, slot.generation);
  }
  fmt::format_to(out, "  surfaces: {}, {} KiB of {} KiB\n", figures.surfaces, figures.surface_bytes >> 10,
                 figures.most_surface_bytes >> 10);
  fmt::format_to(out, "  commands: {} drawings, {} for the cursor, {} for surfaces; {} wait to be given back\n",
                 figures.drawings, figures.cursor_commands, figures.surface_commands, figures.releases_held);
  fmt::format_to(out, "  commands that made no sense: {}", figures.mistakes);
  if (figures.mistakes != 0) fmt::format_to(out, "; the last: {}", figures.last_mistake);
  text += '\n';
  if (ports_.pending_async() != 0) fmt::format_to(out, "  port {} has not completed\n", ports_.pending_async());
  if (ports_.has_guest_bug()) {
    fmt::format_to(out, "  guest bug, the driver must reset the device: {}\n", ports_.guest_bug_text());
  }
  return text;
}

}  // namespace devices::qxl
