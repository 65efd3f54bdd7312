// What the commands of both monitors work on.
#pragma once

#include "vmm/control/mouse.h"
#include "vmm/control/passed_descriptors.h"
#include "vmm/control/typist.h"
#include "vmm/machine/controllable.h"

namespace vmm::control {

struct Context {
  machine::Controllable& machine;
  Typist& typist;
  Mouse& mouse;
  PassedDescriptors* descriptors = nullptr;  // of the QMP session, if it is one
};

}  // namespace vmm::control
