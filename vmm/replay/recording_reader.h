// Reads our own recordings.
#pragma once

#include "vmm/replay/call_reader.h"
#include "vmm/replay/recording_format.h"

namespace vmm::replay {

class RecordingReader final : public CallReader {
 public:
  static core::Result<std::unique_ptr<CallReader>> open(Input& input);
  core::Result<std::optional<Call>> next() override;

 private:
  explicit RecordingReader(Input& input) : input_(input) {}

  Input& input_;
};

}  // namespace vmm::replay
