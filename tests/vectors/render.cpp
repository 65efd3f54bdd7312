#include "tests/vectors/render.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <zlib.h>

#include "spice/canvas/draw.h"
#include "tests/vectors/render_images.h"

namespace vectors {
namespace {

using nlohmann::json;
using spice::canvas::Surface;
using Bytes = std::vector<std::uint8_t>;

class Surfaces final : public spice::canvas::SurfaceTable {
 public:
  Surface* find(core::SurfaceId id) override {
    const auto found = surfaces_.find(id);
    return found == surfaces_.end() ? nullptr : &found->second;
  }
  void add(core::SurfaceId id, const json& description, const std::string& folder) {
    const auto format = core::SurfaceFormat(description.at("surface_fmt").get<unsigned>());
    const int width = description.at("width"), height = description.at("height");
    const std::size_t stride = description.at("stride");
    if (!Surface::is_possible(width, height, format)) throw std::runtime_error("bad surface");
    const auto initial = read_gzip(folder + "/" + description.at("initial").get<std::string>());
    Surface surface(width, height, format);
    const auto bytes = std::min<std::size_t>(stride, static_cast<std::size_t>(surface.stride_bytes()));
    if (initial.size() < stride * static_cast<std::size_t>(height)) throw std::runtime_error("short surface");
    for (int y = 0; y < height; ++y)
      std::memcpy(surface.row(y), initial.data() + stride * static_cast<std::size_t>(y), bytes);
    surfaces_[id] = std::move(surface);
  }

 private:
  std::map<core::SurfaceId, Surface> surfaces_;
};

core::Rect rect_of(const json& value) {
  return {value.at(0), value.at(1), value.at(2), value.at(3)};
}

core::Point point_of(const json& value) {
  return {value.at(0), value.at(1)};
}

// One case: its fields as parts of a drawing.
class Case {
 public:
  Case(const json& description, const json& images, const std::string& folder)
      : description_(description), images_(images), folder_(folder) {}

  core::Drawing drawing() const {
    core::Drawing drawing;
    drawing.box = rect_of(description_.at("bbox"));
    if (has("clip_rects")) {
      drawing.clip.emplace();
      for (const auto& rect : description_["clip_rects"])
        drawing.clip->push_back(rect_of(rect));
    }
    read_operation(drawing);
    return drawing;
  }

 private:
  bool has(const char* name) const { return description_.contains(name) && !description_[name].is_null(); }
  template <class T>
  T value(const char* name) const {
    return description_.at(name).get<T>();
  }
  template <class T>
  T value_or(const char* name, T other) const {
    return has(name) ? value<T>(name) : other;
  }

  core::ImagePtr image(const json& name) const { return image_of(images_.at(name.get<std::string>()), folder_); }

  core::Source source() const {
    return {.image = image(description_.at("src_image")),
            .area = rect_of(description_.at("src_area")),
            .scale = core::ScaleMode(value_or<int>("scale_mode", 1))};
  }

  core::Brush brush(const char* name) const {
    if (!has(name)) return {};
    const auto& brush = description_[name];
    if (brush.at("type") == "solid") return core::SolidBrush{brush.at("color")};
    if (brush.at("type") == "pat") return core::PatternBrush{image(brush.at("image")), point_of(brush.at("pos"))};
    return {};
  }

  core::Mask mask() const {
    if (!has("mask")) return {};
    const auto& mask = description_["mask"];
    return {.image = image(mask.at("image")),
            .inverted = (mask.at("flags").get<unsigned>() & 1U) != 0,
            .origin = point_of(mask.at("pos"))};
  }

  core::Rop rop(const char* name) const { return value<core::Rop>(name); }

