/*
 * Code page of the stub, aarch64. Copied to a fixed address at the top of every guest address space.
 * Invariant: state lives in registers only; nothing is written to memory, no stack is used, x7 is never touched
 * (its true value is only visible at the brk, see arch/aarch64.h).
 *
 * The labels ..._end are where pc is at the breakpoint's stop.
 *
 *   +0   one call: x8, x0-x5; ends in brk
 *   +16  a batch: x19 = first entry, x20 = end. An entry is 8 words: nr, six arguments, and whether x21 shall keep the result.
 *        Stops at the first result in [-4095, -1]: x19 then points at that entry, x0 is the error.
 *        Otherwise x19 == x20. Ends in brk.
 */
	.section .rodata
	.balign 16
	.globl levitate_stub_start
	.globl levitate_stub_end
	.globl levitate_stub_call_end
	.globl levitate_stub_batch_end
	.globl levitate_stub_leave
	.hidden levitate_stub_start
	.hidden levitate_stub_end
	.hidden levitate_stub_call_end
	.hidden levitate_stub_batch_end
	.hidden levitate_stub_leave
levitate_stub_start:
	svc #0
levitate_stub_call_end:
	brk #0
	brk #0
	brk #0
1:	ldp x8, x0, [x19]
	ldp x1, x2, [x19, #16]
	ldp x3, x4, [x19, #32]
	ldr x5, [x19, #48]
	svc #0
	cmn x0, #4095
	b.hs 2f
	ldr x1, [x19, #56]
	cmp x1, #0
	csel x21, x21, x0, eq
	add x19, x19, #64
	cmp x19, x20
	b.lo 1b
2:
levitate_stub_batch_end:
	brk #0
	.balign 16
levitate_stub_leave:
	svc #0
	mov x8, #93
	mov x0, #0
	svc #0
	brk #0
	.balign 16
levitate_stub_end:
	.section .note.GNU-stack, "", %progbits
