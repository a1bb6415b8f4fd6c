// aarch64: how registers are read and written, and what a stop means.
//
// A register block is struct user_pt_regs (x0-x30, sp, pc, pstate) and words 34 and 35, tpidr_el0 and tpidr2_el0, read at
// every stop and written on resume. Facts measured on Linux 6.1 and 6.12:
// - x7 reads 0 at a system call stop and writes to it are dropped; at the stub's brk it is true and writable. So every
//   batch brings the true x7 into the block, and a signal frame is only built after one (sync());
// - a brk leaves pc at the brk;
// - a system call ends the use of SVE: of a thread that was stopped anywhere else, a batch would lose all but the low 128
//   bits of its vector registers, so they are put back after it (LostInCalls);
// - the host's own restart logic looks at x0 only when pc is unchanged, and the kernel never leaves -512..-516 there.
#pragma once
#include <elf.h>
#include <linux/audit.h>
#include <linux/ptrace.h>
#include <sys/auxv.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "../gate.h"
#include "../hostcall.h"

extern "C" {
extern const char levitate_gate_start[];
extern const char levitate_gate_known[];
extern const char levitate_gate_saved[];
extern const char levitate_gate_in[];
extern const char levitate_gate_in_end[];
extern const char levitate_gate_mask_in[];
extern const char levitate_gate_mask_out[];
extern const char levitate_gate_masked[];
extern const char levitate_gate_checked[];
extern const char levitate_gate_fact[];
extern const char levitate_gate_out[];
extern const char levitate_gate_out_end[];
extern const char levitate_gate_out_done[];
extern const char levitate_gate_answered[];
extern const char levitate_gate_slow[];
extern const char levitate_gate_stopped[];
extern const char levitate_gate_channel[];
extern const char levitate_gate_control[];
extern const char levitate_gate_end[];
}

namespace levitate::arch {

constexpr const char *kName = "aarch64";
constexpr int kRegWords = 36;
constexpr uint32_t kAuditArch = AUDIT_ARCH_AARCH64;
constexpr uint64_t kInterruptionLength = 0;

constexpr int kX7 = 7, kX8 = 8, kX16 = 16, kSp = 31, kPc = 32, kPstate = 33, kTpidr = 34;

inline int getRegs(pid_t tid, uint64_t *regs) {
  struct iovec io = {regs, 34 * 8};
  int error = hostPtrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &io);
  if (error) return error;
  regs[kTpidr + 1] = 0;  // hosts before 6.0 have only the first
  io = {regs + kTpidr, 16};
  return hostPtrace(PTRACE_GETREGSET, tid, NT_ARM_TLS, &io);
}

inline int setRegs(pid_t tid, uint64_t *regs) {
  struct iovec io = {regs, 34 * 8};
  int error = hostPtrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &io);
  if (error == EINVAL) {  // a pstate that is not EL0's
    regs[kPstate] &= 0xf0000000;
    error = hostPtrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &io);
  }
  if (error) return error;
  io = {regs + kTpidr, 16};
  return hostPtrace(PTRACE_SETREGSET, tid, NT_ARM_TLS, &io);
}

inline int resumeRegs(pid_t tid, uint64_t *regs) { return setRegs(tid, regs); }

// A 32-bit (compat) thread has another register view; the kernel never starts one.
inline void classifySyscall(pid_t, uint64_t *) {}
inline bool vsyscallStop(uint64_t *) { return false; }

inline uint64_t ip(const uint64_t *regs) { return regs[kPc]; }
inline uint64_t result(const uint64_t *regs) { return regs[0]; }
inline uint64_t cursor(const uint64_t *regs) { return regs[19]; }
inline uint64_t kept(const uint64_t *regs) { return regs[21]; }

