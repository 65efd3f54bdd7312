// Drawings as messages of the display channel.
#pragma once

#include <cstdint>
#include <optional>

#include "core/ports/drawing.h"
#include "spice/display/image_writer.h"
#include "spice/wire/capabilities.h"
#include "spice/wire/display.h"
#include "spice/wire/gather.h"

namespace spice::display {

wire::Rect wire_rect(const core::Rect& rect);

struct EncodedMessage {
  std::uint16_t type = 0;
  wire::Gather body;
};

// Whether a client with these capabilities of its display channel can draw it, as far as can be said without its
// images: what it reads of its own surface must be taken before, and some numbers do not fit into messages.
bool is_for_clients(const core::Drawing& drawing, const wire::Capabilities& capabilities);

// Of one that is for clients. Nothing if one of its images cannot be written: then none has been.
std::optional<EncodedMessage> drawing_message(const core::Drawing& drawing, ImageWriter& images);

// Whether it puts a picture where something else was: then it may lose a little.
bool only_shows(const core::DrawCopy& copy);

// The pixels of `area` of a surface, which is up to date there; `is_whole`: of one that the client has just got.
wire::DisplayDrawCopy pixels_message(SurfaceKey surface, const core::Rect& area, bool is_whole, ImageWriter& images);

}  // namespace spice::display
