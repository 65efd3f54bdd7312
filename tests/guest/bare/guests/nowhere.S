# Jumps to where there is neither memory nor a device.
#include "tests/guest/bare/real_mode.inc"
.section .start, "ax"
        REAL_MODE_ENTRY
        mov     $0x1234, %bx
        ljmp    $0xa000, $0x10
.section .note.GNU-stack, "", @progbits
