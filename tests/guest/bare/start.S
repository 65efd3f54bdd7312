# From real mode at 0:8000h to C++ at CPL 3 of 64-bit mode, with as few instructions at CPL 0 as it takes: hosts whose KVM
# emulates kernel-mode code run only CPL 3 at full speed. Tables are data of the image. Application processors enter at
# the same place (SIPI vector 08h), one at a time; each takes the next number, TSS and stack.
#
# CPL 3 reaches all ports (a zero I/O bitmap) and all of the first 4 GiB, devices and local APIC included.
.set kMaxCpus, 4
.set kStackBytes, 16384
.set kEntryStackBytes, 512

.section .start, "ax"
.code16
.globl start
start:  ljmp    $0, $1f
1:      cli
        xor     %ax, %ax
        mov     %ax, %ds
        mov     $0xff, %al              # no 8259 interrupts: a BIOS leaves its timer running
        outb    %al, $0x21
        outb    %al, $0xa1
        mov     next_cpu, %bx
        incw    next_cpu
        lgdtl   gdt_pointer
        mov     $0x11, %eax
        mov     %eax, %cr0
        ljmpl   $0x18, $protected

.code32
protected:
        mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %ss
        mov     $0x620, %eax            # PAE, OSFXSR, OSXMMEXCPT
        mov     %eax, %cr4
        mov     $pml4, %eax
        mov     %eax, %cr3
        mov     $0xc0000080, %ecx       # EFER: LME
        mov     $0x100, %eax
        xor     %edx, %edx
        wrmsr
        mov     $0x80010033, %eax       # PG, WP, NE, ET, MP, PE
        mov     %eax, %cr0
        ljmp    $0x08, $long_mode

.code64
long_mode:
        lidt    idt_pointer
        movzwl  %bx, %edi
        mov     %edi, %eax
        shl     $4, %eax
        add     $0x30, %eax
        ltr     %ax
        mov     %edi, %eax
        imul    $kStackBytes, %eax, %eax
        neg     %eax
        add     $user_stacks_end - 8, %eax
        mov     %eax, %esp
        push    $0x23
        push    %rax
        push    $0x202
        push    $0x2b
        push    $user_entry
        iretq

# Interrupts. The CPL 0 part only sends the interrupted CPL 3 code to `upcall` with the vector and the way back on its
# stack, below the red zone.
.macro VECTOR_STUBS from, to
        .set    vector, \from
        .rept   \to - \from + 1
        .balign 8
        push    $vector
        jmp     reflect
        .set    vector, vector + 1
        .endr
.endm
        .balign 8
stubs:  VECTOR_STUBS 0x40, 0x5f

reflect:
        push    %rax
        push    %rcx
        mov     48(%rsp), %rax          # interrupted stack pointer
        sub     $144, %rax
        mov     24(%rsp), %rcx          # interrupted instruction
        mov     %rcx, 8(%rax)
        mov     16(%rsp), %rcx          # vector
        mov     %rcx, (%rax)
        mov     %rax, 48(%rsp)
        movq    $upcall, 24(%rsp)
        pop     %rcx
        pop     %rax
        add     $8, %rsp
        iretq

# An exception ends the guest with 80h + its vector.
.macro EXCEPTION_STUBS
        .set    vector, 0
        .rept   32
        .balign 8
        mov     $0x80 + vector, %al
        jmp     exception
        .set    vector, vector + 1
        .endr
.endm
        .balign 8
exceptions:
        EXCEPTION_STUBS
exception:
        movzbl  %al, %eax
        outl    %eax, $0xf4
1:      jmp     1b
spurious:
        iretq

.text
# CPL 3 begins: the first CPU clears what the image does not hold.
user_entry:
        test    %edi, %edi
        jnz     guest_entry
        mov     $bss_start, %edi
        mov     $bss_end, %ecx
        sub     %edi, %ecx
        shr     $3, %ecx
        xor     %eax, %eax
        rep stosq
        xor     %edi, %edi
        jmp     guest_entry

