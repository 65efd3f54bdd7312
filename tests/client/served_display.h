// A SPICE server over one display without a machine, for programs that real clients look at. Its threads are confined
// like minivmm's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/event/worker.h"
#include "spice/display/display_worker.h"
#include "spice/server/server.h"
#include "vmm/sandbox/sandbox.h"

namespace client_test {

class ServedDisplay {
 public:
  // `config` without its threads' start. The source outlives it. Null if something cannot be had.
  static std::unique_ptr<ServedDisplay> create(spice::display::DisplayWorker::Config config,
                                               core::DisplaySource& source);
  ~ServedDisplay();
  ServedDisplay(const ServedDisplay&) = delete;
  ServedDisplay& operator=(const ServedDisplay&) = delete;

  std::uint16_t port() const;
  spice::display::DisplayWorker& display() { return display_; }
  // The screen as a PPM file.
  void shoot(const std::string& path);

 private:
  class Nobody final : public core::KeyboardSink, public core::MouseSink {
   public:
    void key(core::KeyCode, bool) override {}
    std::uint8_t leds() override { return 0; }
    void set_led_listener(std::function<void(std::uint8_t)>) override {}
    void move(std::int32_t, std::int32_t, std::int32_t, std::uint8_t) override {}
  };

  ServedDisplay(const spice::display::DisplayWorker::Config& config, core::DisplaySource& source);
  bool serve();

  Nobody nobody_;
  spice::display::DisplayWorker display_;
  core::Worker control_;
  std::unique_ptr<spice::server::Server> server_;
};

}  // namespace client_test
