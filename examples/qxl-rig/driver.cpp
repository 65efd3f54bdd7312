#include "examples/qxl-rig/driver.h"

#include "tests/guest/bare/bare.h"

namespace qxl {
namespace {

constexpr std::uint32_t kIdentity = 0x01001b36;  // device, vendor
constexpr std::uint32_t kRomMagic = 0x4f525851;  // "QXRO"

std::uint32_t pci_read(unsigned device, unsigned offset) {
  bare::out32(0xcf8, 0x80000000 | device << 11 | offset);
  return bare::in32(0xcfc);
}

std::uint64_t bar(unsigned device, unsigned index) {
  return pci_read(device, 0x10 + index * 4) & ~0xfU;
}

// The device reads memory in the order we write it: on x86 it is enough to keep the compiler from changing that.
void order() {
  asm volatile("mfence" ::: "memory");
}

}  // namespace

bool Driver::find() {
  for (unsigned device = 0; device < 32; ++device) {
    if (pci_read(device, 0) != kIdentity) continue;
    revision_ = pci_read(device, 8) & 0xff;
    ram_base_ = bar(device, 0);
    rom_ = memory<const volatile QXLRom>(bar(device, 2));
    ports_ = static_cast<std::uint16_t>(bar(device, 3) & ~3U);
    if (rom_->magic != kRomMagic) return false;
    ram_ = memory<volatile QXLRam>(ram_base_ + rom_->ram_header_offset);
    pool_offset_ = rom_->pages_offset;
    return true;
  }
  return false;
}

void Driver::port(std::uint8_t offset, std::uint8_t value) const {
  order();
  bare::out8(static_cast<std::uint16_t>(ports_ + offset), value);
}

void Driver::start(std::uint32_t width, std::uint32_t height) {
  port(QXL_IO_RESET);
  add_memory_slot();
  width_ = width;
  auto& surface = ram_->create_surface;
  surface.width = width;
  surface.height = height;
  surface.stride = static_cast<std::int32_t>(width * 4);  // negative: the bottom row comes first
  surface.format = SPICE_SURFACE_FMT_32_xRGB;
  surface.position = 0;
  surface.mouse_mode = 0;
  surface.flags = 0;
  surface.type = QXL_SURF_TYPE_PRIMARY;
  surface.mem = address_of(memory(ram_base_ + rom_->draw_area_offset));
  port(QXL_IO_CREATE_PRIMARY);
}

// Everything up to the RAM header, so that one slot does for pixels and commands.
void Driver::add_memory_slot() {
  ram_->mem_slot.mem_start = ram_base_;
  ram_->mem_slot.mem_end = ram_base_ + rom_->ram_header_offset;
  const std::uint64_t slot = rom_->slots_start;
  port(QXL_IO_MEMSLOT_ADD, static_cast<std::uint8_t>(slot));
  // The generation is new with each slot that is added.
  const unsigned shift = 64 - rom_->slot_gen_bits - rom_->slot_id_bits;
  slot_bits_ = (slot << rom_->slot_gen_bits | rom_->slot_generation) << shift;
}

void Driver::stop() {
  port(QXL_IO_DESTROY_PRIMARY);
  port(QXL_IO_RESET);
}

QXLPHYSICAL Driver::address_of(const volatile void* pointer) const {
  return slot_bits_ | (reinterpret_cast<std::uint64_t>(pointer) - ram_base_);
}

std::uint8_t* Driver::take_slot() {
  while (in_use_ == kSlots) {
    if (!collect()) port(QXL_IO_NOTIFY_OOM);  // the device keeps drawings as long as it can: ask for some back
  }
  while (busy_[next_slot_])
    next_slot_ = (next_slot_ + 1) % kSlots;
  busy_[next_slot_] = true;
  ++in_use_;
  auto* const slot = memory<std::uint8_t>(ram_base_ + pool_offset_ + next_slot_ * kSlotBytes);
  for (std::uint32_t i = 0; i < 512; ++i)
    slot[i] = 0;
  // Any number but 0; it comes back through the release ring.
  reinterpret_cast<QXLReleaseInfo*>(slot)->id = next_slot_ + 1;
  return slot;
}

template <class Ring>
void Driver::push(Ring& ring, QXLCmdType type, const void* command, std::uint8_t notify_port) {
  while (ring.prod - ring.cons == ring.num_items)
    bare::relax();  // a driver with interrupts would set notify_on_cons and sleep
  auto& item = ring.items[ring.prod % ring.num_items].el;
  item.data = address_of(command);
  item.type = type;
  order();
  ring.prod = ring.prod + 1;
  order();
  if (ring.prod == ring.notify_on_prod) port(notify_port);  // otherwise the device is awake
}

void Driver::submit(QXLCmdType type, const void* command) {
  push(ram_->cmd_ring, type, command, QXL_IO_NOTIFY_CMD);
}

void Driver::submit_cursor(const void* command) {
  push(ram_->cursor_ring, QXL_CMD_CURSOR, command, QXL_IO_NOTIFY_CURSOR);
}

// Takes one chain of released commands from the ring: its entry is the first one's id, and each has the next one's.
bool Driver::collect() {
  auto& ring = ram_->release_ring;
  if (ring.cons == ring.prod) return false;
  order();
  std::uint64_t id = ring.items[ring.cons % ring.num_items].el;
  while (id != 0) {
    const auto slot = static_cast<std::uint32_t>(id - 1);
    bare::expect(id <= kSlots && busy_[slot], "what is released was in use");
    busy_[slot] = false;
    --in_use_;
    ++released_;
    id = memory<QXLReleaseInfo>(ram_base_ + pool_offset_ + slot * kSlotBytes)->next;
  }
  order();
  ring.cons = ring.cons + 1;
  return true;
}

void Driver::wait_for_releases(std::uint32_t kept) {
  while (in_use_ > kept) {
    if (!collect()) port(QXL_IO_NOTIFY_OOM);
  }
}

void Driver::update(std::uint32_t left, std::uint32_t top, std::uint32_t right, std::uint32_t bottom,
                    std::uint32_t surface) {
  ram_->update_surface = surface;
  ram_->update_area.left = static_cast<std::int32_t>(left);
  ram_->update_area.top = static_cast<std::int32_t>(top);
  ram_->update_area.right = static_cast<std::int32_t>(right);
  ram_->update_area.bottom = static_cast<std::int32_t>(bottom);
  port(QXL_IO_UPDATE_AREA);
  order();
}

std::uint32_t Driver::pixel(std::uint32_t x, std::uint32_t y) const {
  return *memory<const volatile std::uint32_t>(ram_base_ + rom_->draw_area_offset + (y * width_ + x) * 4);
}

}  // namespace qxl
