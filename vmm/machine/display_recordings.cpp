#include "vmm/machine/display_recordings.h"

#include <string>
#include <utility>

#include "core/base/log.h"
#include "vmm/replay/recording_file.h"
#include "vmm/replay/recording_source.h"

namespace vmm::machine {

class DisplayRecordings::Recording {
 public:
  explicit Recording(replay::RecordingFile file) : file_(std::move(file)) {}

  core::DisplaySource& stand_before(const Display& display) {
    name_ = display.name;
    source_ = std::make_unique<replay::RecordingSource>(*display.source,
                                                        [this](std::span<const std::uint8_t> bytes) { write(bytes); });
    return *source_;
  }

 private:
  // Display worker. It goes on in the order of the file: what a slow disk costs, the guest's driver waits for.
  void write(std::span<const std::uint8_t> bytes) {
    if (!file_.outcome()) return;
    file_.append(bytes);
    if (file_.outcome()) return;
    core::log(core::LogLevel::Error, "qxl", "{}: the recording ends here: {}", name_, file_.outcome().error().message);
    source_->stop();
  }

  replay::RecordingFile file_;
  std::string name_;
  std::unique_ptr<replay::RecordingSource> source_;
};

DisplayRecordings::DisplayRecordings() = default;
DisplayRecordings::~DisplayRecordings() = default;

core::Result<std::unique_ptr<DisplayRecordings>> DisplayRecordings::create(
    std::span<const config::QxlConfig> displays) {
  std::unique_ptr<DisplayRecordings> made(new DisplayRecordings());
  for (const auto& display : displays) {
    auto& recording = made->recordings_.emplace_back();
    if (display.record.empty()) continue;
    auto file = replay::RecordingFile::create(display.record);
    if (!file) return core::fail_with("--qxl record", file);
    recording = std::make_unique<Recording>(std::move(*file));
  }
  return made;
}

std::vector<Display> DisplayRecordings::stand_before(std::vector<Display> displays) {
  for (std::size_t i = 0; i < displays.size() && i < recordings_.size(); ++i) {
    if (recordings_[i]) displays[i].source = &recordings_[i]->stand_before(displays[i]);
  }
  return displays;
}

}  // namespace vmm::machine
