// The commands of a SCSI disk: what is to be done, and sense data when it cannot be. Whoever transports them moves the
// data. [SPC, SBC]
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/ports/block.h"
#include "core/state/state.h"
#include "devices/usb/scsi_abi.h"

namespace devices::usb {

class ScsiDisk {
 public:
  // A disk of whole blocks; `serial` is the unit's serial number.
  ScsiDisk(const core::BlockBackend& backend, std::string serial);

  enum class Action : std::uint8_t { Fail, Nothing, Reply, Read, Write, Flush };
  struct Plan {
    Action action = Action::Fail;
    std::vector<std::uint8_t> reply = {};
    std::uint64_t offset = 0;  // bytes, of a Read or Write: inside the disk
    std::uint64_t bytes = 0;
  };
  // `cdb` may be shorter than the command: the rest is zeros. Fail: REQUEST SENSE tells why.
  Plan begin(std::span<const std::uint8_t> cdb);
  // The backend could not do what was planned.
  void note_failure(Action action);

  void reset() { sense_ = {}; }
  std::uint64_t size_bytes() const { return blocks_ * abi::scsi::kBlock; }
  void visit(core::StateVisitor& visitor);

 private:
  using Bytes = std::vector<std::uint8_t>;
  struct SenseState {
    std::uint8_t key = 0;
    std::uint16_t code = 0;
  };

  Plan fail(abi::scsi::Sense sense);
  static Plan reply(Bytes bytes, std::size_t allocated);
  Plan sense_reply(std::size_t allocated);
  Plan inquiry(std::span<const std::uint8_t> cdb);
  std::optional<Bytes> vital_page(std::uint8_t page) const;
  Plan mode_sense(std::span<const std::uint8_t> cdb);
  Plan access(std::uint64_t block, std::uint64_t count, bool write);
  Plan capacity_16(std::span<const std::uint8_t> cdb);
  Bytes capacity_10() const;
  Bytes format_capacities() const;
  std::optional<Plan> access_command(std::span<const std::uint8_t> cdb);
  std::optional<Plan> reply_command(std::span<const std::uint8_t> cdb);

  const core::BlockBackend& backend_;
  std::uint64_t blocks_;
  std::string serial_;
  SenseState sense_;
};

}  // namespace devices::usb
