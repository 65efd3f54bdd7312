# Kernel-mode CPUID: hosts whose KVM runs CPL 3 natively show it their own processor there. Leaf 1 and the hypervisor
# leaf go to port 600h: EBX, ECX and EBX, ECX, EDX.
#include "tests/guest/bare/real_mode.inc"
.section .start, "ax"
        REAL_MODE_ENTRY
        mov     $1, %eax
        cpuid
        call    tell
        mov     $0x40000000, %eax
        cpuid
        call    tell
        mov     %edx, %eax
        mov     $0x600, %dx
        outl    %eax, %dx
        xor     %eax, %eax
        REAL_MODE_EXIT
tell:   push    %edx
        mov     $0x600, %dx
        mov     %ebx, %eax
        outl    %eax, %dx
        mov     %ecx, %eax
        outl    %eax, %dx
        pop     %edx
        ret
.section .note.GNU-stack, "", @progbits
