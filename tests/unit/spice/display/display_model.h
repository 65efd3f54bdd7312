// Everything that can happen to a display, as a number of bytes says: surfaces made, drawn on, read and destroyed,
// modes switched, clients that come, go, and take messages or not. Held against a model that draws each drawing at
// once: what the screen shows, and what each client shows whenever it has taken all that was for it. Images go every
// way that the settings say, with all that clients keep of them; two displays may share their clients.
#pragma once

#include <array>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "spice/display/client_writer.h"
#include "spice/display/screen.h"
#include "tests/fuzz/drawing_maker.h"
#include "tests/fuzz/input.h"
#include "tests/unit/spice/display/model_client.h"

namespace display_test {

// What displays have in common.
struct ModelSettings {
  spice::image::ImageOptions images{.compression = spice::wire::ImageCompression::Off};
  std::int64_t cache_pixels = 0;  // 0: nothing is kept, and unused bits of pixels count
  std::int32_t window_pixels = 0;
  spice::image::EncoderPool* pool = nullptr;  // null: none
};

// One client of several displays.
struct ModelSession {
  // The model drops images when their successors have come, later than the server.
  static constexpr std::uint64_t kWindows = 8;

  explicit ModelSession(const ModelSettings& settings)
      : kept(static_cast<std::uint64_t>(settings.window_pixels) * kWindows + 1) {}
  spice::image::ClientImages images;
  KeptImages kept;
  bool has_ended = false;
};
using ModelSessions = std::vector<std::shared_ptr<ModelSession>>;

class DisplayModel final : private core::DisplaySource, private spice::display::ScreenListener {
 public:
  explicit DisplayModel(tests::FuzzInput& input) : DisplayModel(input, {}, own_sessions_, 0) {}
  // One of the displays that share `sessions`.
  DisplayModel(tests::FuzzInput& input, const ModelSettings& settings, ModelSessions& sessions, std::uint8_t number);

  // Empty if all is as it should be; otherwise what is not.
  std::string run();
  // The same in parts: one thing that happens, and the end.
  std::string step();
  std::string finish();
  // Clients of all displays work off what they can. False: nothing was left, or everything has to wait.
  bool settle();
  std::function<bool()> on_settle;  // of all displays, if there are others

  struct Counts {
    int drawings = 0;                          // asked for
    int client_drawings = 0;                   // that clients drew
    int comparisons = 0;                       // of surfaces
    std::set<spice::wire::ImageType> types{};  // of images that clients got
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
    Client(DisplayModel& display, std::shared_ptr<ModelSession> of, const spice::wire::Capabilities& capabilities,
           const spice::display::ClientSurfaces::Limits& limits);
    std::shared_ptr<ModelSession> session;
    ModelClient model;
    std::uint64_t sent = 0;
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
  std::shared_ptr<ModelSession> free_session();
  bool send(Client& client, int most);
  void heal(Client& client);
  void check(Client& client);
  void fail(const std::string& what);
  core::SurfaceId some_id() { return input_.u8() % 7U; }

  tests::FuzzInput& input_;
  const ModelSettings settings_;
  ModelSessions own_sessions_;
  ModelSessions& sessions_;
  const std::uint8_t number_;
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
