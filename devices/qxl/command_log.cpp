#include "devices/qxl/command_log.h"

#include <fmt/format.h>

namespace devices::qxl {

namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

std::string text_of(const core::Rect& area) {
  return fmt::format("{}x{}+{}+{}", std::int64_t{area.right} - area.left, std::int64_t{area.bottom} - area.top,
                     area.left, area.top);
}

std::string text_of(const core::ImagePtr& image) {
  if (!image) return "no image";
  auto text = std::visit(
      Overloaded{[](const core::Bitmap& bitmap) {
                   return fmt::format("bitmap {}x{} of format {}", bitmap.width, bitmap.height,
                                      static_cast<unsigned>(bitmap.format));
                 },
                 [](const core::QuicBitmap& quic) { return fmt::format("QUIC image of {} bytes", quic.data.size()); },
                 [](const core::SurfacePixels& from) { return fmt::format("surface {}", from.surface); },
                 [](const core::OwnPixels& own) { return fmt::format("its own {}", text_of(own.area)); }},
      image->content);
  if (image->cacheable) text += fmt::format(" (cached as {:x})", image->id);
  return text;
}

std::string text_of(const core::Source& source) {
  return fmt::format("{} of {}", text_of(source.area), text_of(source.image));
}

std::string text_of(const core::Brush& brush) {
  return std::visit(
      Overloaded{[](std::monostate) { return std::string("no brush"); },
                 [](const core::SolidBrush& solid) { return fmt::format("colour {:06x}", solid.color); },
                 [](const core::PatternBrush& pattern) { return "pattern of " + text_of(pattern.image); }},
      brush);
}

std::string text_of(const core::Mask& mask) {
  if (!mask.image) return "";
  return fmt::format(", {}mask of {}", mask.inverted ? "inverted " : "", text_of(mask.image));
}

std::string operation_text(const core::Drawing& drawing) {
  return std::visit(
      Overloaded{
          [](const core::DrawNothing&) { return std::string("nothing"); },
          [](const core::DrawFill& d) {
            return fmt::format("fill with {}, rop {:#x}{}", text_of(d.brush), d.rop, text_of(d.mask));
          },
          [](const core::DrawOpaque& d) {
            return fmt::format("opaque {} with {}, rop {:#x}{}", text_of(d.source), text_of(d.brush), d.rop,
                               text_of(d.mask));
          },
          [](const core::DrawCopy& d) {
            return fmt::format("copy {}, rop {:#x}{}", text_of(d.source), d.rop, text_of(d.mask));
          },
          [](const core::DrawBlend& d) {
            return fmt::format("blend {}, rop {:#x}{}", text_of(d.source), d.rop, text_of(d.mask));
          },
          [](const core::DrawCopyBits& d) { return fmt::format("copy bits from +{}+{}", d.source.x, d.source.y); },
          [](const core::DrawBlackness& d) { return "blackness" + text_of(d.mask); },
          [](const core::DrawWhiteness& d) { return "whiteness" + text_of(d.mask); },
          [](const core::DrawInvers& d) { return "invert" + text_of(d.mask); },
          [](const core::DrawRop3& d) {
            return fmt::format("rop3 {:#x} of {} with {}{}", d.code, text_of(d.source), text_of(d.brush),
                               text_of(d.mask));
          },
          [](const core::DrawStroke& d) {
            return fmt::format("stroke of {} segments with {}", d.path.size(), text_of(d.brush));
          },
          [](const core::DrawText& d) {
            return fmt::format("text of {} glyphs with {}", d.glyphs.size(), text_of(d.fore_brush));
          },
          [](const core::DrawTransparent& d) {
            return fmt::format("transparent {} but {:06x}", text_of(d.source), d.true_color);
          },
          [](const core::DrawAlphaBlend& d) { return fmt::format("alpha {} of {}", d.alpha, text_of(d.source)); },
          [](const core::DrawComposite& d) {
            return fmt::format("composite {} of {}{}", d.operation, text_of(d.source.image),
                               d.mask ? ", mask of " + text_of(d.mask->image) : "");
          }},
      drawing.operation);
}

}  // namespace

std::string describe_drawing(const core::Drawing& drawing) {
  auto text =
      fmt::format("draw on surface {} in {}: {}", drawing.surface, text_of(drawing.box), operation_text(drawing));
  if (drawing.clip) text += fmt::format(", clipped to {} rectangles", drawing.clip->size());
  return text + fmt::format(", {} bytes", drawing.memory);
}

std::string describe_cursor(const CursorCommand& command) {
  return std::visit(Overloaded{[](std::monostate) { return std::string("cursor"); },
                               [](const SetCursor& set) {
                                 return fmt::format("cursor {}x{} of type {} at +{}+{}{}", set.shape->width,
                                                    set.shape->height, static_cast<unsigned>(set.shape->type),
                                                    set.position.x, set.position.y, set.visible ? "" : ", hidden");
                               },
                               [](const MoveCursor& move) {
                                 return fmt::format("cursor to +{}+{}", move.position.x, move.position.y);
                               },
                               [](const HideCursor&) { return std::string("cursor hidden"); },
                               [](const CursorTrail& trail) {
                                 return fmt::format("cursor trail of {} at {}", trail.length, trail.frequency);
                               }},
                    command);
}

}  // namespace devices::qxl
