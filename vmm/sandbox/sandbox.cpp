#include "vmm/sandbox/sandbox.h"

#include <cstdlib>
#include <sys/prctl.h>
#include <utility>

#include "core/base/log.h"

namespace vmm::sandbox {

namespace {

using core::ThreadKind;

constexpr ThreadKind kKinds[] = {ThreadKind::Main, ThreadKind::Control,     ThreadKind::Display,
                                 ThreadKind::Vcpu, ThreadKind::GuestTimers, ThreadKind::Doorbells,
                                 ThreadKind::Disk, ThreadKind::Character,   ThreadKind::Encoder};

core::Result<Filter> filter_of(ThreadKind kind, bool user_changes) {
  auto allowed = allowed_calls(kind);
  if (user_changes) allowed.push_back(user_change_calls());
  return Filter::create(allowed, refused_calls(kind));
}

// A thread that would run without its filter must not run.
void take_on(const Filter& filter) {
  const auto installed = filter.install();
  if (installed) return;
  core::log(core::LogLevel::Error, "sandbox", "{}; --sandbox off does without", installed.error().message);
  std::_Exit(EXIT_FAILURE);
}

}  // namespace

core::Result<Sandbox> Sandbox::create(const SandboxConfig& config) {
  std::optional<User> user;
  if (!config.user.empty()) {
    auto found = find_user(config.user);
    if (!found) return core::fail_with("--user", found);
    user = std::move(*found);
  }
  if (!config.filters) return Sandbox(nullptr, std::move(user));
  // A filter of one's own is for those only who can gain nothing by running another program. Threads inherit it.
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return core::fail("--sandbox: the kernel does not know no_new_privs: {}", core::errno_text());
  }
  auto filters = std::make_shared<Filters>();
  for (const auto kind : kKinds) {
    auto filter = filter_of(kind, user.has_value());
    if (!filter) return core::fail("--sandbox: {}; --sandbox off does without", filter.error().message);
    filters->emplace(kind, std::move(*filter));
  }
  return Sandbox(std::move(filters), std::move(user));
}

core::ThreadStart Sandbox::thread_start() const {
  if (!filters_) return {};
  return core::ThreadStart([filters = filters_](ThreadKind kind) { take_on(filters->at(kind)); });
}

core::Result<> Sandbox::seal() const {
  if (user_) {
    if (auto changed = become(*user_); !changed) return core::fail_with("--user", changed);
  }
  return filters_ ? filters_->at(ThreadKind::Main).install() : core::Result<>{};
}

}  // namespace vmm::sandbox
