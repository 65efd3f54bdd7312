#include "vmm/machine/machine.h"

#include <algorithm>
#include <atomic>
#include <poll.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <utility>

#include "core/base/fd.h"
#include "core/base/log.h"
#include "core/event/virtual_clock.h"
#include "core/event/worker.h"
#include "devices/platform/piix4_pm.h"
#include "vmm/cpu/vcpu_thread.h"
#include "vmm/machine/board.h"
#include "vmm/machine/display_recordings.h"
#include "vmm/machine/drives.h"
#include "vmm/machine/host_ends.h"
#include "vmm/machine/machine_parts.h"
#include "vmm/machine/qxl_displays.h"
#include "vmm/machine/spice_end.h"
#include "vmm/machine/spice_ports.h"
#include "vmm/machine/usb_devices.h"
#include "vmm/machine/virtio_devices.h"

namespace vmm::machine {

using core::Result;

namespace {

using Uuid = std::array<std::uint8_t, 16>;

// [RFC 4122 4.4] version 4
Uuid random_uuid() {
  Uuid uuid{};
  [[maybe_unused]] const auto filled = ::getrandom(uuid.data(), uuid.size(), 0);
  uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0f) | 0x40);
  uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3f) | 0x80);
  return uuid;
}

Result<core::Fd> open_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    sigaddset(&set, signal);
  const int fd = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) return core::fail("cannot watch for signals: {}", core::errno_text());
  return core::Fd(fd);
}

}  // namespace

struct Machine::Impl {
  Impl(const config::MachineConfig& machine_config, const core::ThreadStart& thread_start)
      : config(machine_config),
        start(thread_start),
        uuid(config.uuid.value_or(config.icount ? Uuid{} : random_uuid())) {
    if (config.icount) {
      auto counted = std::make_unique<core::VirtualClock>();
      counted_clock = counted.get();
      clock = std::move(counted);
    } else {
      clock = std::make_unique<core::RealTimeClock>(start);
    }
  }
  ~Impl();

  Result<> build();
  GuestRequests guest_requests();
  void announce(const Event& event);
  void pause_guest();
  void resume_guest();
  // Guest time passes: its CPUs run, or it sleeps until something wakes it.
  bool is_live() const { return state == RunState::Running || state == RunState::Suspended; }
  void reset_now(bool by_guest);
  Result<> save(const std::string& path);
  Result<> load(const std::string& path);
  void finish(int status, bool by_guest, std::string reason);
  void suspended_to_disk();
  void suspended_to_ram();
  void wait_for_alarm();
  void alarm_rings();
  void wake_up(WakeReason reason);  // who is suspended
  void guest_panicked();
  void cpu_exited(const cpu::RunExit& exit);

  // What comes later uses what comes before; the control loop stops before anything is taken down.
  config::MachineConfig config;
  core::ThreadStart start;
  Uuid uuid;
  core::Fd signals;
  std::unique_ptr<core::EventFd> ended;
  std::atomic<int> exit_status{0};
  std::unique_ptr<core::MachineClock> clock;
  core::VirtualClock* counted_clock = nullptr;  // the same one, if instructions make the time
  core::Worker control{"control", core::ThreadKind::Control, start};
  std::unique_ptr<Board> board;
  std::unique_ptr<DisplayRecordings> recordings;
  std::unique_ptr<WakingInput> input;
  std::unique_ptr<Drives> drives;
  std::unique_ptr<MachineParts> parts;
  std::unique_ptr<cpu::VcpuThreads> vcpus;
  std::unique_ptr<SpiceEnd> spice;
  std::atomic<RunState> state{RunState::Prelaunch};
  std::vector<std::function<void(const Event&)>> listeners;
};

Machine::Impl::~Impl() {
  control.stop();
  if (vcpus) vcpus->stop();  // first: a CPU may wait for a display's worker
  if (spice) spice->stop();
  clock->stop();
}

