// Says to one client what its ClientSurfaces want said: steps as messages of the display channel. Display worker only.
#pragma once

#include <functional>
#include <utility>

#include "spice/display/client_surfaces.h"
#include "spice/display/image_writer.h"
#include "spice/display/screen.h"
#include "spice/wire/capabilities.h"
#include "spice/wire/gather.h"

namespace spice::display {

class ClientWriter {
 public:
  using Send = std::function<void(std::uint16_t type, wire::Gather body)>;

  ClientWriter(Screen& screen, ImageEncoder& encoder, const wire::Capabilities& capabilities, Send send)
      : screen_(screen),
        capabilities_(capabilities),
        images_(std::as_const(screen).surfaces(), encoder),
        send_(std::move(send)) {}

  ClientSurfaces::Abilities abilities() const;
  ImageWriter& images() { return images_; }
  // With the pixels as they are now. False if the step is a drawing that cannot be sent.
  [[nodiscard]] bool write(const ClientSurfaces::Step& step);

 private:
  template <class M>
  void send(const M& message);
  void set_up(const ClientPicture::Step& step);
  void create(SurfaceKey key);
  void monitors();
  void pixels(SurfaceKey key, const core::Rect& area);
  bool drawing(const core::Drawing& drawing);

  Screen& screen_;
  wire::Capabilities capabilities_;
  ImageWriter images_;
  Send send_;
};

}  // namespace spice::display
