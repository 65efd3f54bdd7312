# A boot sector that paints all of 1024x768 in 32 bits anew at each timer tick (18.2 a second): plain bands, which shrink
# to nothing, and bands of colours that all differ, in turn.
        .include "bochs_mode.inc"
        mov $0xa000, %ax
        mov %ax, %es

frame:  sti
        hlt
        add $0x010203, %ebp             # another picture
        xor %bx, %bx
bank:   mov $0x1ce, %dx                 # 64 KiB of it at A0000
        mov $5, %ax
        out %ax, %dx
        inc %dx
        mov %bx, %ax
        out %ax, %dx
        xor %di, %di
        mov %ebp, %eax
        mov $0x4000, %cx
        test $1, %bl
        jz plain
mixed:  imul $1664525, %eax
        add $1013904223, %eax
        stosl
        loop mixed
        jmp next
plain:  rep stosl
next:   inc %bx
        cmp $48, %bx
        jb bank
        jmp frame

settings:
        .word 4, 0                      # off
        .word 1, 1024                   # width
        .word 2, 768                    # height
        .word 3, 32                     # bits a pixel
        .word 4, 1                      # on

        .org 510
        .word 0xaa55
