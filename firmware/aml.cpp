#include "firmware/aml.h"

#include <limits>
#include <type_traits>

#include "core/base/assert.h"

namespace firmware::aml {

namespace {

// [ACPI 6.4 20.3]
constexpr std::uint8_t kZeroOp = 0x00;
constexpr std::uint8_t kNameOp = 0x08;
constexpr std::uint8_t kBytePrefix = 0x0a;
constexpr std::uint8_t kWordPrefix = 0x0b;
constexpr std::uint8_t kDWordPrefix = 0x0c;
constexpr std::uint8_t kScopeOp = 0x10;
constexpr std::uint8_t kBufferOp = 0x11;
constexpr std::uint8_t kDualNamePrefix = 0x2e;
constexpr std::uint8_t kMultiNamePrefix = 0x2f;
constexpr std::uint8_t kExtPrefix = 0x5b;
constexpr std::uint8_t kDeviceOp = 0x82;
constexpr std::uint8_t kProcessorOp = 0x83;
constexpr std::size_t kNameSegment = 4;

template <class T>
void append(Code& code, std::type_identity_t<T> value) {
  for (unsigned i = 0; i < sizeof(T); ++i)
    code.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void append(Code& code, const Code& more) {
  code.insert(code.end(), more.begin(), more.end());
}

// A NameString: segments are filled up with underscores.
Code path_code(std::string_view path) {
  Code code;
  if (path.starts_with('\\')) {
    code.push_back('\\');
    path.remove_prefix(1);
  }
  std::size_t segments = 0;
  Code names;
  while (!path.empty()) {
    const auto segment = path.substr(0, path.find('.'));
    MV_ASSERT(!segment.empty() && segment.size() <= kNameSegment, "an ACPI name has one to four characters");
    for (std::size_t i = 0; i < kNameSegment; ++i)
      names.push_back(i < segment.size() ? static_cast<std::uint8_t>(segment[i]) : '_');
    path.remove_prefix(std::min(path.size(), segment.size() + 1));
    ++segments;
  }
  if (segments == 2) {
    code.push_back(kDualNamePrefix);
  } else if (segments > 2) {
    code.push_back(kMultiNamePrefix);
    code.push_back(static_cast<std::uint8_t>(segments));
  }
  append(code, names);
  return code;
}

// `contents` behind its PkgLength, which counts itself. [ACPI 6.4 20.2.4]
Code package(const Code& contents) {
  std::size_t extra = 0;  // bytes after the lead byte
  while (contents.size() + 1 + extra >= (extra == 0 ? std::size_t{1} << 6 : std::size_t{1} << (4 + 8 * extra)))
    ++extra;
  const auto length = contents.size() + 1 + extra;
  Code code;
  if (extra == 0) {
    code.push_back(static_cast<std::uint8_t>(length));
  } else {
    code.push_back(static_cast<std::uint8_t>((extra << 6) | (length & 0xf)));
    for (std::size_t i = 0; i < extra; ++i)
      code.push_back(static_cast<std::uint8_t>(length >> (4 + 8 * i)));
  }
  append(code, contents);
  return code;
}

Code block(std::initializer_list<std::uint8_t> opcode, const Code& contents) {
  Code code(opcode);
  append(code, package(contents));
  return code;
}

// [ACPI 6.4 6.4.3.5] Address space descriptors: T decides between word, double word and quad word.
enum class Space : std::uint8_t { Memory = 0, Io = 1, Bus = 2 };

template <class T>
Code address_space(std::uint8_t tag, Space space, std::uint8_t specific, T first, T last) {
  constexpr std::uint8_t kProducerMinMaxFixed = 0x0c;
  Code code{tag};
  append<std::uint16_t>(code, 3 + 5 * sizeof(T));
  code.push_back(static_cast<std::uint8_t>(space));
  code.push_back(kProducerMinMaxFixed);
  code.push_back(specific);
  append<T>(code, 0);  // granularity
  append<T>(code, first);
  append<T>(code, last);
  append<T>(code, 0);  // translation
  append<T>(code, static_cast<T>(last - first + 1));
  return code;
}

constexpr std::uint8_t kWordSpace = 0x88;
constexpr std::uint8_t kDWordSpace = 0x87;
constexpr std::uint8_t kQWordSpace = 0x8a;
constexpr std::uint8_t kEntireIoRange = 3;
constexpr std::uint8_t kWritable = 1;
constexpr std::uint8_t kCacheable = 1 << 1;

}  // namespace

Code join(std::initializer_list<Code> parts) {
  Code code;
  for (const auto& part : parts)
    append(code, part);
  return code;
}

Code name(std::string_view path, const Code& object) {
  return join({{kNameOp}, path_code(path), object});
}

Code scope(std::string_view path, const Code& contents) {
  return block({kScopeOp}, join({path_code(path), contents}));
}

Code device(std::string_view path, const Code& contents) {
  return block({kExtPrefix, kDeviceOp}, join({path_code(path), contents}));
}

Code processor(std::string_view path, std::uint8_t id) {
  const Code no_block{0, 0, 0, 0, 0};  // address, length
  return block({kExtPrefix, kProcessorOp}, join({path_code(path), {id}, no_block}));
}

Code integer(std::uint32_t value) {
  if (value == 0) return {kZeroOp};
  Code code;
  if (value <= std::numeric_limits<std::uint8_t>::max()) {
    code.push_back(kBytePrefix);
    append<std::uint8_t>(code, static_cast<std::uint8_t>(value));
  } else if (value <= std::numeric_limits<std::uint16_t>::max()) {
    code.push_back(kWordPrefix);
    append<std::uint16_t>(code, static_cast<std::uint16_t>(value));
  } else {
    code.push_back(kDWordPrefix);
    append<std::uint32_t>(code, value);
  }
  return code;
}

Code eisa_id(std::string_view id) {
  MV_ASSERT(id.size() == 7, "an EISA id has three letters and four digits");
  // [ACPI 6.4 19.3.4] five bits a letter, four a digit, the whole big-endian.
  std::uint32_t value = 0;
  for (const char letter : id.substr(0, 3))
    value = (value << 5) | static_cast<std::uint32_t>(letter - 'A' + 1);
  for (const char digit : id.substr(3))
    value = (value << 4) | static_cast<std::uint32_t>(digit <= '9' ? digit - '0' : digit - 'A' + 10);
  Code code{kDWordPrefix};
  append<std::uint32_t>(code, __builtin_bswap32(value));
  return code;
}

Code buffer(std::span<const std::uint8_t> bytes) {
  return block({kBufferOp}, join({integer(static_cast<std::uint32_t>(bytes.size())), {bytes.begin(), bytes.end()}}));
}

Code resources(std::initializer_list<Code> descriptors) {
  constexpr std::uint8_t kEndTag = 0x79;
  return buffer(join({join(descriptors), {kEndTag, 0}}));  // checksum 0: not used
}

Code bus_numbers(std::uint16_t first, std::uint16_t last) {
  return address_space<std::uint16_t>(kWordSpace, Space::Bus, 0, first, last);
}

Code ports(std::uint16_t first, std::uint16_t last) {
  constexpr std::uint8_t kIoDescriptor = 0x47;
  constexpr std::uint8_t kDecode16 = 1;
  Code code{kIoDescriptor, kDecode16};
  append<std::uint16_t>(code, first);
  append<std::uint16_t>(code, first);
  code.push_back(1);  // alignment
  code.push_back(static_cast<std::uint8_t>(last - first + 1));
  return code;
}

Code isa_interrupt(std::uint8_t irq) {
  constexpr std::uint8_t kIrqNoFlags = 0x22;
  const auto mask = 1U << irq;
  return {kIrqNoFlags, static_cast<std::uint8_t>(mask), static_cast<std::uint8_t>(mask >> 8)};
}

Code port_window(std::uint16_t first, std::uint16_t last) {
  return address_space<std::uint16_t>(kWordSpace, Space::Io, kEntireIoRange, first, last);
}

Code memory_window(std::uint32_t first, std::uint32_t last, bool cacheable) {
  const auto specific = static_cast<std::uint8_t>(kWritable | (cacheable ? kCacheable : 0));
  return address_space<std::uint32_t>(kDWordSpace, Space::Memory, specific, first, last);
}

Code memory_window64(std::uint64_t first, std::uint64_t last) {
  return address_space<std::uint64_t>(kQWordSpace, Space::Memory, kWritable | kCacheable, first, last);
}

Code fixed_memory(std::uint32_t base, std::uint32_t size) {
  constexpr std::uint8_t kFixedMemory = 0x86;
  Code code{kFixedMemory};
  append<std::uint16_t>(code, 9);
  code.push_back(0);  // read-only
  append<std::uint32_t>(code, base);
  append<std::uint32_t>(code, size);
  return code;
}

}  // namespace firmware::aml
