#include "vmm/control/screendump.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <fmt/chrono.h>
#include <memory>
#include <png.h>
#include <unistd.h>
#include <vector>

#include "core/base/fd.h"
#include "core/base/log.h"

namespace vmm::control {

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes rgb_of(const machine::Picture& picture) {
  Bytes rgb;
  rgb.reserve(picture.pixels.size() * 3);
  for (const auto pixel : picture.pixels) {
    rgb.push_back(static_cast<std::uint8_t>(pixel >> 16));
    rgb.push_back(static_cast<std::uint8_t>(pixel >> 8));
    rgb.push_back(static_cast<std::uint8_t>(pixel));
  }
  return rgb;
}

Bytes as_ppm(const machine::Picture& picture) {
  const auto header = fmt::format("P6\n{} {}\n255\n", picture.width, picture.height);
  Bytes file(header.begin(), header.end());
  const auto rgb = rgb_of(picture);
  file.insert(file.end(), rgb.begin(), rgb.end());
  return file;
}

core::Result<Bytes> as_png(const machine::Picture& picture) {
  const auto rgb = rgb_of(picture);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(picture.width);
  image.height = static_cast<png_uint_32>(picture.height);
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  Bytes file(size);
  if (png_image_write_to_memory(&image, file.data(), &size, 0, rgb.data(), 0, nullptr) == 0) {
    return core::fail("cannot encode the picture: {}", image.message);
  }
  file.resize(size);
  return file;
}

core::Result<> write_whole(const Bytes& bytes, const std::string& path) {
  const auto temporary = path + ".part";
  auto fd = core::Fd::open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (!fd) return std::unexpected(fd.error());
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto written = ::write(fd->get(), bytes.data() + done, bytes.size() - done);
    if (written < 0) {
      auto error = core::fail("cannot write {}: {}", path, core::errno_text());
      ::unlink(temporary.c_str());
      return error;
    }
    done += static_cast<std::size_t>(written);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0)
    return core::fail("cannot write {}: {}", path, core::errno_text());
  return {};
}

}  // namespace

core::Result<> write_picture(const machine::Picture& picture, PictureFormat format, const std::string& path) {
  if (picture.width <= 0 || picture.height <= 0) return core::fail("the guest's screen has no picture yet");
  if (format == PictureFormat::Ppm) return write_whole(as_ppm(picture), path);
  const auto file = as_png(picture);
  if (!file) return std::unexpected(file.error());
  return write_whole(*file, path);
}

void keep_picture(machine::Controllable& machine, const std::string& device) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto time = std::chrono::system_clock::to_time_t(now);
  tm local{};
  ::localtime_r(&time, &local);
  auto name = machine.name();
  std::ranges::replace(name, '/', '-');
  const auto path = fmt::format("{}-{:%Y%m%d-%H%M%S}-{:03}.png", name, local, now.time_since_epoch().count() % 1000);
  const auto picture = machine.screenshot({.device = device, .pointer = true});
  const auto written = picture ? write_picture(*picture, PictureFormat::Png, path) : std::unexpected(picture.error());
  if (!written) return core::log(core::LogLevel::Error, "window", "no picture: {}", written.error().message);
  core::log(core::LogLevel::Info, "window", "the picture is in {}", path);
}

}  // namespace vmm::control
