#include "spice/wire/decoder.h"

namespace spice::wire {

Payload Decoder::take(std::uint64_t size) {
  if (size > remaining()) ok_ = false;
  if (!ok_) return {};
  const auto bytes = message_.subspan(position_, static_cast<std::size_t>(size));
  position_ += bytes.size();
  return Payload::borrowed(bytes);
}

void Decoder::text32(const char*, std::string& field) {
  const auto bytes = take(read(4)).bytes();
  field.assign(bytes.begin(), bytes.end());
  if (const auto end = field.find('\0'); end != std::string::npos) field.resize(end);
}

void Decoder::text32_bare(const char*, std::string& field) {
  const auto bytes = take(read(4)).bytes();
  field.assign(bytes.begin(), bytes.end());
  if (read(1) != 0) ok_ = false;
}

void Decoder::jump(const char*, bool expected) {
  const auto offset = read(4);
  if (!expected) return;
  if (offset < position_ || offset > message_.size()) {
    ok_ = false;
  } else {
    position_ = static_cast<std::size_t>(offset);
  }
}

}  // namespace spice::wire
