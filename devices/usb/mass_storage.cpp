#include "devices/usb/mass_storage.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/base/log.h"

namespace devices::usb {

using abi::storage::CommandWrapper;
using abi::storage::Status;
using abi::storage::StatusWrapper;

namespace {

constexpr std::uint8_t kInEndpoint = 1;
constexpr std::uint8_t kOutEndpoint = 2;

DeviceDescription describe(const std::string& serial) {
  const auto configuration = [](std::uint16_t max_packet) {
    return ConfigurationDescription{
        .attributes = abi::kSelfPowered,
        .interface = {.class_code = abi::storage::kClass,
                      .subclass = abi::storage::kScsiSubclass,
                      .protocol = abi::storage::kBulkOnly,
                      .endpoints = {{kInEndpoint | abi::kInEndpoint, abi::kBulk, max_packet},
                                    {kOutEndpoint, abi::kBulk, max_packet}}}};
  };
  return {.vendor = 0x46f4,  // as QEMU's
          .product = 0x0001,
          .full = configuration(64),
          .high = configuration(512),
          .strings = {"minivmm", "USB Storage", serial}};
}

// How long an image takes in a clock that does not follow the host's: as a stick at 40 MB/s.
core::GuestTime latency(std::uint64_t bytes) {
  return core::GuestTime(100'000 + static_cast<std::int64_t>(25 * bytes));
}

}  // namespace

// It owns what the backend reads or fills, whatever becomes of the command meanwhile.
struct MassStorage::Request {
  Work work = Work::None;
  std::vector<std::uint8_t> buffer;
};

void MassStorage::BotState::visit(core::StateVisitor& v) {
  v.field("phase", phase);
  v.field("work", work);
  v.field("status", status);
  v.field("tag", tag);
  v.field("host_left", host_left);
  v.field("residue", residue);
  v.field("offset", offset);
  v.field("device_left", device_left);
  v.field("position", position);
  v.field("carried", carried);
  v.field("buffer", buffer, kBufferBytes);
}

MassStorage::MassStorage(Config config, const Wiring& wiring)
    : UsbFunction(describe(config.serial), Speed::Full),
      completion_(wiring.clock.create_completion(wiring.bus)),
      backend_(std::move(config.backend)),
      reads_at_once_(config.reads_at_once),
      disk_(*backend_, std::move(config.serial)) {}

MassStorage::~MassStorage() {
  backend_->drain();
}

void MassStorage::drain() {
  backend_->drain();
}

void MassStorage::forget_request() {
  request_ = nullptr;
  if (waiting_ != nullptr) std::exchange(waiting_, nullptr)->finish(UsbResult::NoResponse);
}

void MassStorage::reset_function() {
  forget_request();
  state_ = {};
  disk_.reset();
}

void MassStorage::visit(core::StateVisitor& visitor) {
  UsbFunction::visit(visitor);
  visitor.field("transport", state_);
  visitor.field("disk", disk_);
}

// A request that was under way when the state was saved is made again when the host comes for it.
core::Result<> MassStorage::state_loaded() {
  forget_request();
  const auto size = disk_.size_bytes();
  const auto& s = state_;
  const bool writes = s.phase == Phase::DataOut || s.work == Work::Write;
  const std::uint64_t held = writes ? s.buffer.size() : 0;
  const bool makes_sense = s.phase <= Phase::Confused && s.work <= Work::Flush && s.status <= Status::PhaseError &&
                           s.position <= s.buffer.size();
  const bool fits = s.offset <= size && s.device_left <= size && s.device_left + held <= size - s.offset &&
                    s.offset % abi::scsi::kBlock == 0 && (s.device_left + held) % abi::scsi::kBlock == 0;
  const bool can_write = !writes || s.device_left + held == 0 || !backend_->read_only();
  const bool work_is_right = (s.work != Work::Read || (s.phase == Phase::DataIn && s.device_left > 0)) &&
                             (s.work != Work::Write || (!s.buffer.empty() && s.buffer.size() % abi::scsi::kBlock == 0));
  const bool valid = makes_sense && fits && can_write && work_is_right;
  if (!valid) return core::fail("a USB stick is in a state that cannot be");
  return UsbFunction::state_loaded();
}

// --- class requests [BOT 3] ------------------------------------------------------------------------------------------

std::optional<MassStorage::Bytes> MassStorage::read_request(const abi::Setup& setup) {
  constexpr std::uint8_t kType = abi::kToHost | abi::kClass | abi::kToInterface;
  if (setup.request_type != kType || setup.request != abi::storage::GET_MAX_LUN) return std::nullopt;
  return Bytes{0};
}

bool MassStorage::write_request(const abi::Setup& setup, std::span<const std::uint8_t>) {
  if (setup.request_type != (abi::kClass | abi::kToInterface) || setup.request != abi::storage::RESET) return false;
  forget_request();
  state_ = {};
  return true;
}

// --- the transport [BOT 5] -------------------------------------------------------------------------------------------

UsbResult MassStorage::transfer(UsbPacket& packet) {
  const auto endpoint = packet.pid == Pid::In ? kInEndpoint : kOutEndpoint;
  if (packet.endpoint != endpoint) return UsbResult::Stall;
  // A packet that was Pending when the state was saved comes again, to the same memory.
  const bool has_turn = state_.phase == (packet.pid == Pid::In ? Phase::DataIn : Phase::DataOut);
  if (has_turn) packet.transferred = std::min(std::exchange(state_.carried, 0), packet.length());
  return settle(packet, proceed(packet));
}

UsbResult MassStorage::settle(UsbPacket& packet, UsbResult result) {
  if (result != UsbResult::Pending) return result;
  waiting_ = &packet;
  state_.carried = packet.transferred;
  return result;
}

UsbResult MassStorage::proceed(UsbPacket& packet) {
  const bool to_host = packet.pid == Pid::In;
  if (waits()) {
    if (request_ == nullptr) ask(state_.work);
    // The other endpoint's turn has not come.
    return waiting_ == nullptr || waiting_ == &packet ? UsbResult::Pending : UsbResult::Nak;
  }
  switch (state_.phase) {
    case Phase::Command: return to_host ? UsbResult::Nak : take_command(packet);
    case Phase::DataIn: return to_host ? send_data(packet) : confused();
    case Phase::DataOut: return to_host ? confused() : take_data(packet);
    case Phase::Status: return to_host ? send_status(packet) : confused();
    case Phase::Confused: break;
  }
  return UsbResult::Stall;
}

// [BOT 5.3, 6.6.1] until the host resets the transport
UsbResult MassStorage::confused() {
  state_ = {};
  state_.phase = Phase::Confused;
  return UsbResult::Stall;
}

UsbResult MassStorage::take_command(UsbPacket& packet) {
  std::array<std::uint8_t, sizeof(CommandWrapper)> bytes{};
  if (packet.length() != bytes.size() || packet.take(bytes) != bytes.size()) return confused();
  const auto wrapper = std::bit_cast<CommandWrapper>(bytes);
  const bool valid = wrapper.signature == abi::storage::kCommandSignature && wrapper.lun == 0 &&
                     wrapper.command_length >= 1 && wrapper.command_length <= sizeof wrapper.command;
  if (!valid) return confused();
  begin(wrapper);
  data_ready();
  return UsbResult::Done;
}

void MassStorage::begin(const CommandWrapper& wrapper) {
  const bool to_host = (wrapper.flags & abi::storage::kDataIn) != 0;
  state_ = {};
  state_.tag = wrapper.tag;
  state_.host_left = state_.residue = wrapper.data_length;
  state_.phase = state_.host_left == 0 ? Phase::Status : to_host ? Phase::DataIn : Phase::DataOut;
  auto plan = disk_.begin(std::span(wrapper.command).first(wrapper.command_length));
  switch (plan.action) {
    case ScsiDisk::Action::Fail: state_.status = Status::Failed; return;
    case ScsiDisk::Action::Nothing: return;
    case ScsiDisk::Action::Flush: return ask(Work::Flush);
    case ScsiDisk::Action::Reply:
      compare(plan.reply.size(), true, to_host);
      if (state_.phase == Phase::DataIn) state_.buffer = std::move(plan.reply);
      return;
    case ScsiDisk::Action::Read:
    case ScsiDisk::Action::Write: break;
  }
  const bool reads = plan.action == ScsiDisk::Action::Read;
  compare(plan.bytes, reads, to_host);
  if (state_.phase == Phase::Status || reads != to_host) return;
  state_.offset = plan.offset;
  // What the host does not move is not done; nor is half a block.
  const auto moved = std::min<std::uint64_t>(plan.bytes, state_.host_left);
  state_.device_left =
      reads ? std::min(plan.bytes, (moved + abi::scsi::kBlock - 1) / abi::scsi::kBlock * abi::scsi::kBlock)
            : moved / abi::scsi::kBlock * abi::scsi::kBlock;
}

// [BOT 6.7] Less data than the host expects is fine; more, or in the other direction, is a phase error.
void MassStorage::compare(std::uint64_t bytes, bool command_to_host, bool host_to_host) {
  if (bytes == 0) return;
  const bool same_way = state_.host_left > 0 && command_to_host == host_to_host;
  if (!same_way || bytes > state_.host_left) state_.status = Status::PhaseError;
}

// --- data ------------------------------------------------------------------------------------------------------------

UsbResult MassStorage::send_data(UsbPacket& packet) {
  const bool has_more = state_.position < state_.buffer.size() || state_.device_left > 0;
  if (!has_more) {  // and the host expects more: [BOT 6.7.2, cases 4 and 5]
    state_.phase = Phase::Status;
    return UsbResult::Stall;
  }
  while (packet.left() > 0 && state_.host_left > 0) {
    if (state_.position == state_.buffer.size()) {
      if (state_.device_left == 0) break;
      if (read_through(packet)) continue;
      ask(Work::Read);
      return UsbResult::Pending;
    }
    auto part = std::span(state_.buffer).subspan(state_.position);
    part = part.first(std::min<std::size_t>(part.size(), state_.host_left));
    const auto moved = packet.put(part);
    if (moved == 0) return UsbResult::NoResponse;  // never: the packet has room
    state_.position += moved;
    state_.host_left -= moved;
    state_.residue -= moved;
  }
  // A packet that is not full tells the host that there is no more.
  if (state_.host_left == 0 || packet.left() > 0) state_.phase = Phase::Status;
  return UsbResult::Done;
}

UsbResult MassStorage::take_data(UsbPacket& packet) {
  while (packet.left() > 0) {
    const auto wanted = std::min<std::uint64_t>(kBufferBytes, state_.buffer.size() + state_.device_left);
    const auto room = static_cast<std::uint32_t>(wanted - state_.buffer.size());
    const auto part = std::min({packet.left(), state_.host_left, room});
    if (part == 0) {  // more than the command takes, or than was announced, is dropped
      const auto dropped = std::min(packet.left(), state_.host_left);
      packet.transferred = packet.length();
      state_.host_left -= dropped;
      break;
    }
    const auto before = state_.buffer.size();
    state_.buffer.resize(before + part);
    packet.take(std::span(state_.buffer).subspan(before));
    state_.host_left -= part;
    state_.residue -= part;
    state_.device_left -= part;
    if (state_.buffer.size() < wanted) continue;
    ask(Work::Write);
    if (waits() && packet.left() > 0) return UsbResult::Pending;
  }
  if (state_.host_left == 0) state_.phase = Phase::Status;
  return UsbResult::Done;
}

UsbResult MassStorage::send_status(UsbPacket& packet) {
  StatusWrapper wrapper{};
  wrapper.signature = abi::storage::kStatusSignature;
  wrapper.tag = state_.tag;
  wrapper.residue = state_.residue;
  wrapper.status = static_cast<std::uint8_t>(state_.status);
  const auto bytes = std::bit_cast<std::array<std::uint8_t, sizeof wrapper>>(wrapper);
  if (packet.put(bytes) < bytes.size()) return UsbResult::Babble;
  state_ = {};
  return UsbResult::Done;
}

// --- the image -------------------------------------------------------------------------------------------------------

// Whole blocks straight to the guest, if the host has them in memory.
bool MassStorage::read_through(UsbPacket& packet) {
  if (!reads_at_once_) return false;
  const auto most = std::min<std::uint64_t>({packet.left(), state_.host_left, state_.device_left});
  const auto bytes = static_cast<std::uint32_t>(most / abi::scsi::kBlock * abi::scsi::kBlock);
  if (bytes == 0) return false;
  const auto part = packet.data.part(packet.transferred, bytes);
  core::BlockRequest request;
  request.offset = state_.offset;
  request.guest = part ? &*part : nullptr;
  if (!part || !backend_->read_at_once(request)) return false;
  packet.transferred += bytes;
  state_.offset += bytes;
  state_.device_left -= bytes;
  state_.host_left -= bytes;
  state_.residue -= bytes;
  return true;
}

void MassStorage::ask(Work work) {
  state_.work = work;
  request_ = std::make_shared<Request>();
  request_->work = work;
  core::BlockRequest request;
  request.op = work == Work::Flush   ? core::BlockOp::Flush
               : work == Work::Write ? core::BlockOp::Write
                                     : core::BlockOp::Read;
  if (work == Work::Read) {
    state_.buffer.clear();
    state_.position = 0;
    request_->buffer.resize(std::min<std::uint64_t>(state_.device_left, kBufferBytes));
  } else if (work == Work::Write) {
    request_->buffer = state_.buffer;
  }
  if (work != Work::Flush) {
    request.offset = state_.offset;
    request.buffer = request_->buffer.data();
    request.length = request_->buffer.size();
  }
  completion_->issue(latency(request.length));
  request.done = [this, kept = request_](const core::Result<>& result) {
    const bool succeeded = result.has_value();
    if (!succeeded) MV_LOG_LIMITED(Warn, "usb-storage", "{}: {}", backend_->path(), result.error().message);
    completion_->post([this, kept, succeeded] { finished(kept, succeeded); });
  };
  backend_->submit(std::move(request));
}

void MassStorage::finished(const std::shared_ptr<Request>& request, bool succeeded) {
  if (request != request_) return;  // a reset came in between
  request_ = nullptr;
  const auto work = std::exchange(state_.work, Work::None);
  if (!succeeded) {
    fail(work);
  } else if (work == Work::Read) {
    state_.buffer = std::move(request->buffer);
    state_.position = 0;
    state_.device_left -= state_.buffer.size();
    state_.offset += state_.buffer.size();
  } else if (work == Work::Write) {
    state_.offset += state_.buffer.size();
    state_.buffer.clear();
  }
  if (waiting_ == nullptr) return data_ready();
  auto* const packet = std::exchange(waiting_, nullptr);
  state_.carried = 0;
  const auto result = settle(*packet, proceed(*packet));
  if (result == UsbResult::Pending) return;
  if (result == UsbResult::Stall)
    halt(static_cast<std::uint8_t>(packet->endpoint | (packet->pid == Pid::In ? 0x80 : 0)));
  packet->finish(result);
}

// What is left of the data phase brings nothing any more.
void MassStorage::fail(Work work) {
  disk_.note_failure(work == Work::Read ? ScsiDisk::Action::Read : ScsiDisk::Action::Write);
  state_.status = Status::Failed;
  if (work == Work::Write) state_.residue += static_cast<std::uint32_t>(state_.buffer.size());
  state_.device_left = 0;
  state_.position = 0;
  state_.buffer.clear();
}

void MassStorage::cancel(UsbPacket& packet) {
  if (waiting_ != &packet) return;
  waiting_ = nullptr;
  state_.carried = 0;
}

}  // namespace devices::usb
