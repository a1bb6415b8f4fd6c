/*
 * levitate-stub, aarch64: the program every guest process starts its life as. Linked at 0x400000 without libc.
 * The first bytes are a gadget for the supervisor's set-up calls (svc; brk); _start waits to be seized.
 */
	.text
	.globl gadget
	.globl _start
gadget:
	svc #0
	brk #0
	.balign 16
_start:
	mov x8, #73		/* ppoll(NULL, 0, NULL, NULL) */
	mov x0, xzr
	mov x1, xzr
	mov x2, xzr
	mov x3, xzr
	mov x4, xzr
	svc #0
	b _start
	.section .note.GNU-stack, "", %progbits
