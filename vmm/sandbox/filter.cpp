#include "vmm/sandbox/filter.h"

#include <linux/seccomp.h>
#include <memory>
#include <ranges>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/fd.h"

namespace vmm::sandbox {

namespace {

struct Release {
  void operator()(void* context) const { ::seccomp_release(context); }
};
using Context = std::unique_ptr<void, Release>;

constexpr std::uint32_t kBinaryTree = 2;  // SCMP_FLTATR_CTL_OPTIMIZE: a search of the calls, not a list

// libseccomp's errors are negative errno values.
core::Result<> checked(int status) {
  if (status < 0) return core::fail("cannot make the sandbox's filter: {}", core::errno_text(-status));
  return {};
}

core::Result<> add(const Context& context, const SystemCall& call, std::uint32_t action) {
  if (!call.only) return checked(::seccomp_rule_add_exact_array(context.get(), action, call.number, 0, nullptr));
  const auto& only = *call.only;
  const scmp_arg_cmp compared{only.argument, SCMP_CMP_MASKED_EQ, only.mask, only.value};
  return checked(::seccomp_rule_add_exact_array(context.get(), action, call.number, 1, &compared));
}

core::Result<std::vector<sock_filter>> program_of(const Context& context) {
  const core::Fd file(::memfd_create("seccomp", MFD_CLOEXEC));
  if (!file.valid()) return core::fail("cannot make the sandbox's filter: {}", core::errno_text());
  if (auto exported = checked(::seccomp_export_bpf(context.get(), file.get())); !exported) {
    return std::unexpected(exported.error());
  }
  struct stat facts{};
  if (::fstat(file.get(), &facts) != 0) return core::fail("cannot read the sandbox's filter: {}", core::errno_text());
  std::vector<sock_filter> program(static_cast<std::size_t>(facts.st_size) / sizeof(sock_filter));
  if (::pread(file.get(), program.data(), program.size() * sizeof(sock_filter), 0) != facts.st_size) {
    return core::fail("cannot read the sandbox's filter: {}", core::errno_text());
  }
  return program;
}

}  // namespace

core::Result<Filter> Filter::create(std::span<const SystemCalls> allowed, std::span<const RefusedCall> refused) {
  const Context context(::seccomp_init(SCMP_ACT_KILL_PROCESS));
  if (!context) return core::fail("cannot make the sandbox's filter: out of memory");
  if (auto set = checked(::seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, kBinaryTree)); !set) {
    return std::unexpected(set.error());
  }
  for (const auto& call : std::views::join(allowed)) {
    if (auto added = add(context, call, SCMP_ACT_ALLOW); !added) return std::unexpected(added.error());
  }
  for (const auto& call : refused) {
    const auto action = SCMP_ACT_ERRNO(static_cast<std::uint32_t>(call.error));
    if (auto added = add(context, {call.number}, action); !added) return std::unexpected(added.error());
  }
  auto program = program_of(context);
  if (!program) return std::unexpected(program.error());
  return Filter(std::move(*program));
}

core::Result<> Filter::install() const {
  const sock_fprog program{static_cast<unsigned short>(program_.size()), const_cast<sock_filter*>(program_.data())};
  // Without SPEC_ALLOW, kernels before 5.16 turn off speculative store bypass for a filtered thread, which costs a
  // software CPU a lot and protects nothing: there is no foreign code in this process.
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) != 0) {
    return core::fail("the kernel does not take the sandbox's filter: {}", core::errno_text());
  }
  return {};
}

}  // namespace vmm::sandbox