upcall: pushfq
        push    %rax
        push    %rcx
        push    %rdx
        push    %rsi
        push    %rdi
        push    %r8
        push    %r9
        push    %r10
        push    %r11
        push    %rbp
        mov     %rsp, %rbp
        mov     88(%rbp), %rdi
        sub     $512, %rsp
        and     $-16, %rsp
        fxsave  (%rsp)
        cld
        call    bare_interrupt
        fxrstor (%rsp)
        mov     %rbp, %rsp
        pop     %rbp
        pop     %r11
        pop     %r10
        pop     %r9
        pop     %r8
        pop     %rdi
        pop     %rsi
        pop     %rdx
        pop     %rcx
        pop     %rax
        popfq
        lea     8(%rsp), %rsp
        ret     $128

.section .tables, "aw"
.balign 8
next_cpu:
        .word   0
        .balign 8
gdt:    .quad   0
        .quad   0x00af9b000000ffff      # 08 code, 64 bits, CPL 0
        .quad   0x00cf93000000ffff      # 10 data, CPL 0
        .quad   0x00cf9b000000ffff      # 18 code, 32 bits, CPL 0
        .quad   0x00cff3000000ffff      # 20 data, CPL 3
        .quad   0x00affb000000ffff      # 28 code, 64 bits, CPL 3
.macro TSS_DESCRIPTOR at
        .word   io_bitmap_end - \at - 1
        .word   \at
        .byte   0, 0x89, 0, 0
        .quad   0
.endm
        TSS_DESCRIPTOR tss0
        TSS_DESCRIPTOR tss1
        TSS_DESCRIPTOR tss2
        TSS_DESCRIPTOR tss3
gdt_end:
gdt_pointer:
        .word   gdt_end - gdt - 1
        .long   gdt
        .balign 4
idt_pointer:
        .word   256 * 16 - 1
        .quad   idt

.macro GATE target, offset=0
        .word   \target + \offset, 0x08
        .byte   0, 0xee                 # interrupt gate, from CPL 3 too
        .word   0
        .quad   0
.endm
.macro GATES first, count
        .set    gate, 0
        .rept   \count
        GATE    \first, 8*gate
        .set    gate, gate + 1
        .endr
.endm
        .balign 16
.globl idt
idt:    GATES   exceptions, 32
        .rept   0x40 - 32
        GATE    spurious
        .endr
        GATES   stubs, 32
        .rept   256 - 0x60
        GATE    spurious
        .endr

# One TSS a CPU, in front of the I/O bitmap they share.
.macro TSS stack
        .long   0
        .quad   \stack
        .fill   0x66 - 12, 1, 0
        .word   io_bitmap - (. - 0x66)
.endm
        .balign 16
tss0:   TSS     entry_stacks+kEntryStackBytes*1
tss1:   TSS     entry_stacks+kEntryStackBytes*2
tss2:   TSS     entry_stacks+kEntryStackBytes*3
tss3:   TSS     entry_stacks+kEntryStackBytes*4
io_bitmap:
        .fill   8192, 1, 0
        .byte   0xff
io_bitmap_end:

# Identity, 2 MiB pages, user-accessible.
        .balign 4096
pml4:   .quad   pdpt + 7
        .fill   511, 8, 0
pdpt:   .quad   directories + 7, directories + 0x1007, directories + 0x2007, directories + 0x3007
        .fill   508, 8, 0
directories:
        .set    page, 0
        .rept   2048
        .quad   (page << 21) | 0x87
        .set    page, page + 1
        .endr

.bss
        .balign 16
entry_stacks:
        .skip   kEntryStackBytes * kMaxCpus
user_stacks:
        .skip   kStackBytes * kMaxCpus
user_stacks_end:
.section .note.GNU-stack, "", @progbits