inline void prepareCall(uint64_t *regs, uint64_t entry, const uint64_t *call) {
  regs[kPc] = entry;
  regs[kPstate] = 0;
  regs[kX8] = call[0];
  for (int i = 0; i < 6; i++) regs[i] = call[i + 1];
}
inline void prepareBatch(uint64_t *regs, uint64_t entry, uint64_t first, uint64_t end) {
  regs[kPc] = entry;
  regs[kPstate] = 0;
  regs[19] = first;
  regs[20] = end;
}
inline void keepTrueRegs(uint64_t *block, const uint64_t *atBreak) { block[kX7] = atBreak[kX7]; }
constexpr bool kHidesRegs = true;

// --- the gate ---

// Where trampolines keep x16 and x17 below the stack pointer: see src/gate/aarch64/trampoline.ts.
constexpr uint64_t kSpill = 256;

// One channel for a process, at one address, while it has one thread: no register could say whose it is.
constexpr bool kChannelPerThread = false;
// A site is one instruction: the trampoline's jump back goes where a stop of it would have.
constexpr bool kMovesCode = false;
inline bool gateSupported() { return true; }
inline uint64_t ticks() {
  uint64_t now;
  asm volatile("mrs %0, cntvct_el0" : "=r"(now));
  return now;
}
inline double ticksPerUs() {
  uint64_t frequency;
  asm("mrs %0, cntfrq_el0" : "=r"(frequency));
  return static_cast<double>(frequency) / 1e6;
}
// Ticks that a guest spends in the gate before it stops.
inline uint32_t spinBudget() { return static_cast<uint32_t>(50 * ticksPerUs()); }
inline void relax() { asm volatile("yield"); }
inline const char *gateStart() { return levitate_gate_start; }
inline size_t gateSize() { return static_cast<size_t>(levitate_gate_end - levitate_gate_start); }
inline uint64_t gateOffset(const char *label) { return static_cast<uint64_t>(label - levitate_gate_start); }
inline uint64_t gateCheckedAt() { return gateOffset(levitate_gate_checked); }
inline uint64_t gateStoppedAt() { return gateOffset(levitate_gate_stopped); }
inline void fillGate(uint8_t *page, uint64_t channelAt, uint64_t controlAt) {
  memcpy(page + gateOffset(levitate_gate_channel), &channelAt, sizeof channelAt);
  memcpy(page + gateOffset(levitate_gate_control), &controlAt, sizeof controlAt);
}

// No register stands for the channel.
inline bool putChannel(uint64_t *, uint64_t) { return false; }
inline void hideChannel(uint64_t *, uint64_t) {}
inline uint64_t &ipOf(uint64_t *regs) { return regs[kPc]; }
inline uint64_t &resultOf(uint64_t *regs) { return regs[0]; }

constexpr uint64_t kFlags = 0xf0000000, kBranchType = 3 << 10;

// A handed-over call in the shape of a system call stop.
inline void showCall(uint64_t *regs, const Channel *channel) {
  for (int i = 0; i < 6; i++) regs[i] = channel->args[i];
  regs[kX8] = channel->nr;
  regs[kSp] = channel->sp;
}
// What the gate has used besides x0, and where the call returns to.
inline void showReturn(uint64_t *regs, const Channel *channel) {
  for (int i = 1; i < 6; i++) regs[i] = channel->args[i];
  regs[kX16] = channel->scratch[0];
  regs[kX16 + 1] = channel->scratch[1];
  regs[kPstate] = (regs[kPstate] & ~kFlags) | (channel->flags & kFlags);
  regs[kPc] = channel->ret;
}
inline uint64_t callNumber(const uint64_t *regs) { return regs[kX8]; }
// What a held thread's stop tells that its channel did not; the call's own registers stay as they were shown.
inline void mergeStop(uint64_t *block, const uint64_t *regs) {
  const uint64_t flags = block[kPstate] & kFlags;
  for (int i = 0; i < kRegWords; i++)
    if (!(i < 6 || i == kX8 || i == kX16 || i == kX16 + 1 || i == kSp || i == kPc)) block[i] = regs[i];
  block[kPstate] = (regs[kPstate] & ~(kFlags | kBranchType)) | flags;
}

