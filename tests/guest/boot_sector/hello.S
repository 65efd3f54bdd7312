# A boot sector that prints one line through the BIOS, then echoes keys for ever. Its screen is a golden picture.
        .code16
        .globl _start
_start: ljmp $0, $1f
1:      xor %ax, %ax
        mov %ax, %ds
        mov $0x0003, %ax                # 80x25 text, cleared
        int $0x10
        mov $message, %si
        call print
echo:   xor %ah, %ah
        int $0x16                       # waits for a key
        mov $0x0e, %ah
        int $0x10
        jmp echo

print:  lodsb
        test %al, %al
        jz 2f
        mov $0x0e, %ah
        mov $7, %bx
        int $0x10
        jmp print
2:      ret

message: .asciz "minivmm: the boot sector runs\r\n> "

        .org 510
        .word 0xaa55
