# Reads the rest of the disk image to 7E00h and up by INT 13h extensions, and enters it at 0:8000h.
.section .mbr, "ax"
.code16
boot_sector:
        ljmp    $0, $1f
1:      cli
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x7c00, %sp
        sti
        mov     %dl, drive
2:      mov     $packet, %si
        mov     drive, %dl
        mov     $0x42, %ah
        int     $0x13
        jc      failed
        addw    $0x400, packet_segment
        addw    $32, packet_sector
        decw    chunks
        jnz     2b
        ljmp    $0, $0x8000
failed: mov     $0x402, %dx
        mov     $'!', %al
        outb    %al, %dx
3:      hlt
        jmp     3b

drive:  .byte   0
        .balign 4
packet: .byte   16, 0
        .word   32
        .word   0
packet_segment:
        .word   0x7e0
packet_sector:
        .quad   1
chunks: .word   image_chunks
        .org    510
        .word   0xaa55
