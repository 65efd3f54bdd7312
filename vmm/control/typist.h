// Presses key combinations one after another: all down, held, all up.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "core/event/loop.h"
#include "core/ports/input.h"

namespace vmm::control {

class Typist {
 public:
  // Control loop only; the keyboard must outlive it.
  Typist(core::Loop& loop, core::KeyboardSink& keyboard);
  ~Typist();
  Typist(const Typist&) = delete;
  Typist& operator=(const Typist&) = delete;

  std::size_t room() const;  // how many combinations can still be queued
  // Queues one combination; false if too many wait already.
  bool press(std::vector<core::KeyCode> keys, std::chrono::milliseconds hold);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace vmm::control
