// The visitors over a state description and the section stream; see state.h.
#include "core/state/state.h"

#include <algorithm>
#include <map>

#include "core/base/bits.h"
#include "core/base/endian.h"

namespace core::inline state {

namespace {

constexpr std::size_t kMaxNameLength = 64;           // a longer section name is a damaged file
constexpr std::uint32_t kMaxSectionBytes = 1 << 28;  // 256 MiB: the largest video memory, with room

template <class T>
void append(std::vector<std::uint8_t>& out, T value) {
  std::uint8_t bytes[sizeof(T)];
  store_le<T>(bytes, value);
  out.insert(out.end(), bytes, bytes + sizeof(T));
}

class Saver final : public StateVisitor {
 public:
  explicit Saver(std::vector<std::uint8_t>& out) : out_(out) {}

  void scalar(std::string_view, std::uint64_t& value, unsigned bytes) override {
    for (unsigned i = 0; i < bytes; ++i)
      out_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  void block(std::string_view, std::span<std::uint8_t> bytes) override {
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }
  void count(std::string_view, std::uint64_t& value, std::uint64_t) override { append(out_, value); }
  void enter(std::string_view) override {}
  void leave() override {}

 private:
  std::vector<std::uint8_t>& out_;
};

// Reads zeros after the first failure, so that visit() needs no error paths.
class Loader final : public StateVisitor {
 public:
  explicit Loader(std::span<const std::uint8_t> in) : in_(in) {}

  bool complete() const { return ok_ && in_.empty(); }

  void scalar(std::string_view, std::uint64_t& value, unsigned bytes) override {
    value = 0;
    const auto source = take(bytes);
    for (unsigned i = 0; i < source.size(); ++i)
      value |= std::uint64_t{source[i]} << (8 * i);
  }
  void block(std::string_view, std::span<std::uint8_t> bytes) override {
    const auto source = take(bytes.size());
    if (source.empty()) {
      std::ranges::fill(bytes, std::uint8_t{0});
    } else {
      std::ranges::copy(source, bytes.begin());
    }
  }
  void count(std::string_view name, std::uint64_t& value, std::uint64_t cap) override {
    scalar(name, value, 8);
    // An element is at least a byte: a count beyond what is left cannot be right, and must not be allocated.
    if (value > cap || value > in_.size()) {
      ok_ = false;
      value = 0;
    }
  }
  void enter(std::string_view) override {}
  void leave() override {}

 private:
  std::span<const std::uint8_t> take(std::size_t length) {
    if (!ok_ || length > in_.size()) {
      ok_ = false;
      return {};
    }
    const auto taken = in_.first(length);
    in_ = in_.subspan(length);
    return taken;
  }

  std::span<const std::uint8_t> in_;
  bool ok_ = true;
};

class Dumper final : public StateVisitor {
 public:
  explicit Dumper(std::string_view root) : path_{std::string(root)} {}

  std::string text;

  void scalar(std::string_view name, std::uint64_t& value, unsigned) override {
    line(name, fmt::format("{:#x}", value));
  }
  void block(std::string_view name, std::span<std::uint8_t> bytes) override {
    std::string hex;
    for (const auto byte : bytes)
      hex += fmt::format("{:02x}", byte);
    line(name, hex);
  }
  void count(std::string_view name, std::uint64_t& value, std::uint64_t) override {
    line(name, fmt::format("{}", value));
  }
  void enter(std::string_view name) override { path_.push_back(path_.back() + "." + std::string(name)); }
  void leave() override { path_.pop_back(); }

 private:
  void line(std::string_view name, std::string_view value) {
    text += fmt::format("{}.{} = {}\n", path_.back(), name, value);
  }

  std::vector<std::string> path_;
};

struct Section {
  std::uint32_t version = 0;
  std::span<const std::uint8_t> bytes;
};

// Cursor over untrusted bytes.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> in) : in_(in) {}
  bool at_end() const { return in_.empty(); }
  bool u32(std::uint32_t& value) {
    std::span<const std::uint8_t> raw;
    if (!bytes(4, raw)) return false;
    value = load_le<std::uint32_t>(raw.data());
    return true;
  }
  bool bytes(std::size_t length, std::span<const std::uint8_t>& out) {
    if (length > in_.size()) return false;
    out = in_.first(length);
    in_ = in_.subspan(length);
    return true;
  }

