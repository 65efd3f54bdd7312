# The boot ROM: loads a kernel through fw_cfg DMA and enters it. [QEMU docs/specs/fw_cfg, PnP BIOS 1.0a 3.2]
#
# The host appends a boot plan (struct BootPlanHeader in boot_rom.cpp) to this code: which fw_cfg items go where, and
# how to enter. So the guest runs a hundred-odd instructions and copies nothing itself. Two ways in:
#   bev    the BIOS boots from this option ROM (it has loaded us below 1 MiB; interrupts and int 15h work)
#   reset  this code is the BIOS: reached from the reset vector, nothing is set up
# Loads go anywhere in RAM; the stack must stay clear of them.

    .code16
    .section .text

    # BootPlanHeader
    .set PLAN_LOADS,        plan + 0      # u16: DMA descriptors that follow the header
    .set PLAN_FLAGS,        plan + 2      # u16: see below
    .set PLAN_ENTRY,        plan + 4      # u32: linear address, or offset and segment in real mode
    .set PLAN_EAX,          plan + 8
    .set PLAN_EBX,          plan + 12
    .set PLAN_ESI,          plan + 16
    .set PLAN_SS,           plan + 20     # u16: real mode only, in all data segments too
    .set PLAN_SP,           plan + 22     # u16
    .set PLAN_MAP_SEGMENT,  plan + 24     # u16: where the BIOS's memory map goes; 0 for nowhere
    .set PLAN_MAP_OFFSET,   plan + 26     # u16: of the first 24-byte entry
    .set PLAN_MAP_GAP,      plan + 28     # u16: bytes of an entry before what int 15h writes
    .set PLAN_MAP_CAPACITY, plan + 30     # u16: bytes for entries
    .set PLAN_MAP_COUNT,    plan + 32     # u16: offset of the u32 that receives the map's size
    .set PLAN_MAP_UNIT,     plan + 34     # u16: what that u32 counts: 24 entries, 1 bytes
    .set PLAN_DESCRIPTORS,  plan + 36

    .set FLAG_PROTECTED,    1             # enter in flat 32-bit protected mode; else in real mode
    .set FLAG_VIRTUAL_WIRE, 2             # let the 8259 pair reach this CPU, as a BIOS does [MultiProcessor 1.4 3.6.2]

    .set DMA_ADDRESS_LOW,   0x518
    .set DMA_ERROR,         1
    .set DEBUG_PORT,        0x402
    .set SYSTEM_PORT_A,     0x92          # bit 1: A20, bit 0: reset
    .set SMAP,              0x534d4150
    .set MAP_ENTRY,         24
    .set MAP_WRITTEN,       20            # bytes int 15h writes
    .set CODE_SELECTOR,     0x10          # [Linux x86 boot protocol] __BOOT_CS
    .set DATA_SELECTOR,     0x18          # __BOOT_DS
    .set STACK,             0x7000
    .set APIC_SPURIOUS,     0xfee000f0    # [SDM 3A 11.4]
    .set APIC_LINT0,        0xfee00350
    .set APIC_LINT1,        0xfee00360
    .set APIC_ENABLED,      0x1ff
    .set APIC_EXTINT,       0x700
    .set APIC_NMI,          0x400

header:
    .word 0xaa55
    .byte 0                               # size in 512-byte units, by the host
    lret                                  # initialisation: nothing to do
    .org 0x1a
    .word pnp
    .org 0x20
pnp:
    .ascii "$PnP"
    .byte 1, 2                            # revision, length in 16-byte units
    .word 0                               # next header
    .byte 0
    .byte 0                               # checksum, by the host
    .long 0                               # device
    .word manufacturer
    .word product
    .byte 0, 0, 0                         # class
    .byte 0x04                            # indicators: initial program load device
    .word 0                               # boot connection vector
    .word 0                               # disconnect vector
    .word bev
    .word 0
    .word 0                               # static resources

    .org 0x40
reset:                                    # the host's reset vector jumps to F000:0040
    cli
    xor %ax, %ax
    mov %ax, %ss
    mov $STACK, %sp
    call run
1:  hlt
    jmp 1b

bev:
    pushal
    push %ds
    push %es
    call run
    pop %es
    pop %ds
    popal
    lret

# Loads and enters. Returns only if a load failed.
run:
    cld
    push %cs
    pop %ds
    mov $PLAN_DESCRIPTORS, %si
    mov PLAN_LOADS, %cx
