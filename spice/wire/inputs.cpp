#include "spice/wire/inputs.h"

#include "spice/wire/coding_impl.h"

namespace spice::wire {

template <class IO>
void InputsInit::wire(IO& io) {
  io.value("modifiers", modifiers);
}

template <class IO>
void InputsKeyModifiers::wire(IO& io) {
  io.value("modifiers", modifiers);
}

template <class IO>
void InputsKeyDown::wire(IO& io) {
  io.value("code", code);
}

template <class IO>
void InputsKeyUp::wire(IO& io) {
  io.value("code", code);
}

template <class IO>
void InputsClientKeyModifiers::wire(IO& io) {
  io.value("modifiers", modifiers);
}

template <class IO>
void InputsKeyScancode::wire(IO& io) {
  io.rest("scancodes", scancodes);
}

template <class IO>
void InputsMouseMotion::wire(IO& io) {
  io.value("dx", dx);
  io.value("dy", dy);
  io.value("buttons", buttons);
}

template <class IO>
void InputsMousePosition::wire(IO& io) {
  io.value("x", x);
  io.value("y", y);
  io.value("buttons", buttons);
  io.value("display", display);
}

template <class IO>
void InputsMousePress::wire(IO& io) {
  io.value("button", button);
  io.value("buttons", buttons);
}

template <class IO>
void InputsMouseRelease::wire(IO& io) {
  io.value("button", button);
  io.value("buttons", buttons);
}

template struct Coding<InputsInit>;
template struct Coding<InputsKeyModifiers>;
template struct Coding<InputsMotionAck>;
template struct Coding<InputsKeyDown>;
template struct Coding<InputsKeyUp>;
template struct Coding<InputsClientKeyModifiers>;
template struct Coding<InputsKeyScancode>;
template struct Coding<InputsMouseMotion>;
template struct Coding<InputsMousePosition>;
template struct Coding<InputsMousePress>;
template struct Coding<InputsMouseRelease>;

}  // namespace spice::wire
