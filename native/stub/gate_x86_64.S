/*
 * Code page of the gate, x86_64: how a rewritten system call site makes its call without a trap.
 *
 * Always runs under SYSEMU: its one `syscall` instruction is swallowed by the host as an ordinary stop. Scratch registers are
 * rcx and r11, which the instruction replaced would have destroyed; every other one is as the guest left it wherever the
 * supervisor may find the thread, apart from rsp between the three labelled pairs below and rax behind `done`.
 *
 * In:   r11 = the thread's channel (the trampoline has checked the GS base), channel RET and CONT filled, flags untouched.
 * Out:  rax = result, rcx = RET, r11 = rflags = the guest's flags, ip = CONT.
 *
 * The page behind this one is read-only to guests and written by the supervisor: a class for each of the first 512 system call
 * numbers (0: always a stop; 1: handed over; 0x80 + n: answered by word n of the channel's facts), POLLING, BUDGET.
 */
	.set PAGE, 4096
	.set POLLING, 512
	.set BUDGET, 516

	.set STATE, 0x00
	.set NR, 0x08
	.set ARG0, 0x10
	.set ARG1, 0x18
	.set ARG2, 0x20
	.set ARG3, 0x28
	.set ARG4, 0x30
	.set ARG5, 0x38
	.set RSP, 0x40
	.set RET, 0x48
	.set CONT, 0x50
	.set FLAGS, 0x58
	.set RESULT, 0x60
	.set FACTS, 0x80

	.set IDLE, 0
	.set REQUEST, 1
	.set TAKEN, 2
	.set DONE, 3
	.set PARK, 4
	.set PARKED, 5

	.section .rodata
	.balign 4096
	.globl levitate_gate_start
	.globl levitate_gate_end
	.globl levitate_gate_saved
	.globl levitate_gate_facts
	.globl levitate_gate_stopped
	.globl levitate_gate_answered
	.hidden levitate_gate_start
	.hidden levitate_gate_end
	.hidden levitate_gate_saved
	.hidden levitate_gate_facts
	.hidden levitate_gate_stopped
	.hidden levitate_gate_answered
levitate_gate_start:
	mov %rax, NR(%r11)
	mov %rsp, %rcx
	mov %rcx, RSP(%r11)
	lea FLAGS+8(%r11), %rsp
	pushfq
	mov %rcx, %rsp
levitate_gate_saved:
	cmp $512, %rax
	jae 9f
	lea levitate_gate_start+PAGE(%rip), %rcx
	movsbl (%rcx,%rax), %ecx
	test %ecx, %ecx
	jle 7f
	mov %rdi, ARG0(%r11)
	mov %rsi, ARG1(%r11)
	mov %rdx, ARG2(%r11)
	mov %r10, ARG3(%r11)
	mov %r8, ARG4(%r11)
	mov %r9, ARG5(%r11)
	cmpl $0, levitate_gate_start+PAGE+POLLING(%rip)
	je 9f
	movl $REQUEST, STATE(%r11)
1:	mov levitate_gate_start+PAGE+BUDGET(%rip), %ecx
2:	cmpl $DONE, STATE(%r11)
	je 5f
	cmpl $PARK, STATE(%r11)
	je 4f
	pause
	dec %ecx
	jnz 2b
	/* The budget is spent. Nobody has taken the call: take it back. */
	mov $REQUEST, %eax
	lock cmpxchg %ecx, STATE(%r11)
	je 8f
	/* It was taken, and takes long: sleep until it is done. */
	mov $TAKEN, %eax
	mov $PARKED, %ecx
	lock cmpxchg %ecx, STATE(%r11)
	je 8f
	mov NR(%r11), %rax
	jmp 1b
4:	mov $PARK, %eax
	mov $PARKED, %ecx
	lock cmpxchg %ecx, STATE(%r11)
	je 8f
	mov NR(%r11), %rax
	jmp 1b

5:	mov RESULT(%r11), %rax
	movl $IDLE, STATE(%r11)
levitate_gate_answered:
	mov RSP(%r11), %rcx
	lea FLAGS(%r11), %rsp
	popfq
	mov %rcx, %rsp
	mov RET(%r11), %rcx
	mov FLAGS(%r11), %r11
	jmp *%gs:CONT

	/* A fact about the thread. */
levitate_gate_facts:
7:	je 9f
	and $0x7f, %ecx
	mov FACTS(%r11,%rcx,8), %rax
	jmp levitate_gate_answered

8:	mov NR(%r11), %rax
9:	syscall
levitate_gate_stopped:
	ud2
levitate_gate_end:
	.section .note.GNU-stack, "", @progbits
