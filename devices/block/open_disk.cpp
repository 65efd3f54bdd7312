#include "devices/block/open_disk.h"

#include <utility>

#include "devices/block/image_file.h"
#include "devices/block/overlay.h"
#include "devices/block/raw_image.h"

namespace devices::block {

namespace {
constexpr unsigned kThreads = 4;
}

core::Result<std::unique_ptr<core::BlockBackend>> open_disk(const DiskConfig& config) {
  auto image = open_image(config.path, config.readonly || config.snapshot);
  if (!image) return std::unexpected(image.error());
  const auto threads = [&config](unsigned wanted) { return config.at_once ? 0 : wanted; };
  if (config.snapshot && !config.readonly) {
    auto overlay = Overlay::create(std::move(*image), threads(1), config.start);
    if (!overlay) return std::unexpected(overlay.error());
    return std::move(*overlay);
  }
  auto pool = IoPool::create(threads(kThreads), config.start);
  if (!pool) return std::unexpected(pool.error());
  return std::make_unique<RawImage>(std::move(*image), std::move(*pool));
}

}  // namespace devices::block
