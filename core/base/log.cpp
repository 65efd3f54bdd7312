#include "core/base/log.h"

#include <chrono>
#include <cstdio>
#include <string>

namespace core::inline base {

namespace {

constexpr std::uint64_t kLineIntervalNs = 1'000'000'000;
constinit std::atomic<LogLevel> threshold{LogLevel::Info};

std::uint64_t monotonic_ns() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::Error: return "error";
    case LogLevel::Warn: return "warning";
    case LogLevel::Info: return "info";
    case LogLevel::Debug: return "debug";
  }
  return "?";
}

}  // namespace

void set_log_level(LogLevel level) {
  threshold.store(level, std::memory_order_relaxed);
}

bool log_enabled(LogLevel level) {
  return level <= threshold.load(std::memory_order_relaxed);
}

void log_line(LogLevel level, std::string_view area, std::string_view text) {
  const auto line = fmt::format("minivmm: {}: {}: {}\n", level_name(level), area, text);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

bool LogLimiter::admit(std::uint64_t& swallowed) {
  const auto now = monotonic_ns();
  auto next = next_ns_.load(std::memory_order_relaxed);
  if (now < next || !next_ns_.compare_exchange_strong(next, now + kLineIntervalNs, std::memory_order_relaxed)) {
    swallowed_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  swallowed = swallowed_.exchange(0, std::memory_order_relaxed);
  return true;
}

}  // namespace core::inline base
