#include "firmware/kernel_image.h"

#include <algorithm>
#include <optional>

#include "core/base/bits.h"
#include "core/base/endian.h"
#include "firmware/linux_abi.h"

namespace firmware {

namespace {

using Bytes = std::span<const std::uint8_t>;
using namespace linux_abi;

constexpr std::uint64_t kLowestSegment = 0x100000;  // below lie the BIOS, its data and the boot ROM's

bool is_linux(Bytes file) {
  return file.size() >= kHeaderEnd && core::load_le<std::uint32_t>(file.data() + HEADER) == kHeaderMagic;
}

core::Result<LinuxImage> parse_linux(Bytes file) {
  const auto u8 = [&](std::size_t at) { return file[at]; };
  const auto u32 = [&](std::size_t at) { return core::load_le<std::uint32_t>(file.data() + at); };
  LinuxImage image;
  image.protocol = core::load_le<std::uint16_t>(file.data() + VERSION);
  if (image.protocol < kOldestProtocol)
    return core::fail("is a Linux image of boot protocol {}.{:02}; 2.02 (Linux 2.4) or later is needed",
                      image.protocol >> 8, image.protocol & 0xff);
  if ((u8(LOADFLAGS) & LOADED_HIGH) == 0) return core::fail("is a zImage, which loads low; build a bzImage");
  const unsigned sectors = u8(SETUP_SECTS) == 0 ? kDefaultSetupSectors : u8(SETUP_SECTS);
  image.setup_bytes = (sectors + 1) * kSectorBytes;
  if (image.setup_bytes > kMaxSetupBytes) return core::fail("is a damaged Linux image: its set-up code is too large");
  if (image.setup_bytes >= file.size()) return core::fail("is a truncated Linux image");

  image.initrd_max = image.protocol >= 0x203 ? u32(INITRD_ADDR_MAX) : kOldInitrdMax;
  image.command_line_max = image.protocol >= 0x206 ? u32(CMDLINE_SIZE) : kOldCommandLineMax;
  image.memory_end = kLinuxLoadAddress + (file.size() - image.setup_bytes);
  if (image.protocol >= 0x20a) {
    const auto preferred = core::load_le<std::uint64_t>(file.data() + PREF_ADDRESS);
    const auto end = core::checked_add<std::uint64_t>(std::max(preferred, kLinuxLoadAddress), u32(INIT_SIZE));
    if (!end) return core::fail("is a damaged Linux image: it wants to run at {:#x}", preferred);
    image.memory_end = std::max(image.memory_end, *end);
  }
  return image;
}

core::Result<FlatKernel> checked(FlatKernel kernel) {
  for (const auto& segment : kernel.segments)
    if (segment.address < kLowestSegment)
      return core::fail("loads at {:#x}; kernels must be linked at 1 MiB or above", segment.address);
  const bool entry_loaded = std::ranges::any_of(kernel.segments, [&](const KernelSegment& segment) {
    return kernel.entry >= segment.address && kernel.entry < segment.end();
  });
  if (!entry_loaded) return core::fail("has its entry at {:#x}, outside of what it loads", kernel.entry);
  return kernel;
}

// nullopt: neither protocol.
core::Result<std::optional<FlatKernel>> parse_flat(Bytes file) {
  const auto found = find_multiboot(file);
  if (!found) return std::unexpected(found.error());
  const std::optional<MultibootHeader>& multiboot = *found;
  FlatKernel kernel;
  if (multiboot && multiboot->segment) {
    kernel.segments.push_back(*multiboot->segment);
    kernel.entry = multiboot->entry;
  } else if (is_elf(file)) {
    auto elf = parse_elf(file);
    if (!elf) return std::unexpected(elf.error());
    const auto pvh_entry = elf->pvh_entry;
    if (multiboot) {
      kernel.entry = elf->entry;
    } else if (pvh_entry) {
      kernel.protocol = FlatKernel::Protocol::Pvh;
      kernel.entry = *pvh_entry;
    } else {
      return std::nullopt;
    }
    kernel.segments = std::move(elf->segments);
  } else {
    return std::nullopt;
  }
  auto result = checked(std::move(kernel));
  if (!result) return std::unexpected(result.error());
  return std::move(*result);
}

}  // namespace

std::uint64_t FlatKernel::end() const {
  std::uint64_t last = 0;
  for (const auto& segment : segments)
    last = std::max(last, segment.end());
  return last;
}

core::Result<KernelImage> parse_kernel(Bytes file, std::string_view path) {
  if (is_linux(file)) {
    const auto image = parse_linux(file);
    if (!image) return core::fail("kernel {} {}", path, image.error().message);
    return *image;
  }
  auto flat = parse_flat(file);
  if (!flat) return core::fail("kernel {} {}", path, flat.error().message);
  std::optional<FlatKernel>& kernel = *flat;
  if (!kernel)
    return core::fail("kernel {} is neither a Linux bzImage, a Multiboot kernel nor an ELF file with a PVH entry",
                      path);
  return std::move(*kernel);
}

}  // namespace firmware
