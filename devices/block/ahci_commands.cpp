// The engine of a port: from PxCI through command list, drive and data to the FISes that end a command. [AHCI 5.3-5.6]
#include <algorithm>
#include <span>
#include <utility>

#include "core/base/bits.h"
#include "devices/block/ahci_port.h"
#include "devices/block/atapi_abi.h"

namespace devices::block {

using namespace abi;
using namespace abi::hba;

namespace {

constexpr std::uint32_t bit_of(unsigned slot) {
  return 1U << slot;
}

void load(TaskFile& r, const RegisterH2D& fis) {
  r.features = {fis.features, fis.features_exp};
  r.count = {fis.count, fis.count_exp};
  r.lba_low = {fis.lba[0], fis.lba_exp[0]};
  r.lba_mid = {fis.lba[1], fis.lba_exp[1]};
  r.lba_high = {fis.lba[2], fis.lba_exp[2]};
  r.device = fis.device & static_cast<std::uint8_t>(~kDeviceObsolete | kForceUnitAccess);
}

RegisterD2H fis_of(const TaskFile& r) {
  RegisterD2H fis{};
  fis.status = r.status;
  fis.error = r.error;
  for (unsigned i = 0; i < 2; ++i) {
    auto* lba = i == 0 ? fis.lba : fis.lba_exp;
    lba[0] = r.lba_low[i];
    lba[1] = r.lba_mid[i];
    lba[2] = r.lba_high[i];
  }
  fis.device = r.device;
  fis.count = r.count[0];
  fis.count_exp = r.count[1];
  return fis;
}

}  // namespace

// --- from the list ---------------------------------------------------------------------------------------------------

bool AhciPort::can_fetch() const {
  if ((reg(PxCMD) & CMD_ST) == 0 || !bus_master_ || state_.halted) return false;
  if (drive_ == nullptr || reg(PxSSTS) != kLinkUp) return false;
  if (abandoned_ > 0 || signature_due_ || command_.active) return false;
  return (reg(PxTFD) & (BSY | DRQ)) == 0;
}

// In a ring, beginning behind the last one. [AHCI 5.3.2.7, P:SelectCmd]
std::optional<unsigned> AhciPort::next_slot() const {
  const auto issued = reg(PxCI);
  for (unsigned i = 1; i <= kSlots; ++i) {
    const auto slot = (state_.last_slot + i) % kSlots;
    if ((issued & bit_of(slot)) != 0 && in_flight_[slot] == nullptr) return slot;
  }
  return std::nullopt;
}

void AhciPort::run() {
  while (can_fetch()) {
    const auto slot = next_slot();
    if (!slot) return;
    fetch(*slot);
  }
}

void AhciPort::fetch(unsigned slot) {
  state_.last_slot = static_cast<std::uint8_t>(slot);
  clear_bits(PxCMD, CMD_CCS);
  set_bits(PxCMD, slot << CMD_CCS_SHIFT);
  const auto list = address(PxCLB, kHeaderAlignment);
  const auto header = wiring_.memory.read<CommandHeader>(core::Gpa(list + slot * sizeof(CommandHeader)));
  if (!header) return halt(HBFS);
  const auto table = (std::uint64_t{header->table_upper} << 32) | (header->table & ~(kTableAlignment - 1));
  const auto fis = wiring_.memory.read<RegisterH2D>(core::Gpa(table));
  if (!fis) return halt(HBFS);
  const unsigned dwords = header->flags & kFisLength;
  if (dwords < kRegisterDwords || dwords > kAtapiOffset / 4 || fis->type != kRegisterH2D) {
    // The drive refuses what it does not understand. [AHCI 6.1.2]
    set_bits(PxSERR, ERR_P);
    return halt(IFS);
  }
  if ((fis->flags & kIsCommand) == 0) return control(slot, *header, *fis);
  if (state_.soft_reset) return set_bits(PxTFD, BSY);  // the drive does not hear
  load(drive_->registers(), *fis);
  prdt_.begin(core::Gpa(table + kPrdtOffset), header->prdt_length);
  if (disk_ != nullptr && SataDisk::is_queued(fis->command)) {
    queue({true, slot, table}, *header, *fis);
  } else {
    execute({true, slot, table}, *fis);
  }
}

// Device control: a software reset takes two of these, SRST set and cleared. [AHCI 10.4.1]
void AhciPort::control(unsigned slot, const CommandHeader& header, const RegisterH2D& fis) {
  const bool reset = (fis.control & SRST) != 0;
  clear_bits(PxCI, bit_of(slot));
  if (reset == state_.soft_reset) return;
  state_.soft_reset = reset;
  if (reset) {
    abandon_all();
    set_reg(PxSACT, 0);
    if ((header.flags & kClearBusy) == 0) set_bits(PxTFD, BSY);
    return;
  }
  drive_->soft_reset();
  set_reg(PxTFD, BSY);
  signature_due_ = true;
  settle();
}

// --- commands that are not queued ------------------------------------------------------------------------------------

void AhciPort::execute(const Command& command, const RegisterH2D& fis) {
  const bool queue_is_empty = std::ranges::all_of(in_flight_, [](const auto& request) { return request == nullptr; });
  abandon_all();
  command_ = command;
  interrupt_ = false;
  set_reg(PxTFD, BSY);
  auto& r = drive_->registers();
  if (!queue_is_empty) {
    // Ends the queued ones too. [ACS3 4.14.1]
    r.error = ABRT;
    r.status = DRDY | DSC | ERR;
    return finish_command();
  }
  const bool resets =
      fis.command == EXECUTE_DEVICE_DIAGNOSTIC || (fis.command == DEVICE_RESET && drive_->is_packet_device());
  if (resets) {
    drive_->soft_reset();
    interrupt_ = true;
  } else {
    drive_->execute(fis.command);
  }
  pump();
}

// Moves PIO data, of which the drive has or wants a block at a time, until the drive is done or waits for the host.
void AhciPort::pump() {
  while (command_.active && in_flight_[command_.slot] == nullptr) {
    switch (drive_->phase()) {
      case IdeDrive::Phase::DataIn:
        if (!take_block()) return;
        break;
      case IdeDrive::Phase::DataOut:
        if (!give_block()) return;
        break;
      default: return finish_command();
    }
  }
}

bool AhciPort::take_block() {
  const auto status = drive_->registers().status;
  std::vector<std::uint8_t> bytes(drive_->block_left());
  core::GuestIoVector guest;
  prdt_.gather(core::align_up<std::uint64_t>(bytes.size(), 2), guest);
  interrupt_ = false;
  drive_->read_data(bytes);
  guest.write(0, std::span(bytes).first(std::min<std::size_t>(bytes.size(), guest.size())));
  post_pio_setup(true, static_cast<std::uint32_t>(bytes.size()), status, true);
  if (!prdt_.is_faulty() && !prdt_.has_overflowed()) return command_.active;
  halt(prdt_.is_faulty() ? HBFS : OFS);
  return false;
}

bool AhciPort::give_block() {
  const auto status = drive_->registers().status;
  const auto length = drive_->block_left();
  std::vector<std::uint8_t> bytes(length);
  bool whole = false;
  if (drive_->is_packet_device()) {
    whole = wiring_.memory.read(core::Gpa(command_.table + kAtapiOffset), bytes);
    if (!whole) halt(HBFS);
  } else {
    core::GuestIoVector guest;
    prdt_.gather(length, guest);
    whole = guest.read(0, bytes);
    if (!whole) halt(prdt_.is_faulty() ? HBFS : OFS);
  }
  if (!whole) return false;
  const bool interrupt = std::exchange(interrupt_, false);
  drive_->write_data(bytes);
  post_pio_setup(false, length, status, interrupt);
  return command_.active;
}

void AhciPort::finish_command() {
  const auto slot = command_.slot;
  if (prdt_.is_faulty()) return halt(HBFS);
  if (prdt_.has_overflowed()) return halt(OFS);
  const auto header = address(PxCLB, kHeaderAlignment) + slot * sizeof(CommandHeader);
  const core::le32 transferred = static_cast<std::uint32_t>(prdt_.taken());
  if (!wiring_.memory.write(core::Gpa(header + kTransferredOffset), transferred)) return halt(HBFS);
  if (prdt_.wants_interrupt()) set_bits(PxIS, DPS);
  command_ = {};
  show_task_file();
  const bool failed = (drive_->registers().status & ERR) != 0;
  // PIO data to the host ends with its last PIO setup FIS, everything else with a register FIS.
  if (failed || interrupt_) post_register(true);
  if (failed) return halt(TFES);
  clear_bits(PxCI, bit_of(slot));
}

// --- queued commands -------------------------------------------------------------------------------------------------

// [AHCI 5.6.4, SATA 13.6.4] The drive takes the command and releases the port; data and end come later.
void AhciPort::queue(const Command& command, const CommandHeader& header, const RegisterH2D& fis) {
  const auto slot = command.slot;
  const auto access = disk_->begin_queued(fis.command, slot);
  show_task_file();
  post_register(!access);
  if (!access) return halt(TFES);
  clear_bits(PxCI, bit_of(slot));
  if (state_.halted) return;  // there is no place for FISes
  PrdTable prdt(wiring_.memory);
  prdt.begin(core::Gpa(command.table + kPrdtOffset), header.prdt_length);
  auto request = std::make_shared<HostRequest>();
  const auto gathered = prdt.gather(std::uint64_t{access->sectors} * kSectorSize, request->guest);
  if (gathered.table != DmaEngine::Table::Whole) return halt(prdt.is_faulty() ? HBFS : OFS);
  const bool interrupt = prdt.wants_interrupt();
  const auto op = access->write ? core::BlockOp::Write : core::BlockOp::Read;
  HostWork work{*drive_->backend(), op, access->lba * kSectorSize, request};
  if (read_at_once(work)) {
    if (interrupt) set_bits(PxIS, DPS);
    return end_queued(slot, *access, true);
  }
  request->then = [this, slot, access = *access, interrupt](HostRequest&, bool succeeded) {
    if (interrupt) set_bits(PxIS, DPS);
    if (!succeeded || !access.to_medium) return end_queued(slot, access, succeeded);
    auto flush = std::make_shared<HostRequest>();
    flush->then = [this, slot, access](HostRequest&, bool flushed) { end_queued(slot, access, flushed); };
    start_request(slot, {*drive_->backend(), core::BlockOp::Flush, 0, std::move(flush)});
  };
  start_request(slot, std::move(work));
}

// To hand a request over and back costs more than to copy a few pages.
bool AhciPort::read_at_once(const HostWork& work) {
  const auto& guest = work.request->guest;
  if (work.op != core::BlockOp::Read || guest.size() > at_once_left_) return false;
  at_once_left_ -= guest.size();
  core::BlockRequest request;
  request.offset = work.offset;
  request.guest = &guest;
  return work.backend.read_at_once(request);
}

void AhciPort::end_queued(unsigned slot, const SataDisk::Access& access, bool succeeded) {
  if (!succeeded) disk_->fail_queued(slot, access);
  post_device_bits(succeeded ? bit_of(slot) : 0);
  if (!succeeded) halt(TFES);
}

// --- ends and requests -----------------------------------------------------------------------------------------------

// Nothing more is taken from the list until the guest stops the port and starts it again. [AHCI 6.2.2]
void AhciPort::halt(std::uint32_t cause) {
  abandon_all();
  if (drive_->phase() != IdeDrive::Phase::Idle) drive_->abort();
  set_bits(PxIS, cause);
  state_.halted = true;
}

void AhciPort::start(core::BlockBackend& backend, core::BlockOp op, std::uint64_t offset,
                     std::shared_ptr<HostRequest> request) {
  start_request(command_.slot, {backend, op, offset, std::move(request)});
}

void AhciPort::start_request(unsigned slot, HostWork work) {
  in_flight_[slot] = work.request;
  ++requests_started_;
  submit(std::move(work), *completions_[slot], "ahci",
         [this, slot](const std::shared_ptr<HostRequest>& request, bool succeeded) {
           finished(slot, request, succeeded);
         });
}

void AhciPort::finished(unsigned slot, const std::shared_ptr<HostRequest>& request, bool succeeded) {
  in_flight_[slot].reset();
  if (request->abandoned) {
    --abandoned_;
    settle();
  } else {
    request->then(*request, succeeded);
    pump();
  }
  run();
  update();
}

// --- FISes -----------------------------------------------------------------------------------------------------------

template <class Fis>
void AhciPort::post(std::uint64_t offset, const Fis& fis) {
  if ((reg(PxCMD) & CMD_FRE) == 0) return;
  if (!wiring_.memory.write(core::Gpa(address(PxFB, kFisAlignment) + offset), fis)) halt(HBFS);
}

void AhciPort::post_register(bool interrupt) {
  auto fis = fis_of(drive_->registers());
  fis.type = kRegisterD2H;
  fis.flags = interrupt ? kFisInterrupt : 0;
  if (interrupt) set_bits(PxIS, DHRS);
  post(kReceivedRegister, fis);
}

void AhciPort::post_pio_setup(bool to_host, std::uint32_t bytes, std::uint8_t status, bool interrupt) {
  const auto now = drive_->registers().status;
  auto fis = fis_of(drive_->registers());
  fis.type = kPioSetup;
  fis.flags = static_cast<std::uint8_t>((interrupt ? kFisInterrupt : 0) | (to_host ? kFisToHost : 0));
  fis.status = status;
  fis.e_status = command_.active && in_flight_[command_.slot] ? BSY : now;
  fis.transfer_count = static_cast<std::uint16_t>(bytes);
  if (interrupt) set_bits(PxIS, PSS);
  post(kReceivedPioSetup, fis);
}

void AhciPort::post_device_bits(std::uint32_t done) {
  const auto& r = drive_->registers();
  SetDeviceBits fis{};
  fis.type = kSetDeviceBits;
  fis.flags = kFisInterrupt;
  fis.status = r.status & kDeviceBits;
  fis.error = r.error;
  fis.active = done;
  clear_bits(PxSACT, done);
  set_reg(PxTFD, (reg(PxTFD) & (BSY | DRQ)) | fis.status | (std::uint32_t{r.error} << 8));
  set_bits(PxIS, SDBS);
  post(kReceivedDeviceBits, fis);
}

}  // namespace devices::block
