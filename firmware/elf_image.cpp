#include "firmware/elf_image.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/base/bits.h"
#include "core/base/endian.h"

namespace firmware {

namespace {

using core::le16;
using core::le32;
using core::le64;
using Bytes = std::span<const std::uint8_t>;

constexpr unsigned kMaxProgramHeaders = 128;  // no kernel has a dozen; bounds the boot plan
constexpr std::uint64_t kMaxNoteBytes = 1 << 20;

// [ELF 1-3]
constexpr std::uint8_t kClass32 = 1;
constexpr std::uint8_t kClass64 = 2;
constexpr std::uint8_t kLittleEndian = 1;
constexpr std::uint16_t kMachine386 = 3;
constexpr std::uint16_t kMachineX86_64 = 62;
constexpr std::uint32_t kTypeLoad = 1;
constexpr std::uint32_t kTypeNote = 4;

struct Ident {
  std::uint8_t magic[4];
  std::uint8_t file_class;
  std::uint8_t data;
  std::uint8_t rest[10];
};

struct FileHeader32 {
  Ident ident;
  le16 type;
  le16 machine;
  le32 version;
  le32 entry;
  le32 program_headers;
  le32 section_headers;
  le32 flags;
  le16 header_size;
  le16 program_header_size;
  le16 program_header_count;
};

struct FileHeader64 {
  Ident ident;
  le16 type;
  le16 machine;
  le32 version;
  le64 entry;
  le64 program_headers;
  le64 section_headers;
  le32 flags;
  le16 header_size;
  le16 program_header_size;
  le16 program_header_count;
};

struct ProgramHeader32 {
  le32 type;
  le32 offset;
  le32 virtual_address;
  le32 physical_address;
  le32 file_size;
  le32 memory_size;
  le32 flags;
  le32 alignment;
};

struct ProgramHeader64 {
  le32 type;
  le32 flags;
  le64 offset;
  le64 virtual_address;
  le64 physical_address;
  le64 file_size;
  le64 memory_size;
  le64 alignment;
};

struct NoteHeader {
  le32 name_size;
  le32 description_size;
  le32 type;
};
constexpr std::uint32_t kNotePvhEntry = 18;  // XEN_ELFNOTE_PHYS32_ENTRY

template <class T>
std::optional<T> load(Bytes file, std::uint64_t offset) {
  if (!core::range_inside<std::uint64_t>(offset, sizeof(T), file.size())) return std::nullopt;
  T value;
  std::memcpy(&value, file.data() + offset, sizeof value);
  return value;
}

// The PVH entry from the notes in `notes`, if it is there.
std::optional<std::uint32_t> find_pvh_entry(Bytes notes) {
  constexpr std::uint8_t kXen[] = {'X', 'e', 'n', 0};
  std::uint64_t at = 0;
  while (const auto header = load<NoteHeader>(notes, at)) {
    const auto name = at + sizeof(NoteHeader);
    const auto description = name + core::align_up<std::uint64_t>(header->name_size, 4);
    const auto next = description + core::align_up<std::uint64_t>(header->description_size, 4);
    const bool is_xen = header->name_size == sizeof kXen && description <= notes.size() &&
                        std::ranges::equal(notes.subspan(name, sizeof kXen), kXen);
    if (is_xen && header->type == kNotePvhEntry) {
      if (header->description_size == 8) {
        const auto entry = load<le64>(notes, description);
        if (entry && *entry <= std::numeric_limits<std::uint32_t>::max()) return static_cast<std::uint32_t>(*entry);
        return std::nullopt;
      }
      const auto entry = load<le32>(notes, description);
      return entry ? std::optional<std::uint32_t>(*entry) : std::nullopt;
    }
    at = next;  // grows by at least the note's header
  }
  return std::nullopt;
}

template <class ProgramHeader>
core::Result<KernelSegment> segment_of(Bytes file, const ProgramHeader& header) {
  const std::uint64_t offset = header.offset;
  const std::uint64_t file_size = header.file_size;
  const std::uint64_t memory_size = header.memory_size;
  const std::uint64_t address = header.physical_address;
  if (!core::range_inside<std::uint64_t>(offset, file_size, file.size()))
    return core::fail("is a truncated ELF file: a segment lies behind its end");
  constexpr std::uint64_t kLimit = std::uint64_t{1} << 32;
  if (file_size > memory_size || memory_size >= kLimit || !core::range_inside(address, memory_size, kLimit))
    return core::fail("has an ELF segment that does not fit below 4 GiB (at {:#x}, {:#x} bytes)", address, memory_size);
  return KernelSegment{.file_offset = offset,
                       .file_bytes = static_cast<std::uint32_t>(file_size),
                       .memory_bytes = static_cast<std::uint32_t>(memory_size),
                       .address = static_cast<std::uint32_t>(address)};
}

template <class FileHeader, class ProgramHeader>
core::Result<ElfImage> parse(Bytes file) {
  const auto header = load<FileHeader>(file, 0);
  if (!header) return core::fail("is a truncated ELF file");
  if (header->machine != kMachine386 && header->machine != kMachineX86_64)
    return core::fail("is an ELF file for another machine ({}); only x86 runs here",
                      static_cast<unsigned>(header->machine));
  if (header->program_header_size < sizeof(ProgramHeader) || header->program_header_count > kMaxProgramHeaders)
    return core::fail("is an ELF file with a damaged program header table");

  ElfImage image;
  std::uint64_t entry = header->entry;
  bool entry_translated = false;
  for (unsigned i = 0; i < header->program_header_count; ++i) {
    const auto stride = std::uint64_t{header->program_header_size} * i;
    const auto at = core::checked_add<std::uint64_t>(header->program_headers, stride);
    const auto program = at ? load<ProgramHeader>(file, *at) : std::nullopt;
    if (!program) return core::fail("is a truncated ELF file: its program headers lie behind its end");
    if (program->type == kTypeNote && program->file_size <= kMaxNoteBytes &&
        core::range_inside<std::uint64_t>(program->offset, program->file_size, file.size())) {
      const auto found = find_pvh_entry(file.subspan(program->offset, program->file_size));
      if (found) image.pvh_entry = found;
    }
    if (program->type != kTypeLoad || program->memory_size == 0) continue;
    const auto segment = segment_of(file, *program);
    if (!segment) return std::unexpected(segment.error());
    // Kernels of the upper half name their entry by its virtual address.
    const std::uint64_t first = program->virtual_address;
    if (!entry_translated && entry >= first && entry - first < segment->memory_bytes) {
      entry = segment->address + (entry - first);
      entry_translated = true;
    }
    image.segments.push_back(*segment);
  }
  if (image.segments.empty()) return core::fail("is an ELF file with nothing to load");
  image.entry = static_cast<std::uint32_t>(entry);
  return image;
}

// [Multiboot 3.1.1] header fields
struct MultibootMagic {
  le32 magic;
  le32 flags;
  le32 checksum;
};
struct MultibootAddresses {
  le32 header;
  le32 load;
  le32 load_end;
  le32 bss_end;
  le32 entry;
};
constexpr std::uint32_t kMultibootMagic = 0x1badb002;
constexpr std::uint64_t kMultibootSearch = 8192;
constexpr std::uint32_t kMultibootRequired = 0xffff;  // flags a loader must refuse if it does not know them
constexpr std::uint32_t kMultibootHasAddresses = 1u << 16;

core::Result<MultibootHeader> with_addresses(Bytes file, std::uint64_t header_offset, MultibootHeader header) {
  const auto addresses = load<MultibootAddresses>(file, header_offset + sizeof(MultibootMagic));
  if (!addresses) return core::fail("has a truncated Multiboot header");
  const std::uint32_t load_address = addresses->load;
  const std::uint64_t before = std::uint64_t{addresses->header} - load_address;  // file bytes ahead of the header
  if (addresses->header < load_address || before > header_offset)
    return core::fail("has a Multiboot header with a load address outside the file");
  const auto offset = header_offset - before;
  const auto rest = file.size() - offset;
  const std::uint64_t size = addresses->load_end == 0 ? rest : std::uint64_t{addresses->load_end} - load_address;
  const bool backwards = addresses->load_end != 0 && addresses->load_end < load_address;
  if (backwards || size > rest || size > std::numeric_limits<std::uint32_t>::max() - load_address)
    return core::fail("has a Multiboot header that loads more than the file holds");
  const std::uint64_t end = std::max<std::uint64_t>(load_address + size, addresses->bss_end);
  header.segment = KernelSegment{.file_offset = offset,
                                 .file_bytes = static_cast<std::uint32_t>(size),
                                 .memory_bytes = static_cast<std::uint32_t>(end - load_address),
                                 .address = load_address};
  header.entry = addresses->entry;
  return header;
}

}  // namespace

bool is_elf(Bytes file) {
  constexpr std::uint8_t kMagic[] = {0x7f, 'E', 'L', 'F'};
  return file.size() >= sizeof kMagic && std::ranges::equal(file.first(sizeof kMagic), kMagic);
}

core::Result<ElfImage> parse_elf(Bytes file) {
  const auto ident = load<Ident>(file, 0);
  if (!ident || !is_elf(file)) return core::fail("is no ELF file");
  if (ident->data != kLittleEndian) return core::fail("is an ELF file for a big-endian machine; only x86 runs here");
  if (ident->file_class == kClass32) return parse<FileHeader32, ProgramHeader32>(file);
  if (ident->file_class == kClass64) return parse<FileHeader64, ProgramHeader64>(file);
  return core::fail("is an ELF file of unknown class {}", ident->file_class);
}

core::Result<std::optional<MultibootHeader>> find_multiboot(Bytes file) {
  const auto limit = std::min<std::uint64_t>(file.size(), kMultibootSearch);
  for (std::uint64_t at = 0; at + sizeof(MultibootMagic) <= limit; at += 4) {
    const auto magic = load<MultibootMagic>(file, at);
    if (!magic || magic->magic != kMultibootMagic) continue;
    if (magic->magic + magic->flags + magic->checksum != 0) continue;
    MultibootHeader header{.flags = magic->flags, .segment = std::nullopt, .entry = 0};
    const auto unknown = header.flags & kMultibootRequired & ~kMultibootUnderstood;
    if (unknown != 0) return core::fail("needs Multiboot features that are not known here (flags {:#x})", unknown);
    if ((header.flags & kMultibootHasAddresses) == 0) return std::optional(header);
    auto full = with_addresses(file, at, header);
    if (!full) return std::unexpected(full.error());
    return std::optional(*full);
  }
  return std::nullopt;
}

}  // namespace firmware
