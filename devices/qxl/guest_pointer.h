// The pointer as the driver has set it. Display worker only.
#pragma once

#include <cstdint>

#include "core/ports/cursor.h"
#include "core/state/state.h"
#include "devices/qxl/cursor_parser.h"

namespace devices::qxl {

class GuestPointer {
 public:
  void apply(const CursorCommand& command, core::CursorSink& sink);
  void reset(core::CursorSink& sink);
  // All of it, to a sink that knows nothing.
  void show(core::CursorSink& sink) const;

  void visit(core::StateVisitor& visitor);
  bool valid() const;

 private:
  core::CursorShapePtr shape_;
  core::Point position_{};
  bool visible_ = false;
  CursorTrail trail_{};
};

}  // namespace devices::qxl