 private:
  std::span<const std::uint8_t> in_;
};

using Sections = std::map<std::string, Section, std::less<>>;

Result<Sections> split_sections(std::span<const std::uint8_t> stream) {
  Sections sections;
  Reader reader(stream);
  while (!reader.at_end()) {
    std::uint32_t name_length = 0;
    std::uint32_t length = 0;
    std::span<const std::uint8_t> name;
    Section section;
    const bool read = reader.u32(name_length) && name_length <= kMaxNameLength && reader.bytes(name_length, name) &&
                      reader.u32(section.version) && reader.u32(length) && length <= kMaxSectionBytes &&
                      reader.bytes(length, section.bytes);
    if (!read) return fail("the saved state is damaged or cut short");
    if (!sections.emplace(std::string(name.begin(), name.end()), section).second) {
      return fail("the saved state has a section twice");
    }
  }
  return sections;
}

Result<> check_sections(const Sections& sections, std::span<Stateful* const> objects) {
  for (auto* object : objects) {
    const auto found = sections.find(object->state_name());
    if (found == sections.end()) return fail("the saved state has no section \"{}\"", object->state_name());
    if (found->second.version != object->state_version()) {
      return fail("section \"{}\" of the saved state has version {}, this minivmm reads {}", object->state_name(),
                  found->second.version, object->state_version());
    }
  }
  if (sections.size() == objects.size()) return {};
  for (const auto& [name, section] : sections) {
    if (std::ranges::find(objects, name, &Stateful::state_name) == objects.end())
      return fail("the saved state is of a machine with a device \"{}\", which this one has not", name);
  }
  return fail("two objects of this machine have one name");
}

}  // namespace

std::vector<std::uint8_t> save_state(std::span<Stateful* const> objects) {
  std::vector<std::uint8_t> out;
  for (auto* object : objects) {
    const auto name = object->state_name();
    append(out, static_cast<std::uint32_t>(name.size()));
    out.insert(out.end(), name.begin(), name.end());
    append(out, static_cast<std::uint32_t>(object->state_version()));
    const auto length_at = out.size();
    append(out, std::uint32_t{0});
    Saver saver(out);
    object->visit_state(saver);
    store_le(&out[length_at], static_cast<std::uint32_t>(out.size() - length_at - 4));
  }
  return out;
}

Result<> check_state(std::span<const std::uint8_t> stream, std::span<Stateful* const> objects) {
  const auto sections = split_sections(stream);
  return sections ? check_sections(*sections, objects) : std::unexpected(sections.error());
}

Result<> load_state(std::span<const std::uint8_t> stream, std::span<Stateful* const> objects) {
  const auto sections = split_sections(stream);
  if (!sections) return std::unexpected(sections.error());
  // All names and versions are checked before the first object is touched.
  if (auto checked = check_sections(*sections, objects); !checked) return checked;
  for (auto* object : objects) {
    Loader loader(sections->find(object->state_name())->second.bytes);
    object->visit_state(loader);
    if (!loader.complete()) return fail("section \"{}\" of the saved state is damaged", object->state_name());
    if (auto loaded = object->state_loaded(); !loaded) return fail_with(object->state_name(), loaded);
  }
  return {};
}

std::string dump_state(Stateful& object) {
  Dumper dumper(object.state_name());
  object.visit_state(dumper);
  return std::move(dumper.text);
}

std::string diff_state(Stateful& a, Stateful& b) {
  std::string_view left;
  std::string_view right;
  const auto left_text = dump_state(a);
  const auto right_text = dump_state(b);
  left = left_text;
  right = right_text;
  const auto next_line = [](std::string_view& text) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
  };
  std::string difference;
  while (!left.empty() || !right.empty()) {
    const auto l = next_line(left);
    const auto r = next_line(right);
    if (l != r) difference += fmt::format("- {}\n+ {}\n", l, r);
  }
  return difference;
}

}  // namespace core::inline state
