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
 * numbers (see GateControl), POLLING, BUDGET.
 *
 * Small buffers travel in the channel. In: up to 256 bytes of a path or structure as far as its page goes, or a whole buffer,
 * from where the class says. Out: a list of (address, length) and their bytes, carried out before the call returns. A fault
 * at one of the two copies is the supervisor's to handle: the call goes on as a stop, or what is left is not copied.
 */
#include "gate_channel.h"

	.set PAGE, 4096
	.set CLASS_AT_ARG1, 1 << CLASS_AT_ARG1_BIT
	.set ARCH_SET_FS, 0x1002
	.set UNBLOCKABLE, 0x40100

	.section .rodata
	.balign 4096
	.globl levitate_gate_start
	.globl levitate_gate_end
	.globl levitate_gate_saved
	.globl levitate_gate_mask_in
	.globl levitate_gate_mask_out
	.globl levitate_gate_masked
	.globl levitate_gate_checked
	.globl levitate_gate_fact
	.globl levitate_gate_arguments
	.globl levitate_gate_in
	.globl levitate_gate_out
	.globl levitate_gate_out_done
	.globl levitate_gate_slow
	.globl levitate_gate_stopped
	.globl levitate_gate_answered
	.hidden levitate_gate_start
	.hidden levitate_gate_end
	.hidden levitate_gate_saved
	.hidden levitate_gate_mask_in
	.hidden levitate_gate_mask_out
	.hidden levitate_gate_masked
	.hidden levitate_gate_checked
	.hidden levitate_gate_fact
	.hidden levitate_gate_arguments
	.hidden levitate_gate_in
	.hidden levitate_gate_out
	.hidden levitate_gate_out_done
	.hidden levitate_gate_slow
	.hidden levitate_gate_stopped
	.hidden levitate_gate_answered
levitate_gate_start:
	mov %rax, NR(%r11)
	mov %rsp, %rcx
	mov %rcx, GUEST_SP(%r11)
	lea FLAGS+8(%r11), %rsp
	pushfq
	mov %rcx, %rsp
levitate_gate_saved:
	cmp $512, %rax
	jae 9f
	lea levitate_gate_start+PAGE(%rip), %rcx
	movsbl (%rcx,%rax), %ecx
	test %ecx, %ecx
	jz 9f
	mov %rdi, ARG0(%r11)
	mov %rsi, ARG1(%r11)
	jl levitate_gate_fact
	cmp $CLASS_MASK, %ecx
	je levitate_gate_mask
	mov %rdx, ARG2(%r11)
	mov %r10, ARG3(%r11)
	mov %r8, ARG4(%r11)
	mov %r9, ARG5(%r11)
levitate_gate_arguments:
	cmpl $0, levitate_gate_start+PAGE+POLLING(%rip)
	je 9f
	movq $0, IN_LENGTH(%r11)
	cmp $1, %ecx
	je 3f
	cld
	test $CLASS_AT_ARG1, %ecx
	cmovz %rdi, %rsi
	test %rsi, %rsi
	jz 6f
	mov %rsi, IN_ADDR(%r11)
	lea DATA(%r11), %rdi
	cmp $CLASS_BUFFER, %ecx
	mov %rdx, %rcx
	je 1f
	mov %esi, %ecx
	or $-4096, %ecx
	neg %ecx
	cmp $IN_STRUCT, %ecx
	jbe 2f
	mov $IN_STRUCT, %ecx
	jmp 2f
1:	cmp $IN_BUFFER, %rcx
	ja 6f
2:	mov %rcx, IN_LENGTH(%r11)
levitate_gate_in:
	rep movsb
6:	mov ARG0(%r11), %rdi
	mov ARG1(%r11), %rsi
3:	movl $REQUEST, STATE(%r11)
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

	/*
	 * rt_sigprocmask: the mask is kept in the channel and the supervisor looks there. It says in PENDING that a signal waits
	 * before it reads the mask; here the mask is set before PENDING is read. What faults is done again as a stop.
	 */
levitate_gate_mask:
	cmp $8, %r10
	jne 9f
	mov MASK(%r11), %rax
	mov %rax, %rcx
	test %rsi, %rsi
	jz 3f
levitate_gate_mask_in:
	mov (%rsi), %rcx
	cmp $1, %edi
	je 1f
	ja 2f
	or %rax, %rcx
	jmp 3f
1:	not %rcx
	and %rax, %rcx
	jmp 3f
2:	cmp $2, %edi
	jne 8f
3:	and $~UNBLOCKABLE, %rcx
	test %rdx, %rdx
	jz 4f
levitate_gate_mask_out:
	mov %rax, (%rdx)
4:	xor %eax, %eax
	xchg %rcx, MASK(%r11)
levitate_gate_masked:
	cmpl $0, PENDING(%r11)
	je levitate_gate_answered
	syscall
levitate_gate_checked:
	ud2
levitate_gate_fact:
	and $0x7f, %ecx
	cmp $CLASS_TID_ADDRESS, %ecx
	je 1f
	ja 2f
	mov FACTS(%r11,%rcx,8), %rax
	jmp levitate_gate_answered
1:	mov FACTS+TID*8(%r11), %rax
	mov %rdi, TID_ADDRESS(%r11)
	jmp levitate_gate_answered
2:	cmp $ARCH_SET_FS, %edi
	jne 8f
	mov %rsi, %rcx
	shr $46, %rcx
	jnz 8f
	xor %eax, %eax
	wrfsbase %rsi
	jmp levitate_gate_answered

5:	cmpq $0, OUT(%r11)
	je 3f
	cld
	lea OUT(%r11), %rdx
	lea DATA(%r11), %rsi
	add IN_LENGTH(%r11), %rsi
1:	mov (%rdx), %rdi
	test %rdi, %rdi
	jz 2f
	mov 8(%rdx), %rcx
levitate_gate_out:
	rep movsb
	add $16, %rdx
	jmp 1b
levitate_gate_out_done:
2:	movq $0, OUT(%r11)
	mov ARG0(%r11), %rdi
	mov ARG1(%r11), %rsi
	mov ARG2(%r11), %rdx
3:	mov RESULT(%r11), %rax
	movl $IDLE, STATE(%r11)
levitate_gate_answered:
	mov GUEST_SP(%r11), %rcx
	lea FLAGS(%r11), %rsp
	popfq
	mov %rcx, %rsp
	mov RET(%r11), %rcx
	mov FLAGS(%r11), %r11
	jmp *%gs:CONT

levitate_gate_slow:
	mov ARG0(%r11), %rdi
	mov ARG1(%r11), %rsi
8:	mov NR(%r11), %rax
9:	syscall
levitate_gate_stopped:
	ud2
levitate_gate_end:
	.section .note.GNU-stack, "", @progbits
