// Stands before a display's source and records what it draws, whatever display worker it is plugged into.
#pragma once

#include <functional>
#include <utility>

#include "core/ports/display.h"
#include "vmm/replay/recording_canvas.h"

namespace vmm::replay {

class RecordingSource final : public core::DisplaySource {
 public:
  // The source must outlive it. `write` is called on the display worker and may belong to a RecordingFile.
  RecordingSource(core::DisplaySource& source, RecordingCanvas::Write write)
      : source_(source), write_(std::move(write)) {}

  // Nothing is recorded after the worker's present call. Display worker; `write` may call it.
  void stop() { is_recording_ = false; }

  Next pull(core::DisplayCanvas& canvas) override;
  void serve(core::DisplayCanvas& canvas) override;
  bool refresh(core::DisplayCanvas& canvas, bool full) override;
  void store(core::DisplayCanvas& canvas) override { source_.store(canvas); }
  void set_wake(std::function<void()> wake) override { source_.set_wake(std::move(wake)); }
  int doorbell() const override { return source_.doorbell(); }
  void clients_changed(const core::DisplayClients& clients) override { source_.clients_changed(clients); }
  void set_compression_level(std::uint32_t level) override { source_.set_compression_level(level); }
  bool takes_client_monitors() override { return source_.takes_client_monitors(); }
  void set_client_monitors(std::span<const core::ClientMonitor> monitors) override {
    source_.set_client_monitors(monitors);
  }

 private:
  void begin(core::DisplayCanvas& canvas);

  core::DisplaySource& source_;
  RecordingCanvas::Write write_;
  bool has_begun_ = false;
  bool is_recording_ = true;
};

}  // namespace vmm::replay
