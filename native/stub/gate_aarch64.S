/*
 * Code page of the gate, aarch64: how a rewritten system call site makes its call without a trap. The protocol is that of
 * gate_x86_64.S; what differs is where registers come from, and that memory is weakly ordered.
 *
 * Always runs under SYSEMU. The instruction replaced changes x0 alone, so the trampoline has kept x16 and x17 below the stack
 * pointer, at SPILL, and everything else is kept in the channel before it is used. x7 is never touched: a system call stop hides
 * it. The channel is the process's: OPEN says that it has one thread, for which alone the channel is.
 *
 * In:   x17 = the trampoline, x16 free.
 * Out:  x0 = result, x16 = the channel, everything else the guest's but x17; at BACK in the trampoline, which loads the two.
 *
 * Up to `known` the trampoline is x17, from there on CONT; up to `saved` x16 and x17 are at SPILL, from there on x1 to x5, x16, x17
 * and the flags are in the channel.
 */
#include "gate_channel.h"

	/* In the trampoline: see src/gate/aarch64/trampoline.ts. */
	.set SPILL, -256
	.set SLOW, 16
	.set BACK, 28
	.set RETURN, 36

	/* x2 bytes from x1 to x0. Changes x0 to x4. */
	.macro copy
1:	subs x2, x2, #16
	b.lo 2f
	ldp x3, x4, [x1], #16
	stp x3, x4, [x0], #16
	b 1b
2:	tbz x2, #3, 3f
	ldr x3, [x1], #8
	str x3, [x0], #8
3:	tbz x2, #2, 4f
	ldr w3, [x1], #4
	str w3, [x0], #4
4:	tbz x2, #1, 5f
	ldrh w3, [x1], #2
	strh w3, [x0], #2
5:	tbz x2, #0, 6f
	ldrb w3, [x1], #1
	strb w3, [x0], #1
6:
	.endm

	.macro label name
	.globl levitate_gate_\name
	.hidden levitate_gate_\name
