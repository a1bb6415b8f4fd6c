/*
 * Code page of the stub, x86_64. Copied to a fixed address at the top of every guest address space.
 * Invariant: state lives in registers only; nothing is written to memory, no stack is used.
 *
 * The labels ..._end are where ip is at the breakpoint's stop.
 *
 *   +0   one call: rax, rdi, rsi, rdx, r10, r8, r9 are the call; ends in int3
 *   +16  a batch: rbx = first entry, rbp = end. An entry is 8 words: nr, six arguments, and whether r12 shall keep the result.
 *        Stops at the first result in [-4095, -1]: rbx then points at that entry, rax is the error.
 *        Otherwise rbx == rbp. Ends in int3.
 *   leave: a call as at +0, then exit of the thread
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
	syscall
	int3
levitate_stub_call_end:
	.balign 16, 0xcc
1:	mov (%rbx), %rax
	mov 8(%rbx), %rdi
	mov 16(%rbx), %rsi
	mov 24(%rbx), %rdx
	mov 32(%rbx), %r10
	mov 40(%rbx), %r8
	mov 48(%rbx), %r9
	syscall
	cmp $-4096, %rax
	ja 2f
	cmpq $0, 56(%rbx)
	cmovne %rax, %r12
	add $64, %rbx
	cmp %rbp, %rbx
	jb 1b
2:	int3
levitate_stub_batch_end:
	.balign 16, 0xcc
levitate_stub_leave:
	syscall
	mov $60, %eax
	xor %edi, %edi
	syscall
	int3
levitate_stub_end:
	.section .note.GNU-stack, "", @progbits
