#include "spice/wire/link.h"

#include "spice/wire/coding_impl.h"

namespace spice::wire {

template <class IO>
void LinkHeader::wire(IO& io) {
  io.value("magic", magic);
  io.value("major", major_version);
  io.value("minor", minor_version);
  io.value("size", size);
}

template <class IO>
void LinkMessage::wire(IO& io) {
  io.value("connection_id", connection_id);
  io.value("channel_type", channel_type);
  io.value("channel_id", channel_id);
  io.count32("common_caps", common_caps);
  io.count32("channel_caps", channel_caps);
  io.jump("caps_offset", !common_caps.empty() || !channel_caps.empty());
  io.elements("common_caps", common_caps);
  io.elements("channel_caps", channel_caps);
}

template <class IO>
void LinkReply::wire(IO& io) {
  io.value("error", error);
  io.fixed("public_key", public_key);
  io.count32("common_caps", common_caps);
  io.count32("channel_caps", channel_caps);
  io.jump("caps_offset", !common_caps.empty() || !channel_caps.empty());
  io.elements("common_caps", common_caps);
  io.elements("channel_caps", channel_caps);
}

template <class IO>
void AuthChoice::wire(IO& io) {
  io.value("mechanism", mechanism);
}

template <class IO>
void EncryptedTicket::wire(IO& io) {
  io.fixed("bytes", bytes);
}

template <class IO>
void LinkResult::wire(IO& io) {
  io.value("error", error);
}

template <class IO>
void MiniHeader::wire(IO& io) {
  io.value("type", type);
  io.value("size", size);
}

template <class IO>
void FullHeader::wire(IO& io) {
  io.value("serial", serial);
  io.value("type", type);
  io.value("size", size);
  io.value("sub_list", sub_list);
}

template struct Coding<LinkHeader>;
template struct Coding<LinkMessage>;
template struct Coding<LinkReply>;
template struct Coding<AuthChoice>;
template struct Coding<EncryptedTicket>;
template struct Coding<LinkResult>;
template struct Coding<MiniHeader>;
template struct Coding<FullHeader>;

}  // namespace spice::wire
