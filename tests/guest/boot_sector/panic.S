# A boot sector that says on the panic port that a crash kernel runs, and then that it has panicked; should it go on, it
# ends the machine through the debug exit port.
        .code16
        .globl _start
_start: mov $0x505, %dx
        mov $2, %al
        out %al, %dx
        mov $1, %al
        out %al, %dx
        mov $0x10, %al
        out %al, $0xf4
1:      hlt
        jmp 1b

        .org 510
        .word 0xaa55
