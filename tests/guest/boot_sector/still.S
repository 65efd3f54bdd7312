# A boot sector that sets the largest mode of 16 MiB, 2560x1600 in 32 bits, by the Bochs display interface, and rests.
        .include "bochs_mode.inc"
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
