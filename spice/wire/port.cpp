#include "spice/wire/port.h"

#include "spice/wire/coding_impl.h"

namespace spice::wire {

PortInit PortInit::of(std::string_view name, bool is_open) {
  std::vector<std::uint8_t> text(name.begin(), name.end());
  text.push_back(0);
  const auto size = static_cast<std::uint32_t>(text.size());
  return {{Payload(std::move(text)), size}, is_open ? std::uint8_t{1} : std::uint8_t{0}};
}

template <class IO>
void PortData::wire(IO& io) {
  io.rest("data", data);
}

template <class IO>
void PortCompressedData::wire(IO& io) {
  io.value("compression", compression);
  if (compression != Compression::None) io.value("size", size);
  io.rest("data", data);
}

template <class IO>
void PortInit::wire(IO& io) {
  io.value("name_size", name.size);
  io.reference("name", name);
  io.value("is_open", is_open);
}

template <class IO>
void PortEvent::wire(IO& io) {
  io.value("change", change);
}

template <class IO>
void PortClientEvent::wire(IO& io) {
  io.value("change", change);
}

template struct Coding<PortData>;
template struct Coding<PortCompressedData>;
template struct Coding<PortInit>;
template struct Coding<PortEvent>;
template struct Coding<PortClientEvent>;

}  // namespace spice::wire
