// Serves the inputs channel: all clients drive one keyboard and one pointer. Control loop, except where said.
#pragma once

#include <functional>
#include <memory>

#include "core/event/loop_timer.h"
#include "core/event/mailbox.h"
#include "spice/channel/inputs_channel.h"
#include "spice/channel/lock_sync.h"

namespace spice::channel {

class InputsHub final : public ChannelProvider, private SharedInputs {
 public:
  // Constructed on any thread before the loop serves clients; destroyed on the loop, or when it has stopped. What
  // it is given must outlive it. `now` is a steady clock.
  InputsHub(core::Loop& loop, core::KeyboardSink& keyboard, Pointer& pointer, std::function<LockSync::Time()> now = {});
  ~InputsHub() override;
  InputsHub(const InputsHub&) = delete;
  InputsHub& operator=(const InputsHub&) = delete;

  wire::Capabilities capabilities() const override { return {wire::kKeyScancodeCap}; }
  void accept(LinkedConnection connection) override;

 private:
  core::KeyboardSink& keyboard() override { return keyboard_; }
  Pointer& pointer() override { return pointer_; }
  std::uint8_t lights() override { return lights_; }
  LockSync::Time now() override { return now_(); }
  void lock_keys_typed(std::uint8_t keys) override;
  void lights_wanted(std::uint8_t wanted, std::uint8_t held) override;

  void look_at_lights();
  void broadcast_lights();

  core::Loop& loop_;
  core::KeyboardSink& keyboard_;
  Pointer& pointer_;
  const std::function<LockSync::Time()> now_;
  LockSync lock_sync_;
  std::uint8_t lights_ = 0;
  core::LoopTimer settle_timer_;
  std::shared_ptr<core::Signal> lights_changed_;
  ChannelList<InputsChannel> channels_;
};

}  // namespace spice::channel
