#include "devices/qxl/command_reader.h"

#include <algorithm>
#include <span>

#include "devices/qxl/qxl_command_abi.h"

namespace devices::qxl {

void CommandReader::fail(std::string_view why) {
  if (error_.empty()) error_ = why;
}

bool CommandReader::charge(std::uint64_t bytes) {
  if (bytes > budget_ - charged_) fail("a command refers to more data than the device copies for one");
  if (!ok()) return false;
  charged_ += bytes;
  return true;
}

std::vector<std::uint8_t> CommandReader::bytes(QxlAddress at, std::uint64_t length) {
  std::vector<std::uint8_t> result;
  const auto slice = ok() ? slots_.resolve(at, length) : std::nullopt;
  if (!slice) fail("an address lies in no memory slot");
  if (!slice || !charge(length)) return result;
  result.resize(length);
  slice->read(0, result);
  return result;
}

std::vector<std::uint8_t> CommandReader::chunks_up_to(QxlAddress first, std::uint64_t most) {
  std::vector<std::uint8_t> result;
  auto at = first;
  for (unsigned count = 0; !at.null() && result.size() < most; ++count) {
    const auto head = read<abi::QXLDataChunk>(at);
    if (count == kMaxChunks) fail("a list of chunks is too long or a circle");
    const auto length = std::min<std::uint64_t>(head.data_size, most - result.size());
    const auto slice = ok() ? slots_.resolve(at + sizeof head, length) : std::nullopt;
    if (!slice) fail("a chunk does not lie in its memory slot");
    if (!slice || !charge(length)) return {};
    const auto old = result.size();
    result.resize(old + length);
    slice->read(0, std::span(result).subspan(old));
    at = {head.next_chunk};
  }
  return result;
}

std::vector<std::uint8_t> CommandReader::chunks(QxlAddress first, std::uint64_t length) {
  auto result = chunks_up_to(first, length);
  if (result.size() < length) fail("a list of chunks has less data than it should");
  return result;
}

}  // namespace devices::qxl
