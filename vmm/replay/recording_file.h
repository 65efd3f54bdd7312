// A file that a recording is written to. What goes wrong is told once, and nothing is written after it.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace vmm::replay {

class RecordingFile {
 public:
  // Begins it with the format's header.
  static core::Result<RecordingFile> create(const std::string& path);

  void append(std::span<const std::uint8_t> bytes);
  // The first thing that went wrong.
  const core::Result<>& outcome() const { return outcome_; }

 private:
  RecordingFile(std::string path, core::Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::string path_;
  core::Fd fd_;
  core::Result<> outcome_;
};

}  // namespace vmm::replay
