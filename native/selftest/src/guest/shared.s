# The programs that the self-test's guest runs, one for each check, in 64-bit mode.
#
# The whole image is copied to one guest address, so everything inside is reached relative to rip. A program starts at CPL 0
# with rdi = 64 KiB of scratch memory and rsi = a page that is no memory (MMIO); what else it gets stands beside it.
# It ends by writing 1 (passed) or a number (which expectation failed) to that page at 0x510: memory, because CPL 3 has no ports.
# Ports: 0x511 unexpected exception (its vector), 0x512 doorbell, 0x513 input, 0x514 pause.

.pushsection .rodata.guest, "a"
.globl guest_image_start, guest_image_end
guest_image_start:

.macro program name
.balign 16
.globl guest_\name
guest_\name:
.endm

.macro finish value
    mov eax, \value
    mov esi, 0xd0000000
    mov dword ptr [rsi + 0x510], eax
    ud2
.endm

.macro passed
    finish 1
.endm

# Ends the program with `line` unless the last comparison was equal.
.macro expect_equal line
    je 77f
    finish \line
77:
.endm

.macro write_msr number, low, high
    mov ecx, \number
    mov eax, \low
    mov edx, \high
    wrmsr
.endm

# Goes on at CPL 3 with the same registers but rax, and a stack of its own.
.macro enter_user
    push 0x23
    push 0x9000
    push 0x2
    push 0x2b
    lea rax, [rip + 88f]
    push rax
    iretq
88:
    mov ax, cs
    and eax, 3
    cmp eax, 3
    expect_equal 300
.endm

# One stub of 16 bytes for each exception that no program expects.
program exceptions
.irp vector, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
.balign 16
    mov eax, \vector
    mov dx, 0x511
    out dx, eax
    ud2
.endr

# Counts in r15 and goes back.
program on_trap
    inc r15
    iretq

# The same for an interrupt that came through the local APIC, whose registers rbx points at.
program on_interrupt
    inc r15
    mov dword ptr [rbx + 0xb0], 0
    iretq
