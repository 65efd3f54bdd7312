#include "firmware/kernel_boot.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "core/base/bits.h"
#include "core/base/endian.h"
#include "firmware/boot_info.h"
#include "firmware/host_file.h"
#include "firmware/kernel_image.h"
#include "firmware/linux_abi.h"

namespace firmware {

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint64_t kMaxKernelBytes = std::uint64_t{1} << 30;
constexpr std::uint64_t kMaxModuleBytes = std::uint64_t{3} << 30;
constexpr std::uint64_t kPage = 4096;

// Low memory that neither the BIOS nor the boot ROM's stack uses.
constexpr std::uint32_t kSetup = 0x10000;       // Linux's real-mode part or zero page, with its heap and stack
constexpr std::uint32_t kParameters = 0x20000;  // command line, or what Multiboot and PVH kernels are told
constexpr std::uint32_t kParametersMax = 0x10000;
constexpr std::uint16_t kSetupStack = 0xfff0;
constexpr std::uint16_t kSetupHeapEnd = 0xfe00;
// What a BIOS keeps at the top of the memory below 4 GiB: tables and drivers' structures, 160 KiB in practice.
constexpr std::uint64_t kBiosReserve = 1 << 20;

std::uint64_t mib(std::uint64_t bytes) {
  return (bytes + kOneMib - 1) >> 20;
}

// One kernel's way into one machine.
class Planner {
 public:
  Planner(FwCfg& fw_cfg, KernelFiles files, const RamLayout& ram, BootFrom from)
      : fw_cfg_(fw_cfg),
        files_(std::move(files)),
        ram_(ram),
        from_(from),
        top_(from == BootFrom::Bios ? ram.below_4g - std::min(ram.below_4g, kBiosReserve) : ram.below_4g) {}

  core::Result<BootPlan> plan(const LinuxImage& image);
  core::Result<BootPlan> plan(const FlatKernel& kernel);

 private:
  core::Result<> check_kernel_end(std::uint64_t end) const;
  core::Result<> check_command_line(std::size_t limit) const;
  // All modules in one item, each from a page boundary on; returns its size.
  std::uint64_t join_modules();
  // Below `limit`, as high as possible.
  core::Result<std::uint32_t> place_modules(std::uint64_t kernel_end, std::uint64_t limit);
  void add_command_line();
  void load(FwCfgKey key, std::uint64_t length, std::uint64_t address, std::uint64_t offset = 0);
  void enter_setup(const LinuxImage& image, Bytes setup);
  void enter_zero_page(std::span<const std::uint8_t> setup);
  std::vector<BootInfoModule> module_list(std::uint64_t address) const;