next_load:
    # The device answers in the descriptor and may not write to a ROM: it works on a copy on the stack.
    pushl 12(%si)
    pushl 8(%si)
    pushl 4(%si)
    pushl (%si)
    mov %sp, %bp
    mov %ss, %ax
    movzwl %ax, %eax
    shl $4, %eax
    movzwl %sp, %ebx
    add %ebx, %eax
    bswap %eax
    mov $DMA_ADDRESS_LOW, %dx
    outl %eax, %dx
1:  mov (%bp), %eax
    bswap %eax
    test $~DMA_ERROR, %eax
    jnz 1b
    add $16, %sp
    test $DMA_ERROR, %al
    jnz failed
    add $16, %si
    loop next_load

    mov PLAN_MAP_SEGMENT, %ax
    test %ax, %ax
    jz enter
    mov %ax, %es
    call read_memory_map

enter:
    cli
    testw $FLAG_PROTECTED, PLAN_FLAGS
    jnz enter_protected

    mov PLAN_ENTRY, %ebx
    mov PLAN_SP, %dx
    mov PLAN_SS, %ax
    mov %ax, %ss
    mov %dx, %sp
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %fs
    mov %ax, %gs
    push %ebx                             # segment, then offset
    lret

enter_protected:
    in $SYSTEM_PORT_A, %al
    or $2, %al
    and $~1, %al
    out %al, $SYSTEM_PORT_A
    xor %eax, %eax
    mov %cs, %ax
    shl $4, %eax
    mov %eax, %edx                        # where this ROM lies
    add $gdt, %eax
    pushl %eax
    pushw $gdt_end - gdt - 1
    mov %sp, %bp
    lgdtl (%bp)
    lea protected(%edx), %eax
    pushw $CODE_SELECTOR
    pushl %eax
    mov %sp, %bp
    mov PLAN_ENTRY, %ecx
    mov PLAN_EBX, %ebx
    mov PLAN_ESI, %esi
    mov PLAN_EAX, %edi
    mov PLAN_FLAGS, %dx
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    ljmpl *(%bp)

    .code32
protected:
    mov $DATA_SELECTOR, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ss
    mov $STACK, %esp
    test $FLAG_VIRTUAL_WIRE, %dl
    jz 1f
    movl $APIC_ENABLED, APIC_SPURIOUS
    movl $APIC_EXTINT, APIC_LINT0
    movl $APIC_NMI, APIC_LINT1
1:  mov %edi, %eax
    xor %edx, %edx
    xor %edi, %edi
    xor %ebp, %ebp
    jmp *%ecx
    .code16

# Asks the BIOS for its memory map, es: the plan's map segment. [ACPI 6.4 15.1]
read_memory_map:
    mov PLAN_MAP_OFFSET, %di
    xor %bp, %bp                          # bytes of entries so far
    xor %ebx, %ebx
1:  movl $MAP_WRITTEN, %es:(%di)          # Multiboot's size field; int 15h writes over it if there is no gap
    push %di
    add PLAN_MAP_GAP, %di
    mov $0xe820, %eax
    mov $MAP_WRITTEN, %ecx
    mov $SMAP, %edx
    int $0x15
    pop %di
    jc 2f
    cmp $SMAP, %eax
    jne 2f
    add $MAP_ENTRY, %di
    add $MAP_ENTRY, %bp
    test %ebx, %ebx
    jz 2f
    cmp PLAN_MAP_CAPACITY, %bp
    jb 1b
2:  movzwl %bp, %eax
    xor %edx, %edx
    movzwl PLAN_MAP_UNIT, %ecx
    div %ecx
    mov PLAN_MAP_COUNT, %di
    mov %eax, %es:(%di)
    ret

failed:
    mov $message, %si
    mov $(message_end - message), %cx
    mov $DEBUG_PORT, %dx
1:  lodsb
    out %al, %dx
    loop 1b
    ret

message:
    .ascii "minivmm boot ROM: a part of the kernel does not fit into memory\n"
message_end:
manufacturer:
    .asciz "minivmm"
product:
    .asciz "minivmm kernel"

    .balign 8
gdt:
    .quad 0, 0
    .quad 0x00cf9b000000ffff              # code: base 0, 4 GiB, 32-bit
    .quad 0x00cf93000000ffff              # data
gdt_end:

    .balign 16
plan:
