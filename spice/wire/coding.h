// From bytes to messages and back.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "spice/wire/decoder.h"
#include "spice/wire/encoder.h"
#include "spice/wire/printer.h"
#include "spice/wire/sizer.h"

namespace spice::wire {

// The four uses of M's description; defined in coding_impl.h and instantiated in the .cpp file that has the
// description.
template <class M>
struct Coding {
  static void decode(Decoder& io, M& message);
  static void encode(Encoder& io, const M& message);
  static void size(Sizer& io, const M& message);
  static void print(Printer& io, const M& message);
};

// nullopt if the bytes are not such a message. Payloads in it borrow `bytes`.
template <class M>
std::optional<M> decode(std::span<const std::uint8_t> bytes) {
  std::optional<M> message(std::in_place);
  Decoder io(bytes);
  Coding<M>::decode(io, *message);
  if (!io.ok()) message.reset();
  return message;
}

template <class M>
Gather encode(const M& message) {
  Gather out;
  Encoder io(out);
  Coding<M>::encode(io, message);
  return out;
}

template <class M>
std::size_t wire_size(const M& message) {
  Sizer io;
  Coding<M>::size(io, message);
  return io.size();
}

template <class M>
std::string to_text(const M& message) {
  Printer io;
  Coding<M>::print(io, message);
  return io.text();
}

}  // namespace spice::wire