  core::DrawStroke stroke() const {
    constexpr unsigned kStartsWithGap = 4, kStyled = 8;
    core::DrawStroke stroke{.path = {},
                            .dashes = {},
                            .brush = brush("brush"),
                            .fore_mode = rop("fore_mode"),
                            .back_mode = rop("back_mode")};
    for (const auto& segment : description_.at("path_28_4")) {
      stroke.path.push_back({.flags = segment.at("flags"), .points = {}});
      for (const auto& point : segment.at("points"))
        stroke.path.back().points.push_back({point.at(0), point.at(1)});
    }
    const auto& line = description_.at("line_attr");
    const auto flags = line.at("flags").get<unsigned>();
    stroke.starts_with_gap = (flags & kStartsWithGap) != 0;
    if ((flags & kStyled) != 0) stroke.dashes = line.at("style_28_4").get<std::vector<std::int32_t>>();
    return stroke;
  }

  static Bytes from_hex(const std::string& hex) {
    Bytes bytes;
    for (std::size_t i = 0; i + 2 <= hex.size(); i += 2)
      bytes.push_back(static_cast<std::uint8_t>(std::stoul(hex.substr(i, 2), nullptr, 16)));
    return bytes;
  }

  core::DrawText text() const {
    const auto& string = description_.at("string");
    const auto flags = string.at("flags").get<unsigned>();
    core::DrawText text{.depth = (flags & 1U) != 0   ? core::GlyphDepth::A1
                                 : (flags & 2U) != 0 ? core::GlyphDepth::A4
                                                     : core::GlyphDepth::A8,
                        .top_down = (flags & 8U) != 0,
                        .glyphs = {},
                        .values = {},
                        .back_area = has("back_area") ? rect_of(description_["back_area"]) : core::Rect{},
                        .fore_brush = brush("brush"),
                        .back_brush = brush("back_brush"),
                        .fore_mode = rop("fore_mode"),
                        .back_mode = rop("back_mode")};
    for (const auto& glyph : string.at("glyphs")) {
      text.glyphs.push_back({.position = point_of(glyph.at("render_pos")),
                             .origin = point_of(glyph.at("glyph_origin")),
                             .width = glyph.at("width"),
                             .height = glyph.at("height"),
                             .start = static_cast<std::uint32_t>(text.values.size())});
      std::ranges::copy(from_hex(glyph.at("data_hex")), std::back_inserter(text.values));
    }
    return text;
  }

  // Flags as the protocol packs them: operation, filters, repeats, what there is.
  core::CompositeImage composite_image(const char* prefix, unsigned filter, unsigned repeat, bool transformed) const {
    const auto name = [prefix](const char* rest) { return std::string(prefix) + rest; };
    core::CompositeImage result{.image = image(description_.at(name("_image"))),
                                .filter = core::CompositeFilter(filter),
                                .repeat = core::CompositeRepeat(repeat)};
    if (description_.contains(name("_origin"))) result.origin = point_of(description_[name("_origin")]);
    if (!transformed) return result;
    const auto numbers = description_.at(name("_transform_16_16")).get<std::vector<std::uint32_t>>();
    const auto number = [&numbers](std::size_t i) { return static_cast<std::int32_t>(numbers.at(i)); };
    result.transform = core::Transform{number(0), number(1), number(2), number(3), number(4), number(5)};
    return result;
  }

  core::DrawComposite composite() const {
    const auto flags = value<unsigned>("composite_flags");
    const auto bit = [flags](unsigned index) { return (flags >> index & 1U) != 0; };
    core::DrawComposite result{.operation = static_cast<std::uint8_t>(flags & 0xffU),
                               .source = composite_image("src", flags >> 8U & 7U, flags >> 14U & 3U, bit(20)),
                               .mask = {},
                               .component_alpha = bit(18),
                               .source_opaque = bit(22),
                               .mask_opaque = bit(23),
                               .destination_opaque = bit(24)};
    if (bit(19)) result.mask = composite_image("mask", flags >> 11U & 7U, flags >> 16U & 3U, bit(21));
    return result;
  }

