#include "vmm/sandbox/system_calls.h"

#include <cerrno>
#include <linux/kvm.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>

namespace vmm::sandbox {

namespace {

constexpr std::uint64_t kWholeInt = 0xffff'ffff;  // of an argument that is an int, the kernel reads these bits

constexpr Condition equals(unsigned argument, std::uint64_t value) {
  return {argument, kWholeInt, value & kWholeInt};
}
constexpr Condition without(unsigned argument, std::uint64_t bits) {
  return {argument, bits, 0};
}
constexpr Condition with(unsigned argument, std::uint64_t bits) {
  return {argument, bits, bits};
}

// Memory, locks, time, the log, eventfds, and how a thread ends.
constexpr SystemCall kEveryThread[] = {
    // No thread makes code: what is written is never executed.
    {SYS_mmap, without(2, PROT_EXEC)},
    {SYS_mprotect, without(2, PROT_EXEC)},
    {SYS_munmap},
    {SYS_mremap},
    {SYS_madvise},
    {SYS_brk},
    {SYS_futex},
    {SYS_membarrier},
    {SYS_sched_yield},
    {SYS_sched_getaffinity},  // malloc asks how many CPUs there are
    {SYS_getcpu},
    {SYS_clock_gettime},  // where the vDSO does not serve it
    {SYS_clock_getres},
    {SYS_clock_nanosleep},
    {SYS_nanosleep},
    {SYS_gettimeofday},
    {SYS_getrandom},
    {SYS_read},
    {SYS_readv},
    {SYS_write},
    {SYS_writev},
    {SYS_close},
    {SYS_fcntl},
    {SYS_newfstatat},
    {SYS_fstat},
    {SYS_lseek},
    {SYS_poll},
    {SYS_ppoll},
    {SYS_epoll_wait},
    {SYS_epoll_pwait},
    {SYS_epoll_ctl},
    {SYS_timerfd_settime},
    {SYS_getpid},
    {SYS_gettid},
    {SYS_getuid},
    {SYS_geteuid},
    {SYS_getgid},
    {SYS_getegid},
    {SYS_prctl, equals(0, PR_SET_NAME)},
    {SYS_set_robust_list},
    {SYS_rseq},
    {SYS_sigaltstack},
    {SYS_rt_sigaction},
    {SYS_rt_sigprocmask},
    {SYS_rt_sigreturn},
    {SYS_restart_syscall},
    {SYS_tgkill},  // kicks of vCPUs; abort()
    {SYS_exit},
    {SYS_exit_group},
};

// What a device asks for, on whichever thread it runs: interrupts, memory slots and doorbells of KVM, alarms of what
// the guest writes, and the contents of disks, by requests of the pool or, with icount and for cached data, at once.
constexpr SystemCall kDevices[] = {
    {SYS_ioctl, Condition{1, 0xff00, KVMIO << 8}},
    {SYS_ioctl, Condition{1, 0xff00, UFFDIO << 8}},
    {SYS_eventfd2},
    {SYS_pread64},
    {SYS_preadv},
    {SYS_preadv2},
    {SYS_pwrite64},
    {SYS_pwritev},
    {SYS_pwritev2},
    {SYS_fsync},
    {SYS_fdatasync},
    {SYS_sync_file_range},
    {SYS_fallocate},
    {SYS_ftruncate},
    {SYS_mincore},
};

// Bytes over connections that there are.
constexpr SystemCall kConnections[] = {
    {SYS_recvfrom},
    {SYS_recvmsg},
    {SYS_sendto},
    {SYS_sendmsg},
    {SYS_shutdown},
    {SYS_getsockopt},
    {SYS_setsockopt},
    {SYS_getsockname},
    {SYS_getpeername},
    {SYS_ioctl, equals(1, FIONBIO)},
    {SYS_ioctl, equals(1, FIONREAD)},
    {SYS_ioctl, equals(1, TIOCOUTQ)},
};

// Whoever draws what the guest wrote asks KVM where that was, and interrupts the guest when it is done.
constexpr SystemCall kDisplays[] = {
    {SYS_ioctl, equals(1, KVM_GET_DIRTY_LOG)},
    {SYS_ioctl, equals(1, KVM_SIGNAL_MSI)},
};

// Connections that come and go: listening ends, and Unix sockets that are looked for until they are there.
constexpr SystemCall kNewConnections[] = {
    {SYS_accept4},
    {SYS_accept},
    {SYS_socket, equals(0, AF_UNIX)},
    {SYS_connect},
};

constexpr SystemCall kTerminals[] = {
    {SYS_ioctl, equals(1, TCGETS)},  {SYS_ioctl, equals(1, TCSETS)},     {SYS_ioctl, equals(1, TCSETSW)},
    {SYS_ioctl, equals(1, TCSETSF)}, {SYS_ioctl, equals(1, TIOCGWINSZ)},
};

// Files that the monitor names, password files, certificates; sockets of authentication services and name lookups;
// threads for a snapshot or for the disk of a new medium.
constexpr SystemCall kControl[] = {
    {SYS_mmap, without(3, MAP_ANONYMOUS)},  // libraries: plug-ins of SASL, OpenSSL and name services
    {SYS_openat},
    {SYS_open},
    {SYS_statx},
    {SYS_stat},
    {SYS_lstat},
    {SYS_statfs},
    {SYS_fstatfs},
    {SYS_access},
    {SYS_faccessat},
    {SYS_faccessat2},
    {SYS_readlink},
    {SYS_readlinkat},
    {SYS_getcwd},
    {SYS_getdents64},
    {SYS_unlink},
    {SYS_unlinkat},
    {SYS_rename},
    {SYS_renameat},
    {SYS_renameat2},
    {SYS_link},
    {SYS_linkat},
    {SYS_chmod},
    {SYS_fchmod},
    {SYS_umask},
    {SYS_flock},
    {SYS_dup},
    {SYS_dup3},
    {SYS_copy_file_range},
    {SYS_memfd_create},
    {SYS_pipe2},
    {SYS_epoll_create1},
    {SYS_timerfd_create},
    {SYS_uname},
    {SYS_sysinfo},
    {SYS_getppid},
    {SYS_socket, equals(0, AF_INET)},
    {SYS_socket, equals(0, AF_INET6)},
    {SYS_socket, equals(0, AF_NETLINK)},
    {SYS_bind},
    {SYS_listen},
    {SYS_sendmmsg},
    {SYS_clone, with(0, CLONE_THREAD)},  // threads, but no processes
    {SYS_seccomp},                       // with which they give up more
    {SYS_prlimit64},                     // the stack's size for a thread
};

// Pictures for the X server, in memory shared with it.
constexpr SystemCall kWindows[] = {{SYS_shmget}, {SYS_shmat}, {SYS_shmdt}, {SYS_shmctl}};

// clone3() has its flags in memory, where no filter sees them; clone() does as well.
constexpr RefusedCall kNoClone3{SYS_clone3, ENOSYS};
// malloc() looks at how the system overcommits memory, once, and can also do without knowing.
constexpr RefusedCall kNoFiles{SYS_openat, EACCES};

constexpr RefusedCall kControlRefused[] = {kNoClone3};
constexpr RefusedCall kOthersRefused[] = {kNoClone3, kNoFiles};

constexpr SystemCall kUserChange[] = {{SYS_setgroups}, {SYS_setresgid}, {SYS_setresuid}};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// A sanitizer's reports, stacks and leak check, which happen on whichever thread is at fault.
constexpr SystemCall kInstruments[] = {
    {SYS_openat},
    {SYS_readlink},
    {SYS_readlinkat},
    {SYS_getdents},
    {SYS_getdents64},
    {SYS_clone},
    {SYS_wait4},
    {SYS_prctl},
    {SYS_ptrace},
    {SYS_process_vm_readv},
    {SYS_pipe},
    {SYS_pipe2},
    {SYS_execve},
    {SYS_vfork},
    {SYS_kill},
    {SYS_dup2},
    {SYS_stat},
    {SYS_statx},
    {SYS_access},
    {SYS_sysinfo},
    {SYS_uname},
    {SYS_prlimit64},
    {SYS_sched_setaffinity},
    {SYS_getppid},
    {SYS_arch_prctl},
    {SYS_getrusage},
    {SYS_unlink},
    {SYS_getcwd},
    {SYS_socketpair},
};
#else
constexpr SystemCalls kInstruments;
#endif

}  // namespace

std::vector<SystemCalls> allowed_calls(core::ThreadKind kind) {
  switch (kind) {
    case core::ThreadKind::Main:
      return {kEveryThread, kDevices, kConnections, kNewConnections, kTerminals, kControl, kWindows, kInstruments};
    case core::ThreadKind::Control:
      return {kEveryThread, kDevices, kConnections, kNewConnections, kTerminals, kControl, kInstruments};
    case core::ThreadKind::Display: return {kEveryThread, kConnections, kDisplays, kInstruments};
    case core::ThreadKind::Vcpu:
    case core::ThreadKind::GuestTimers:
    case core::ThreadKind::Doorbells:
    case core::ThreadKind::Disk: return {kEveryThread, kDevices, kInstruments};
    case core::ThreadKind::Encoder: return {kEveryThread, kInstruments};
    case core::ThreadKind::Character:
      return {kEveryThread, kDevices, kConnections, kNewConnections, kTerminals, kInstruments};
  }
  return {};
}

std::span<const RefusedCall> refused_calls(core::ThreadKind kind) {
  const bool is_control = kind == core::ThreadKind::Main || kind == core::ThreadKind::Control;
  if (is_control || !SystemCalls(kInstruments).empty()) return kControlRefused;
  return kOthersRefused;
}

SystemCalls user_change_calls() {
  return kUserChange;
}

}  // namespace vmm::sandbox
