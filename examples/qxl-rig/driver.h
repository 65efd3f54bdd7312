// The least a driver of a QXL display has to do: find the function, name memory to the device, make a primary surface,
// put commands into the ring and take back what the device is done with. Structures are those of the SPICE protocol
// (package libspice-protocol-dev), which all drivers share.
#pragma once

#include <cstdint>
#include <spice/enums.h>
#include <spice/qxl_dev.h>

namespace qxl {

// A piece of memory that holds one command and what belongs to it, until the device releases it.
constexpr std::uint32_t kSlotBytes = 4096;
constexpr std::uint32_t kSlots = 1024;

// Memory of the device as the CPU sees it.
template <class T = void>
T* memory(std::uint64_t address) {
  return reinterpret_cast<T*>(address);
}

class Driver {
 public:
  // False: there is no QXL function, or not one that we understand.
  bool find();
  // Ends whatever was before and begins native mode with 32 bits a pixel.
  void start(std::uint32_t width, std::uint32_t height);
  void stop();

  // Free memory for a command, zeroed, its QXLReleaseInfo at the front filled in; waits if all is in use.
  std::uint8_t* take_slot();
  // How commands name memory: the number of the memory slot in the upper bits, the offset in it below.
  QXLPHYSICAL address_of(const volatile void* pointer) const;
  // Hand a command in a slot over to the device.
  void submit(QXLCmdType type, const void* command);
  void submit_cursor(const void* command);
  // Tells the device that int_pending or int_mask has changed. The least that a port costs.
  void update_irq() const { port(QXL_IO_UPDATE_IRQ); }
  // Waits until the device has released every command, but for `kept` (a surface keeps the one that made it).
  void wait_for_releases(std::uint32_t kept = 0);

  // Has the device draw all that was asked for and put the pixels of this part where we can read them.
  void update(std::uint32_t left, std::uint32_t top, std::uint32_t right, std::uint32_t bottom,
              std::uint32_t surface = 0);
  std::uint32_t pixel(std::uint32_t x, std::uint32_t y) const;

  std::uint64_t released() const { return released_; }
  std::uint32_t revision() const { return revision_; }
  const volatile QXLRom& rom() const { return *rom_; }
  // Memory that nothing else uses: for the pixels of an off-screen surface.
  void* spare_memory() const { return memory(ram_base_ + pool_offset_ + kSlots * kSlotBytes); }

 private:
  void add_memory_slot();
  bool collect();
  template <class Ring>
  void push(Ring& ring, QXLCmdType type, const void* command, std::uint8_t notify_port);
  void port(std::uint8_t offset, std::uint8_t value = 0) const;

  std::uint64_t ram_base_ = 0;
  std::uint16_t ports_ = 0;
  std::uint32_t revision_ = 0;
  const volatile QXLRom* rom_ = nullptr;
  volatile QXLRam* ram_ = nullptr;
  std::uint64_t slot_bits_ = 0;
  std::uint32_t width_ = 0;
  std::uint32_t pool_offset_ = 0;
  bool busy_[kSlots] = {};
  std::uint32_t in_use_ = 0;
  std::uint32_t next_slot_ = 0;
  std::uint64_t released_ = 0;
};

}  // namespace qxl