GuestRequests Machine::Impl::guest_requests() {
  const auto request = [this](std::function<void()> act) {
    control.loop().post(std::move(act));
    board->accelerator().hold();
  };
  return {
      .reset = [this, request] { request([this] { reset_now(true); }); },
      .power_off = [this, request] { request([this] { finish(0, true, "guest-shutdown"); }); },
      .suspend_to_disk = [this, request] { request([this] { suspended_to_disk(); }); },
      .suspend_to_ram = [this, request] { request([this] { suspended_to_ram(); }); },
      .alarm = [this] { control.loop().post([this] { alarm_rings(); }); },
      .exit = [this, request](int status) { request([this, status] { finish(status, true, "guest-shutdown"); }); },
      .panicked = [this, request] { request([this] { guest_panicked(); }); },
      .crash_loaded =
          [this, request] {
            request([this] { announce({.kind = EventKind::GuestCrashLoaded, .by_guest = true, .reason = "run"}); });
          },
      .balloon =
          [this](std::uint64_t bytes) {
            control.loop().post([this, bytes] { announce({.kind = EventKind::BalloonChange, .bytes = bytes}); });
          },
  };
}

Result<> Machine::Impl::build() {
  auto watch = open_signals();
  if (!watch) return std::unexpected(watch.error());
  signals = std::move(*watch);
  auto event = core::EventFd::create();
  if (!event) return std::unexpected(event.error());
  ended = std::make_unique<core::EventFd>(std::move(*event));

  auto ends = open_host_ends(config, start);
  if (!ends) return std::unexpected(ends.error());
  auto recorded = DisplayRecordings::create(config.displays);
  if (!recorded) return std::unexpected(recorded.error());
  recordings = std::move(*recorded);
  const auto spice_ports = add_spice_ports(config, control.loop(), *ends);
  auto addresses = drive_addresses(*ends);
  auto made = Board::create(config, uuid, std::move(*ends), {*clock, counted_clock}, guest_requests());
  if (!made) return std::unexpected(made.error());
  board = std::move(*made);
  board->set_running(false);
  input = std::make_unique<WakingInput>(board->keyboard(), board->mouse(), [this] {
    const bool sleeps = state == RunState::Suspended;
    if (sleeps) wake_up(WakeReason::PowerButton);
    return sleeps;
  });
  drives = std::make_unique<Drives>(std::move(addresses), *board);
  vcpus = std::make_unique<cpu::VcpuThreads>(
      board->accelerator(),
      [this](unsigned, const cpu::RunExit& exit) {
        if (exit.reason != cpu::ExitReason::Kicked) control.loop().post([this, exit] { cpu_exited(exit); });
      },
      start);
  auto disks = drives->fixed_disks();
  if (auto* const usb = board->usb(); usb != nullptr) std::ranges::copy(usb->disks(), std::back_inserter(disks));
  parts = std::make_unique<MachineParts>(config, *board, *clock, disks);
  auto end = SpiceEnd::create(config, uuid,
                              {.control = control.loop(),
                               .displays = recordings->stand_before(board->displays().all()),
                               .keyboard = *input,
                               .mouse = *input,
                               .on_event = [this](const Event& happened) { announce(happened); },
                               .start = start,
                               .ports = spice_ports,
                               .tablet = board->tablet()});
  if (!end) return std::unexpected(end.error());
  spice = std::move(*end);
  if (config.restore.empty()) return {};
  auto loaded = load(config.restore);
  return loaded ? loaded : core::fail_with("--restore", loaded);
}

void Machine::Impl::announce(const Event& event) {
  for (const auto& listener : listeners)
    listener(event);
}

void Machine::Impl::pause_guest() {
  vcpus->pause();
  board->set_running(false);
  clock->stop();
  board->accelerator().stop_clock();
}

// The CPUs go on, or time alone does for a guest that sleeps.
void Machine::Impl::resume_guest() {
  board->accelerator().start_clock();
  clock->start();
  if (board->suspended()) {
    state = RunState::Suspended;
    control.loop().post([this] { wait_for_alarm(); });
    return;
  }
  state = RunState::Running;
  board->set_running(true);
  vcpus->resume();
}

