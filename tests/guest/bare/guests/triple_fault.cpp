// An exception that finds no handler, nor does the next, nor the third.
#include "tests/guest/bare/bare.h"

extern "C" std::uint64_t idt[512];

void guest_main() {
  for (auto& word : idt)
    word = 0;
  asm volatile("ud2");
}
