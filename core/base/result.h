// Result: a value or one readable sentence saying what went wrong and what to do about it.
//
// For host set-up failures only (files, sockets, options, ioctls). Guest and client misbehaviour is ordinary control
// flow with a specified outcome; see docs/architecture.md.
#pragma once

#include <expected>
#include <fmt/core.h>
#include <string>
#include <utility>

namespace core::inline base {

struct Error {
  std::string message;  // one line, no trailing full stop or newline
};

template <class T = void>
using Result = std::expected<T, Error>;

// fail("cannot open {}", path): the error side of a Result.
template <class... Args>
[[nodiscard]] std::unexpected<Error> fail(fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{fmt::format(format, std::forward<Args>(args)...)});
}

// Passes the error of `result` on, put behind `context`: "disk0: cannot open ...".
template <class T>
[[nodiscard]] std::unexpected<Error> fail_with(std::string_view context, const Result<T>& result) {
  return std::unexpected(Error{fmt::format("{}: {}", context, result.error().message)});
}

// The text of the present errno, thread-safe.
std::string errno_text();
std::string errno_text(int error_number);

}  // namespace core::inline base
