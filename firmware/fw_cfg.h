// fw_cfg: the box of named and numbered items from which a BIOS learns about its machine, with the DMA interface.
// [QEMU docs/specs/fw_cfg.rst] Missing on purpose: writes through the data port (gone since interface version 2.4) and
// DMA to anything but RAM.
//
// Items are added while the machine is put together; what guests can change is the selector, the offset and the bytes
// of files declared writable. vCPU threads, device lock held.
#pragma once

#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "core/bus/address_space.h"
#include "core/bus/device.h"
#include "core/memory/guest_memory.h"
#include "firmware/fw_cfg_abi.h"

namespace firmware {

class FwCfg final : public core::Device, private core::IoHandler, private core::StringPort {
 public:
  struct Wiring {
    const core::GuestMemory& memory;
  };
  using Bytes = std::vector<std::uint8_t>;

  explicit FwCfg(const Wiring& wiring);
  core::Result<> attach(core::AddressSpace& io);

  // Before the machine starts. A second item with the same key replaces the first.
  void add_item(FwCfgKey key, Bytes bytes);
  void add_u16(FwCfgKey key, std::uint16_t value);
  void add_u32(FwCfgKey key, std::uint32_t value);
  void add_u64(FwCfgKey key, std::uint64_t value);
  // Names are at most 55 characters and given once. Guests may overwrite a Writable file's bytes but not change its
  // size; reset() brings the first bytes back. Returns the file's key.
  enum class Access : std::uint8_t { ReadOnly, Writable };
  FwCfgKey add_file(std::string_view name, Bytes bytes, Access access = Access::ReadOnly);

  // What an item or file holds; empty if there is none.
  std::span<const std::uint8_t> item(FwCfgKey key) const;
  std::span<const std::uint8_t> file(std::string_view name) const;

  void reset() override;
  std::string_view state_name() const override { return "fw_cfg"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override;
  core::Result<> state_loaded() override;

 private:
  struct Item {
    Bytes bytes;
    Bytes initial;  // of a writable file
    bool writable = false;
  };
  struct State {
    std::uint16_t key = 0;
    std::uint32_t offset = 0;
    std::uint32_t dma_high = 0;  // upper half of the DMA address, until the lower one starts the operation
  };

  std::uint64_t read(std::uint64_t offset, unsigned width) override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) override;
  core::StringPort* string_port() override { return this; }
  std::size_t read_string(std::uint64_t offset, unsigned width, std::span<std::uint8_t> out) override;
  std::size_t write_string(std::uint64_t offset, unsigned width, std::span<const std::uint8_t> bytes) override;
  std::uint64_t read_dma(std::uint64_t offset, unsigned width);
  void write_dma(std::uint64_t offset, unsigned width, std::uint64_t value);

  void select(std::uint16_t key);
  const Item* selected() const;
  // Up to `length` bytes at the offset, which moves on; shorter at the item's end.
  std::span<const std::uint8_t> take(std::uint64_t length);
  void run_dma(core::Gpa at);
  bool dma_to_guest(core::Gpa to, std::uint32_t length);
  bool dma_from_guest(core::Gpa from, std::uint32_t length);
  void rebuild_directory();

  const core::GuestMemory& memory_;
  core::Handler<FwCfg> dma_handler_{*this, &FwCfg::read_dma, &FwCfg::write_dma};
  std::map<std::uint16_t, Item> items_;
  std::vector<std::string> file_names_;  // file n has key FileFirst + n
  State state_;
  core::Registration registers_;
  core::Registration dma_registers_;
};

}  // namespace firmware
