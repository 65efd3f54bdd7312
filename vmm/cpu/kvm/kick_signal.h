// The signal that brings a thread out of KVM_RUN.
//
// A kick first sets kvm_run.immediate_exit, then sends this signal to the vCPU's thread. Whichever comes first ends the
// run: inside KVM_RUN the signal does, before it the flag does, so no kick is lost. The handler does nothing; it exists
// so that the signal interrupts instead of ending the process. SA_RESTART spares system calls made by device handlers
// on the same thread (KVM_RUN returns EINTR nevertheless). The signal is the third real-time one (SIGRTMIN + 2).
#pragma once

#include <optional>
#include <pthread.h>

#include "core/base/result.h"

namespace vmm::cpu::kvm {

core::Result<> install_kick_signal();  // for the whole process; any number of times
void accept_kick_signal();             // on the calling thread
void send_kick_signal(pthread_t thread);

}  // namespace vmm::cpu::kvm
