// Reads what libspice-server records with SPICE_WORKER_RECORD_FILENAME: the commands of QXL's rings and some of the
// requests that the device makes of the server, as text. Read from the format's public writer and reader in spice
// 0.15 and from recordings. Not read: the form with zlib inside, which no build of the server writes.
#pragma once

#include <deque>
#include <string_view>

#include "vmm/replay/call_reader.h"
#include "vmm/replay/text_fields.h"

namespace vmm::replay {

class SpiceReplayReader final : public CallReader {
 public:
  static constexpr std::string_view kHeader = "SPICE_REPLAY";

  static core::Result<std::unique_ptr<CallReader>> open(Input& input);
  core::Result<std::optional<Call>> next() override;

 private:
  explicit SpiceReplayReader(Input& input) : input_(input), in_(input) {}

  void event();
  void request(std::uint32_t type);
  void command(std::uint32_t type);
  void create_primary();
  void surface_command();
  void create_surface(core::SurfaceId id, std::uint32_t flags);
  // With the pixels it was given, if they are to be kept.
  void add_surface(core::SurfaceId id, const core::SurfaceShape& shape, std::int32_t stride,
                   std::vector<std::uint8_t> kept);
  void cursor_command();
  core::CursorShapePtr cursor_shape();
  void skip_update();

  Input& input_;
  TextFields in_;
  std::deque<Call> calls_;  // of the event that was read last
};

}  // namespace vmm::replay
