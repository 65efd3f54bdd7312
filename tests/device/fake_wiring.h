// What a device under test is wired to: recorders of interrupt lines and messages, and a port space to poke it through.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "core/bus/address_space.h"
#include "core/bus/irq.h"

namespace tests {

// Remembers every level change in order, and the levels now.
class RecordingIrqSink final : public core::IrqSink {
 public:
  struct Change {
    unsigned input = 0;
    bool level = false;
    bool operator==(const Change&) const = default;
  };

  void set_input(unsigned input, bool level) override {
    changes.push_back({input, level});
    levels_[input] = level;
  }

  bool level(unsigned input = 0) const {
    const auto found = levels_.find(input);
    return found != levels_.end() && found->second;
  }
  // How often `input` went up since the last clear().
  std::size_t rises(unsigned input = 0) const {
    return static_cast<std::size_t>(std::ranges::count(changes, Change{input, true}));
  }
  void clear() { changes.clear(); }  // forgets changes, not levels

  std::vector<Change> changes;

 private:
  std::map<unsigned, bool> levels_;
};

class RecordingMsiSink final : public core::MsiSink {
 public:
  void deliver(const core::MsiMessage& message) override { messages.push_back(message); }
  std::unique_ptr<core::MsiRoute> open_route(const core::MsiMessage& message) override {
    return has_routes ? std::make_unique<Route>(*this, message) : nullptr;
  }

  std::vector<core::MsiMessage> messages;
  bool has_routes = false;
  unsigned open_routes = 0;
  std::vector<core::MsiMessage> routed;  // what has been sent by them

 private:
  class Route final : public core::MsiRoute {
   public:
    Route(RecordingMsiSink& sink, const core::MsiMessage& message) : sink_(sink), message_(message) {
      ++sink_.open_routes;
    }
    ~Route() override { --sink_.open_routes; }
    Route(const Route&) = delete;
    Route& operator=(const Route&) = delete;
    void send() override { sink_.routed.push_back(message_); }

   private:
    RecordingMsiSink& sink_;
    core::MsiMessage message_;
  };
};

// An address space as a CPU sees it; ports by default.
struct FakeBus {
  explicit FakeBus(std::uint64_t size = 0x10000) : space("test", size) {}

  std::uint8_t in8(std::uint64_t port) { return static_cast<std::uint8_t>(space.read(port, 1)); }
  std::uint16_t in16(std::uint64_t port) { return static_cast<std::uint16_t>(space.read(port, 2)); }
  std::uint32_t in32(std::uint64_t port) { return static_cast<std::uint32_t>(space.read(port, 4)); }
  void out8(std::uint64_t port, unsigned value) { space.write(port, 1, value & 0xff); }
  void out16(std::uint64_t port, unsigned value) { space.write(port, 2, value & 0xffff); }
  void out32(std::uint64_t port, std::uint32_t value) { space.write(port, 4, value); }

  core::AddressSpace space;
};

}  // namespace tests