Result<> Machine::Impl::save(const std::string& path) {
  const bool was_live = is_live();
  if (was_live) pause_guest();
  board->drain_disks();
  spice->hold_display(true);
  auto saved = write_snapshot(path, parts->parts());
  spice->release_display();
  if (was_live) resume_guest();
  return saved;
}

Result<> Machine::Impl::load(const std::string& path) {
  auto snapshot = Snapshot::open(path, parts->parts());
  if (!snapshot) return std::unexpected(snapshot.error());
  const bool was_live = is_live();
  if (was_live) pause_guest();
  board->drain_disks();
  spice->hold_display(false);
  auto loaded = snapshot->apply(parts->parts());
  if (!loaded) {
    board->reset();
    vcpus->reset();
  }
  board->pci().remap();
  spice->redraw();
  spice->release_display();
  if (was_live) resume_guest();
  return loaded ? loaded : core::fail_with(path + ": the machine was reset", loaded);
}

void Machine::Impl::reset_now(bool by_guest) {
  if (state == RunState::Shutdown) return;
  const bool was_live = is_live();
  if (was_live) pause_guest();
  spice->hold_display(false);
  board->reset();
  spice->release_display();
  vcpus->reset();
  if (state == RunState::InternalError || state == RunState::GuestPanicked) state = RunState::Paused;
  if (was_live) resume_guest();
  announce(
      {.kind = EventKind::Reset, .by_guest = by_guest, .reason = by_guest ? "guest-reset" : "host-qmp-system-reset"});
}

void Machine::Impl::finish(int status, bool by_guest, std::string reason) {
  if (state == RunState::Shutdown) return;
  if (is_live()) pause_guest();
  state = RunState::Shutdown;
  board->drain_disks();
  exit_status = status;
  announce({.kind = EventKind::Shutdown, .by_guest = by_guest, .reason = std::move(reason)});
  ended->signal();
}

void Machine::Impl::suspended_to_disk() {
  if (state == RunState::Shutdown) return;
  announce({.kind = EventKind::SuspendDisk});
  finish(0, true, "guest-shutdown");
}

void Machine::Impl::suspended_to_ram() {
  if (state == RunState::Shutdown || !board->suspended()) return;  // or a reset came first
  if (state == RunState::Running) {
    pause_guest();
    resume_guest();
  }
  announce({.kind = EventKind::Suspend});
}

// Counted time stands still without instructions: it is the time of the alarm at once, if there will be one.
void Machine::Impl::wait_for_alarm() {
  if (state != RunState::Suspended) return;
  if (const auto next = board->next_alarm(); next && counted_clock != nullptr) {
    counted_clock->move_to(std::max(*next, counted_clock->now()));
    counted_clock->fire_due();
  }
  alarm_rings();
}

void Machine::Impl::alarm_rings() {
  if (state == RunState::Suspended && board->alarm_wakes()) wake_up(WakeReason::Alarm);
}

void Machine::Impl::wake_up(WakeReason reason) {
  pause_guest();
  spice->hold_display(false);
  board->wake_up(reason);
  spice->release_display();
  vcpus->reset();
  resume_guest();
  announce({.kind = EventKind::Wakeup});
}

void Machine::Impl::guest_panicked() {
  if (state == RunState::Shutdown || state == RunState::InternalError) return;
  const auto tell = [this](const char* action) {
    MV_LOG_LIMITED(Warn, "machine", "the guest has panicked");
    announce({.kind = EventKind::GuestPanicked, .by_guest = true, .reason = action});
  };
  switch (config.on_panic) {
    case config::PanicAction::None: return tell("run");
    case config::PanicAction::Shutdown: tell("poweroff"); return finish(0, true, "guest-panic");
    case config::PanicAction::ExitFailure: tell("poweroff"); return finish(1, true, "guest-panic");
    case config::PanicAction::Pause: break;
  }
  tell("pause");
  const bool was_live = is_live();
  if (was_live) pause_guest();
  state = RunState::GuestPanicked;
  if (was_live) announce({.kind = EventKind::Stop});
}

