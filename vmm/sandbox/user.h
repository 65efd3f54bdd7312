// Another user for the process.
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

#include "core/base/result.h"

namespace vmm::sandbox {

struct User {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

// By name, with the groups it is in, or as UID:GID, with that group only.
core::Result<User> find_user(const std::string& name);

// All threads become that user, for good. Only root can, except that who is that user already stays so.
core::Result<> become(const User& user);

}  // namespace vmm::sandbox