// Where on its stack a thread interrupted at `offset` of the gate has x16 and x17; 0: they are elsewhere.
inline uint64_t spillAt(const uint64_t *regs, uint64_t offset) {
  return offset < gateOffset(levitate_gate_saved) ? regs[kSp] - kSpill : 0;
}
inline void unspill(uint64_t *regs, const uint64_t *spill) {
  regs[kX16] = spill[0];
  regs[kX16 + 1] = spill[1];
}
// A thread interrupted in the gate's page `at`. True: its call is over, x0 is the result. False: it is back at the trampoline,
// which src/gate shows as the instruction itself.
inline bool leaveGate(uint64_t *regs, uint64_t at, uint64_t, const Channel *channel, bool done, uint64_t result) {
  const uint64_t offset = regs[kPc] - at;
  regs[kPstate] &= ~kBranchType;
  if (offset < gateOffset(levitate_gate_saved)) {
    regs[kPc] = offset < gateOffset(levitate_gate_known) ? regs[kX16 + 1] : channel->cont;
    return false;
  }
  const bool masked = offset >= gateOffset(levitate_gate_masked) && offset < gateOffset(levitate_gate_fact);
  const bool over = done || masked || (offset >= gateOffset(levitate_gate_answered) && offset < gateOffset(levitate_gate_slow));
  showReturn(regs, channel);
  if (done) regs[0] = result;
  else if (masked) regs[0] = 0;
  if (!over) {
    regs[0] = channel->args[0];
    regs[kPc] = channel->cont;
  }
  return over;
}

// A fault in the gate: where to go on, or 0 when it was none of the copies.
inline uint64_t afterCopyFault(uint64_t offset) {
  const auto within = [&](const char *from, const char *to) { return offset >= gateOffset(from) && offset < gateOffset(to); };
  if (within(levitate_gate_in, levitate_gate_in_end) || offset == gateOffset(levitate_gate_mask_in) ||
      offset == gateOffset(levitate_gate_mask_out))
    return gateOffset(levitate_gate_slow);
  if (within(levitate_gate_out, levitate_gate_out_end)) return gateOffset(levitate_gate_out_done);
  return 0;
}

// --- FP and vector state ---
//
// An image is struct user_fpsimd_state (528 bytes) and, where the processor has SVE, what NT_ARM_SVE is: struct user_sve_header
// and, if its flags say that SVE registers are in use, those. The low 128 bits of them are also in the first part, and there
// they are as true.

constexpr size_t kSimdSize = 528;
struct SveHeader {
  uint32_t size, maxSize;
  uint16_t vl, maxVl, flags, reserved;
};
constexpr uint16_t kSveInUse = 1;

inline bool hasSve() {
  static const bool has = (getauxval(AT_HWCAP) & (1ul << 22)) != 0;
  return has;
}
inline int sveHeader(pid_t tid, SveHeader *header) {
  struct iovec io = {header, sizeof *header};
  return hostPtrace(PTRACE_GETREGSET, tid, NT_ARM_SVE, &io);
}

inline int fpLength(pid_t tid, size_t *size) {
  *size = kSimdSize;
  if (!hasSve()) return 0;
  SveHeader header;
  const int error = sveHeader(tid, &header);
  if (!error) *size += (header.maxSize + 7) & ~7u;
  return error;
}
constexpr bool kPartialFp = false;
constexpr size_t kLegacyFpSize = kSimdSize;
inline int loadFp(pid_t tid, uint8_t *image, size_t size) {
  struct iovec io = {image, kSimdSize};
  const int error = hostPtrace(PTRACE_GETREGSET, tid, NT_PRFPREG, &io);
  if (error || size <= kSimdSize) return error;
  io = {image + kSimdSize, size - kSimdSize};
  return hostPtrace(PTRACE_GETREGSET, tid, NT_ARM_SVE, &io);
}
// The vector length is the thread's, whatever the image says.
inline int storeFp(pid_t tid, uint8_t *image, size_t size) {
  struct iovec io = {image, kSimdSize};
  if (size <= kSimdSize) return hostPtrace(PTRACE_SETREGSET, tid, NT_PRFPREG, &io);
  SveHeader wanted, header;
  memcpy(&wanted, image + kSimdSize, sizeof wanted);
  if (const int error = sveHeader(tid, &header)) return error;
  header.flags = wanted.flags & kSveInUse;
  if (header.flags) {
    if (wanted.vl != header.vl || wanted.size > size - kSimdSize) return EINVAL;
    header.size = wanted.size;
    memcpy(image + kSimdSize, &header, sizeof header);
    io = {image + kSimdSize, header.size};
    return hostPtrace(PTRACE_SETREGSET, tid, NT_ARM_SVE, &io);
  }
  uint8_t plain[sizeof header + kSimdSize];
  header.size = sizeof plain;
  memcpy(plain, &header, sizeof header);
  memcpy(plain + sizeof header, image, kSimdSize);
  io = {plain, sizeof plain};
  return hostPtrace(PTRACE_SETREGSET, tid, NT_ARM_SVE, &io);
}