  core::DrawAlphaBlend alpha_blend() const {
    const auto flags = value_or<unsigned>("alpha_flags", 0);
    return {.source = source(),
            .alpha = value<std::uint8_t>("alpha"),
            .destination_has_alpha = (flags & 1U) != 0,
            .source_surface_has_alpha = (flags & 2U) != 0};
  }

  void read_operation(core::Drawing& drawing) const {
    const std::map<std::string, std::function<void()>> operations = {
        {"fill", [&] { drawing.operation = core::DrawFill{brush("brush"), rop("rop_descriptor"), mask()}; }},
        {"opaque",
         [&] { drawing.operation = core::DrawOpaque{source(), brush("brush"), rop("rop_descriptor"), mask()}; }},
        {"copy", [&] { drawing.operation = core::DrawCopy{source(), rop("rop_descriptor"), mask()}; }},
        {"blend", [&] { drawing.operation = core::DrawBlend{source(), rop("rop_descriptor"), mask()}; }},
        {"copy_bits", [&] { drawing.operation = core::DrawCopyBits{point_of(description_.at("src_pos"))}; }},
        {"blackness", [&] { drawing.operation = core::DrawBlackness{mask()}; }},
        {"whiteness", [&] { drawing.operation = core::DrawWhiteness{mask()}; }},
        {"invers", [&] { drawing.operation = core::DrawInvers{mask()}; }},
        {"rop3",
         [&] { drawing.operation = core::DrawRop3{source(), brush("brush"), value<std::uint8_t>("rop3"), mask()}; }},
        {"stroke", [&] { drawing.operation = stroke(); }},
        {"text", [&] { drawing.operation = text(); }},
        {"transparent",
         [&] {
           drawing.operation =
               core::DrawTransparent{source(), value<std::uint32_t>("src_color"), value<std::uint32_t>("true_color")};
         }},
        {"alpha_blend", [&] { drawing.operation = alpha_blend(); }},
        {"composite", [&] { drawing.operation = composite(); }},
    };
    operations.at(description_.at("op"))();
  }

  const json& description_;
  const json& images_;
  const std::string& folder_;
};

}  // namespace

std::vector<std::uint8_t> read_gzip(const std::string& path) {
  const auto file = ::gzopen(path.c_str(), "rb");
  if (file == nullptr) throw std::runtime_error("cannot read " + path);
  Bytes bytes;
  std::uint8_t piece[65'536];
  for (int n = 0; (n = ::gzread(file, piece, sizeof piece)) > 0;)
    bytes.insert(bytes.end(), piece, piece + n);
  ::gzclose(file);
  return bytes;
}

std::vector<std::uint8_t> rendered(const json& description, const json& images, const std::string& folder) {
  Surfaces surfaces;
  const auto& target = description.at("surface");
  surfaces.add(0, target, folder);
  if (description.contains("extra_surfaces")) {
    for (const auto& extra : description["extra_surfaces"])
      surfaces.add(extra.at("surface_id"), extra, folder);
  }
  const auto drawn = spice::canvas::draw(Case(description, images, folder).drawing(), surfaces);
  if (!drawn) throw std::runtime_error("not drawn: error " + std::to_string(static_cast<int>(drawn.error())));
  const Surface& surface = *surfaces.find(0);
  const std::size_t stride = target.at("stride");
  Bytes result(stride * static_cast<std::size_t>(surface.height()));
  for (std::int32_t y = 0; y < surface.height(); ++y)
    std::memcpy(result.data() + stride * static_cast<std::size_t>(y), surface.row(y),
                std::min<std::size_t>(stride, static_cast<std::size_t>(surface.stride_bytes())));
  return result;
}

int render(const std::vector<std::string>& arguments) {
  std::ifstream file(arguments.at(0));
  if (!file) throw std::runtime_error("cannot read " + arguments[0]);
  const auto description = json::parse(file);
  const auto bytes = rendered(description, description.at("images"), arguments.at(1));
  std::ofstream out(arguments.at(2), std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + arguments[2]);
  return 0;
}

}  // namespace vectors
