# Programs that go on at CPL 3. The last file of the image.

program syscall
    mov ecx, 0xc0000080
    rdmsr
    or eax, 1
    wrmsr
    write_msr 0xc0000081, 0, 0x001b0008
    lea rax, [rip + on_syscall]
    xor edx, edx
    mov ecx, 0xc0000082
    wrmsr
    write_msr 0xc0000084, 0x200, 0
    enter_user
    mov rbx, rsp
    xor r15d, r15d
    syscall
after_syscall:
    mov ax, cs
    cmp ax, 0x2b
    expect_equal 200
    cmp r15, 2
    expect_equal 201
    cmp rsp, rbx
    expect_equal 202
    passed
on_syscall:
    mov ax, cs
    cmp ax, 0x08
    expect_equal 203
    lea rax, [rip + after_syscall]
    cmp rax, rcx
    expect_equal 204
    mov r15d, 2
    sysretq

program int3_user
    enter_user
    xor r15d, r15d
    mov rbx, rsp
    int3
    cmp r15, 1
    expect_equal 210
    cmp rsp, rbx
    expect_equal 211
    mov ax, cs
    cmp ax, 0x2b
    expect_equal 212
    passed

program fwait_user
    enter_user
    check_fwait 220
    passed

program xsave_user
    enable_xsave
    enter_user
    check_xsave 230
    passed

program avx_user
    enable_xsave
    enter_user
    movabs rax, 0x0000000300000002
    movq xmm1, rax
    vinsertf128 ymm2, ymm1, xmm1, 1
    vorps ymm3, ymm2, ymm2
    vextractf128 xmm4, ymm3, 1
    vmovd eax, xmm4
    vzeroupper
    cmp eax, 2
    expect_equal 235
    passed

program cpuid_user
    enter_user
    check_cpuid 240
    passed

# A privileged instruction must be refused.
program protection_user
    enter_user
    hlt
    finish 250
program on_protection
    pop rax
    cmp rax, 0
    expect_equal 251
    mov rax, qword ptr [rsp + 8]
    cmp rax, 0x2b
    expect_equal 252
    passed

# r8 = an address that only CPL 0 may read: the fault must say so, where and why.
program page_fault_user
    enter_user
    mov rax, qword ptr [r8]
    finish 260
program on_page_fault
    pop rax
    cmp rax, 5
    expect_equal 261
    mov rax, cr2
    cmp rax, r8
    expect_equal 262
    passed

program cmpxchg16b_user
    enter_user
    mov qword ptr [rdi], 1
    mov qword ptr [rdi + 8], 2
    mov eax, 1
    mov edx, 2
    mov ebx, 3
    mov ecx, 4
    lock cmpxchg16b xmmword ptr [rdi]
    expect_equal 270
    cmp qword ptr [rdi + 8], 4
    expect_equal 271
    passed

guest_image_end:
.popsection
