// Everything that can happen to a display, as a number of bytes says: surfaces made, drawn on, read and destroyed,
// modes switched, clients that come, go, and take messages or not. Held against a model that draws each drawing at
// once: what the screen shows, and what each client shows whenever it has taken all that was for it.
#pragma once

#include <array>
#include <list>
#include <map>
#include <optional>
#include <string>

#include "spice/display/client_writer.h"
#include "spice/display/screen.h"
#include "tests/fuzz/drawing_maker.h"
#include "tests/fuzz/input.h"
#include "tests/unit/spice/display/model_client.h"

namespace display_test {

class DisplayModel final : private core::DisplaySource, private spice::display::ScreenListener {
 public:
  explicit DisplayModel(tests::FuzzInput& input);

  // Empty if all is as it should be; otherwise what is not.
  std::string run();

  struct Counts {
    int drawings = 0;         // asked for
    int client_drawings = 0;  // that clients drew
    int comparisons = 0;      // of surfaces
  };
  const Counts& counts() const { return counts_; }

 private:
  // Draws at once.
  class Reference final : public spice::canvas::SurfaceTable {
   public:
    spice::canvas::Surface* find(core::SurfaceId id) override;
    std::map<core::SurfaceId, spice::canvas::Surface> surfaces;
  };
  struct Client {
    Client(spice::display::Screen& screen, spice::image::ImageEncoder& encoder,
           const spice::wire::Capabilities& capabilities, const spice::display::ClientSurfaces::Limits& limits);
    ModelClient model;
    spice::display::ClientWriter writer;
    spice::display::ClientSurfaces surfaces;
  };

  // core::DisplaySource: does one thing.
  Next pull(core::DisplayCanvas& canvas) override;
  bool refresh(core::DisplayCanvas& canvas, bool full) override;
  void set_wake(std::function<void()>) override {}

  // spice::display::ScreenListener.
  void primary_made(spice::display::SurfaceKey key) override;
  void surface_gone(spice::display::SurfaceKey key) override;
  void painted(spice::display::SurfaceKey key, const spice::canvas::Region& region) override;
  void drawn(const spice::display::PlacedDrawingPtr& drawing) override;
  void monitors_changed() override;
  void drawings_too_many() override;

  void draw(core::DisplayCanvas& canvas);
  void make_surface(core::DisplayCanvas& canvas, core::SurfaceId id);
  void load_surface(core::DisplayCanvas& canvas);
  void read_surface(core::DisplayCanvas& canvas);
  void set_monitors(core::DisplayCanvas& canvas);
  void switch_mode(core::DisplayCanvas& canvas);
  void paint(core::DisplayCanvas& canvas);
  void join();
  bool send(Client& client, int most);
  void check(Client& client);
  void fail(const std::string& what);
  core::SurfaceId some_id() { return input_.u8() % 7U; }

  tests::FuzzInput& input_;
  tests::DrawingMaker maker_;
  spice::display::Screen screen_;
  spice::image::ImageEncoder encoder_;
  Reference reference_;
  bool is_native_ = false;
  std::list<Client> clients_;
  std::string failure_;
  Counts counts_;
};

}  // namespace display_test
