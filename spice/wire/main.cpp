#include "spice/wire/main.h"

#include "spice/wire/coding_impl.h"

namespace spice::wire {

template <class IO>
void MainInit::wire(IO& io) {
  io.value("session_id", session_id);
  io.value("displays_hint", displays_hint);
  io.value("supported_mouse_modes", supported_mouse_modes);
  io.value("current_mouse_mode", current_mouse_mode);
  io.value("agent_connected", agent_connected);
  io.value("agent_tokens", agent_tokens);
  io.value("multi_media_time", multi_media_time);
  io.value("ram_hint", ram_hint);
}

template <class IO>
void MainChannelsList::wire(IO& io) {
  io.array32("channels", channels);
}

template <class IO>
void MainMouseMode::wire(IO& io) {
  io.value("supported", supported);
  io.value("current", current);
}

template <class IO>
void MainMultiMediaTime::wire(IO& io) {
  io.value("time_ms", time_ms);
}

template <class IO>
void MainAgentDisconnected::wire(IO& io) {
  io.value("error", error);
}

template <class IO>
void MainAgentData::wire(IO& io) {
  io.rest("data", data);
}

template <class IO>
void MainAgentToken::wire(IO& io) {
  io.value("tokens", tokens);
}

template <class IO>
void MainName::wire(IO& io) {
  io.text32("name", name);
}

template <class IO>
void MainUuid::wire(IO& io) {
  io.fixed("uuid", uuid);
}

template <class IO>
void MainAgentConnectedTokens::wire(IO& io) {
  io.value("tokens", tokens);
}

template <class IO>
void MainClientInfo::wire(IO& io) {
  io.value("cache_size", cache_size);
}

template <class IO>
void MainMouseModeRequest::wire(IO& io) {
  io.value("mode", mode);
}

template <class IO>
void MainAgentStart::wire(IO& io) {
  io.value("tokens", tokens);
}

template <class IO>
void MainClientAgentData::wire(IO& io) {
  io.rest("data", data);
}

template <class IO>
void MainClientAgentToken::wire(IO& io) {
  io.value("tokens", tokens);
}

template struct Coding<MainInit>;
template struct Coding<MainChannelsList>;
template struct Coding<MainMouseMode>;
template struct Coding<MainMultiMediaTime>;
template struct Coding<MainAgentConnected>;
template struct Coding<MainAgentDisconnected>;
template struct Coding<MainAgentData>;
template struct Coding<MainAgentToken>;
template struct Coding<MainName>;
template struct Coding<MainUuid>;
template struct Coding<MainAgentConnectedTokens>;
template struct Coding<MainClientInfo>;
template struct Coding<MainAttachChannels>;
template struct Coding<MainMouseModeRequest>;
template struct Coding<MainAgentStart>;
template struct Coding<MainClientAgentData>;
template struct Coding<MainClientAgentToken>;

}  // namespace spice::wire
