// Draws with everything a simple driver needs, looks whether the pixels are right, and then draws as fast as it can.
// Says what it does on the debug console and ends the machine with 0 if all was well.
#include "examples/qxl-rig/driver.h"
#include "tests/guest/bare/bare.h"

namespace {

constexpr std::int32_t kWidth = 800;
constexpr std::int32_t kHeight = 600;
constexpr unsigned kRounds = 2000;

qxl::Driver driver;

// Places in a command's memory.
constexpr std::uint32_t kImageAt = 256;
constexpr std::uint32_t kDataAt = 384;

QXLDrawable& new_drawable(std::uint8_t type, const QXLRect& box, std::uint32_t surface = 0) {
  auto& drawable = *reinterpret_cast<QXLDrawable*>(driver.take_slot());
  drawable.surface_id = surface;
  drawable.type = type;
  drawable.effect = QXL_EFFECT_OPAQUE;
  drawable.bbox = box;
  drawable.clip.type = SPICE_CLIP_TYPE_NONE;
  for (unsigned i = 0; i < 3; ++i)
    drawable.surfaces_dest[i] = -1;  // surfaces that it reads: none
  return drawable;
}

// Top, left, bottom, right: the order of QXLRect.
QXLRect box(std::int32_t x, std::int32_t y, std::int32_t width, std::int32_t height) {
  return {y, x, y + height, x + width};
}

void fill(const QXLRect& where, std::uint32_t color, std::uint32_t surface = 0) {
  auto& drawable = new_drawable(QXL_DRAW_FILL, where, surface);
  drawable.u.fill.brush.type = SPICE_BRUSH_TYPE_SOLID;
  drawable.u.fill.brush.u.color = color;
  drawable.u.fill.rop_descriptor = SPICE_ROPD_OP_PUT;
  driver.submit(QXL_CMD_DRAW, &drawable);
}

// A picture of 16 x 16 pixels that comes along with the command.
void copy(std::int32_t x, std::int32_t y) {
  auto& drawable = new_drawable(QXL_DRAW_COPY, box(x, y, 16, 16));
  auto* const slot = reinterpret_cast<std::uint8_t*>(&drawable);
  auto& image = *reinterpret_cast<QXLImage*>(slot + kImageAt);
  auto& chunk = *reinterpret_cast<QXLDataChunk*>(slot + kDataAt);
  image.descriptor.type = SPICE_IMAGE_TYPE_BITMAP;
  image.descriptor.width = image.descriptor.height = 16;
  image.bitmap.format = SPICE_BITMAP_FMT_32BIT;
  image.bitmap.flags = QXL_BITMAP_TOP_DOWN;
  image.bitmap.x = image.bitmap.y = 16;
  image.bitmap.stride = 16 * 4;
  image.bitmap.data = driver.address_of(&chunk);
  chunk.data_size = 16 * 16 * 4;
  auto* const pixels = chunk.data;
  for (std::uint32_t i = 0; i < 256; ++i) {
    const std::uint32_t pixel = (i % 16) << 4 | (i / 16) << 12;
    __builtin_memcpy(pixels + i * 4, &pixel, 4);
  }
  drawable.u.copy.src_bitmap = driver.address_of(&image);
  drawable.u.copy.src_area = box(0, 0, 16, 16);
  drawable.u.copy.rop_descriptor = SPICE_ROPD_OP_PUT;
  driver.submit(QXL_CMD_DRAW, &drawable);
}

// "QXL" in letters of 8 x 8 bits, the top row of each first.
void text(std::int32_t x, std::int32_t y, std::uint32_t color) {
  constexpr std::uint8_t kLetters[3][8] = {{0x3c, 0x66, 0x66, 0x66, 0x66, 0x6e, 0x3c, 0x06},
                                           {0x66, 0x66, 0x3c, 0x18, 0x3c, 0x66, 0x66, 0x00},
                                           {0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x7e, 0x00}};
  constexpr std::uint32_t kGlyphBytes = sizeof(QXLRasterGlyph) + 8;
  auto& drawable = new_drawable(QXL_DRAW_TEXT, box(x, y, 24, 8));
  drawable.effect = QXL_EFFECT_BLEND;
  auto& string = *reinterpret_cast<QXLString*>(reinterpret_cast<std::uint8_t*>(&drawable) + kImageAt);
  string.length = 3;
  string.flags = SPICE_STRING_FLAGS_RASTER_A1;
  string.data_size = string.chunk.data_size = 3 * kGlyphBytes;
  for (std::int32_t i = 0; i < 3; ++i) {
    auto& glyph = *reinterpret_cast<QXLRasterGlyph*>(string.chunk.data + i * kGlyphBytes);
    glyph.render_pos = {x + i * 8, y};
    glyph.width = glyph.height = 8;
    for (unsigned row = 0; row < 8; ++row)
      glyph.data[7 - row] = kLetters[i][row];  // the bottom row comes first
  }
  drawable.u.text.str = driver.address_of(&string);
  drawable.u.text.fore_brush.type = SPICE_BRUSH_TYPE_SOLID;
  drawable.u.text.fore_brush.u.color = color;
  drawable.u.text.fore_mode = SPICE_ROPD_OP_PUT;
  driver.submit(QXL_CMD_DRAW, &drawable);
}

void scroll(std::int32_t lines) {
  auto& drawable = new_drawable(QXL_COPY_BITS, box(0, 0, kWidth, kHeight - lines));
  drawable.u.copy_bits.src_pos = {0, lines};
  driver.submit(QXL_CMD_DRAW, &drawable);
}

void surface(QXLSurfaceCmdType type, std::uint32_t id, std::uint32_t width, std::uint32_t height) {
  auto& command = *reinterpret_cast<QXLSurfaceCmd*>(driver.take_slot());
  command.surface_id = id;
  command.type = static_cast<std::uint8_t>(type);
  command.u.surface_create = {SPICE_SURFACE_FMT_32_ARGB, width, height, static_cast<std::int32_t>(width * 4),
                              driver.address_of(driver.spare_memory())};
  driver.submit(QXL_CMD_SURFACE, &command);
}

void copy_surface(std::uint32_t id, std::int32_t x, std::int32_t y, std::int32_t side) {
  auto& drawable = new_drawable(QXL_DRAW_COPY, box(x, y, side, side));
  drawable.surfaces_dest[0] = static_cast<std::int32_t>(id);  // the device shall not forget whom it depends on
  drawable.surfaces_rects[0] = box(0, 0, side, side);
  auto& image = *reinterpret_cast<QXLImage*>(reinterpret_cast<std::uint8_t*>(&drawable) + kImageAt);
  image.descriptor.type = SPICE_IMAGE_TYPE_SURFACE;
  image.surface_image.surface_id = id;
  drawable.u.copy.src_bitmap = driver.address_of(&image);
  drawable.u.copy.src_area = box(0, 0, side, side);
  drawable.u.copy.rop_descriptor = SPICE_ROPD_OP_PUT;
  driver.submit(QXL_CMD_DRAW, &drawable);
}

// A white block with its hot spot in the middle.
void pointer(std::int16_t x, std::int16_t y) {
  auto& command = *reinterpret_cast<QXLCursorCmd*>(driver.take_slot());
  auto& cursor = *reinterpret_cast<QXLCursor*>(reinterpret_cast<std::uint8_t*>(&command) + kImageAt);
  cursor.header = {0, SPICE_CURSOR_TYPE_ALPHA, 16, 16, 8, 8};
  cursor.data_size = cursor.chunk.data_size = 16 * 16 * 4;
  for (unsigned i = 0; i < 16 * 16 * 4; ++i)
    cursor.chunk.data[i] = 0xff;
  command.type = QXL_CURSOR_SET;
  command.u.set.position = {x, y};
  command.u.set.visible = 1;
  command.u.set.shape = driver.address_of(&cursor);
  driver.submit_cursor(&command);
}

void expect_pixel(std::uint32_t x, std::uint32_t y, std::uint32_t wanted, const char* what) {
  driver.update(x, y, x + 1, y + 1);
  bare::expect((driver.pixel(x, y) & 0xffffff) == wanted, what);
}

void draw_one_of_each() {
  fill(box(0, 0, kWidth, kHeight), 0x336699);
  fill(box(100, 100, 50, 40), 0xff0000);
  expect_pixel(99, 100, 0x336699, "what is not filled stays");
  expect_pixel(149, 139, 0xff0000, "a fill");
  copy(200, 100);
  expect_pixel(203, 105, 0x005030, "a copy of a bitmap");
  text(300, 100, 0xffffff);
  expect_pixel(302, 100, 0xffffff, "a bit of a letter that is set");
  expect_pixel(300, 100, 0x336699, "a bit of a letter that is clear");
  scroll(20);
  expect_pixel(149, 119, 0xff0000, "what was scrolled");
  expect_pixel(149, 121, 0x336699, "what came from below");
  surface(QXL_SURFACE_CMD_CREATE, 1, 32, 32);
  fill(box(0, 0, 32, 32), 0x00ff00, 1);
  copy_surface(1, 400, 300, 32);
  expect_pixel(431, 331, 0x00ff00, "a copy of an off-screen surface");
  driver.wait_for_releases(1);
  surface(QXL_SURFACE_CMD_DESTROY, 1, 0, 0);
  driver.wait_for_releases();
}

std::uint64_t ticks() {
  return __builtin_ia32_rdtsc();
}

template <class Draw>
void measure(const char* what, Draw draw) {
  const auto released = driver.released();
  const auto start = ticks();
  for (unsigned i = 0; i < kRounds; ++i)
    draw(static_cast<std::int32_t>(i));
  driver.update(0, 0, kWidth, kHeight);
  driver.wait_for_releases();
  bare::expect(driver.released() - released == kRounds, "every command is released once");
  bare::print(what);
  bare::print_number(kRounds);
  bare::print(" commands, ");
  bare::print_number((ticks() - start) / kRounds);
  bare::print(" ticks each\n");
}

}  // namespace

void guest_main() {
  bare::expect(driver.find(), "a QXL function");
  bare::print("QXL revision ");
  bare::print_number(driver.revision());
  bare::print("\n");
  driver.start(kWidth, kHeight);
  draw_one_of_each();
  bare::print("one of each: right\n");
  measure("fills:   ", [](std::int32_t i) { fill(box(i * 7 % 700, i * 13 % 500, 100, 100), i * 0x010305U); });
  measure("copies:  ", [](std::int32_t i) { copy(i * 7 % 784, i * 13 % 584); });
  measure("texts:   ", [](std::int32_t i) { text(i * 7 % 776, i * 13 % 592, i * 0x030105U); });
  measure("scrolls: ", [](std::int32_t) { scroll(1); });
  pointer(400, 300);  // a device may keep this one until there is another pointer
  bare::print("done\n");
  driver.stop();
}
