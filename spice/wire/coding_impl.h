// Bodies of Coding, for the .cpp files that hold descriptions and instantiate them.
#pragma once

#include "spice/wire/coding.h"

namespace spice::wire {

template <class M>
void Coding<M>::decode(Decoder& io, M& message) {
  message.wire(io);
}

// A description serves reading and writing, so wire() is not const; these three IOs take everything by const reference.
template <class M>
void Coding<M>::encode(Encoder& io, const M& message) {
  const_cast<M&>(message).wire(io);
  io.finish();
}

template <class M>
void Coding<M>::size(Sizer& io, const M& message) {
  const_cast<M&>(message).wire(io);
}

template <class M>
void Coding<M>::print(Printer& io, const M& message) {
  const_cast<M&>(message).wire(io);
}

}  // namespace spice::wire
