// The memory balloon: the host asks for pages, the guest gives up what it can spare. [virtio 1.2, 5.5] Beside it the
// guest tells how it uses its memory, as often as the host wants to know, and which pages nobody uses at all.
//
// Missing on purpose: free page hints, which serve migration, and page poison.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "core/event/guest_clock.h"
#include "core/memory/guest_memory.h"
#include "devices/virtio/virtio_device.h"

namespace devices::virtio {

// [5.5.6.3] What the guest says of its memory, by tag.
struct BalloonStatistics {
  enum Tag : std::uint16_t {
    SwapIn,  // bytes
    SwapOut,
    MajorFaults,
    MinorFaults,
    FreeMemory,  // bytes, as the next ones
    TotalMemory,
    AvailableMemory,
    DiskCaches,
    HugePageAllocations,
    HugePageFailures
  };
  static constexpr std::size_t kTags = 10;
  static constexpr std::uint64_t kUnknown = ~std::uint64_t{0};

  BalloonStatistics() { values.fill(kUnknown); }
  void visit(core::StateVisitor& visitor);

  std::array<std::uint64_t, kTags> values;
  bool told = false;          // ever
  core::GuestTime told_at{};  // last
};

class VirtioBalloon final : public VirtioDevice {
 public:
  struct Wiring {
    const core::GuestMemory& memory;
    core::GuestClock& clock;
    // The guest says that it has now this much left. Device lock held.
    std::function<void(std::uint64_t bytes)> on_change;
  };
  explicit VirtioBalloon(Wiring wiring);

  // What the guest shall have left, at most all. Device lock held.
  void set_target(std::uint64_t bytes);
  std::uint64_t actual_bytes() const;  // device lock held, as for all of these
  // Asks for statistics every so many seconds; 0: no longer.
  void set_polling(std::uint32_t seconds);
  std::uint32_t polling() const { return state_.polling_seconds; }
  const BalloonStatistics& statistics() const { return state_.statistics; }

  std::uint16_t type() const override;
  std::string_view name() const override { return "virtio-balloon"; }
  std::uint32_t class_code() const override { return 0x00ff00; }
  std::uint64_t features() const override;
  std::vector<std::uint16_t> queue_sizes() const override;
  std::vector<std::uint8_t> config() const override;
  void write_config(std::uint64_t offset, std::span<const std::uint8_t> bytes) override;
  void queue_notified(unsigned queue) override;
  // Linux puts its buffer for statistics there before it is ready, and tells nothing afterwards.
  void driver_ready() override { take_all(); }
  void reset() override;
  void visit(core::StateVisitor& visitor) override;
  core::Result<> state_loaded() override;

 private:
  // [5.5.4] In pages.
  struct State {
    std::uint32_t wanted = 0;
    std::uint32_t actual = 0;
    std::uint32_t polling_seconds = 0;
    // The driver's buffer for statistics, kept until they are wanted. [5.5.6.3]
    bool has_buffer = false;
    std::uint16_t buffer = 0;
    BalloonStatistics statistics;
  };
  enum class Role : std::uint8_t { None, Inflate, Deflate, Statistics, Reports };

  void attached() override;
  Role role(unsigned queue) const;
  void take(unsigned queue);
  void take_all();
  bool give_up(const Chain& chain);
  void note_statistics(const Chain& chain);
  void give_buffer_back();
  void poll();

  Wiring wiring_;
  State state_;
  std::unique_ptr<core::Timer> timer_;
  std::unique_ptr<core::Timer> polling_timer_;
};

}  // namespace devices::virtio
