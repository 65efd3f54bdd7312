// A SATA disk: an ATA disk with native command queuing, the logs that belong to it, and TRIM. [ACS3 4.14, 7.22;
// SATA 13.6]
//
// The port moves the data of queued commands; the disk checks them, and remembers which one failed. After such an error
// it takes no command but the reading of its log. Missing on purpose: queued TRIM, NCQ priority and autosense, power
// management of the interface; settings survive a COMRESET (software settings preservation).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "devices/block/ata_disk.h"

namespace devices::block {

class SataDisk final : public AtaDisk {
 public:
  static constexpr unsigned kQueueDepth = 32;

  SataDisk(DriveBus& bus, std::unique_ptr<core::BlockBackend> backend, std::string model, std::string serial);

  void power_on() override;
  void soft_reset() override;
  void execute(std::uint8_t command) override;
  void visit(core::StateVisitor& visitor) override;
  bool valid() const override;

  static bool is_queued(std::uint8_t command);
  struct Access {
    std::uint64_t lba = 0;
    std::uint32_t sectors = 0;
    bool write = false;
    bool to_medium = false;  // written data must reach the disk before the command ends
  };
  // The queued command in the task file. nullopt: refused, with status and error in the task file.
  std::optional<Access> begin_queued(std::uint8_t command, unsigned tag);
  // The backend could not do it: status and error are put into the task file.
  void fail_queued(unsigned tag, const Access& access);

 private:
  // What the log of queued errors tells. [ACS3 A.14]
  struct QueueError {
    bool pending = false;  // nobody has read it yet
    std::uint8_t tag = 0;
    std::uint8_t status = 0;
    std::uint8_t error = 0;
    std::uint64_t lba = 0;
    std::uint16_t count = 0;
    std::uint8_t device = 0;
  };

  unsigned queue_depth() const override { return kQueueDepth; }
  void read_log();
  struct Range {
    std::uint64_t lba = 0;
    std::uint32_t sectors = 0;
  };
  void trim();
  void discard(std::shared_ptr<std::vector<Range>> ranges);
  void note_error(unsigned tag, std::uint8_t error, std::uint8_t status_bits, std::uint64_t lba);

  QueueError queue_error_;
};

}  // namespace devices::block
