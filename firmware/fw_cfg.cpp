#include "firmware/fw_cfg.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/bits.h"
#include "core/base/log.h"

namespace firmware {

namespace {

constexpr std::uint64_t kDataOffset = kFwCfgDataPort - kFwCfgSelectorPort;
constexpr std::size_t kMaxFiles = 256;  // our own composition never comes near it

template <class T>
FwCfg::Bytes little_endian(T value) {
  FwCfg::Bytes bytes(sizeof value);
  core::store_le(bytes.data(), value);
  return bytes;
}

}  // namespace

FwCfg::FwCfg(const Wiring& wiring) : memory_(wiring.memory) {
  add_item(FwCfgKey::Signature, {'Q', 'E', 'M', 'U'});
  add_u32(FwCfgKey::Id, kFwCfgIdTraditional | kFwCfgIdDma);
  rebuild_directory();
}

core::Result<> FwCfg::attach(core::AddressSpace& io) {
  auto registers =
      io.add({.start = kFwCfgSelectorPort, .size = kFwCfgRegisterBytes, .max_width = 2}, *this, lock(), "fw_cfg");
  if (!registers) return std::unexpected(registers.error());
  auto dma = io.add({.start = kFwCfgDmaPort, .size = kFwCfgDmaBytes}, dma_handler_, lock(), "fw_cfg dma");
  if (!dma) return std::unexpected(dma.error());
  registers_ = std::move(*registers);
  dma_registers_ = std::move(*dma);
  return {};
}

void FwCfg::add_item(FwCfgKey key, Bytes bytes) {
  items_[std::to_underlying(key)] = {.bytes = std::move(bytes), .initial = {}, .writable = false};
}

void FwCfg::add_u16(FwCfgKey key, std::uint16_t value) {
  add_item(key, little_endian(value));
}

void FwCfg::add_u32(FwCfgKey key, std::uint32_t value) {
  add_item(key, little_endian(value));
}

void FwCfg::add_u64(FwCfgKey key, std::uint64_t value) {
  add_item(key, little_endian(value));
}

FwCfgKey FwCfg::add_file(std::string_view name, Bytes bytes, Access access) {
  MV_ASSERT(name.size() < kFwCfgFileNameBytes, "a file name of ours fits");
  MV_ASSERT(std::ranges::find(file_names_, name) == file_names_.end(), "a file is added once");
  MV_ASSERT(file_names_.size() < kMaxFiles, "files of ours are few");
  const auto key = static_cast<std::uint16_t>(std::to_underlying(FwCfgKey::FileFirst) + file_names_.size());
  const bool writable = access == Access::Writable;
  Bytes initial = writable ? bytes : Bytes{};
  items_[key] = {.bytes = std::move(bytes), .initial = std::move(initial), .writable = writable};
  file_names_.emplace_back(name);
  rebuild_directory();
  return FwCfgKey{key};
}

std::span<const std::uint8_t> FwCfg::item(FwCfgKey key) const {
  const auto found = items_.find(std::to_underlying(key));
  return found == items_.end() ? std::span<const std::uint8_t>{} : found->second.bytes;
}

std::span<const std::uint8_t> FwCfg::file(std::string_view name) const {
  const auto found = std::ranges::find(file_names_, name);
  if (found == file_names_.end()) return {};
  const auto index = static_cast<unsigned>(found - file_names_.begin());
  return item(FwCfgKey{static_cast<std::uint16_t>(std::to_underlying(FwCfgKey::FileFirst) + index)});
}

void FwCfg::rebuild_directory() {
  Bytes directory(4 + file_names_.size() * sizeof(FwCfgFile));
  const core::be32 count(static_cast<std::uint32_t>(file_names_.size()));
  std::memcpy(directory.data(), &count, sizeof count);
  auto key = std::to_underlying(FwCfgKey::FileFirst);
  auto* out = directory.data() + sizeof count;
  for (const auto& name : file_names_) {
    FwCfgFile entry{};
    entry.size = static_cast<std::uint32_t>(items_[key].bytes.size());
    entry.select = key;
    name.copy(entry.name, kFwCfgFileNameBytes - 1);
    std::memcpy(out, &entry, sizeof entry);
    out += sizeof entry;
    ++key;
  }
  add_item(FwCfgKey::FileDirectory, std::move(directory));
}

void FwCfg::reset() {
  state_ = {};
  for (auto& [key, item] : items_)
    if (item.writable) item.bytes = item.initial;
}

void FwCfg::visit_state(core::StateVisitor& visitor) {
  visitor.field("key", state_.key);
  visitor.field("offset", state_.offset);
  visitor.field("dma_high", state_.dma_high);
  for (auto& [key, item] : items_)
    if (item.writable) visitor.field("file" + std::to_string(key), item.bytes, item.initial.size());
}

core::Result<> FwCfg::state_loaded() {
  for (auto& [key, item] : items_) {
    if (!item.writable || item.bytes.size() == item.initial.size()) continue;
    const auto saved = item.bytes.size();
    item.bytes = item.initial;
    return core::fail("fw_cfg item {:#x} has {} bytes here, {} in the saved state", key, item.initial.size(), saved);
  }
  const auto* item = selected();
  state_.offset = std::min(state_.offset, item == nullptr ? 0 : static_cast<std::uint32_t>(item->bytes.size()));
  return {};
}

void FwCfg::select(std::uint16_t key) {
  state_.key = key == std::to_underlying(FwCfgKey::None) ? key : static_cast<std::uint16_t>(key & ~kFwCfgWriteChannel);
  state_.offset = 0;
}

const FwCfg::Item* FwCfg::selected() const {
  const auto found = items_.find(state_.key);
  return found == items_.end() ? nullptr : &found->second;
}

std::span<const std::uint8_t> FwCfg::take(std::uint64_t length) {
  const auto* item = selected();
  if (item == nullptr) return {};
  const auto rest = std::span(item->bytes).subspan(std::min<std::size_t>(state_.offset, item->bytes.size()));
  const auto taken = rest.first(std::min<std::size_t>(rest.size(), length));
  state_.offset += static_cast<std::uint32_t>(taken.size());
  return taken;
}

std::uint64_t FwCfg::read(std::uint64_t offset, unsigned width) {
  if (offset != kDataOffset || width != 1) return 0;  // the selector cannot be read back
  const auto byte = take(1);
  return byte.empty() ? 0 : byte[0];
}

void FwCfg::write(std::uint64_t offset, unsigned width, std::uint64_t value) {
  if (offset == 0 && width == 2) select(static_cast<std::uint16_t>(value));
}

std::size_t FwCfg::read_string(std::uint64_t offset, unsigned width, std::span<std::uint8_t> out) {
  if (offset != kDataOffset || width != 1) return 0;
  const auto end = std::ranges::copy(take(out.size()), out.begin()).out;
  std::fill(end, out.end(), std::uint8_t{0});
  return out.size();
}

std::size_t FwCfg::write_string(std::uint64_t, unsigned, std::span<const std::uint8_t>) {
  return 0;
}

std::uint64_t FwCfg::read_dma(std::uint64_t offset, unsigned width) {
  // The port is big-endian: its first byte is the signature's highest.
  return (std::byteswap(kFwCfgDmaSignature) >> (8 * offset)) & core::all_ones(width);
}

void FwCfg::write_dma(std::uint64_t offset, unsigned width, std::uint64_t value) {
  if (offset == 0 && width == 8) {
    run_dma(core::Gpa(std::byteswap(value)));
  } else if (offset == 0 && width == 4) {
    state_.dma_high = std::byteswap(static_cast<std::uint32_t>(value));
  } else if (offset == 4 && width == 4) {
    const auto high = std::exchange(state_.dma_high, 0);
    run_dma(core::Gpa((std::uint64_t{high} << 32) | std::byteswap(static_cast<std::uint32_t>(value))));
  }
}

void FwCfg::run_dma(core::Gpa at) {
  const auto access = memory_.read<FwCfgDmaAccess>(at);
  if (!access) {
    MV_LOG_LIMITED(Warn, "fw_cfg", "DMA descriptor at {:#x} is not in RAM", at.value());
    return;
  }
  const std::uint32_t control = access->control;
  const std::uint32_t length = access->length;
  const core::Gpa address(access->address);
  if ((control & kFwCfgDmaSelect) != 0) select(static_cast<std::uint16_t>(control >> 16));
  bool ok = true;
  if ((control & kFwCfgDmaRead) != 0) {
    ok = dma_to_guest(address, length);
  } else if ((control & kFwCfgDmaWrite) != 0) {
    ok = dma_from_guest(address, length);
  } else if ((control & kFwCfgDmaSkip) != 0) {
    take(length);
  }
  if (!ok) MV_LOG_LIMITED(Warn, "fw_cfg", "DMA of {} bytes at {:#x} refused", length, address.value());
  memory_.write(at, core::be32(ok ? 0 : kFwCfgDmaError));
}

bool FwCfg::dma_to_guest(core::Gpa to, std::uint32_t length) {
  if (length == 0) return true;
  const auto target = memory_.slice(to, length);
  if (!target) return false;
  const auto bytes = take(length);
  return target->write(0, bytes) && target->fill(bytes.size(), length - bytes.size(), 0);
}

bool FwCfg::dma_from_guest(core::Gpa from, std::uint32_t length) {
  const auto found = items_.find(state_.key);
  if (found == items_.end() || !found->second.writable) return false;
  auto& bytes = found->second.bytes;
  if (!core::range_inside<std::size_t>(state_.offset, length, bytes.size())) return false;
  if (length != 0 && !memory_.read(from, std::span(bytes).subspan(state_.offset, length))) return false;
  state_.offset += length;
  return true;
}

}  // namespace firmware