void Machine::Impl::cpu_exited(const cpu::RunExit& exit) {
  if (state != RunState::Running) return;
  switch (exit.reason) {
    case cpu::ExitReason::Kicked: return;
    case cpu::ExitReason::Held: return vcpus->resume();  // what it was held for has been done
    case cpu::ExitReason::Reset: return reset_now(true);
    case cpu::ExitReason::PowerOff: return finish(0, true, "guest-shutdown");
    case cpu::ExitReason::Failed: break;
  }
  core::log(core::LogLevel::Error, "cpu", "{}", exit.detail);
  core::log(core::LogLevel::Error, "cpu", "the guest is stopped; system_reset and cont in the monitor start it again");
  pause_guest();
  state = RunState::InternalError;
  announce({.kind = EventKind::Stop});
}

Machine::Machine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Machine::~Machine() = default;

Result<std::unique_ptr<Machine>> Machine::create(const config::MachineConfig& config, const core::ThreadStart& start) {
  auto impl = std::make_unique<Impl>(config, start);
  if (auto built = impl->build(); !built) return std::unexpected(built.error());
  return std::unique_ptr<Machine>(new Machine(std::move(impl)));
}

void Machine::start() {
  if (const auto& reason = impl_->board->accelerator_reason(); !reason.empty()) {
    core::log(core::LogLevel::Info, "machine", "{}", reason);
  }
  impl_->control.loop().post([this] { cont(); });
}

int Machine::wait(const MainThreadWork& also) {
  std::vector<pollfd> watched{{impl_->signals.get(), POLLIN, 0}, {impl_->ended->get(), POLLIN, 0}};
  for (const int descriptor : also.descriptors)
    watched.push_back({descriptor, POLLIN, 0});
  while (!impl_->ended->drain()) {
    const auto next = also.run ? also.run() : std::nullopt;
    ::poll(watched.data(), watched.size(), next ? static_cast<int>(next->count()) : -1);
    signalfd_siginfo info{};
    if (::read(impl_->signals.get(), &info, sizeof info) == sizeof info) {
      impl_->control.loop().post([impl = impl_.get()] { impl->finish(0, false, "host-signal"); });
    }
  }
  impl_->control.stop();
  return impl_->exit_status;
}

std::vector<LocalDisplay> Machine::local_displays() {
  return impl_->spice->local_displays();
}

core::Loop& Machine::control_loop() {
  return impl_->control.loop();
}

RunState Machine::state() const {
  return impl_->state;
}

void Machine::stop() {
  if (!impl_->is_live()) return;
  impl_->pause_guest();
  impl_->state = RunState::Paused;
  impl_->announce({.kind = EventKind::Stop});
}

void Machine::cont() {
  const auto before = impl_->state.load();
  if (before != RunState::Paused && before != RunState::GuestPanicked && before != RunState::Prelaunch) return;
  impl_->resume_guest();
  if (before != RunState::Prelaunch) impl_->announce({.kind = EventKind::Resume});
}

void Machine::reset() {
  impl_->reset_now(false);
}

void Machine::powerdown() {
  impl_->announce({.kind = EventKind::Powerdown});
  if (impl_->state == RunState::Suspended) {
    impl_->wake_up(WakeReason::PowerButton);
  } else {
    impl_->board->power().press_power_button();
  }
}

Result<> Machine::wakeup() {
  if (impl_->state != RunState::Suspended) return core::fail("Unable to wake up: guest is not in suspended state");
  impl_->wake_up(WakeReason::PowerButton);
  return {};
}

void Machine::quit() {
  impl_->control.loop().post([impl = impl_.get()] { impl->finish(0, false, "host-qmp-quit"); });
}

const std::string& Machine::name() const {
  return impl_->config.name;
}
const std::array<std::uint8_t, 16>& Machine::uuid() const {
  return impl_->uuid;
}
unsigned Machine::cpus() const {
  return impl_->config.cpus;
}
std::string_view Machine::accelerator() const {
  return impl_->board->accelerator().name();
}

