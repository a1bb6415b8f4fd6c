/*
 * levitate-stub, x86_64: the program every guest process starts its life as. Linked at 0x400000 without libc.
 * The first bytes are a gadget for the supervisor's set-up calls (syscall; int3); _start waits to be seized.
 */
	.text
	.globl gadget
	.globl _start
gadget:
	syscall
	int3
	.balign 16
_start:
	mov $271, %eax		/* ppoll(NULL, 0, NULL, NULL) */
	xor %edi, %edi
	xor %esi, %esi
	xor %edx, %edx
	xor %r10d, %r10d
	xor %r8d, %r8d
	syscall
	jmp _start
	.section .note.GNU-stack, "", @progbits
