#include "examples/qxl-rig/drawings.h"

namespace qxl {
namespace {

// Places in a command's memory.
constexpr std::uint32_t kImageAt = 256;
constexpr std::uint32_t kDataAt = 384;

constexpr std::uint32_t kPixelBytes = 4;

QXLDrawable& new_drawable(Driver& driver, std::uint8_t type, const QXLRect& box, std::uint32_t surface = 0) {
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

template <class T>
T& in_slot(QXLDrawable& drawable, std::uint32_t place) {
  return *reinterpret_cast<T*>(reinterpret_cast<std::uint8_t*>(&drawable) + place);
}

void submit_copy(Driver& driver, QXLDrawable& drawable, const QXLImage& image, std::uint16_t rop) {
  drawable.u.copy.src_bitmap = driver.address_of(&image);
  drawable.u.copy.src_area =
      box(0, 0, drawable.bbox.right - drawable.bbox.left, drawable.bbox.bottom - drawable.bbox.top);
  drawable.u.copy.rop_descriptor = rop;
  driver.submit(QXL_CMD_DRAW, &drawable);
}

QXLImage& new_image(Driver& driver, QXLDrawable& drawable, const QXLDataChunk& pixels, std::uint32_t width) {
  auto& image = in_slot<QXLImage>(drawable, kImageAt);
  const std::uint32_t stride = width * kPixelBytes;
  image.descriptor.type = SPICE_IMAGE_TYPE_BITMAP;
  image.descriptor.width = width;
  image.descriptor.height = pixels.data_size / stride;
  image.bitmap.format = SPICE_BITMAP_FMT_32BIT;
  image.bitmap.flags = QXL_BITMAP_TOP_DOWN;
  image.bitmap.x = width;
  image.bitmap.y = pixels.data_size / stride;
  image.bitmap.stride = stride;
  image.bitmap.data = driver.address_of(&pixels);
  return image;
}

void submit_surface(Driver& driver, QXLSurfaceCmdType type, std::uint32_t id, std::uint32_t width,
                    std::uint32_t height) {
  auto& command = *reinterpret_cast<QXLSurfaceCmd*>(driver.take_slot());
  command.surface_id = id;
  command.type = static_cast<std::uint8_t>(type);
  command.u.surface_create = {SPICE_SURFACE_FMT_32_ARGB, width, height, static_cast<std::int32_t>(width * kPixelBytes),
                              driver.address_of(driver.spare_memory())};
  driver.submit(QXL_CMD_SURFACE, &command);
}

}  // namespace

// Top, left, bottom, right: the order of QXLRect.
QXLRect box(std::int32_t x, std::int32_t y, std::int32_t width, std::int32_t height) {
  return {y, x, y + height, x + width};
}

void fill(Driver& driver, const QXLRect& where, std::uint32_t color, std::uint32_t surface) {
  auto& drawable = new_drawable(driver, QXL_DRAW_FILL, where, surface);
  drawable.u.fill.brush.type = SPICE_BRUSH_TYPE_SOLID;
  drawable.u.fill.brush.u.color = color;
  drawable.u.fill.rop_descriptor = SPICE_ROPD_OP_PUT;
  driver.submit(QXL_CMD_DRAW, &drawable);
}

void copy(Driver& driver, std::int32_t x, std::int32_t y) {
  constexpr std::uint32_t kSide = 16;
  auto& drawable = new_drawable(driver, QXL_DRAW_COPY, box(x, y, kSide, kSide));
  auto& chunk = in_slot<QXLDataChunk>(drawable, kDataAt);
  chunk.data_size = kSide * kSide * kPixelBytes;
  chunk.prev_chunk = chunk.next_chunk = 0;
  auto* const pixels = chunk.data;
  for (std::uint32_t i = 0; i < kSide * kSide; ++i) {
    const std::uint32_t pixel = (i % kSide) << 4 | (i / kSide) << 12;
    __builtin_memcpy(pixels + i * kPixelBytes, &pixel, kPixelBytes);
  }
  submit_copy(driver, drawable, new_image(driver, drawable, chunk, kSide), SPICE_ROPD_OP_PUT);
}

void copy_picture(Driver& driver, const QXLRect& where, const QXLDataChunk& pixels, std::uint32_t width,
                  std::uint16_t rop) {
  auto& drawable = new_drawable(driver, QXL_DRAW_COPY, where);
  drawable.effect = rop == SPICE_ROPD_OP_PUT ? QXL_EFFECT_OPAQUE : QXL_EFFECT_BLEND;
  submit_copy(driver, drawable, new_image(driver, drawable, pixels, width), rop);
}

void text(Driver& driver, std::int32_t x, std::int32_t y, std::uint32_t color, std::int32_t letters) {
  // The top row of each first.
  constexpr std::uint8_t kLetters[3][8] = {{0x3c, 0x66, 0x66, 0x66, 0x66, 0x6e, 0x3c, 0x06},
                                           {0x66, 0x66, 0x3c, 0x18, 0x3c, 0x66, 0x66, 0x00},
                                           {0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x7e, 0x00}};
  constexpr std::int32_t kGlyphBytes = sizeof(QXLRasterGlyph) + 8;
  static_assert(kImageAt + sizeof(QXLString) + kMostLetters * kGlyphBytes <= kSlotBytes);
  auto& drawable = new_drawable(driver, QXL_DRAW_TEXT, box(x, y, letters * 8, 8));
  drawable.effect = QXL_EFFECT_BLEND;
  auto& string = in_slot<QXLString>(drawable, kImageAt);
  string.length = static_cast<std::uint16_t>(letters);
  string.flags = SPICE_STRING_FLAGS_RASTER_A1;
  string.data_size = string.chunk.data_size = static_cast<std::uint32_t>(letters * kGlyphBytes);
  for (std::int32_t i = 0; i < letters; ++i) {
    auto& glyph = *reinterpret_cast<QXLRasterGlyph*>(string.chunk.data + i * kGlyphBytes);
    glyph.render_pos = {x + i * 8, y};
    glyph.glyph_origin = {0, 0};
    glyph.width = glyph.height = 8;
    for (unsigned row = 0; row < 8; ++row)
      glyph.data[7 - row] = kLetters[i % 3][row];  // the bottom row comes first
  }
  drawable.u.text.str = driver.address_of(&string);
  drawable.u.text.fore_brush.type = SPICE_BRUSH_TYPE_SOLID;
  drawable.u.text.fore_brush.u.color = color;
  drawable.u.text.fore_mode = SPICE_ROPD_OP_PUT;
  driver.submit(QXL_CMD_DRAW, &drawable);
}

void scroll(Driver& driver, const QXLRect& where, std::int32_t lines) {
  auto to = where;
  to.bottom -= lines;
  auto& drawable = new_drawable(driver, QXL_COPY_BITS, to);
  drawable.u.copy_bits.src_pos = {where.left, where.top + lines};
  driver.submit(QXL_CMD_DRAW, &drawable);
}

void create_surface(Driver& driver, std::uint32_t id, std::uint32_t width, std::uint32_t height) {
  submit_surface(driver, QXL_SURFACE_CMD_CREATE, id, width, height);
}

void destroy_surface(Driver& driver, std::uint32_t id) {
  submit_surface(driver, QXL_SURFACE_CMD_DESTROY, id, 0, 0);
}

void copy_surface(Driver& driver, std::uint32_t id, std::int32_t x, std::int32_t y, std::int32_t side) {
  auto& drawable = new_drawable(driver, QXL_DRAW_COPY, box(x, y, side, side));
  drawable.surfaces_dest[0] = static_cast<std::int32_t>(id);  // the device shall not forget whom it depends on
  drawable.surfaces_rects[0] = box(0, 0, side, side);
  auto& image = in_slot<QXLImage>(drawable, kImageAt);
  image.descriptor.type = SPICE_IMAGE_TYPE_SURFACE;
  image.surface_image.surface_id = id;
  submit_copy(driver, drawable, image, SPICE_ROPD_OP_PUT);
}

void pointer(Driver& driver, std::int16_t x, std::int16_t y) {
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

}  // namespace qxl
