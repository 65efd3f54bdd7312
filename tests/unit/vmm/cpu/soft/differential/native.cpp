#include "tests/unit/vmm/cpu/soft/differential/native.h"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/vmm/cpu/soft/differential/native_batch.h"

namespace vmm::cpu::soft::differential {
namespace {

// A process with this end of its pipes; -1 if there is none.
pid_t spawn_child(int batch, int orders, int answers) {
  std::string program = MINIVMM_NATIVE_CHILD;
  std::array<std::string, 3> numbers{std::to_string(batch), std::to_string(orders), std::to_string(answers)};
  std::array<char*, 5> arguments{program.data(), numbers[0].data(), numbers[1].data(), numbers[2].data(), nullptr};
  pid_t child = -1;
  const bool is_spawned = posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments.data(), nullptr) == 0;
  return is_spawned ? child : -1;
}

}  // namespace

NativeCpu::~NativeCpu() {
  if (child_ > 0) end();
}

int NativeCpu::end() {
  int status = 0;
  kill(child_, SIGKILL);
  waitpid(child_, &status, 0);
  child_ = -1;
  close(orders_);
  close(answers_);
  munmap(batch_, sizeof *batch_);
  return status;
}

bool NativeCpu::start() {
  const int file = memfd_create("batch", 0);
  batch_ = ftruncate(file, sizeof(NativeBatch)) == 0 ? map_batch(file) : nullptr;
  int orders[2] = {-1, -1}, answers[2] = {-1, -1};
  if (batch_ != nullptr && pipe(orders) == 0 && pipe(answers) == 0) {
    // The child must see its pipe end with us.
    fcntl(orders[1], F_SETFD, FD_CLOEXEC);
    fcntl(answers[0], F_SETFD, FD_CLOEXEC);
    child_ = spawn_child(file, orders[0], answers[1]);
  }
  for (const int unused : {file, orders[0], answers[1]})
    close(unused);
  orders_ = orders[1];
  answers_ = answers[0];
  return child_ > 0;
}

std::span<const Outcome> NativeCpu::run(std::span<const Case> cases, const Memory& memory) {
  if (child_ < 0 && !start()) {
    error_ = "cannot start a child process";
    return {};
  }
  batch_->count = std::min(cases.size(), kBatch);
  batch_->memory = memory;
  std::copy_n(cases.begin(), batch_->count, batch_->cases.begin());
  std::signal(SIGPIPE, SIG_IGN);
  char byte = 0;
  pollfd answer{.fd = answers_, .events = POLLIN, .revents = 0};
  constexpr int kPatienceMs = 30000;  // a batch takes a millisecond
  if (write(orders_, &byte, 1) != 1 || poll(&answer, 1, kPatienceMs) != 1 || read(answers_, &byte, 1) != 1) {
    error_ = "the child process died or hung, wait status " + std::to_string(end());
    return {};
  }
  return std::span(batch_->outcomes).first(batch_->count);
}

}  // namespace vmm::cpu::soft::differential
