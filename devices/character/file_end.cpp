#include "devices/character/file_end.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/base/fd.h"

namespace devices::character {

namespace {

class FileEnd final : public Endpoint {
 public:
  FileEnd(std::string path, core::Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::string name() const override { return "file:" + path_; }
  bool connect() override { return true; }
  int input() const override { return -1; }
  int output() const override { return fd_.get(); }
  std::int64_t read(std::span<std::uint8_t>) override { return 0; }
  std::int64_t write(std::span<const std::uint8_t> bytes) override {
    return ::write(fd_.get(), bytes.data(), bytes.size());
  }
  bool input_end_disconnects() const override { return false; }
  void disconnect() override {}

 private:
  std::string path_;
  core::Fd fd_;
};

}  // namespace

core::Result<std::unique_ptr<Endpoint>> open_file_end(const std::string& path) {
  // Non-blocking matters for what only looks like a file: a FIFO without a reader is an error, not a wait.
  auto fd = core::Fd::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_NONBLOCK, 0644);
  if (!fd) return core::fail("{}; name a file that can be written, in a folder that exists", fd.error().message);
  return std::make_unique<FileEnd>(path, std::move(*fd));
}

}  // namespace devices::character