core::KeyboardSink& Machine::keyboard() {
  return *impl_->input;
}
core::MouseSink& Machine::mouse() {
  return *impl_->input;
}
core::TabletSink* Machine::tablet() {
  return impl_->board->tablet();
}
Result<Picture> Machine::screenshot(const ScreenshotOf& what) {
  return impl_->spice->screenshot(what);
}
core::PciBus& Machine::pci() {
  return impl_->board->pci();
}
core::AddressSpace& Machine::io() {
  return impl_->board->io();
}
core::AddressSpace& Machine::mmio() {
  return impl_->board->mmio();
}
core::RamMap& Machine::ram_map() {
  return impl_->board->ram_map();
}

std::vector<IrqCount> Machine::interrupts() {
  std::vector<IrqCount> counts;
  counts.reserve(core::kIoApicPins);
  for (unsigned irq = 0; irq < core::kIoApicPins; ++irq) {
    counts.push_back({fmt::format("IRQ {}", irq), impl_->board->interrupts().rises(irq)});
  }
  return counts;
}

std::optional<std::string> Machine::dump_device(std::string_view name) {
  for (auto* device : impl_->board->devices()) {
    if (device->state_name() != name) continue;
    const std::scoped_lock lock(device->lock());
    return core::dump_state(*device);
  }
  return std::nullopt;
}

std::string Machine::describe_displays() {
  return impl_->board->displays().describe();
}

std::vector<std::string> Machine::device_names() {
  std::vector<std::string> names;
  for (auto* device : impl_->board->devices())
    names.emplace_back(device->state_name());
  return names;
}

std::vector<Drive> Machine::drives() {
  return impl_->drives->list();
}

Result<> Machine::eject(std::string_view drive, bool force) {
  auto done = impl_->drives->eject(drive, force);
  if (done) impl_->announce({.kind = EventKind::TrayMoved, .device = std::string(drive), .tray_open = true});
  return done;
}

Result<> Machine::change(std::string_view drive, const std::string& path, bool force) {
  auto disc = open_disc(impl_->config, path, impl_->start);
  if (!disc) return std::unexpected(disc.error());
  auto done = impl_->drives->insert(drive, std::move(*disc), force);
  if (done) impl_->announce({.kind = EventKind::TrayMoved, .device = std::string(drive), .tray_open = false});
  return done;
}

Result<> Machine::save(const std::string& path) {
  return impl_->save(path);
}

Result<> Machine::load(const std::string& path) {
  return impl_->load(path);
}

Result<> Machine::set_balloon(std::uint64_t bytes) {
  if (impl_->board->virtio().set_balloon(bytes)) return {};
  return core::fail("No balloon device has been activated; start with --balloon on");
}

std::optional<std::uint64_t> Machine::balloon() {
  return impl_->board->virtio().balloon();
}

std::optional<BalloonStatistics> Machine::balloon_statistics() {
  return impl_->board->virtio().balloon_statistics();
}

void Machine::set_balloon_polling(std::uint32_t seconds) {
  impl_->board->virtio().set_balloon_polling(seconds);
}

SpiceStatus Machine::spice() {
  return impl_->spice->status();
}

std::vector<SpiceClient> Machine::spice_clients() {
  return impl_->spice->clients();
}

Result<> Machine::set_spice_pictures(const config::SpicePictures& pictures) {
  return impl_->spice->set_pictures(pictures);
}

Result<> Machine::set_spice_password(const std::string& password, WhenConnected action) {
  return impl_->spice->set_password(password, action);
}

Result<> Machine::expire_spice_password(std::optional<std::chrono::sys_seconds> at) {
  return impl_->spice->expire_password(at);
}

Result<> Machine::add_spice_client(core::Fd connection, bool skip_auth, bool tls) {
  return impl_->spice->add_client(std::move(connection), skip_auth, tls);
}

void Machine::add_listener(std::function<void(const Event&)> listener) {
  impl_->control.run_and_wait([&] { impl_->listeners.push_back(std::move(listener)); });
}

}  // namespace vmm::machine
