// A port of the guest as a channel: of the port kind, or of the WebDAV kind, which is a port that clients know by its
// number.
//
// Nothing is dropped in either direction as long as both ends are there: the guest waits for a client that reads
// slowly, and of a client whose bytes the guest does not take nothing more is read. Only one client has the port; to
// all others it looks closed.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "spice/agent/guest_port.h"
#include "spice/channel/channel.h"
#include "spice/wire/port.h"

namespace spice::channel {

// What the channels of one port share.
class SharedPort {
 public:
  virtual ~SharedPort() = default;
  virtual agent::GuestPort& port() = 0;
  virtual const std::string& name() const = 0;
  virtual bool is_open() const = 0;  // by the guest
  virtual void channel_closed() = 0;
};

class PortChannel final : public Channel {
 public:
  // Of what a client sends: then it must wait for the guest.
  static constexpr std::size_t kMostWaiting = 128;
  static constexpr std::size_t kMostWaitingBytes = std::size_t{1} << 20;
  static constexpr std::size_t kMostData = std::size_t{1} << 20;    // of one message from a client, uncompressed
  static constexpr std::size_t kDataBytes = std::size_t{64} << 10;  // of one message to a client
  static constexpr std::size_t kLeastCompressed = 1000;             // bytes worth the effort, as the reference has it

  PortChannel(core::Loop& loop, LinkedConnection linked, SharedPort& shared);

  // This client has the port, or not any more.
  void set_owner(bool is_owner);
  bool is_owner() const { return is_owner_; }
  void guest_opened(bool open);
  void take_from_guest();
  void give_to_guest();

 private:
  void on_start() override;
  void on_writable() override { take_from_guest(); }
  void on_closed() override { shared_.channel_closed(); }
  std::span<const Handler> handlers() const override;

  void data(const wire::PortData& message);
  bool compressed_data(const wire::PortCompressedData& message);
  void event(const wire::PortClientEvent&) {}  // virtio ports know no breaks, nor whether a client has others open

  void accept(std::span<const std::uint8_t> bytes);
  void forget_waiting();
  void send_data(std::vector<std::uint8_t> bytes);
  void tell(bool is_open);

  SharedPort& shared_;
  bool is_owner_ = false;
  bool told_open_ = false;
  bool compresses_ = false;
  std::deque<std::vector<std::uint8_t>> waiting_;  // for the guest
  std::size_t waiting_bytes_ = 0;
  std::size_t given_ = 0;  // of the first
};

// Serves one port. Control loop; the port outlives it.
class PortProvider final : public ChannelProvider, private agent::GuestPort::Host, private SharedPort {
 public:
  PortProvider(core::Loop& loop, agent::GuestPort& port, std::string name);
  ~PortProvider() override;
  PortProvider(const PortProvider&) = delete;
  PortProvider& operator=(const PortProvider&) = delete;

  wire::Capabilities capabilities() const override { return {wire::kPortLz4Cap}; }
  void accept(LinkedConnection connection) override;
  void owner_changed() override;

 private:
  void guest_opened(bool open) override;
  void guest_wrote() override;
  void guest_has_room() override;
  agent::GuestPort& port() override { return port_; }
  const std::string& name() const override { return name_; }
  bool is_open() const override { return is_open_; }
  void channel_closed() override { owner_changed(); }

  core::Loop& loop_;
  agent::GuestPort& port_;
  const std::string name_;
  bool is_open_ = false;
  bool is_stale_ = false;         // the guest is where it was with a client that left, and has not seen that yet
  PortChannel* owner_ = nullptr;  // the one that has the port
  ChannelList<PortChannel> channels_;
};

}  // namespace spice::channel
