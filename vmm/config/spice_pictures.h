// How the SPICE server sends pictures: what of --spice can be changed while the machine runs, too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/result.h"

namespace vmm::config {

// How pictures are encoded, and when at the cost of exactness or of time.
enum class SpiceCompression : std::uint8_t { AutoGlz, AutoLz, Quic, Glz, Lz, Lz4, Off };
enum class SpiceOnSlowLines : std::uint8_t { Auto, Never, Always };
// What of a guest's drawings is sent as video.
enum class SpiceStreaming : std::uint8_t { Off, Filter, All };

// The same by name.
inline constexpr std::string_view kSpiceCompressionNames[] = {"auto_glz", "auto_lz", "quic", "glz", "lz", "lz4", "off"};
inline constexpr std::string_view kSpiceOnSlowLinesNames[] = {"auto", "never", "always"};
inline constexpr std::string_view kSpiceStreamingNames[] = {"off", "filter", "all"};

struct SpicePictures {
  SpiceCompression compression = SpiceCompression::AutoGlz;
  SpiceOnSlowLines jpeg = SpiceOnSlowLines::Auto;
  SpiceOnSlowLines zlib_glz = SpiceOnSlowLines::Auto;
  SpiceStreaming streaming = SpiceStreaming::Off;
  bool operator==(const SpicePictures&) const = default;
};

// One of these settings under its name in --spice.
struct SpicePictureOption {
  std::string_view name;
  std::span<const std::string_view> values;
  void (*set)(SpicePictures& pictures, std::size_t value) = nullptr;  // its place among the values
  std::size_t (*place)(const SpicePictures& pictures) = nullptr;

  std::string_view value(const SpicePictures& pictures) const { return values[place(pictures)]; }
};
std::span<const SpicePictureOption> spice_picture_options();

// The error says which names and values there are.
core::Result<> set_spice_picture(SpicePictures& pictures, std::string_view name, std::string_view value);

}  // namespace vmm::config
