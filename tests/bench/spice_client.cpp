// A SPICE client that only reads, as the other end of measurements.
//
//   spice_client link PORT PASSWORD COUNT        ms from connecting to INIT of the main channel, a line each
//   spice_client picture PORT|tls:PORT COUNT     bytes and ms from INIT to MARK of a display channel, a line each
//   spice_client watch PORT SECONDS CLIENTS      shows CLIENTS displays for so long; bytes of each, a line each
//   spice_client moves PORT COUNT                ms from motion of the mouse to the pointer's MOVE, a line each
//   spice_client draws PORT                      shows a display; for each line of its input a line that says what
//     has come since the last: bytes, messages, pictures of films, the TSC after the last message, and for each stamp
//     (see guest/qxl_bench.cpp) the ticks from it until its last byte was read
#include <cstdlib>
#include <fmt/core.h>
#include <poll.h>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "spice/wire/cursor.h"
#include "spice/wire/display.h"
#include "spice/wire/inputs.h"
#include "spice/wire/stream.h"
#include "tests/bench/spice_channel.h"

namespace {

using namespace bench;

void measure_links(Target target, const std::string& password, int count) {
  target.password = password;
  for (int i = 0; i < count; ++i) {
    const auto begun = Clock::now();
    const Session session(target);
    fmt::print("{:.3f}\n", ms_since(begun));
  }
}

void measure_pictures(const Target& target, int count) {
  for (int i = 0; i < count; ++i) {
    const Session session(target);
    Channel display(target, wire::ChannelType::Display, session.id);
    const auto begun = Clock::now();
    display.send(wire::DisplayInit{});
    display.receive_until(wire::DisplayMark::kType);
    fmt::print("{} {:.3f}\n", display.bytes(), ms_since(begun));
  }
}

void watch(const Target& target, Clock::time_point until, std::uint64_t& bytes) {
  Session session(target);
  Channel display(target, wire::ChannelType::Display, session.id);
  display.send(wire::DisplayInit{});
  pollfd waiting[2] = {{session.main.fd(), POLLIN, 0}, {display.fd(), POLLIN, 0}};
  while (Clock::now() < until) {
    ::poll(waiting, 2, 50);
    if (waiting[0].revents != 0) session.main.receive();
    if (waiting[1].revents != 0) display.receive();
    while (display.has_buffered())
      display.receive();
    while (session.main.has_buffered())
      session.main.receive();
  }
  bytes = display.bytes();
}

void watch_all(const Target& target, int seconds, std::size_t clients) {
  const auto until = Clock::now() + std::chrono::seconds(seconds);
  std::vector<std::uint64_t> bytes(clients);
  {
    std::vector<std::jthread> threads;
    for (auto& of_one : bytes)
      threads.emplace_back([&, &of = of_one] { watch(target, until, of); });
  }
  for (const auto of_one : bytes)
    fmt::print("{}\n", of_one);
}

bool has_something(const Channel& channel) {
  pollfd waiting{channel.fd(), POLLIN, 0};
  return channel.has_buffered() || ::poll(&waiting, 1, 0) > 0;
}

// One by one, at times that nothing in the server keeps.
void measure_moves(const Target& target, int count) {
  Session session(target);
  Channel cursor(target, wire::ChannelType::Cursor, session.id);
  Channel inputs(target, wire::ChannelType::Inputs, session.id);
  cursor.receive_until(wire::CursorInit::kType);
  std::minstd_rand random;
  std::uniform_int_distribution<int> microseconds(5'000, 25'000);
  for (int i = 0; i < count; ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds(microseconds(random)));
    for (auto* channel : {&session.main, &inputs, &cursor})
      while (has_something(*channel))
        channel->receive();
    const auto begun = Clock::now();
    inputs.send(wire::InputsMouseMotion{i % 2 == 0 ? 3 : -3, 0, 0});
    cursor.receive_until(wire::CursorMove::kType);
    fmt::print("{:.3f}\n", ms_since(begun));
  }
}

// What has come of a display since somebody asked last.
class Arrivals {
 public:
  void add(const Channel::Message& message) {
    const auto now = __builtin_ia32_rdtsc();
    ++messages_;
    if (message.type < wire::DisplayMark::kType) return;  // of any channel, not of a display
    last_ = now;
    if (message.type == wire::DisplayStreamData::kType || message.type == wire::DisplayStreamDataSized::kType)
      ++pictures_;
    if (message.type != wire::DisplayDrawFill::kType) return;
    const auto fill = wire::decode<wire::DisplayDrawFill>(message.body);
    if (!fill) fail("a fill makes no sense");
    const auto& box = fill->base.box;
    const auto* const brush = std::get_if<wire::SolidBrush>(&fill->brush.fill);
    constexpr std::int32_t kSide = 3;
    if (brush == nullptr || box.right - box.left != kSide || box.bottom - box.top != kSide) return;
    ways_.push_back(static_cast<std::uint32_t>(now) - brush->color);
  }
  // And begins anew.
  void report(std::uint64_t bytes) {
    fmt::print("{} {} {} {}", bytes - reported_bytes_, messages_, pictures_, last_);
    for (const auto way : ways_)
      fmt::print(" {}", way);
    fmt::print("\n");
    std::fflush(stdout);
    *this = {};
    reported_bytes_ = bytes;
  }

 private:
  std::uint64_t reported_bytes_ = 0;
  std::uint64_t messages_ = 0;
  std::uint64_t pictures_ = 0;
  std::uint64_t last_ = 0;
  std::vector<std::uint32_t> ways_;
};

void watch_draws(const Target& target) {
  Session session(target);
  Channel display(target, wire::ChannelType::Display, session.id);
  constexpr std::int64_t kCachePixels = std::int64_t{20} << 20;
  constexpr std::int32_t kWindowPixels = 4 << 20;
  display.send(wire::DisplayInit{1, kCachePixels, 1, kWindowPixels});
  Arrivals arrivals;
  pollfd waiting[3] = {{session.main.fd(), POLLIN, 0}, {display.fd(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  for (;;) {
    ::poll(waiting, 3, -1);
    if (waiting[1].revents != 0) arrivals.add(display.receive());
    while (display.has_buffered())
      arrivals.add(display.receive());
    if (waiting[0].revents != 0) session.main.receive();
    while (session.main.has_buffered())
      session.main.receive();
    if (waiting[2].revents == 0) continue;
    char line[16];
    if (::read(STDIN_FILENO, line, sizeof line) <= 0) return;
    arrivals.report(display.bytes());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 4 && arguments[0] == "link") {
    measure_links(target_of(arguments[1]), arguments[2], std::stoi(arguments[3]));
  } else if (arguments.size() == 3 && arguments[0] == "picture") {
    measure_pictures(target_of(arguments[1]), std::stoi(arguments[2]));
  } else if (arguments.size() == 4 && arguments[0] == "watch") {
    watch_all(target_of(arguments[1]), std::stoi(arguments[2]), std::stoul(arguments[3]));
  } else if (arguments.size() == 3 && arguments[0] == "moves") {
    measure_moves(target_of(arguments[1]), std::stoi(arguments[2]));
  } else if (arguments.size() == 2 && arguments[0] == "draws") {
    watch_draws(target_of(arguments[1]));
  } else {
    fail("see the head of its source");
  }
  return 0;
}
