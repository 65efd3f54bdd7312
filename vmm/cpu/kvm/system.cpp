#include "vmm/cpu/kvm/system.h"

#include <fcntl.h>

#include "vmm/cpu/kvm/ioctl.h"
#include "vmm/cpu/kvm/kvm_abi.h"

namespace vmm::cpu::kvm {

namespace {

constexpr std::size_t kMaxCpuidEntries = 256;  // what KVM itself allows

struct Requirement {
  int number;
  const char* name;
};
constexpr Requirement kRequired[] = {
    {KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY"},
    {KVM_CAP_READONLY_MEM, "KVM_CAP_READONLY_MEM"},
    {KVM_CAP_SET_TSS_ADDR, "KVM_CAP_SET_TSS_ADDR"},
    {KVM_CAP_SET_IDENTITY_MAP_ADDR, "KVM_CAP_SET_IDENTITY_MAP_ADDR"},
    {KVM_CAP_SPLIT_IRQCHIP, "KVM_CAP_SPLIT_IRQCHIP"},
    {KVM_CAP_IRQ_ROUTING, "KVM_CAP_IRQ_ROUTING"},
    {KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI"},
    {KVM_CAP_IRQFD, "KVM_CAP_IRQFD"},
    {KVM_CAP_IOEVENTFD, "KVM_CAP_IOEVENTFD"},
    {KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT"},
    {KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID"},
    {KVM_CAP_MP_STATE, "KVM_CAP_MP_STATE"},
    {KVM_CAP_VCPU_EVENTS, "KVM_CAP_VCPU_EVENTS"},
    {KVM_CAP_DEBUGREGS, "KVM_CAP_DEBUGREGS"},
    {KVM_CAP_XSAVE, "KVM_CAP_XSAVE"},
    {KVM_CAP_ADJUST_CLOCK, "KVM_CAP_ADJUST_CLOCK"},
};

core::Result<core::Fd> open_device(const std::string& path) {
  core::Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (fd.valid()) return fd;
  switch (errno) {
    case ENOENT:
      return core::fail("{} does not exist: load the kvm_intel or kvm_amd module, or use --accel soft", path);
    case ENXIO:
    case ENODEV:
      return core::fail("{} has no KVM behind it: enable virtualisation in the firmware, or use --accel soft", path);
    case EACCES:
    case EPERM:
      return core::fail("no permission to open {}: add the user to its group (often kvm), or use --accel soft", path);
    default: return core::fail("cannot open {}: {}", path, core::errno_text());
  }
}

}  // namespace

core::Result<System> System::open(const std::string& path) {
  auto fd = open_device(path);
  if (!fd) return std::unexpected(fd.error());
  System system(std::move(*fd));
  if (auto checked = system.check(); !checked) return core::fail_with(path, checked);
  return system;
}

core::Result<> System::check() const {
  const int version = kvm_ioctl(fd_.get(), KVM_GET_API_VERSION, 0);
  if (version < 0) return core::fail("this is not KVM: {}", core::errno_text());
  if (version != KVM_API_VERSION) {
    return core::fail("KVM has API version {}, minivmm needs {}: use --accel soft", version, KVM_API_VERSION);
  }
  for (const auto& [number, name] : kRequired) {
    if (capability(number) == 0) {
      return core::fail("this kernel's KVM lacks {}: use Linux 4.13 or newer, or --accel soft", name);
    }
  }
  return {};
}

int System::capability(int number) const {
  const int answer = kvm_ioctl(fd_.get(), KVM_CHECK_EXTENSION, number);
  return answer < 0 ? 0 : answer;
}

core::Result<core::Fd> System::create_vm() const {
  core::Fd vm(kvm_ioctl(fd_.get(), KVM_CREATE_VM, 0));
  if (!vm.valid()) return core::fail("KVM cannot create a virtual machine: {}", core::errno_text());
  return vm;
}

core::Result<std::vector<CpuidEntry>> System::supported_cpuid() const {
  CpuidList leaves(kMaxCpuidEntries);
  const auto asked = checked_ioctl(fd_.get(), kGetSupportedCpuid, leaves.head(), "KVM_GET_SUPPORTED_CPUID");
  if (!asked) return std::unexpected(asked.error());
  std::vector<CpuidEntry> result;
  for (const auto& leaf : leaves.elements().first(leaves.head()->count)) {
    result.push_back({leaf.function, leaf.index, (leaf.flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) != 0, leaf.eax,
                      leaf.ebx, leaf.ecx, leaf.edx});
  }
  return result;
}

core::Result<std::vector<std::uint32_t>> System::msr_indices() const {
  MsrListHead none;
  // Fails by design: it answers how many there are.
  if (kvm_ioctl(fd_.get(), kGetMsrIndexList, &none) < 0 && errno != E2BIG) {
    return core::fail("KVM refused KVM_GET_MSR_INDEX_LIST: {}", core::errno_text());
  }
  MsrIndexList list(none.count);
  const auto asked = checked_ioctl(fd_.get(), kGetMsrIndexList, list.head(), "KVM_GET_MSR_INDEX_LIST");
  if (!asked) return std::unexpected(asked.error());
  const auto found = list.elements().first(list.head()->count);
  return std::vector<std::uint32_t>(found.begin(), found.end());
}

core::Result<std::size_t> System::run_area_bytes() const {
  const int bytes = kvm_ioctl(fd_.get(), KVM_GET_VCPU_MMAP_SIZE, 0);
  if (bytes <= 0) return core::fail("KVM refused KVM_GET_VCPU_MMAP_SIZE: {}", core::errno_text());
  return static_cast<std::size_t>(bytes);
}

core::Result<> set_cpuid(int vcpu_fd, const std::vector<CpuidEntry>& leaves) {
  CpuidList list(leaves.size());
  auto out = list.elements().begin();
  for (const auto& leaf : leaves) {
    *out++ = {.function = leaf.function,
              .index = leaf.index,
              .flags = leaf.has_index ? std::uint32_t{KVM_CPUID_FLAG_SIGNIFCANT_INDEX} : 0,
              .eax = leaf.eax,
              .ebx = leaf.ebx,
              .ecx = leaf.ecx,
              .edx = leaf.edx,
              .padding = {}};
  }
  return checked_ioctl(vcpu_fd, kSetCpuid2, list.head(), "KVM_SET_CPUID2");
}

}  // namespace vmm::cpu::kvm
