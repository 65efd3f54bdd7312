// Says to one client what its ClientSurfaces want said: steps as messages of the display channel. Display worker only.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <utility>

#include "spice/display/client_surfaces.h"
#include "spice/display/drawing_strips.h"
#include "spice/display/image_writer.h"
#include "spice/display/screen.h"
#include "spice/image/image_sender.h"
#include "spice/image/lossy_areas.h"
#include "spice/wire/capabilities.h"
#include "spice/wire/gather.h"

namespace spice::display {

class ClientWriter {
 public:
  struct Line {
    std::function<void(std::uint16_t type, wire::Gather body)> send;
    std::function<std::uint64_t()> next_serial;  // of the message that is sent next
  };

  ClientWriter(Screen& screen, image::ImageEncoder& encoder, const image::ImageOptions& options,
               const wire::Capabilities& capabilities, Line line);

  ClientSurfaces::Abilities abilities() const;
  image::ImageSender& images() { return images_; }
  // The guest begins anew, or with what it was at another time: what it calls by a number may be another image or
  // palette now.
  void primary_made() { names_are_old_ = true; }
  // With the pixels as they are now, when nothing is unfinished. False if the step is a drawing that cannot be sent, or
  // not before what it needs is exact: then the client is to get what it draws.
  [[nodiscard]] bool write(const ClientSurfaces::Step& step);
  // Of a large drawing, write() sends the first message only, as it may be more than a line takes at once.
  bool is_unfinished() const { return unfinished_.has_value(); }
  void go_on();  // the next message of it, if there is one
  // Has images of these steps, which will probably be written next, made by several threads.
  void prepare(std::span<const ClientSurfaces::Step> upcoming);
  void surface_gone(SurfaceKey key);
  // Where on a surface the client has something that is not exact; null: nowhere.
  const canvas::Region* inexact(SurfaceKey key) const { return lossy_.of(key); }

 private:
  template <class M>
  void send(const M& message);
  void forget_names();
  void set_up(const ClientPicture::Step& step);
  void create(SurfaceKey key);
  void monitors();
  void pixels(SurfaceKey key, const core::Rect& area);
  bool drawing(const PlacedDrawingPtr& placed);
  // The drawing's message; whether it loses something. Nothing if it cannot be sent.
  std::optional<bool> whole(const core::Drawing& drawing);
  void all_sent(const PlacedDrawing& placed, bool is_lossy);

  struct Unfinished {
    PlacedDrawingPtr placed;
    DrawingStrips strips;
    std::size_t sent = 0;
    bool is_lossy = false;
  };

  Screen& screen_;
  wire::Capabilities capabilities_;
  image::ImageSender images_;
  image::LossyAreas lossy_;
  std::optional<Unfinished> unfinished_;
  bool names_are_old_ = false;
  bool primary_is_new_ = false;  // for the client, who has no pixels of it
  bool knows_monitors_ = false;  // the client has been told of some
  Line line_;
};

}  // namespace spice::display
