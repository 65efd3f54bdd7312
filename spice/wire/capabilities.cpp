#include "spice/wire/capabilities.h"

namespace spice::wire {

void Capabilities::set(unsigned bit) {
  if (words_.size() <= bit / 32) words_.resize(bit / 32 + 1);
  words_[bit / 32] |= std::uint32_t{1} << (bit % 32);
}

}  // namespace spice::wire
