# Switches KVM's paravirtual clock on, its page at 5000h, and tells port 600h the page's version and its multiplier.
#include "tests/guest/bare/real_mode.inc"
        .set    MSR_KVM_SYSTEM_TIME_NEW, 0x4b564d01
        .section .start, "ax"
        REAL_MODE_ENTRY
        mov     $MSR_KVM_SYSTEM_TIME_NEW, %ecx
        mov     $0x5001, %eax
        xor     %edx, %edx
        wrmsr
        mov     $0x600, %dx
        mov     0x5000, %eax
        outl    %eax, %dx
        mov     0x5018, %eax
        outl    %eax, %dx
        xor     %eax, %eax
        REAL_MODE_EXIT
.section .note.GNU-stack, "", @progbits
