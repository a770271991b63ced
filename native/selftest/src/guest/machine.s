# Programs that try the machine around the processor.

program long_mode
    movabs rax, 0x0123456789abcdef
    mov rbx, rax
    bswap rbx
    push rbx
    call 1f
    pop rcx
    cmp rcx, rbx
    expect_equal 10
    movabs rdx, 0xf0f0f0f0f0f0f0f0
    cmp rax, rdx
    expect_equal 11
    passed
1:  add rax, rbx
    ret

program port_input
    mov dx, 0x513
    in eax, dx
    cmp eax, 0x600dcafe
    expect_equal 20
    xor eax, eax
    in al, dx
    cmp eax, 0xfe
    expect_equal 21
    passed

program mmio
    mov dword ptr [rsi], 0x600dcafe
    mov eax, dword ptr [rsi + 8]
    cmp eax, 0x600dcafe
    expect_equal 30
    movzx eax, byte ptr [rsi + 12]
    cmp eax, 0xfe
    expect_equal 31
    passed

# Rings both bells: neither may end the guest's run.
program doorbells
    mov dword ptr [rsi + 0x100], 1
    mov dx, 0x512
    mov eax, 1
    out dx, eax
    passed

# rbx = the local APIC. Pauses once an interrupt would be taken, then waits for one on vector 0x40.
program interrupt
    mov dword ptr [rbx + 0xf0], 0x1ff
    mov dx, 0x514
    out dx, eax
await_interrupt:
    xor r15d, r15d
1:  cli
    test r15, r15
    jnz 2f
    sti
    hlt
    jmp 1b
2:  passed

# rbx = the local APIC. Waits for a one-shot of its timer, on the same vector.
program apic_timer
    mov dword ptr [rbx + 0xf0], 0x1ff
    mov dword ptr [rbx + 0x3e0], 0xb
    mov dword ptr [rbx + 0x320], 0x40
    mov dword ptr [rbx + 0x380], 10000
    jmp await_interrupt

# r8 = first address, r9 = how many, r10 = distance: writes one word at each.
program write_pages
1:  mov qword ptr [r8], r9
    add r8, r10
    dec r9
    jnz 1b
    passed

# Adds up to 1000 in a general and in a vector register; half-way it pauses, to be saved and restored.
program count
    mov eax, 1
    movq xmm0, rax
    pxor xmm1, xmm1
    xor ebx, ebx
1:  paddq xmm1, xmm0
    inc rbx
    cmp rbx, 500
    jne 2f
    mov dx, 0x514
    out dx, eax
2:  cmp rbx, 1000
    jne 1b
    movq rax, xmm1
    cmp rax, 1000
    expect_equal 80
    passed

# r8 = a page table entry, r9 and r10 = its two values, r11 = the address it maps, r12 and r13 = what is found there.
program remap
    mov qword ptr [r8], r9
    invlpg [r11]
    cmp qword ptr [r11], r12
    expect_equal 90
    mov qword ptr [r8], r10
    invlpg [r11]
    cmp qword ptr [r11], r13
    expect_equal 91
    mov qword ptr [r8], r9
    mov rax, cr3
    mov cr3, rax
    cmp qword ptr [r11], r12
    expect_equal 92
    passed
