// What ATA disks and ATAPI drives have in common: the task file, and PIO data passing through a buffer in blocks of
// which each has its own DRQ. [ATA6 7, 9]
//
// A drive is driven by its channel, with the controller's lock held. It asks the channel for host I/O; while that runs
// the channel reads as busy and keeps the guest away.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/ports/block.h"
#include "core/state/state.h"
#include "devices/block/dma_engine.h"
#include "devices/block/host_request.h"
#include "devices/block/ide_abi.h"

namespace devices::block {

// What a channel, or the AHCI port in its place, does for its drives.
class DriveBus {
 public:
  virtual ~DriveBus() = default;
  virtual bool is_serial() const { return false; }  // SATA
  virtual void raise_irq() = 0;
  virtual DmaEngine& dma() = 0;
  // One at a time: the channel is busy until `request` is done.
  virtual void start(core::BlockBackend& backend, core::BlockOp op, std::uint64_t offset,
                     std::shared_ptr<HostRequest> request) = 0;
};

// [ATA6 7] Index 0 of a pair is what was written last, 1 what was there before: 48-bit commands use both. [ATA6 6.20]
struct TaskFile {
  using Pair = std::array<std::uint8_t, 2>;
  Pair features{};
  Pair count{};
  Pair lba_low{};
  Pair lba_mid{};
  Pair lba_high{};
  std::uint8_t device = 0;
  std::uint8_t status = 0;
  std::uint8_t error = 0;

  void visit(core::StateVisitor& visitor);
};

class IdeDrive {
 public:
  IdeDrive(DriveBus& bus, std::unique_ptr<core::BlockBackend> backend);
  virtual ~IdeDrive() = default;
  IdeDrive(const IdeDrive&) = delete;
  IdeDrive& operator=(const IdeDrive&) = delete;

  virtual void power_on() = 0;    // everything to its first state, with the signature in the task file
  virtual void soft_reset() = 0;  // SRST, DEVICE RESET, diagnostics: ends the command, shows the signature
  virtual void execute(std::uint8_t command) = 0;
  // The bus master runs, and this drive waits for it.
  virtual void run_dma() = 0;
  bool wants_dma() const { return port_.phase == Phase::Dma; }
  virtual bool is_packet_device() const = 0;

  // The data port. All of `out` is filled: zeros when there is no data. What nobody asked for is dropped.
  void read_data(std::span<std::uint8_t> out);
  void write_data(std::span<const std::uint8_t> bytes);

  TaskFile& registers() { return port_.registers; }
  bool requests_data() const { return port_.phase != Phase::Idle; }  // DRQ
  enum class Phase : std::uint8_t { Idle, DataIn, DataOut, Dma };
  Phase phase() const { return port_.phase; }
  std::uint32_t block_left() const { return port_.block_end - port_.position; }  // of the present DRQ block
  void abort();                                                                  // ends the command without a word
  core::BlockBackend* backend() const { return backend_.get(); }

  virtual void visit(core::StateVisitor& visitor);
  // Whether a loaded state makes sense.
  virtual bool valid() const;

 protected:
  static constexpr std::uint32_t kMaxBuffer = 128 * 1024;

  // The guest has taken, or given, the whole block.
  virtual void block_taken() = 0;
  virtual void block_given() = 0;

  DriveBus& bus() { return bus_; }
  TaskFile& regs() { return port_.registers; }
  const TaskFile& regs() const { return port_.registers; }
  void wait_for_dma(std::uint8_t status);
  // Ends any data phase; the buffer is emptied.
  void become_idle(std::uint8_t status);
  void put_signature(std::uint8_t mid, std::uint8_t high, std::uint8_t status);

  std::vector<std::uint8_t>& buffer() { return port_.buffer; }
  const std::vector<std::uint8_t>& buffer() const { return port_.buffer; }
  std::uint32_t buffer_left() const { return static_cast<std::uint32_t>(port_.buffer.size()) - port_.position; }
  void fill_buffer(std::vector<std::uint8_t> bytes);           // at most kMaxBuffer
  void offer_block(std::uint32_t bytes, std::uint8_t status);  // of the buffer, from where the last one ended
  void ask_for_block(std::uint32_t bytes, std::uint8_t status);

  std::unique_ptr<core::BlockBackend>& medium() { return backend_; }
  void reset_port() { port_ = {}; }

 private:
  struct Port {
    TaskFile registers;
    Phase phase = Phase::Idle;
    std::vector<std::uint8_t> buffer;
    std::uint32_t position = 0;   // in the buffer
    std::uint32_t block_end = 0;  // of the present DRQ block
  };

  DriveBus& bus_;
  std::unique_ptr<core::BlockBackend> backend_;
  Port port_;
};

// Writes text into words of IDENTIFY data, padded with blanks, each pair of characters swapped. [ATA6 8.15.12]
void put_identify_text(std::span<std::uint8_t> words, std::string_view text);

}  // namespace devices::block
