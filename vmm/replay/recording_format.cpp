#include "vmm/replay/recording_format.h"

#include <algorithm>
#include <utility>

#include "core/base/endian.h"
#include "vmm/replay/call_fields.h"

namespace vmm::replay {
namespace {

template <class T>
concept Scalar = std::integral<T> || std::is_enum_v<T>;

template <class T>
constexpr auto bits_of(T value) {
  if constexpr (std::is_same_v<T, bool>) {
    return static_cast<std::uint8_t>(value);
  } else if constexpr (std::is_enum_v<T>) {
    return static_cast<std::make_unsigned_t<std::underlying_type_t<T>>>(value);
  } else {
    return static_cast<std::make_unsigned_t<T>>(value);
  }
}

class Encoder {
 public:
  explicit Encoder(std::vector<std::uint8_t>& out) : out_(out) {}

  template <class... T>
  void operator()(const T&... values) {
    (put(values), ...);
  }

 private:
  template <Scalar T>
  void put(T value) {
    const auto bits = bits_of(value);
    out_.resize(out_.size() + sizeof bits);
    core::store_le(out_.data() + out_.size() - sizeof bits, bits);
  }
  void put(const std::vector<std::uint8_t>& bytes) {
    put(static_cast<std::uint32_t>(bytes.size()));
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }
  template <class T>
  void put(const std::vector<T>& values) {
    put(static_cast<std::uint32_t>(values.size()));
    for (const auto& value : values)
      put(value);
  }
  template <class T>
  void put(const std::optional<T>& value) {
    put(value.has_value());
    if (value) put(*value);
  }
  template <class T>
  void put(const std::shared_ptr<T>& value) {
    put(value != nullptr);
    if (value) put(*value);
  }
  template <class... T>
  void put(const std::variant<T...>& value) {
    put(static_cast<std::uint8_t>(value.index()));
    std::visit([this](const auto& chosen) { put(chosen); }, value);
  }
  template <class T>
    requires(!Scalar<T>)
  void put(const T& value) {
    fields(*this, value);
  }

  std::vector<std::uint8_t>& out_;
};

// The first thing that is wrong makes everything after it zero or empty.
class Decoder {
 public:
  explicit Decoder(std::span<const std::uint8_t> in) : in_(in) {}
  bool is_whole() const { return ok_ && in_.empty(); }

  template <class... T>
  void operator()(T&... values) {
    (take(values), ...);
  }
  template <class T>
  void take(T& value) {
    if constexpr (Scalar<T>) {
      take_scalar(value);
    } else {
      fields(*this, value);
    }
  }
  // The other enumerations are what the guest wrote, and those who use them expect anything. This one is the device's.
  void take(core::GlyphDepth& depth) {
    take_scalar(depth);
    if (depth != core::GlyphDepth::A1 && depth != core::GlyphDepth::A4 && depth != core::GlyphDepth::A8) fail();
  }
  void take(std::vector<std::uint8_t>& bytes) {
    const auto taken = cut(count(1));
    bytes.assign(taken.begin(), taken.end());
  }
  template <class T>
  void take(std::vector<T>& values) {
    // No element of a list takes less; so a list is never much larger than the record.
    constexpr std::size_t kLeastElement = 4;
    for (auto left = count(kLeastElement); left > 0 && ok_; --left)
      take(values.emplace_back());
  }
  template <class T>
  void take(std::optional<T>& value) {
    if (is_there()) take(value.emplace());
  }
  template <class T>
  void take(std::shared_ptr<const T>& value) {
    if (!is_there()) return;
    auto made = std::make_shared<T>();
    take(*made);
    value = std::move(made);
  }
  template <class... T>
  void take(std::variant<T...>& value) {
    std::uint8_t index = 0;
    take_scalar(index);
    if (index >= sizeof...(T)) return fail();
    choose(value, index, std::index_sequence_for<T...>());
  }

 private:
  void fail() {
    ok_ = false;
    in_ = {};
  }
  std::span<const std::uint8_t> cut(std::size_t bytes) {
    if (bytes > in_.size()) {
      fail();
      return {};
    }
    const auto taken = in_.first(bytes);
    in_ = in_.subspan(bytes);
    return taken;
  }
  template <class T>
  void take_scalar(T& value) {
    using Bits = decltype(bits_of(value));
    const auto bytes = cut(sizeof(Bits));
    if (!bytes.empty()) value = static_cast<T>(core::load_le<Bits>(bytes.data()));
  }
  std::size_t count(std::size_t least_element) {
    std::uint32_t value = 0;
    take_scalar(value);
    if (value > in_.size() / least_element) {
      fail();
      return 0;
    }
    return value;
  }
  bool is_there() {
    bool there = false;
    take_scalar(there);
    return there;
  }
  template <class V, std::size_t... I>
  void choose(V& value, std::size_t index, std::index_sequence<I...>) {
    ((I == index ? take(value.template emplace<I>()) : void()), ...);
  }

  std::span<const std::uint8_t> in_;
  bool ok_ = true;
};

}  // namespace

std::vector<std::uint8_t> recording_header() {
  std::vector<std::uint8_t> header(kRecordingMagic.begin(), kRecordingMagic.end());
  Encoder encode(header);
  encode(kRecordingVersion);
  return header;
}

std::vector<std::uint8_t> encode_record(const Call& call) {
  std::vector<std::uint8_t> record(4);
  Encoder encode(record);
  encode(call);
  core::store_le(record.data(), static_cast<std::uint32_t>(record.size() - 4));
  return record;
}

bool decode_record(std::span<const std::uint8_t> body, Call& call) {
  Decoder decode(body);
  decode(call);
  const auto* draw = std::get_if<Draw>(&call);
  return decode.is_whole() && (draw == nullptr || draw->drawing != nullptr);
}

}  // namespace vmm::replay
