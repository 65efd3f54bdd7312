// A request of a disk controller to an image: memory that lives until the backend is done with it, and a result that
// passes the guest's clock.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "core/event/guest_clock.h"
#include "core/memory/memory_block.h"
#include "core/ports/block.h"

namespace devices::block {

// It owns what the backend reads or fills until the backend is done with it, whatever becomes of the command meanwhile.
struct HostRequest {
  core::GuestIoVector guest;         // the data lies here,
  std::vector<std::uint8_t> buffer;  // or, if that is empty, here
  std::uint64_t range = 0;           // bytes, of a Discard
  bool longer = false;               // what DmaEngine::gather said
  // Device lock held; not called if the drive was reset meanwhile.
  std::function<void(HostRequest& request, bool succeeded)> then;
  bool abandoned = false;
};

struct HostWork {
  core::BlockBackend& backend;
  core::BlockOp op;
  std::uint64_t offset;
  std::shared_ptr<HostRequest> request;
};

// Submits the work; `finished` is called through `completion`, with its device's lock held. `area` is for the log.
void submit(HostWork work, core::Completion& completion, std::string_view area,
            std::function<void(const std::shared_ptr<HostRequest>& request, bool succeeded)> finished);

}  // namespace devices::block