  FwCfg& fw_cfg_;
  KernelFiles files_;
  RamLayout ram_;
  BootFrom from_;
  std::uint64_t top_;  // of memory that the kernel may use
  BootPlan plan_;
};

core::Result<> Planner::check_kernel_end(std::uint64_t end) const {
  if (end <= top_) return {};
  return core::fail("kernel {} needs memory up to {} MiB; the machine has {} MiB for it", files_.path, mib(end),
                    top_ >> 20);
}

core::Result<> Planner::check_command_line(std::size_t limit) const {
  if (files_.command_line.size() <= limit) return {};
  return core::fail("the kernel command line has {} characters; {} takes at most {}", files_.command_line.size(),
                    files_.path, limit);
}

std::uint64_t Planner::join_modules() {
  Bytes all;
  for (auto& module : files_.modules) {
    all.resize(core::align_up<std::size_t>(all.size(), kPage));
    if (all.empty()) {
      all = module.bytes;
    } else {
      all.insert(all.end(), module.bytes.begin(), module.bytes.end());
    }
  }
  const auto size = all.size();
  fw_cfg_.add_u32(FwCfgKey::InitrdSize, static_cast<std::uint32_t>(size));
  fw_cfg_.add_item(FwCfgKey::InitrdData, std::move(all));
  return size;
}

core::Result<std::uint32_t> Planner::place_modules(std::uint64_t kernel_end, std::uint64_t limit) {
  const auto size = join_modules();
  if (size == 0) return 0;
  limit = std::min(limit, top_);
  const auto address = size > limit ? 0 : core::align_down(limit - size, kPage);
  if (address < kernel_end)
    return core::fail(
        "the initrd of {} MiB does not fit beside kernel {}: {} MiB are free; give the machine more memory", mib(size),
        files_.path, (limit - std::min(limit, kernel_end)) >> 20);
  load(FwCfgKey::InitrdData, size, address);
  fw_cfg_.add_u32(FwCfgKey::InitrdAddress, static_cast<std::uint32_t>(address));
  return static_cast<std::uint32_t>(address);
}

void Planner::add_command_line() {
  Bytes text(files_.command_line.begin(), files_.command_line.end());
  text.push_back(0);
  fw_cfg_.add_u32(FwCfgKey::CommandLineAddress, kParameters);
  fw_cfg_.add_u32(FwCfgKey::CommandLineSize, static_cast<std::uint32_t>(text.size()));
  fw_cfg_.add_item(FwCfgKey::CommandLineData, std::move(text));
}

void Planner::load(FwCfgKey key, std::uint64_t length, std::uint64_t address, std::uint64_t offset) {
  plan_.loads.push_back({.key = key,
                         .offset = static_cast<std::uint32_t>(offset),
                         .length = static_cast<std::uint32_t>(length),
                         .address = static_cast<std::uint32_t>(address)});
}

// The "vga=" option is the boot loader's to obey.
std::uint16_t video_mode(std::string_view command_line) {
  constexpr std::string_view kOption = "vga=";
  const auto at = command_line.find(kOption);
  if (at == std::string_view::npos) return linux_abi::kVideoNormal;
  const auto rest = command_line.substr(at + kOption.size());
  const auto value = rest.substr(0, rest.find(' '));
  if (value == "ext") return linux_abi::kVideoExtended;
  if (value == "ask") return linux_abi::kVideoAsk;
  const bool hexadecimal = value.starts_with("0x");
  const auto digits = hexadecimal ? value.substr(2) : value;
  std::uint16_t mode = 0;
  const auto parsed = std::from_chars(digits.begin(), digits.end(), mode, hexadecimal ? 16 : 10);
  return parsed.ec == std::errc{} ? mode : linux_abi::kVideoNormal;
}

// [boot.rst, "The Real-Mode Kernel Header"] what a loader fills in
void write_header(Bytes& setup, std::uint32_t initrd, std::uint32_t initrd_size, std::string_view command_line) {
  using namespace linux_abi;
  setup[TYPE_OF_LOADER] = kLoaderUndefined;
  core::store_le<std::uint16_t>(setup.data() + VID_MODE, video_mode(command_line));
  core::store_le<std::uint32_t>(setup.data() + RAMDISK_IMAGE, initrd);
  core::store_le<std::uint32_t>(setup.data() + RAMDISK_SIZE, initrd_size);
  core::store_le<std::uint32_t>(setup.data() + CMD_LINE_PTR, kParameters);
}

void Planner::enter_setup(const LinuxImage& image, Bytes setup) {
  using namespace linux_abi;
  setup[LOADFLAGS] |= CAN_USE_HEAP;
  core::store_le<std::uint16_t>(setup.data() + HEAP_END_PTR, kSetupHeapEnd);
  fw_cfg_.add_u32(FwCfgKey::SetupAddress, kSetup);
  fw_cfg_.add_u32(FwCfgKey::SetupSize, image.setup_bytes);
  fw_cfg_.add_item(FwCfgKey::SetupData, std::move(setup));
  load(FwCfgKey::SetupData, image.setup_bytes, kSetup);
  constexpr std::uint16_t kSegment = kSetup >> 4;
  constexpr std::uint32_t kCodeSegment = kSegment + 0x20;  // the code follows the boot sector
  plan_.entry = {.protected_mode = false, .address = kCodeSegment << 16, .ss = kSegment, .sp = kSetupStack};
}

// [boot.rst, "32-bit Boot Protocol"]
void Planner::enter_zero_page(std::span<const std::uint8_t> setup) {
  using namespace linux_abi;
  Bytes page(kZeroPageBytes);
  const auto header_end = std::min<std::size_t>(HEADER + setup[JUMP + 1], E820_TABLE);
  std::memcpy(page.data() + SETUP_SECTS, setup.data() + SETUP_SECTS, header_end - SETUP_SECTS);
  const auto map = e820_for_os(ram_);
  page[E820_ENTRIES] = static_cast<std::uint8_t>(map.size());
  std::memcpy(page.data() + E820_TABLE, map.data(), map.size() * sizeof(E820Entry));
  load(fw_cfg_.add_file("opt/minivmm/zero-page", std::move(page)), kZeroPageBytes, kSetup);
  plan_.entry = {.protected_mode = true, .address = static_cast<std::uint32_t>(kLinuxLoadAddress), .esi = kSetup};
}

core::Result<BootPlan> Planner::plan(const LinuxImage& image) {
  if (auto fits = check_kernel_end(image.memory_end); !fits) return std::unexpected(fits.error());
  const auto limit = std::min(image.command_line_max, kParametersMax - 1);
  if (auto fits = check_command_line(limit); !fits) return std::unexpected(fits.error());
  const auto initrd = place_modules(image.memory_end, std::uint64_t{image.initrd_max} + 1);
  if (!initrd) return std::unexpected(initrd.error());

  auto kernel = std::move(files_.kernel);
  Bytes setup(kernel.begin(), kernel.begin() + image.setup_bytes);
  kernel.erase(kernel.begin(), kernel.begin() + image.setup_bytes);
  const auto initrd_size = static_cast<std::uint32_t>(fw_cfg_.item(FwCfgKey::InitrdData).size());
  write_header(setup, *initrd, initrd_size, files_.command_line);

  add_command_line();
  load(FwCfgKey::CommandLineData, files_.command_line.size() + 1, kParameters);
  fw_cfg_.add_u32(FwCfgKey::KernelAddress, static_cast<std::uint32_t>(kLinuxLoadAddress));
  fw_cfg_.add_u32(FwCfgKey::KernelSize, static_cast<std::uint32_t>(kernel.size()));
  load(FwCfgKey::KernelData, kernel.size(), kLinuxLoadAddress);
  fw_cfg_.add_item(FwCfgKey::KernelData, std::move(kernel));
  if (from_ == BootFrom::Bios) {
    enter_setup(image, std::move(setup));
  } else {
    enter_zero_page(setup);
  }
  return std::move(plan_);
}

std::vector<BootInfoModule> Planner::module_list(std::uint64_t address) const {
  std::vector<BootInfoModule> list;
  for (const auto& module : files_.modules) {
    address = core::align_up(address, kPage);
    list.push_back({.address = static_cast<std::uint32_t>(address),
                    .size = static_cast<std::uint32_t>(module.bytes.size()),
                    .command_line = module.command_line});
    address += module.bytes.size();
  }
  return list;
}

core::Result<BootPlan> Planner::plan(const FlatKernel& kernel) {
  if (auto fits = check_kernel_end(kernel.end()); !fits) return std::unexpected(fits.error());
  const bool multiboot = kernel.protocol == FlatKernel::Protocol::Multiboot;
  std::uint32_t modules = 0;
  if (multiboot) {
    // Small kernels map little memory: their modules follow them closely.
    const auto start = core::align_up(kernel.end(), kPage);
    const auto size = join_modules();
    if (start + size > top_)
      return core::fail("the modules of {} MiB do not fit behind kernel {}; give the machine more memory", mib(size),
                        files_.path);
    modules = static_cast<std::uint32_t>(start);
    if (size != 0) load(FwCfgKey::InitrdData, size, start);
  } else {
    const auto placed = place_modules(kernel.end(), top_);
    if (!placed) return std::unexpected(placed.error());
    modules = *placed;
  }

  const BootInfoSource source{
      .address = kParameters,
      .command_line = files_.command_line,
      .kernel = files_.path,
      .modules = module_list(modules),
      .upper_memory = top_ - kOneMib,
      .map = from_ == BootFrom::None ? e820_for_os(ram_) : std::vector<E820Entry>{},
  };
  auto info = multiboot ? multiboot_info(source) : pvh_info(source);
  if (info.bytes.size() > kParametersMax)
    return core::fail("the command lines of kernel {} and its modules are longer than 64 KiB", files_.path);
  if (from_ == BootFrom::Bios) plan_.map = info.map;
  const auto size = info.bytes.size();
  load(fw_cfg_.add_file("opt/minivmm/boot-info", std::move(info.bytes)), size, kParameters);
  for (const auto& segment : kernel.segments) {
    if (segment.file_bytes != 0) load(FwCfgKey::KernelData, segment.file_bytes, segment.address, segment.file_offset);
    const auto zeros = segment.memory_bytes - segment.file_bytes;
    if (zeros != 0) load(FwCfgKey::None, zeros, std::uint64_t{segment.address} + segment.file_bytes);
  }
  fw_cfg_.add_u32(FwCfgKey::KernelEntry, kernel.entry);
  fw_cfg_.add_item(FwCfgKey::KernelData, std::move(files_.kernel));
  plan_.entry = {.protected_mode = true,
                 .address = kernel.entry,
                 .eax = multiboot ? kMultibootLoaderMagic : 0,
                 .ebx = kParameters};
  return std::move(plan_);
}

}  // namespace

core::Result<KernelFiles> load_kernel_files(const std::string& kernel, std::span<const std::string> modules,
                                            std::string command_line) {
  KernelFiles files{.path = kernel, .kernel = {}, .command_line = std::move(command_line), .modules = {}};
  auto bytes = read_host_file(kernel, "kernel", kMaxKernelBytes);
  if (!bytes) return std::unexpected(bytes.error());
  files.kernel = std::move(*bytes);
  for (const auto& path : modules) {
    auto module = read_host_file(path, "initrd", kMaxModuleBytes);
    if (!module) return std::unexpected(module.error());
    files.modules.push_back({.command_line = path, .bytes = std::move(*module)});
  }
  return files;
}

core::Result<BootPlan> plan_kernel_boot(FwCfg& fw_cfg, KernelFiles files, const RamLayout& ram, BootFrom from) {
  const auto image = parse_kernel(files.kernel, files.path);
  if (!image) return std::unexpected(image.error());
  Planner planner(fw_cfg, std::move(files), ram, from);
  return std::visit([&](const auto& kernel) { return planner.plan(kernel); }, *image);
}

}  // namespace firmware
