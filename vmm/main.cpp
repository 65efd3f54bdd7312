// minivmm: parse, build, run.
#include <cstdio>
#include <fmt/format.h>
#include <signal.h>
#include <string>
#include <vector>

#include "core/base/log.h"
#include "vmm/config/command_line.h"
#include "vmm/control/control.h"
#include "vmm/control/screendump.h"
#include "vmm/machine/accelerators.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/spice_files.h"
#include "vmm/replay/replay.h"
#include "vmm/sandbox/sandbox.h"
#include "vmm/window/windows.h"

namespace {

constexpr int kSetupFailed = 1;

int complain(const std::string& message) {
  std::fprintf(stderr, "minivmm: %s\n", message.c_str());
  return kSetupFailed;
}

int print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return 0;
}

int inform(vmm::config::Information information) {
  switch (information) {
    case vmm::config::Information::Help: return print(vmm::config::help_text());
    case vmm::config::Information::Version: return print(vmm::config::version_text());
    case vmm::config::Information::ManualPage: return print(vmm::config::manual_page());
  }
  return 0;
}

int make_certificates(const std::string& directory) {
  const auto advice = vmm::machine::make_certificates(directory);
  return advice ? print(*advice) : complain("--spice gen-certs: " + advice.error().message);
}

int replay(const std::vector<std::string>& arguments) {
  const auto config = vmm::replay::parse_replay_arguments(arguments);
  if (!config) return complain(config.error().message);
  const auto replayed = vmm::replay::replay(*config);
  if (!replayed) return complain(replayed.error().message);
  if (!config->picture.empty()) {
    using vmm::control::PictureFormat;
    const auto format = config->picture.ends_with(".ppm") ? PictureFormat::Ppm : PictureFormat::Png;
    const auto written =
        vmm::control::write_picture({replayed->width, replayed->height, replayed->pixels}, format, config->picture);
    if (!written) return complain(written.error().message);
  }
  return print(vmm::replay::report(*replayed));
}

core::Result<std::unique_ptr<vmm::window::Windows>> open_windows(const vmm::config::MachineConfig& config,
                                                                 vmm::machine::Machine& machine) {
  using vmm::window::ModifierKeys;
  std::unique_ptr<vmm::window::Windows> none;
  if (!config.window.enabled) return none;
  const auto keys = [&config] {
    switch (config.window.grab_keys) {
      case vmm::config::GrabKeys::LeftCtrlAlt: return ModifierKeys::CtrlAlt;
      case vmm::config::GrabKeys::LeftShiftCtrlAlt: return ModifierKeys::ShiftCtrlAlt;
      case vmm::config::GrabKeys::RightCtrl: return ModifierKeys::RightCtrl;
    }
    return ModifierKeys::CtrlAlt;
  }();
  auto& control = machine.control_loop();
  std::vector<vmm::window::WindowDisplay> displays;
  const auto shown = machine.local_displays();
  for (const auto& display : shown) {
    const auto title = shown.size() == 1 ? config.name : fmt::format("{} ({})", config.name, display.name);
    displays.push_back({title, display.view, display.input, [&machine, &control, device = display.name] {
                          control.post([&machine, device] { vmm::control::keep_picture(machine, device); });
                        }});
  }
  auto windows = vmm::window::Windows::create(
      {config.window.full_screen, config.window.close_ends, config.window.shows_arrow, keys}, displays,
      [&machine, &control] { control.post([&machine] { machine.quit(); }); });
  if (!windows) return core::fail_with("--display sdl", windows);
  return windows;
}

int wait(vmm::machine::Machine& machine, vmm::window::Windows* windows) {
  if (windows == nullptr) return machine.wait();
  return machine.wait({windows->descriptors(), [windows] { return windows->run(); }});
}

// The main thread waits for these in Machine::wait(); no other thread may take them. A client that goes away while it
// is written to is an error of that write, not a signal; so is a file that may not grow any more.
void block_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (!arguments.empty() && arguments.front() == "replay") return replay({arguments.begin() + 1, arguments.end()});
  vmm::config::hide_passwords({argv, static_cast<std::size_t>(argc)});
  const auto command_line = vmm::config::parse_command_line(arguments);
  if (!command_line) return complain(command_line.error().message);
  if (const auto* information = std::get_if<vmm::config::Information>(&*command_line)) return inform(*information);
  const auto& config = std::get<vmm::config::MachineConfig>(*command_line);
  if (config.cpu == vmm::machine::kListCpuModels) return print(vmm::machine::cpu_models_text());
  if (!config.spice.make_certificates.empty()) return make_certificates(config.spice.make_certificates);
  const auto problems = vmm::config::problems(config);
  for (const auto& problem : problems)
    complain(problem);
  if (!problems.empty()) return kSetupFailed;

  block_signals();
  const auto sandbox = vmm::sandbox::Sandbox::create({config.sandbox, config.user});
  if (!sandbox) return complain(sandbox.error().message);
  auto machine = vmm::machine::Machine::create(config, sandbox->thread_start());
  if (!machine) return complain(machine.error().message);
  auto control = vmm::control::Control::create(config, **machine);
  if (!control) return complain(control.error().message);
  auto windows = open_windows(config, **machine);
  if (!windows) return complain(windows.error().message);
  if (auto sealed = sandbox->seal(); !sealed) return complain(sealed.error().message);
  (*machine)->start();
  (*control)->serve();
  return wait(**machine, windows->get());
}
