#include "devices/qxl/vga_dac.h"

namespace devices::qxl {

namespace {
constexpr std::uint8_t kSixBits = 0x3f;
}

void VgaDac::write_read_index(std::uint8_t value) {
  read_index_ = value;
  component_ = 0;
  reading_ = true;
}

void VgaDac::write_write_index(std::uint8_t value) {
  write_index_ = value;
  component_ = 0;
  reading_ = false;
}

std::uint8_t VgaDac::read_data() {
  const auto value = components_[read_index_ * 3u + component_ % 3];
  if (++component_ >= 3) {
    component_ = 0;
    ++read_index_;
  }
  return value;
}

// A colour takes effect when its third component arrives.
void VgaDac::write_data(std::uint8_t value) {
  latch_[component_ % 3] = eight_bit_ ? value : static_cast<std::uint8_t>(value & kSixBits);
  if (++component_ < 3) return;
  for (unsigned i = 0; i < 3; ++i)
    components_[write_index_ * 3u + i] = latch_[i];
  component_ = 0;
  ++write_index_;
}

void VgaDac::visit(core::StateVisitor& visitor) {
  visitor.field("components", components_);
  visitor.field("latch", latch_);
  visitor.field("mask", mask_);
  visitor.field("read_index", read_index_);
  visitor.field("write_index", write_index_);
  visitor.field("component", component_);
  visitor.field("reading", reading_);
  visitor.field("eight_bit", eight_bit_);
  component_ = static_cast<std::uint8_t>(component_ % 3);
}

}  // namespace devices::qxl
