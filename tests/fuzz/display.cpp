// Whatever can happen to a display, in any order: drawings, surfaces, modes, clients that stall. The screen and each
// client that has taken all that was for it must show what the drawings make, drawn one after the other.
#include <cstdio>
#include <cstdlib>

#include "tests/unit/spice/display/display_model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tests::FuzzInput input(std::span(data, size));
  display_test::DisplayModel model(input);
  if (const auto failure = model.run(); !failure.empty()) {
    std::fprintf(stderr, "%s\n", failure.c_str());
    std::abort();
  }
  return 0;
}
