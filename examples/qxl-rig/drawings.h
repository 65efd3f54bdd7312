// Commands as a driver makes them, each in a slot of the driver's memory together with all that it refers to.
#pragma once

#include <cstdint>

#include "examples/qxl-rig/driver.h"

namespace qxl {

QXLRect box(std::int32_t x, std::int32_t y, std::int32_t width, std::int32_t height);

void fill(Driver& driver, const QXLRect& where, std::uint32_t color, std::uint32_t surface = 0);
// A picture of 16 x 16 pixels that comes along with the command.
void copy(Driver& driver, std::int32_t x, std::int32_t y);
// The upper left part of a picture of `width` pixels a row, which must stay as it is until the command is released.
void copy_picture(Driver& driver, const QXLRect& where, const QXLDataChunk& pixels, std::uint32_t width,
                  std::uint16_t rop = SPICE_ROPD_OP_PUT);
// Letters of 8 x 8 bits, at most kMostLetters: "QXL" and again.
constexpr std::int32_t kMostLetters = 128;
void text(Driver& driver, std::int32_t x, std::int32_t y, std::uint32_t color, std::int32_t letters = 3);
// Moves what is in the box, but for its upper lines, up by so many.
void scroll(Driver& driver, const QXLRect& where, std::int32_t lines);

// An off-screen surface of 32 bits a pixel, whose pixels lie in the driver's spare memory.
void create_surface(Driver& driver, std::uint32_t id, std::uint32_t width, std::uint32_t height);
void destroy_surface(Driver& driver, std::uint32_t id);
void copy_surface(Driver& driver, std::uint32_t id, std::int32_t x, std::int32_t y, std::int32_t side);

// A white block with its hot spot in the middle.
void pointer(Driver& driver, std::int16_t x, std::int16_t y);

}  // namespace qxl
