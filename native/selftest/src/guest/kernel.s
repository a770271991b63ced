# Programs of instructions that kernels use, at CPL 0.

program int3_kernel
    xor r15d, r15d
    int3
    cmp r15, 1
    expect_equal 100
    passed

.macro check_fwait line
    fninit
    fld1
    fwait
    fld1
    faddp
    fistp dword ptr [rdi]
    fwait
    cmp dword ptr [rdi], 2
    expect_equal \line
.endm

program fwait_kernel
    check_fwait 110
    passed

.macro check_xsave line
    movabs rax, 0x600dcafe600dcafe
    movq xmm3, rax
    mov eax, 3
    xor edx, edx
    xsave64 [rdi]
    pxor xmm3, xmm3
    mov eax, 3
    xor edx, edx
    xrstor64 [rdi]
    movq rbx, xmm3
    movabs rax, 0x600dcafe600dcafe
    cmp rax, rbx
    expect_equal \line
.endm

# r8 = what may be enabled in xcr0 for this check.
.macro enable_xsave
    xor ecx, ecx
    xor edx, edx
    mov rax, r8
    xsetbv
.endm

program xsave_kernel
    enable_xsave
    xgetbv
    cmp rax, r8
    expect_equal 120
    check_xsave 121
    passed

program smap_toggle
    stac
    pushfq
    pop rax
    and eax, 0x40000
    cmp eax, 0x40000
    expect_equal 130
    clac
    pushfq
    pop rax
    and eax, 0x40000
    expect_equal 131
    passed

# r8 = a list of r9 MSR numbers. A refused one ends in exception 13 with its number in ecx.
program read_msrs
1:  mov ecx, dword ptr [r8]
    rdmsr
    add r8, 4
    dec r9
    jnz 1b
    passed

program swapgs
    write_msr 0xc0000101, 0x11111000, 0
    write_msr 0xc0000102, 0x22222000, 0
    swapgs
    mov ecx, 0xc0000101
    rdmsr
    cmp eax, 0x22222000
    expect_equal 150
    mov ecx, 0xc0000102
    rdmsr
    cmp eax, 0x11111000
    expect_equal 151
    passed

program descriptor_tables
    sgdt [rdi]
    lgdt [rdi]
    sidt [rdi]
    lidt [rdi]
    str ax
    cmp ax, 0x30
    expect_equal 160
    mov eax, 0x10
    mov ss, eax
    mov ds, eax
    push 0x08
    lea rax, [rip + 1f]
    push rax
    retfq
1:  mov ax, cs
    cmp ax, 0x08
    expect_equal 161
    passed

program control_registers
    mov rax, cr0
    mov rbx, rax
    or eax, 8
    mov cr0, rax
    clts
    mov rax, cr0
    cmp rax, rbx
    expect_equal 170
    mov eax, 5
    mov cr8, rax
    xor eax, eax
    mov rax, cr8
    cmp eax, 5
    expect_equal 171
    xor eax, eax
    mov cr8, rax
    mov rax, cr4
    mov cr4, rax
    mov rax, dr7
    mov dr7, rax
    wbinvd
    passed

.macro check_cpuid line
    mov eax, 0x40000000
    cpuid
    cmp ebx, 0x4b4d564b
    expect_equal \line
.endm

program cpuid_kernel
    check_cpuid 180
    passed

program fsgsbase
    mov eax, 0x33333000
    wrfsbase rax
    rdfsbase rbx
    cmp rax, rbx
    expect_equal 190
    mov ecx, 0xc0000100
    rdmsr
    cmp eax, 0x33333000
    expect_equal 191
    passed

program rdtscp
    write_msr 0xc0000103, 0x77, 0
    rdtscp
    mov ebx, eax
    cmp ecx, 0x77
    expect_equal 195
    passed
