# Real mode: 8259 interrupts out of HLT and out of a loop, and a sector's worth of rep insw.
#include "tests/guest/bare/real_mode.inc"
.set kVector, 0x08
.section .start, "ax"
        REAL_MODE_ENTRY
        movw    $handler, kVector * 4
        movw    $0, kVector * 4 + 2
        xor     %cx, %cx
        mov     $0x600, %dx
        sti
# Asks for an interrupt and sleeps until it was handled.
asleep: mov     %cx, %bx
        cli
        mov     %cx, %ax
        outw    %ax, %dx
1:      sti
        hlt
        cli
        cmp     %cx, %bx
        je      1b
        sti
        cmp     $20, %cx
        jb      asleep
# The same while it is closed to interrupts for a moment, and awake.
awake:  mov     %cx, %bx
        cli
        mov     %cx, %ax
        outw    %ax, %dx
        cmp     %cx, %bx
        jne     failed
        sti
2:      cmp     %cx, %bx
        je      2b
        cmp     $40, %cx
        jb      awake
        cli
        mov     $0x2000, %di
        mov     $256, %cx
        mov     $0x608, %dx
        rep insw
        xor     %bx, %bx
        mov     $0x2000, %si
3:      lodsw
        cmp     %ax, %bx
        jne     failed
        inc     %bx
        cmp     $256, %bx
        jb      3b
        xor     %eax, %eax
        REAL_MODE_EXIT
failed: mov     $1, %eax
        REAL_MODE_EXIT
handler:
        inc     %cx
        iret
.section .note.GNU-stack, "", @progbits
