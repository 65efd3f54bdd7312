#include "firmware/table_loader.h"

#include "core/base/assert.h"
#include "core/base/endian.h"

namespace firmware {

namespace {

constexpr std::size_t kNameBytes = 56;
constexpr std::size_t kCommandBytes = 128;

enum class Opcode : std::uint32_t { Allocate = 1, AddPointer = 2, AddChecksum = 3 };

struct Name {
  Name() = default;
  Name(std::string_view name) {
    MV_ASSERT(name.size() < kNameBytes, "a file name of ours fits");
    name.copy(text, kNameBytes - 1);
  }
  char text[kNameBytes] = {};
};

struct Allocate {
  core::le32 opcode = static_cast<std::uint32_t>(Opcode::Allocate);
  Name file;
  core::le32 alignment;
  std::uint8_t zone = 0;
};

struct AddPointer {
  core::le32 opcode = static_cast<std::uint32_t>(Opcode::AddPointer);
  Name file;
  Name target;
  core::le32 offset;
  std::uint8_t width = 0;
};

struct AddChecksum {
  core::le32 opcode = static_cast<std::uint32_t>(Opcode::AddChecksum);
  Name file;
  core::le32 offset;
  core::le32 start;
  core::le32 length;
};

}  // namespace

template <class Command>
void TableLoader::append(const Command& command) {
  static_assert(sizeof(Command) <= kCommandBytes && alignof(Command) == 1);
  const auto at = bytes_.size();
  bytes_.resize(at + kCommandBytes);
  std::memcpy(bytes_.data() + at, &command, sizeof command);
}

void TableLoader::allocate(std::string_view file, std::uint32_t alignment, Zone zone) {
  Allocate command;
  command.file = file;
  command.alignment = alignment;
  command.zone = static_cast<std::uint8_t>(zone);
  append(command);
}

void TableLoader::add_pointer(std::string_view file, std::uint32_t offset, std::uint8_t width,
                              std::string_view target) {
  AddPointer command;
  command.file = file;
  command.target = target;
  command.offset = offset;
  command.width = width;
  append(command);
}

void TableLoader::add_checksum(std::string_view file, std::uint32_t offset, std::uint32_t start, std::uint32_t length) {
  AddChecksum command;
  command.file = file;
  command.offset = offset;
  command.start = start;
  command.length = length;
  append(command);
}

}  // namespace firmware
