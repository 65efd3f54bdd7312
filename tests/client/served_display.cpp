#include "tests/client/served_display.h"

#include <fstream>
#include <utility>

namespace client_test {

std::unique_ptr<ServedDisplay> ServedDisplay::create(spice::display::DisplayWorker::Config config,
                                                     core::DisplaySource& source) {
  const auto sandbox = vmm::sandbox::Sandbox::create({});
  if (!sandbox) return nullptr;
  config.start = sandbox->thread_start();
  std::unique_ptr<ServedDisplay> served(new ServedDisplay(config, source));
  return served->serve() ? std::move(served) : nullptr;
}

ServedDisplay::ServedDisplay(const spice::display::DisplayWorker::Config& config, core::DisplaySource& source)
    : display_(config, source), control_("control", core::ThreadKind::Control, config.start) {}

ServedDisplay::~ServedDisplay() {
  display_.stop();
  control_.run_and_wait([this] { server_.reset(); });
}

bool ServedDisplay::serve() {
  control_.run_and_wait([this] {
    spice::server::ServerConfig settings;
    settings.disable_ticketing = true;
    auto made = spice::server::Server::create(control_.loop(), settings, {nobody_, nobody_});
    if (!made) return;
    server_ = std::move(*made);
    server_->add_provider({spice::wire::ChannelType::Display, 0}, display_.display_provider());
    server_->add_provider({spice::wire::ChannelType::Cursor, 0}, display_.cursor_provider());
    server_->start();
  });
  if (server_ == nullptr) return false;
  display_.start();
  return true;
}

std::uint16_t ServedDisplay::port() const {
  return static_cast<std::uint16_t>(server_->port());
}

void ServedDisplay::shoot(const std::string& path) {
  const auto picture = display_.screenshot();
  std::ofstream file(path, std::ios::binary);
  file << "P6\n" << picture.width << ' ' << picture.height << "\n255\n";
  for (const auto pixel : picture.pixels) {
    for (const unsigned shift : {16U, 8U, 0U})
      file.put(static_cast<char>(pixel >> shift));
  }
}

}  // namespace client_test
