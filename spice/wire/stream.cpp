#include "spice/wire/stream.h"

#include "spice/wire/coding_impl.h"

namespace spice::wire {

template <class IO>
void DisplayStreamCreate::wire(IO& io) {
  io.value("surface_id", surface_id);
  io.value("id", id);
  io.value("flags", flags);
  io.value("codec", codec);
  io.value("stamp", stamp);
  io.value("stream_width", stream_width);
  io.value("stream_height", stream_height);
  io.value("source_width", source_width);
  io.value("source_height", source_height);
  io.object("dest", dest);
  io.object("clip", clip);
}

template <class IO>
void DisplayStreamData::wire(IO& io) {
  io.value("id", id);
  io.value("multi_media_time", multi_media_time);
  io.payload32("data", data);
}

template <class IO>
void DisplayStreamClip::wire(IO& io) {
  io.value("id", id);
  io.object("clip", clip);
}

template <class IO>
void DisplayStreamDestroy::wire(IO& io) {
  io.value("id", id);
}

template <class IO>
void DisplayStreamDataSized::wire(IO& io) {
  io.value("id", id);
  io.value("multi_media_time", multi_media_time);
  io.value("width", width);
  io.value("height", height);
  io.object("dest", dest);
  io.payload32("data", data);
}

template <class IO>
void DisplayStreamActivateReport::wire(IO& io) {
  io.value("id", id);
  io.value("unique_id", unique_id);
  io.value("window", window);
  io.value("timeout", timeout);
}

template <class IO>
void DisplayStreamReport::wire(IO& io) {
  io.value("id", id);
  io.value("unique_id", unique_id);
  io.value("start_time", start_time);
  io.value("end_time", end_time);
  io.value("frames", frames);
  io.value("drops", drops);
  io.value("last_frame_delay", last_frame_delay);
  io.value("audio_delay", audio_delay);
}

template struct Coding<DisplayStreamCreate>;
template struct Coding<DisplayStreamData>;
template struct Coding<DisplayStreamClip>;
template struct Coding<DisplayStreamDestroy>;
template struct Coding<DisplayStreamDataSized>;
template struct Coding<DisplayStreamActivateReport>;
template struct Coding<DisplayStreamReport>;

}  // namespace spice::wire
