# A boot sector that sets the largest mode of 16 MiB, 2560x1600 in 32 bits, by the Bochs display interface, and rests.
        .code16
        .globl _start
_start: ljmp $0, $1f
1:      xor %ax, %ax
        mov %ax, %ds
        mov $settings, %si
        cld
        mov $5, %cx
set:    mov $0x1ce, %dx
        lodsw                           # the register's number
        out %ax, %dx
        inc %dx
        lodsw                           # its value
        out %ax, %dx
        loop set
rest:   hlt
        jmp rest

settings:
        .word 4, 0                      # off
        .word 1, 2560                   # width
        .word 2, 1600                   # height
        .word 3, 32                     # bits a pixel
        .word 4, 0x41                   # on, with a linear frame buffer

        .org 510
        .word 0xaa55
