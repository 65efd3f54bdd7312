#include "devices/block/ide_drive.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace devices::block {

using namespace abi;

void TaskFile::visit(core::StateVisitor& visitor) {
  visitor.field("features", features);
  visitor.field("count", count);
  visitor.field("lba_low", lba_low);
  visitor.field("lba_mid", lba_mid);
  visitor.field("lba_high", lba_high);
  visitor.field("device", device);
  visitor.field("status", status);
  visitor.field("error", error);
}

IdeDrive::IdeDrive(DriveBus& bus, std::unique_ptr<core::BlockBackend> backend)
    : bus_(bus), backend_(std::move(backend)) {}

void IdeDrive::read_data(std::span<std::uint8_t> out) {
  while (!out.empty() && port_.phase == Phase::DataIn) {
    const auto part = std::min<std::size_t>(out.size(), port_.block_end - port_.position);
    std::copy_n(port_.buffer.begin() + port_.position, part, out.begin());
    port_.position += static_cast<std::uint32_t>(part);
    out = out.subspan(part);
    if (port_.position == port_.block_end) block_taken();
  }
  std::ranges::fill(out, std::uint8_t{0});
}

void IdeDrive::write_data(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty() && port_.phase == Phase::DataOut) {
    const auto part = std::min<std::size_t>(bytes.size(), port_.block_end - port_.position);
    std::copy_n(bytes.begin(), part, port_.buffer.begin() + port_.position);
    port_.position += static_cast<std::uint32_t>(part);
    bytes = bytes.subspan(part);
    if (port_.position == port_.block_end) block_given();
  }
}

void IdeDrive::wait_for_dma(std::uint8_t status) {
  port_.phase = Phase::Dma;
  port_.registers.status = status;
  if (bus_.dma().active()) run_dma();
}

void IdeDrive::become_idle(std::uint8_t status) {
  port_.phase = Phase::Idle;
  port_.buffer.clear();
  port_.position = 0;
  port_.block_end = 0;
  port_.registers.status = status;
}

void IdeDrive::abort() {
  become_idle(DRDY | DSC);
}

void IdeDrive::put_signature(std::uint8_t mid, std::uint8_t high, std::uint8_t status) {
  become_idle(status);
  auto& r = port_.registers;
  r.error = kDiagnosticPassed;
  r.count = {1, 0};
  r.lba_low = {1, 0};
  r.lba_mid = {mid, 0};
  r.lba_high = {high, 0};
  r.device &= static_cast<std::uint8_t>(~kHeadMask);
}

void IdeDrive::fill_buffer(std::vector<std::uint8_t> bytes) {
  MV_ASSERT(bytes.size() <= kMaxBuffer, "drives fill their buffer in bounded pieces");
  port_.buffer = std::move(bytes);
  port_.position = 0;
  port_.block_end = 0;
}

void IdeDrive::offer_block(std::uint32_t bytes, std::uint8_t status) {
  MV_ASSERT(bytes > 0 && bytes <= buffer_left(), "a block lies in the buffer");
  port_.phase = Phase::DataIn;
  port_.block_end = port_.position + bytes;
  port_.registers.status = status | DRQ;
}

void IdeDrive::ask_for_block(std::uint32_t bytes, std::uint8_t status) {
  fill_buffer(std::vector<std::uint8_t>(bytes));
  port_.phase = Phase::DataOut;
  port_.block_end = bytes;
  port_.registers.status = status | DRQ;
}

void IdeDrive::visit(core::StateVisitor& visitor) {
  visitor.field("registers", port_.registers);
  visitor.field("phase", port_.phase);
  visitor.field("buffer", port_.buffer, kMaxBuffer);
  visitor.field("position", port_.position);
  visitor.field("block_end", port_.block_end);
}

bool IdeDrive::valid() const {
  if (port_.phase > Phase::Dma) return false;
  if (port_.position > port_.block_end || port_.block_end > port_.buffer.size()) return false;
  const bool has_block = port_.phase == Phase::DataIn || port_.phase == Phase::DataOut;
  return !has_block || port_.position < port_.block_end;
}

void put_identify_text(std::span<std::uint8_t> words, std::string_view text) {
  for (std::size_t i = 0; i < words.size(); ++i)
    words[i ^ 1] = i < text.size() ? static_cast<std::uint8_t>(text[i]) : std::uint8_t{' '};
}

}  // namespace devices::block
