// Reads a command out of guest memory, once and within limits: structures, arrays and lists of chunks.
//
// The first thing that is wrong ends the command: from then on every read answers zeros, and the parser asks at its end
// whether all was well. The guest may change its memory meanwhile, so nothing is read twice.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "devices/qxl/memory_slots.h"

namespace devices::qxl {

class CommandReader {
 public:
  // `budget`: bytes that may be copied for this command.
  CommandReader(const MemorySlots& slots, std::uint64_t budget) : slots_(slots), budget_(budget) {}

  template <core::GuestPod T>
  T read(QxlAddress at) {
    const auto slice = ok() ? slots_.resolve(at, sizeof(T)) : std::nullopt;
    if (!slice) {
      fail("an address lies in no memory slot");
      return T{};
    }
    return slice->read<T>(0).value_or(T{});
  }
  std::vector<std::uint8_t> bytes(QxlAddress at, std::uint64_t length);
  // The first `length` bytes of a list of chunks, whose first one lies at `first`. [QXL QXLDataChunk]
  std::vector<std::uint8_t> chunks(QxlAddress first, std::uint64_t length);
  // The same, but the list may be shorter.
  std::vector<std::uint8_t> chunks_up_to(QxlAddress first, std::uint64_t most);

  // Counts bytes that are held for the command; an error if they are too many.
  bool charge(std::uint64_t bytes);
  std::uint64_t charged() const { return charged_; }

  void fail(std::string_view why);  // a literal
  bool ok() const { return error_.empty(); }
  std::string_view error() const { return error_; }

 private:
  // A list may have chunks without data, and may be a circle of those.
  static constexpr unsigned kMaxChunks = 65536;

  const MemorySlots& slots_;
  std::uint64_t budget_;
  std::uint64_t charged_ = 0;
  std::string_view error_;
};

}  // namespace devices::qxl
