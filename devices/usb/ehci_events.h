// What running the schedules of an enhanced host controller has come to.
#pragma once

namespace devices::usb {

struct EhciEvents {
  bool worked = false;        // something moved, or was tried and will be again
  bool interrupt = false;     // a descriptor that asked for it is done, or had a short packet
  bool error = false;         // a transaction ended in an error
  bool system_error = false;  // a structure or buffer is not in RAM: the controller halts
};

}  // namespace devices::usb