inline void initialFp(uint8_t *image, size_t size) { memset(image, 0, size); }
enum class FpKind { kInitial = 0, kLegacy = 1, kFull = 2 };
// Lengths are in every image.
inline FpKind fpKind(const uint8_t *image, const uint8_t *initial, size_t size) {
  SveHeader header = {};
  if (size > kSimdSize) memcpy(&header, image + kSimdSize, sizeof header);
  return (header.flags & kSveInUse) == 0 && memcmp(image, initial, kSimdSize) == 0 ? FpKind::kInitial : FpKind::kFull;
}
inline bool legacyFp(const uint8_t *, size_t) { return false; }
inline void settleFp(uint8_t *, size_t) {}
inline int setLegacyFp(pid_t, uint8_t *) { return EINVAL; }
inline void widenFp(uint8_t *image, size_t size, size_t length) { memset(image + length, 0, size - length); }

// Instruction caches do not see what is written. The host takes care of a page when it is first mapped to be executed, but a
// page of physical memory gets other contents later.
constexpr bool kCoherentCode = false;

// What a call of the stub takes away from a thread that did not stop at a system call.
class LostInCalls {
 public:
  explicit LostInCalls(pid_t tid) {
    SveHeader header;
    if (!hasSve() || sveHeader(tid, &header) != 0 || (header.flags & kSveInUse) == 0) return;
    image_.resize(header.size);
    struct iovec io = {image_.data(), image_.size()};
    if (hostPtrace(PTRACE_GETREGSET, tid, NT_ARM_SVE, &io) != 0) image_.clear();
  }
  void putBack(pid_t tid) {
    if (image_.empty()) return;
    struct iovec io = {image_.data(), image_.size()};
    hostPtrace(PTRACE_SETREGSET, tid, NT_ARM_SVE, &io);
  }

 private:
  std::vector<uint8_t> image_;
};

// Features of the processor that need a kernel which knows them are not there for guests: guarded control stacks; branch
// targets (PROT_BTI), memory tags, streaming vectors and matrices (SME), permission overlays.
inline uint64_t guestHwcap(uint64_t hwcap) { return hwcap & ~(1ull << 32); }
inline uint64_t guestHwcap2(uint64_t hwcap2) {
  uint64_t hidden = 1ull << 17 | 1ull << 18 | 1ull << 22 | 1ull << 63;
  for (int bit = 23; bit <= 30; bit++) hidden |= 1ull << bit;
  for (int bit = 37; bit <= 42; bit++) hidden |= 1ull << bit;
  return hwcap2 & ~hidden;
}

// Handlers without a restorer of their own return to here.
constexpr const char *kSigreturnSymbol = "__kernel_rt_sigreturn";

constexpr long kCallMmap = 222, kCallMunmap = 215, kCallMprotect = 226, kCallMremap = 216, kCallMadvise = 233,
               kCallClone = 220, kCallExit = 93, kCallExitGroup = 94, kCallClose = 57, kCallPrctl = 167,
               kCallSeccomp = 277, kCallGetppid = 173;

}  // namespace levitate::arch
