#include "vmm/replay/recording_reader.h"

#include <algorithm>

#include "core/base/endian.h"

namespace vmm::replay {

core::Result<std::unique_ptr<CallReader>> RecordingReader::open(Input& input) {
  const auto header = input.bytes(kRecordingHeaderBytes);
  if (!input.ok() || !std::ranges::equal(std::span(header).first(kRecordingMagic.size()), kRecordingMagic))
    return core::fail("this is no recording of a display");
  const auto version = core::load_le<std::uint32_t>(header.data() + kRecordingMagic.size());
  if (version != kRecordingVersion)
    return core::fail("the recording is of version {}, this program reads version {}", version, kRecordingVersion);
  return std::unique_ptr<CallReader>(new RecordingReader(input));
}

core::Result<std::optional<Call>> RecordingReader::next() {
  if (input_.at_end() && input_.ok()) return std::nullopt;
  const auto length_bytes = input_.bytes(4);
  const auto length = input_.ok() ? core::load_le<std::uint32_t>(length_bytes.data()) : 0;
  if (length > kMaxRecordBytes) input_.fail("a record is too long");
  const auto body = input_.bytes(length);
  if (input_.ended_early()) return std::nullopt;
  Call call;
  if (input_.ok() && !decode_record(body, call)) input_.fail("a record makes no sense");
  if (!input_.ok()) return core::fail("{}", input_.error());
  return call;
}

}  // namespace vmm::replay
