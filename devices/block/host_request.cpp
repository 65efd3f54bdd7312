#include "devices/block/host_request.h"

#include <utility>

#include "core/base/log.h"

namespace devices::block {

namespace {

// How long a disk takes in a clock that does not follow the host's: a short seek and 200 MB/s.
core::GuestTime latency(std::uint64_t bytes) {
  return core::GuestTime(100'000 + static_cast<std::int64_t>(5 * bytes));
}

}  // namespace

void submit(HostWork work, core::Completion& completion, std::string_view area,
            std::function<void(const std::shared_ptr<HostRequest>& request, bool succeeded)> finished) {
  auto& request = *work.request;
  core::BlockRequest to_backend;
  to_backend.op = work.op;
  to_backend.offset = work.offset;
  const bool moves_data = work.op == core::BlockOp::Read || work.op == core::BlockOp::Write;
  if (moves_data && request.guest.size() > 0) {
    to_backend.guest = &request.guest;
  } else if (moves_data) {
    to_backend.buffer = request.buffer.data();
    to_backend.length = request.buffer.size();
  } else {
    to_backend.length = request.range;
  }
  completion.issue(latency(request.guest.size() + request.buffer.size()));
  auto& backend = work.backend;
  to_backend.done = [&backend, &completion, area, request = std::move(work.request),
                     finished = std::move(finished)](const core::Result<>& result) {
    const bool succeeded = result.has_value();
    if (!succeeded) MV_LOG_LIMITED(Warn, area, "{}: {}", backend.path(), result.error().message);
    completion.post([request, finished, succeeded] { finished(request, succeeded); });
  };
  backend.submit(std::move(to_backend));
}

}  // namespace devices::block
