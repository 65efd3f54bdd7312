# A kernel of a few instructions that both direct boot protocols can start: says on COM1 which one did and with which
# command line, powers the machine off by ACPI, and if there is no power management (no firmware has placed it) ends it by
# the debug exit port. [Multiboot 0.6.96 3.1-3.3] [Xen public/elfnote.h XEN_ELFNOTE_PHYS32_ENTRY,
# public/arch-x86/hvm/start_info.h]
        .set MULTIBOOT_MAGIC, 0x1badb002
        .set MULTIBOOT_LOADED, 0x2badb002
        .set PVH_LOADED, 0x336ec578
        .set COM1, 0x3f8
        .set PM1_CONTROL, 0x604

        .section .multiboot, "a"
        .long MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC

        .section .note.pvh, "a", @note
        .long 4, 4, 18                  # name, descriptor: bytes; XEN_ELFNOTE_PHYS32_ENTRY
        .asciz "Xen"
        .long pvh_start

        .text
        .globl _start
_start: cmp $MULTIBOOT_LOADED, %eax
        jne wrong
        mov $multiboot, %esi
        call print
        mov 16(%ebx), %esi              # the command line
        jmp finish

pvh_start:
        cmpl $PVH_LOADED, (%ebx)
        jne wrong
        mov $pvh, %esi
        call print
        mov 24(%ebx), %esi              # the command line, a 64-bit address

finish: call print
        mov $newline, %esi
        call print
        mov $PM1_CONTROL, %dx
        mov $0x2000, %ax                # sleep now, type 0: soft off
        outw %ax, %dx
        mov $0x10, %al
        out %al, $0xf4
1:      hlt
        jmp 1b

wrong:  mov $0x20, %al
        out %al, $0xf4
        jmp 1b

print:  lodsb
        test %al, %al
        jz 1f
        mov $COM1, %dx
        outb %al, %dx
        jmp print
1:      ret

        .section .rodata
multiboot: .asciz "multiboot: "
pvh:     .asciz "pvh: "
newline: .asciz "\n"

        .section .note.GNU-stack, "", @progbits
