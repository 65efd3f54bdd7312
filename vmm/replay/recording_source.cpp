#include "vmm/replay/recording_source.h"

#include "vmm/replay/recording_format.h"

namespace vmm::replay {

// A source may find a frame buffer that has its size already.
void RecordingSource::begin(core::DisplayCanvas& canvas) {
  if (std::exchange(has_begun_, true)) return;
  const auto frame = canvas.pixels();
  if (frame.width > 0) write_(encode_record(SetMode{frame.width, frame.height}));
}

core::DisplaySource::Next RecordingSource::pull(core::DisplayCanvas& canvas) {
  if (!is_recording_) return source_.pull(canvas);
  begin(canvas);
  RecordingCanvas recording(canvas, write_);
  return source_.pull(recording);
}

void RecordingSource::serve(core::DisplayCanvas& canvas) {
  if (!is_recording_) return source_.serve(canvas);
  begin(canvas);
  RecordingCanvas recording(canvas, write_);
  source_.serve(recording);
}

bool RecordingSource::refresh(core::DisplayCanvas& canvas, bool full) {
  if (!is_recording_) return source_.refresh(canvas, full);
  begin(canvas);
  RecordingCanvas recording(canvas, write_);
  return source_.refresh(recording, full);
}

}  // namespace vmm::replay
