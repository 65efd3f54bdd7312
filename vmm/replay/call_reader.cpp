#include "vmm/replay/call_reader.h"

#include "vmm/replay/recording_reader.h"
#include "vmm/replay/spice_replay_reader.h"

namespace vmm::replay {

core::Result<std::unique_ptr<CallReader>> open_recording(Input& input) {
  switch (input.peek()) {
    case kRecordingMagic.front(): return RecordingReader::open(input);
    case SpiceReplayReader::kHeader.front(): return SpiceReplayReader::open(input);
    default: break;
  }
  if (!input.ok()) return core::fail("{}", input.error());
  return core::fail("this is no recording of a display");
}

}  // namespace vmm::replay
