/*
 * The channel and the gate's control page as the gate's code sees them, on every architecture: offsets of Channel and GateControl
 * (native/gate.h), classes of calls, states of a channel.
 */
	.set POLLING, 512
	.set BUDGET, 516
	.set LIMIT, 520

	.set STATE, 0x00
	.set OPEN, 0x04
	.set NR, 0x08
	.set ARG0, 0x10
	.set ARG1, 0x18
	.set ARG2, 0x20
	.set ARG3, 0x28
	.set ARG4, 0x30
	.set ARG5, 0x38
	.set GUEST_SP, 0x40
	.set RET, 0x48
	.set CONT, 0x50
	.set FLAGS, 0x58
	.set RESULT, 0x60
	.set IN_ADDR, 0x68
	.set IN_LENGTH, 0x70
	.set MASK, 0x78
	.set PENDING, 0x80
	.set TID_ADDRESS, 0x88
	.set FACTS, 0x90
	.set SCRATCH, 0xc0
	.set OUT, 0x100
	.set DATA, 0x200

	/* The most that is sent along: of a string or structure, of a buffer. */
	.set IN_STRUCT, 256
	.set IN_BUFFER, 2048

	.set CLASS_MASK, 2
	.set CLASS_AT_ARG1_BIT, 2
	.set CLASS_BUFFER, 7
	.set CLASS_TID_ADDRESS, 0x40
	.set CLASS_FS_BASE, 0x41
	/* Which fact the thread's id is. */
	.set TID, 1

	.set IDLE, 0
	.set REQUEST, 1
	.set TAKEN, 2
	.set DONE, 3
	.set PARK, 4
	.set PARKED, 5
