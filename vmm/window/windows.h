// Windows on this computer's screen: each shows one display of the machine, and takes keys and mouse for it.
//
// Main thread only: SDL wants all its calls there. Nothing here blocks but for a display's worker, for one look at its
// picture; whoever calls run() waits for what descriptors() says.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/ports/view.h"

namespace vmm::window {

// The keys that are held to speak to the window instead of the guest; QEMU's names for them.
enum class ModifierKeys : std::uint8_t { CtrlAlt, ShiftCtrlAlt, RightCtrl };

struct WindowOptions {
  bool full_screen = false;
  bool close_ends = true;    // closing a window ends the machine
  bool shows_arrow = false;  // the host's own pointer, also where the guest has one
  ModifierKeys modifiers = ModifierKeys::CtrlAlt;
};

// What a window shows, and where its input goes. Both outlive it.
struct WindowDisplay {
  std::string title;
  core::DisplayView* view = nullptr;
  core::ViewInput* input = nullptr;
  std::function<void()> save_picture;  // somebody has pressed the key for it
};

class Windows {
 public:
  // Before threads are confined. Errors: no SDL, no screen to show anything on.
  static core::Result<std::unique_ptr<Windows>> create(const WindowOptions& options,
                                                       const std::vector<WindowDisplay>& displays,
                                                       std::function<void()> closed);
  ~Windows();
  Windows(const Windows&) = delete;
  Windows& operator=(const Windows&) = delete;

  // What there is to do when one of them can be read.
  std::vector<int> descriptors() const;
  // Shows and takes in what there is. When to come again at the latest; nothing: not before a descriptor says so.
  std::optional<std::chrono::milliseconds> run();

 private:
  struct Impl;
  explicit Windows(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vmm::window
