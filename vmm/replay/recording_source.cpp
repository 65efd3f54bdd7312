#include "vmm/replay/recording_source.h"

namespace vmm::replay {

core::DisplaySource::Next RecordingSource::pull(core::DisplayCanvas& canvas) {
  RecordingCanvas recording(canvas, write_);
  return source_.pull(recording);
}

bool RecordingSource::refresh(core::DisplayCanvas& canvas, bool full) {
  RecordingCanvas recording(canvas, write_);
  return source_.refresh(recording, full);
}

}  // namespace vmm::replay
