// Log lines to standard error. Levels by who must act (docs/logging.md):
//   error  the process cannot do what it was asked        warn  someone should look, the machine goes on
//   info   a fact of start-up or shutdown                  debug developers only, off by default
//
// log() is for set-up code. Whatever a guest or a client can trigger uses MV_LOG_LIMITED, which lets one line through
// per call site and second, so that nobody can fill a disk.
#pragma once

#include <atomic>
#include <cstdint>
#include <fmt/core.h>
#include <string_view>
#include <utility>

namespace core::inline base {

enum class LogLevel : std::uint8_t { Error, Warn, Info, Debug };

// The most talkative level printed; any thread. Default Info.
void set_log_level(LogLevel level);
bool log_enabled(LogLevel level);
void log_line(LogLevel level, std::string_view area, std::string_view text);

template <class... Args>
void log(LogLevel level, std::string_view area, fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(level)) log_line(level, area, fmt::format(format, std::forward<Args>(args)...));
}

// One line a second; counts what it swallowed in between.
class LogLimiter {
 public:
  // True if a line may be printed now; `swallowed` is how many were not since the last one.
  bool admit(std::uint64_t& swallowed);

 private:
  std::atomic<std::uint64_t> next_ns_{0};
  std::atomic<std::uint64_t> swallowed_{0};
};

template <class... Args>
void log_limited(LogLimiter& limiter, LogLevel level, std::string_view area, fmt::format_string<Args...> format,
                 Args&&... args) {
  if (!log_enabled(level)) return;
  std::uint64_t swallowed = 0;
  if (!limiter.admit(swallowed)) return;
  auto text = fmt::format(format, std::forward<Args>(args)...);
  if (swallowed > 0) text += fmt::format(" ({} more since)", swallowed);
  log_line(level, area, text);
}

}  // namespace core::inline base

// MV_LOG_LIMITED(Warn, "ide", "guest wrote {:#x}", value)
#define MV_LOG_LIMITED(level, area, ...)                                         \
  do {                                                                           \
    static ::core::LogLimiter mv_limiter;                                        \
    ::core::log_limited(mv_limiter, ::core::LogLevel::level, area, __VA_ARGS__); \
  } while (false)
