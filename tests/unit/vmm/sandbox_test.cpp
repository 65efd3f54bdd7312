// The sandbox's filters, each in a child process of its own: what is forbidden kills it, what is needed works.
#include "vmm/sandbox/sandbox.h"

#include <cerrno>
#include <fcntl.h>
#include <functional>
#include <gtest/gtest.h>
#include <linux/kvm.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace {

using core::ThreadKind;
using vmm::sandbox::Sandbox;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kInstrumented = true;  // more calls are allowed, for the sanitizers
#else
constexpr bool kInstrumented = false;
#endif

// The wait status of a child that does `body` and then exits with what it returns.
int status_of(const std::function<int()>& body) {
  const auto child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  EXPECT_EQ(child, ::waitpid(child, &status, 0));
  return status;
}

// The same on a thread of `kind` in a sandbox.
int status_on_thread(ThreadKind kind, const std::function<int()>& body) {
  return status_of([&] {
    const auto sandbox = Sandbox::create({});
    if (!sandbox) return 100;
    int result = 101;
    sandbox->thread_start()(kind, "tested", [&] { result = body(); }).join();
    return result;
  });
}

bool died_of_it(int status) {
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

constexpr ThreadKind kAllKinds[] = {ThreadKind::Main, ThreadKind::Control,     ThreadKind::Display,
                                    ThreadKind::Vcpu, ThreadKind::GuestTimers, ThreadKind::Doorbells,
                                    ThreadKind::Disk, ThreadKind::Character,   ThreadKind::Encoder};

template <class... Arguments>
auto calls(long number, Arguments... arguments) {
  return [=] { return ::syscall(number, arguments...) < 0 ? errno : 0; };
}

TEST(Sandbox, forbidden_calls_kill_on_every_thread) {
  const std::pair<const char*, std::function<int()>> forbidden[] = {
      {"mount", calls(SYS_mount, "none", "/nowhere", "tmpfs", 0, nullptr)},
      {"unshare", calls(SYS_unshare, 0)},
      {"bpf", calls(SYS_bpf, 0, nullptr, 0)},
      {"setuid", calls(SYS_setuid, 0)},
      {"socket of packets", calls(SYS_socket, AF_PACKET, SOCK_RAW, 0)},
      {"foreign ioctl", calls(SYS_ioctl, 0, 0x1234, 0)},
      {"executable memory", calls(SYS_mmap, nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)},
  };
  for (const auto kind : kAllKinds) {
    for (const auto& [name, call] : forbidden)
      EXPECT_TRUE(died_of_it(status_on_thread(kind, call))) << name << " on kind " << static_cast<int>(kind);
  }
}

TEST(Sandbox, no_thread_makes_processes) {
  if (kInstrumented) GTEST_SKIP() << "a sanitizer's report runs a program";
  for (const auto kind : kAllKinds) {
    EXPECT_TRUE(died_of_it(status_on_thread(kind, calls(SYS_execve, "/bin/true", nullptr, nullptr))));
    EXPECT_TRUE(died_of_it(status_on_thread(kind, calls(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0))));
    EXPECT_TRUE(died_of_it(status_on_thread(kind, calls(SYS_vfork))));
  }
}

TEST(Sandbox, files_are_opened_by_those_who_do_that) {
  const auto open = calls(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY, 0);
  EXPECT_EQ(0, status_on_thread(ThreadKind::Control, open));
  EXPECT_EQ(0, status_on_thread(ThreadKind::Main, open));
  if (kInstrumented) return;
  for (const auto kind : {ThreadKind::Vcpu, ThreadKind::GuestTimers, ThreadKind::Doorbells, ThreadKind::Disk,
                          ThreadKind::Display, ThreadKind::Character, ThreadKind::Encoder})
    EXPECT_EQ(EACCES << 8, status_on_thread(kind, open)) << static_cast<int>(kind);
}

TEST(Sandbox, threads_that_run_guest_code_know_no_sockets) {
  const auto connect = calls(SYS_socket, AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(0, status_on_thread(ThreadKind::Control, connect));
  for (const auto kind :
       {ThreadKind::Vcpu, ThreadKind::GuestTimers, ThreadKind::Doorbells, ThreadKind::Disk, ThreadKind::Encoder})
    EXPECT_TRUE(died_of_it(status_on_thread(kind, connect))) << static_cast<int>(kind);
  EXPECT_TRUE(died_of_it(status_on_thread(ThreadKind::Display, connect)));
  const auto send = calls(SYS_sendto, -1, nullptr, 0, 0, nullptr, 0);
  EXPECT_TRUE(died_of_it(status_on_thread(ThreadKind::Encoder, send)));
}

TEST(Sandbox, what_a_thread_needs_works) {
  const auto everyday = [] {
    std::vector<char> memory(std::size_t{8} << 20, 'x');
    pollfd nothing{-1, POLLIN, 0};
    return ::poll(&nothing, 1, 1) == 0 && memory.back() == 'x' ? 0 : 1;
  };
  for (const auto kind : kAllKinds)
    EXPECT_EQ(0, status_on_thread(kind, everyday)) << static_cast<int>(kind);
  EXPECT_EQ(EBADF << 8, status_on_thread(ThreadKind::Vcpu, calls(SYS_ioctl, -1, KVM_RUN, 0)));
  EXPECT_EQ(EBADF << 8, status_on_thread(ThreadKind::Disk, calls(SYS_fdatasync, -1)));
  EXPECT_EQ(EBADF << 8, status_on_thread(ThreadKind::Display, calls(SYS_sendto, -1, nullptr, 0, 0, nullptr, 0)));
}

TEST(Sandbox, control_starts_threads) {
  EXPECT_EQ(0, status_on_thread(ThreadKind::Control, [] {
              int result = 1;
              std::thread([&result] { result = 0; }).join();
              return result;
            }));
}

TEST(Sandbox, switched_off_forbids_nothing) {
  EXPECT_EQ(0, status_of([] {
              const auto sandbox = Sandbox::create({.filters = false, .user = {}});
              if (!sandbox || !sandbox->seal()) return 1;
              sandbox->thread_start()(ThreadKind::Vcpu, "free", [] { ::syscall(SYS_unshare, 0); }).join();
              return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
            }));
}

TEST(Sandbox, seal_changes_the_user_of_every_thread) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may";
  EXPECT_EQ(0, status_of([] {
              const auto sandbox = Sandbox::create({.filters = true, .user = "65534:65533"});
              if (!sandbox) return 1;
              std::atomic<bool> sealed = false;
              uid_t seen = 0;
              gid_t group = 0;
              auto thread = sandbox->thread_start()(ThreadKind::Disk, "there", [&] {
                while (!sealed)
                  std::this_thread::yield();
                seen = ::geteuid();
                group = ::getegid();
              });
              if (!sandbox->seal()) return 2;
              sealed = true;
              thread.join();
              return seen == 65534 && group == 65533 && ::geteuid() == 65534 ? 0 : 3;
            }));
}

TEST(Sandbox, users_are_found_by_name_and_number) {
  const auto root = vmm::sandbox::find_user("root");
  ASSERT_TRUE(root);
  EXPECT_EQ(0U, root->uid);
  const auto numbers = vmm::sandbox::find_user("12:34");
  ASSERT_TRUE(numbers);
  EXPECT_EQ(12U, numbers->uid);
  EXPECT_EQ(34U, numbers->gid);
  EXPECT_EQ(std::vector<gid_t>{34}, numbers->groups);
  for (const auto* wrong : {"no-such-user", "12:", ":12", "1:2:3", "-1:0", "4294967296:0"})
    EXPECT_FALSE(vmm::sandbox::find_user(wrong)) << wrong;
}

TEST(Sandbox, who_is_not_root_stays_who_he_is) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can try";
  EXPECT_EQ(0, status_of([] {
              if (!vmm::sandbox::become({65534, 65534, {65534}})) return 1;
              if (!vmm::sandbox::become({65534, 65534, {65534}})) return 2;
              return vmm::sandbox::become({1, 1, {1}}) ? 3 : 0;
            }));
}

}  // namespace
