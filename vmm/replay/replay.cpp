#include "vmm/replay/replay.h"

#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <string_view>

#include "spice/display/cursor_image.h"
#include "vmm/replay/call_reader.h"
#include "vmm/replay/gzip_file.h"
#include "vmm/replay/recording_canvas.h"
#include "vmm/replay/recording_file.h"

namespace vmm::replay {
namespace {

// How many calls it was.
core::Result<std::uint64_t> play(CallReader& reader, core::DisplayCanvas& canvas, const ReplayConfig& config) {
  std::uint64_t calls = 0;
  for (; calls < config.most_calls; ++calls) {
    const auto read = reader.next();
    if (!read) return std::unexpected(read.error());
    const auto& call = *read;
    if (!call) break;
    perform(*call, canvas);
  }
  return calls;
}

core::Result<std::uint64_t> play_and_convert(CallReader& reader, core::DisplayCanvas& canvas,
                                             const ReplayConfig& config) {
  auto file = RecordingFile::create(config.converted);
  if (!file) return std::unexpected(file.error());
  RecordingCanvas recording(canvas, [&file](std::span<const std::uint8_t> bytes) { file->append(bytes); });
  auto calls = play(reader, recording, config);
  if (!file->outcome()) return std::unexpected(file->outcome().error());
  return calls;
}

// In the order of core::Drawing.
constexpr std::array<std::string_view, ImmediateCanvas::kOperations> kOperationNames{
    "nothing", "fill", "opaque", "copy", "blend",       "copy bits", "blackness", "whiteness",
    "invers",  "rop3", "stroke", "text", "transparent", "alpha",     "composite"};

std::string tally_line(std::string_view name, const ImmediateCanvas::Tally& tally) {
  const double seconds = std::chrono::duration<double>(tally.time).count();
  const double rate = seconds > 0 ? static_cast<double>(tally.drawings) / seconds : 0;
  return fmt::format("  {:12} {:8} in {:.6f} s of one core, {:.0f} per second\n", name, tally.drawings, seconds, rate);
}

void take_picture(const ImmediateCanvas& canvas, bool with_pointer, Replayed& result) {
  auto surface = canvas.shown();
  if (surface.empty()) return;
  if (with_pointer) spice::display::draw_cursor(canvas.pointer(), surface.view());
  const auto area = canvas.shown_area();
  result.width = area.width();
  result.height = area.height();
  for (auto y = area.top; y < area.bottom; ++y) {
    const auto* const first = surface.at(area.left, y);
    result.pixels.insert(result.pixels.end(), first, first + result.width);
  }
  for (auto& pixel : result.pixels)
    pixel &= 0x00ffffff;
}

}  // namespace

core::Result<ReplayConfig> parse_replay_arguments(const std::vector<std::string>& arguments) {
  ReplayConfig config;
  for (auto at = arguments.begin(); at != arguments.end(); ++at) {
    const bool has_value = at + 1 != arguments.end() && !(at + 1)->empty();
    if (*at == "--pointer") {
      config.with_pointer = true;
    } else if (*at == "--screendump" || *at == "--convert") {
      if (!has_value) return core::fail("{} needs a file", *at);
      auto& path = *at == "--convert" ? config.converted : config.picture;
      path = *++at;
    } else if (*at == "--calls") {
      const auto text = has_value ? *(at + 1) : std::string();
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), config.most_calls);
      if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return core::fail("--calls needs a number");
      ++at;
    } else if (at->starts_with('-') || !config.recording.empty()) {
      return core::fail("replay does not know {}; see minivmm --help", *at);
    } else {
      config.recording = *at;
    }
  }
  if (config.recording.empty()) return core::fail("replay needs a recording; see minivmm --help");
  return config;
}

core::Result<Replayed> replay(const ReplayConfig& config) {
  auto file = GzipFile::open(config.recording);
  if (!file) return std::unexpected(file.error());
  Input input(**file);
  auto reader = open_recording(input);
  if (!reader) return core::fail_with(config.recording, reader);
  ImmediateCanvas canvas;
  const auto calls =
      config.converted.empty() ? play(**reader, canvas, config) : play_and_convert(**reader, canvas, config);
  if (!calls) return core::fail_with(config.recording, calls);
  Replayed result{.calls = *calls, .drawings = canvas.tallies(), .ended_early = input.ended_early()};
  take_picture(canvas, config.with_pointer, result);
  return result;
}

std::string report(const Replayed& replayed) {
  ImmediateCanvas::Tally all;
  std::string lines;
  for (std::size_t i = 0; i < replayed.drawings.size(); ++i) {
    const auto& tally = replayed.drawings[i];
    if (tally.drawings > 0) lines += tally_line(kOperationNames[i], tally);
    all.drawings += tally.drawings;
    all.refused += tally.refused;
    all.time += tally.time;
  }
  auto text = fmt::format("{} calls\n{}", replayed.calls, lines);
  if (all.drawings > 0) text += tally_line("all drawings", all);
  if (all.refused > 0) text += fmt::format("{} of them cannot be drawn\n", all.refused);
  if (replayed.ended_early) text += "the recording ends in the middle of a command\n";
  return text;
}

}  // namespace vmm::replay
