#include "vmm/sandbox/user.h"

#include <array>
#include <charconv>
#include <grp.h>
#include <optional>
#include <pwd.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace vmm::sandbox {

namespace {

std::optional<User> numbers(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto number = [](std::string_view digits) -> std::optional<unsigned> {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return value;
  };
  const auto uid = number(text.substr(0, colon));
  const auto gid = number(text.substr(colon + 1));
  if (!uid || !gid) return std::nullopt;
  return User{*uid, *gid, {*gid}};
}

}  // namespace

core::Result<User> find_user(const std::string& name) {
  if (auto given = numbers(name)) return std::move(*given);
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> text{};
  if (::getpwnam_r(name.c_str(), &entry, text.data(), text.size(), &found) != 0 || found == nullptr) {
    return core::fail("there is no user \"{}\"; give a name of this system's, or UID:GID", name);
  }
  int count = 0;
  ::getgrouplist(name.c_str(), entry.pw_gid, nullptr, &count);
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  if (::getgrouplist(name.c_str(), entry.pw_gid, groups.data(), &count) < 0) {
    return core::fail("cannot list the groups of user \"{}\"", name);
  }
  return User{entry.pw_uid, entry.pw_gid, std::move(groups)};
}

core::Result<> become(const User& user) {
  if (::geteuid() == user.uid && ::getegid() == user.gid && user.uid != 0) return {};
  if (::geteuid() != 0) return core::fail("only root may become another user: start minivmm as root or as that user");
  if (::setgroups(user.groups.size(), user.groups.data()) != 0 || ::setresgid(user.gid, user.gid, user.gid) != 0 ||
      ::setresuid(user.uid, user.uid, user.uid) != 0) {
    return core::fail("cannot become user {}: {}", user.uid, core::errno_text());
  }
  // Of this thread alone: glibc's has all threads do it.
  if (user.uid != 0 && ::syscall(SYS_setuid, 0) == 0) return core::fail("user {} could become root again", user.uid);
  return {};
}

}  // namespace vmm::sandbox
