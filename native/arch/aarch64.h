// aarch64: how registers are read and written, and what a stop means.
//
// A register block is struct user_pt_regs (x0-x30, sp, pc, pstate) and word 34, tpidr_el0, read at every stop and
// written on resume. Facts measured on 6.1 and 6.12 (reference/aarch64.md):
// - x7 reads 0 at a system call stop and writes to it are dropped; at the stub's brk it is true and writable. So every
//   batch brings the true x7 into the block, and a signal frame is only built after one (sync());
// - a brk leaves pc at the brk;
// - the host's own restart logic looks at x0 only when pc is unchanged, and the kernel never leaves -512..-516 there.
#pragma once
#include <elf.h>
#include <linux/audit.h>
#include <linux/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstdint>
#include <cstring>

#include "../gate.h"
#include "../hostcall.h"

namespace levitate::arch {

constexpr const char *kName = "aarch64";
constexpr int kRegWords = 35;
constexpr uint32_t kAuditArch = AUDIT_ARCH_AARCH64;
constexpr int kFpNote = NT_PRFPREG;
constexpr uint64_t kInterruptionLength = 0;

constexpr int kX7 = 7, kX8 = 8, kSp = 31, kPc = 32, kPstate = 33, kTpidr = 34;

inline int getRegs(pid_t tid, uint64_t *regs) {
  struct iovec io = {regs, 34 * 8};
  int error = hostPtrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &io);
  if (error) return error;
  io = {regs + kTpidr, 8};
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
  io = {regs + kTpidr, 8};
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

// The gate's place: a site here is one 4-byte svc, replaced by one branch, so nothing needs to be moved; the channel is found
// through tpidrro_el0 or a page of its own. Not built yet: sites are never rewritten and every call is a stop.
constexpr bool kHasGate = false;
inline bool gateSupported() { return false; }
inline uint64_t ticks() { return 0; }
inline void relax() {}
inline const char *gateStart() { return nullptr; }
inline size_t gateSize() { return 0; }
inline uint64_t gateCheckedAt() { return 0; }
inline uint64_t gateStoppedAt() { return 0; }
inline uint64_t &channelBase(uint64_t *regs) { return regs[kTpidr]; }
inline uint64_t &ipOf(uint64_t *regs) { return regs[kPc]; }
inline uint64_t &resultOf(uint64_t *regs) { return regs[0]; }
inline void showCall(uint64_t *, const Channel *) {}
inline void showReturn(uint64_t *, uint64_t, uint64_t) {}
inline uint64_t callNumber(const uint64_t *regs) { return regs[kX8]; }
inline void mergeStop(uint64_t *, const uint64_t *) {}
inline uint64_t afterCopyFault(uint64_t) { return 0; }
inline bool leaveGate(uint64_t *, uint64_t, uint64_t, const Channel *, bool, uint64_t) { return false; }

inline void initialFp(uint8_t *image, size_t size) { memset(image, 0, size); }
constexpr size_t kLegacyFpSize = 528;
enum class FpKind { kInitial = 0, kLegacy = 1, kFull = 2 };
inline FpKind fpKind(const uint8_t *image, const uint8_t *initial, size_t size) {
  return memcmp(image, initial, size) == 0 ? FpKind::kInitial : FpKind::kFull;
}
inline bool legacyFp(const uint8_t *, size_t) { return false; }
inline void settleFp(uint8_t *, size_t) {}
inline int setLegacyFp(pid_t, uint8_t *) { return EINVAL; }
inline void widenFp(uint8_t *image, size_t size, size_t length) { memset(image + length, 0, size - length); }

constexpr long kCallMmap = 222, kCallMunmap = 215, kCallMprotect = 226, kCallMremap = 216, kCallMadvise = 233,
               kCallClone = 220, kCallExit = 93, kCallExitGroup = 94, kCallClose = 57, kCallPrctl = 167,
               kCallSeccomp = 277, kCallGetppid = 173;

}  // namespace levitate::arch