levitate_gate_\name:
	.endm

	.section .rodata
	.balign 4096
	label start
	ldr x16, levitate_gate_channel
	ldr w16, [x16, #OPEN]
	cbnz w16, 1f
	add x17, x17, #SLOW
	br x17
1:	ldr x16, levitate_gate_channel
	str x17, [x16, #CONT]
	label known
	stp x0, x1, [x16, #ARG0]
	stp x2, x3, [x16, #ARG2]
	stp x4, x5, [x16, #ARG4]
	str x8, [x16, #NR]
	ldr x17, [sp, #SPILL]
	str x17, [x16, #SCRATCH]
	ldr x17, [sp, #SPILL + 8]
	str x17, [x16, #SCRATCH + 8]
	mov x17, sp
	str x17, [x16, #GUEST_SP]
	mrs x17, nzcv
	str x17, [x16, #FLAGS]
	label saved
	ldr x17, [x16, #CONT]
	ldrsw x0, [x17, #RETURN]
	add x0, x17, x0
	str x0, [x16, #RET]
	ldr x17, levitate_gate_control
	cmp x8, #512
	b.hs levitate_gate_slow
	ldrsb w0, [x17, x8]
	cbz w0, levitate_gate_slow
	tbnz w0, #31, levitate_gate_fact
	cmp w0, #CLASS_MASK
	b.eq levitate_gate_mask
	ldr w1, [x17, #POLLING]
	cbz w1, levitate_gate_slow
	str xzr, [x16, #IN_LENGTH]
	cmp w0, #1
	b.eq 8f
	ldr x1, [x16, #ARG0]
	tbz w0, #CLASS_AT_ARG1_BIT, 1f
	ldr x1, [x16, #ARG1]
1:	cbz x1, 8f
	str x1, [x16, #IN_ADDR]
	cmp w0, #CLASS_BUFFER
	b.eq 1f
	/* As far as a page of the smallest size goes. */
	and x3, x1, #4095
	mov x2, #4096
	sub x2, x2, x3
	mov x3, #IN_STRUCT
	cmp x2, x3
	csel x2, x2, x3, lo
	b 7f
1:	ldr x2, [x16, #ARG2]
	cmp x2, #IN_BUFFER
	b.hi 8f
7:	str x2, [x16, #IN_LENGTH]
	add x0, x16, #DATA
	label in
	copy
	label in_end
	/* Whoever sees REQUEST sees all that was written before. */
8:	mov w0, #REQUEST
	stlr w0, [x16]
1:	ldr w1, [x17, #BUDGET]
	mrs x2, cntvct_el0
2:	ldar w0, [x16]
	cmp w0, #DONE
	b.eq levitate_gate_done
	cmp w0, #PARK
	b.eq 5f
	yield
	mrs x3, cntvct_el0
	sub x3, x3, x2
	cmp x3, x1
	b.lo 2b
	/* The budget is spent. Nobody has taken the call: take it back. It was taken, and takes long: sleep until it is done. */
3:	ldaxr w0, [x16]
	mov w3, #0
	cmp w0, #REQUEST
	b.eq 4f
	mov w3, #PARKED
	cmp w0, #TAKEN
	b.ne 1b
4:	stlxr w0, w3, [x16]
	cbnz w0, 3b
	b levitate_gate_slow
5:	ldaxr w0, [x16]
	cmp w0, #PARK
	b.ne 1b
	mov w3, #PARKED
	stlxr w0, w3, [x16]
	cbnz w0, 5b
	b levitate_gate_slow

	/*
	 * rt_sigprocmask: the mask is kept in the channel and the supervisor looks there. It says in PENDING that a signal waits
	 * before it reads the mask; here the mask is set before PENDING is read. What faults is done again as a stop.
	 */
levitate_gate_mask:
	ldr x1, [x16, #ARG3]
	cmp x1, #8
	b.ne levitate_gate_slow
	ldr x0, [x16, #MASK]
	mov x2, x0
	/* The stub's area begins there, and pointers with tags are higher: only the kernel says that they are wrong. */
	ldr x4, [x17, #LIMIT]
	ldr x1, [x16, #ARG1]
	cbz x1, 3f
	cmp x1, x4
	b.hs levitate_gate_slow
	label mask_in
	ldr x2, [x1]
	ldr w1, [x16, #ARG0]
	cmp w1, #1
	b.eq 1f
	b.hi 2f
	orr x2, x0, x2
	b 3f
1:	bic x2, x0, x2
	b 3f
2:	cmp w1, #2
	b.ne levitate_gate_slow
	/* SIGKILL and SIGSTOP */
3:	and x2, x2, #~0x100
	and x2, x2, #~0x40000
	ldr x1, [x16, #ARG2]
	cbz x1, 4f
	cmp x1, x4
	b.hs levitate_gate_slow
	label mask_out
	str x0, [x1]
4:	str x2, [x16, #MASK]
	label masked
	dmb ish
	mov x0, #0
	ldr w1, [x16, #PENDING]
	cbz w1, levitate_gate_answered
	svc #0
	label checked
	udf #0
	label fact
	and w0, w0, #0x7f
	cmp w0, #CLASS_TID_ADDRESS
	b.eq 1f
	b.hi levitate_gate_slow
	add x0, x16, x0, lsl #3
	ldr x0, [x0, #FACTS]
	b levitate_gate_answered
1:	ldr x0, [x16, #FACTS + TID * 8]
	ldr x1, [x16, #ARG0]
	str x1, [x16, #TID_ADDRESS]
	b levitate_gate_answered

levitate_gate_done:
	ldr x0, [x16, #OUT]
	cbz x0, 9f
	add x5, x16, #OUT
	add x1, x16, #DATA
	ldr x2, [x16, #IN_LENGTH]
	add x1, x1, x2
7:	ldr x0, [x5]
	cbz x0, levitate_gate_out_done
	ldr x2, [x5, #8]
	label out
	copy
	label out_end
	add x5, x5, #16
	b 7b
	label out_done
	str xzr, [x16, #OUT]
9:	ldr x0, [x16, #RESULT]
	str wzr, [x16]
	label answered
	ldr x17, [x16, #FLAGS]
	msr nzcv, x17
	ldr x1, [x16, #ARG1]
	ldp x2, x3, [x16, #ARG2]
	ldp x4, x5, [x16, #ARG4]
	ldr x17, [x16, #CONT]
	add x17, x17, #BACK
	br x17

	label slow
	ldp x0, x1, [x16, #ARG0]
	ldp x2, x3, [x16, #ARG2]
	ldp x4, x5, [x16, #ARG4]
	svc #0
	label stopped
	udf #0
	/* Filled in where the page is made. */
	.balign 8
	label channel
	.quad 0
	label control
	.quad 0
	label end
	.section .note.GNU-stack, "", %progbits
