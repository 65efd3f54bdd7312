// Messages that eventfds send, without KVM: a thread of ours waits for them. It exists from the first one on.
#pragma once

#include <memory>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "core/bus/irq.h"
#include "vmm/cpu/accelerator.h"

namespace vmm::cpu::soft {

class Irqfds {
 public:
  explicit Irqfds(core::MsiSink& sink);
  ~Irqfds();  // all doorbells must be gone
  Irqfds(const Irqfds&) = delete;
  Irqfds& operator=(const Irqfds&) = delete;

  // Control loop or CPUs' thread.
  core::Result<std::unique_ptr<MsiDoorbell>> attach(int eventfd, const core::MsiMessage& message);

 private:
  class Thread;
  core::MsiSink& sink_;
  std::unique_ptr<Thread> thread_;
};

}  // namespace vmm::cpu::soft
