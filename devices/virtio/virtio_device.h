// What the types of virtio device are to their transport, and the transport to them. [virtio 1.2, 2 and 5]
//
// A device type knows its queues and its configuration space; the transport, which is the machine's Device, knows how a
// driver reaches both. Everything is called with the transport's device lock held.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/device_lock.h"
#include "core/base/result.h"
#include "core/state/state.h"
#include "devices/virtio/virtqueue.h"

namespace devices::virtio {

// The transport, as its device type sees it.
class VirtioHost {
 public:
  virtual ~VirtioHost() = default;
  virtual core::DeviceLock& device_lock() = 0;
  virtual Virtqueue& queue(unsigned index) = 0;
  // Interrupts the driver for what was pushed, if it wants that.
  virtual void notify_used(unsigned queue) = 0;
  virtual void notify_config_changed() = 0;
  // [2.1.2] The driver did what it must not: nothing more is done until it resets the device.
  virtual void need_reset() = 0;
  // Queues are served on a thread of the host's, in the host's time: no CPU waits for what is done there.
  virtual bool is_off_cpu() const = 0;
  // Has the queue served again soon, after others had their turn. False: it has to be done now.
  virtual bool serve_later(unsigned queue) = 0;
  // What driver and device agreed on.
  virtual bool has_feature(unsigned bit) const = 0;
  // The driver is there and has set the device up. [2.1, DRIVER_OK]
  virtual bool is_driver_ready() const = 0;
};

class VirtioDevice {
 public:
  virtual ~VirtioDevice() = default;
  VirtioDevice() = default;
  VirtioDevice(const VirtioDevice&) = delete;
  VirtioDevice& operator=(const VirtioDevice&) = delete;

  virtual std::uint16_t type() const = 0;                      // [5] device ID
  virtual std::string_view name() const = 0;                   // "virtio-blk", for messages
  virtual std::uint32_t class_code() const = 0;                // of a PCI function
  virtual std::uint64_t features() const = 0;                  // the device type's own bits
  virtual std::vector<std::uint16_t> queue_sizes() const = 0;  // the most each queue may have

  // The configuration space as it is now, [5.x.4], and a driver's write to it.
  virtual std::vector<std::uint8_t> config() const = 0;
  virtual void write_config(std::uint64_t offset, std::span<const std::uint8_t> bytes);

  // The driver put something into a queue.
  virtual void queue_notified(unsigned queue) = 0;
  virtual void driver_ready() {}  // DRIVER_OK was set
  virtual void reset() = 0;
  // The machine goes on, or stands still: then nothing from the host reaches the guest's memory.
  virtual void set_running(bool) {}
  // No device lock held, no CPU running: returns when no host work is under way.
  virtual void drain() {}

  virtual void visit(core::StateVisitor& visitor) = 0;
  // After a load, everything of the transport in place.
  virtual core::Result<> state_loaded() { return {}; }

  void connect(VirtioHost& host) {
    host_ = &host;
    attached();
  }

 protected:
  // There is a host now.
  virtual void attached() {}

  VirtioHost& host() const { return *host_; }
  // Pops a chain; a broken queue makes the device need a reset.
  bool pop(unsigned queue, Chain& chain);
  // Gives a chain back without telling the driver yet.
  void push(unsigned queue, const Chain& chain, std::uint64_t written);

 private:
  VirtioHost* host_ = nullptr;
};

}  // namespace devices::virtio
