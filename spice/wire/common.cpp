#include "spice/wire/common.h"

#include "spice/wire/coding_impl.h"

namespace spice::wire {

template <class IO>
void Migrate::wire(IO& io) {
  io.value("flags", flags);
}

template <class IO>
void MigrateData::wire(IO& io) {
  io.rest("data", data);
}

template <class IO>
void SetAck::wire(IO& io) {
  io.value("generation", generation);
  io.value("window", window);
}

template <class IO>
void Ping::wire(IO& io) {
  io.value("id", id);
  io.value("stamp", stamp);
  io.rest("padding", padding);
}

template <class IO>
void WaitForChannels::wire(IO& io) {
  io.array8("waits", waits);
}

template <class IO>
void Disconnecting::wire(IO& io) {
  io.value("time", time);
  io.value("reason", reason);
}

// The text's length does not count its NUL, so text32 does not fit.
template <class IO>
void Notify::wire(IO& io) {
  io.value("time_ns", time_ns);
  io.value("severity", severity);
  io.value("visibility", visibility);
  io.value("what", what);
  io.text32_bare("text", text);
}

template <class IO>
void AckSync::wire(IO& io) {
  io.value("generation", generation);
}

template <class IO>
void Pong::wire(IO& io) {
  io.value("id", id);
  io.value("stamp", stamp);
}

template <class IO>
void ClientMigrateData::wire(IO& io) {
  io.rest("data", data);
}

template <class IO>
void ClientDisconnecting::wire(IO& io) {
  io.value("time", time);
  io.value("reason", reason);
}

template struct Coding<Migrate>;
template struct Coding<MigrateData>;
template struct Coding<SetAck>;
template struct Coding<Ping>;
template struct Coding<WaitForChannels>;
template struct Coding<Disconnecting>;
template struct Coding<Notify>;
template struct Coding<AckSync>;
template struct Coding<Ack>;
template struct Coding<Pong>;
template struct Coding<MigrateFlushMark>;
template struct Coding<ClientMigrateData>;
template struct Coding<ClientDisconnecting>;

}  // namespace spice::wire
