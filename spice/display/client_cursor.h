// What one client knows of the pointer, and so what it has to be told next: a state and not a queue, as ClientPicture
// is one of pixels. Also which shapes it keeps: the last 256 that had a name.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "spice/display/cursor.h"

namespace spice::display {

class ClientCursor {
 public:
  enum class Kind : std::uint8_t {
    InvalidateAll,
    Reset,
    Init,           // the whole state
    InvalidateOne,  // the shape `unique` is forgotten
    Trail,
    Set,  // shape, position and visibility
    Hide,
    Move,  // also shows it
  };
  // How the shape of Init and Set is sent.
  enum class ShapeForm : std::uint8_t { None, Plain, CacheMe, FromCache };
  struct Step {
    Kind kind = Kind::Init;
    ShapeForm form = ShapeForm::None;
    std::uint64_t unique = 0;
    bool operator==(const Step&) const = default;
  };
  static constexpr std::size_t kCachedShapes = 256;

  // The surface under the pointer is another one: the client forgets all, and gets it anew.
  void start_over() { setup_ = Setup::All; }
  // What to tell now, nothing if the client knows enough. The caller sends it at once, with the state as it is.
  std::optional<Step> next(const CursorState& now);

 private:
  enum class Setup : std::uint8_t { None, Init, Reset, All };  // in reverse order

  Step next_setup(const CursorState& now);
  Step next_shape(const CursorState& now);
  void learn(const CursorState& now) { known_ = now; }
  bool keeps(std::uint64_t unique);

  Setup setup_ = Setup::Init;
  CursorState known_;
  std::vector<std::uint64_t> kept_;  // names, the one that was used last at the end
};

}  // namespace spice::display
