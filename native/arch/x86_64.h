// x86_64: how registers are read and written, and what a stop means.
//
// A register block is struct user_regs_struct as 27 words, passed to the host as it is. Rules:
// - orig_rax is -1 whenever a thread is resumed, so that the host never applies its own restart logic;
// - only the `syscall` instruction leaves rcx == rip and r11 == eflags. Otherwise the host is asked for the entry's
//   architecture; a 32-bit entry (int 0x80, sysenter) is shown as system call number -1;
// - hostile segment registers or FS/GS bases are refused by the host: then they are set to the flat 64-bit values.
#pragma once
#include <elf.h>
#include <linux/audit.h>
#include <linux/ptrace.h>
#include <immintrin.h>
#include <sys/auxv.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstdint>
#include <cstring>

#include "../gate.h"
#include "../hostcall.h"

extern "C" {
extern const char levitate_gate_start[];
extern const char levitate_gate_end[];
extern const char levitate_gate_saved[];
extern const char levitate_gate_stopped[];
extern const char levitate_gate_answered[];
extern const char levitate_gate_arguments[];
extern const char levitate_gate_mask_in[];
extern const char levitate_gate_mask_out[];
extern const char levitate_gate_masked[];
extern const char levitate_gate_checked[];
extern const char levitate_gate_fact[];
extern const char levitate_gate_in[];
extern const char levitate_gate_out[];
extern const char levitate_gate_out_done[];
extern const char levitate_gate_slow[];
}

namespace levitate::arch {

constexpr const char *kName = "x86_64";
constexpr int kRegWords = 27;
constexpr uint32_t kAuditArch = AUDIT_ARCH_X86_64;
constexpr uint64_t kInterruptionLength = 1;  // int3: ip is after it

enum Reg { kR12 = 3, kRbp = 4, kRbx = 5, kR11 = 6, kR10 = 7, kR9 = 8, kR8 = 9, kRax = 10, kRcx = 11, kRdx = 12, kRsi = 13,
           kRdi = 14, kOrigRax = 15, kRip = 16, kCs = 17, kEflags = 18, kRsp = 19, kSs = 20, kFsBase = 21, kGsBase = 22, kDs = 23,
           kEs = 24, kFs = 25, kGs = 26 };
constexpr long kGetRegs = 12, kSetRegs = 13, kSetFpRegs = 15;

inline int getRegs(pid_t tid, uint64_t *regs) { return hostPtrace(kGetRegs, tid, 0, regs); }

inline int setRegs(pid_t tid, uint64_t *regs) {
  regs[kOrigRax] = ~0ull;
  int error = hostPtrace(kSetRegs, tid, 0, regs);
  if (error != EIO) return error;
  regs[kCs] = 0x33;
  regs[kSs] = 0x2b;
  regs[kDs] = regs[kEs] = regs[kFs] = regs[kGs] = 0;
  if (regs[kFsBase] >= 0x7ffffffff000) regs[kFsBase] = 0;
  if (regs[kGsBase] >= 0x7ffffffff000) regs[kGsBase] = 0;
  return hostPtrace(kSetRegs, tid, 0, regs);
}

inline int resumeRegs(pid_t tid, uint64_t *regs) { return setRegs(tid, regs); }

// Called at a system call stop, after getRegs.
inline void classifySyscall(pid_t tid, uint64_t *regs) {
  if (regs[kRcx] == regs[kRip] && regs[kR11] == regs[kEflags]) [[likely]] return;
  struct ptrace_syscall_info info;
  long got = hostPtraceResult(PTRACE_GET_SYSCALL_INFO, tid, sizeof info, &info);
  if (got >= 24 && info.arch == kAuditArch) return;
  regs[kOrigRax] = ~0ull;
}

// The host emulates calls into the vsyscall page itself; the seccomp filter turns them into SIGSYS with the number in
// rax and ip after the return. That is shown as a system call stop.
inline bool vsyscallStop(uint64_t *regs) {
  regs[kOrigRax] = regs[kRax];
  return true;
}

inline uint64_t ip(const uint64_t *regs) { return regs[kRip]; }
inline uint64_t result(const uint64_t *regs) { return regs[kRax]; }
inline uint64_t cursor(const uint64_t *regs) { return regs[kRbx]; }
inline uint64_t kept(const uint64_t *regs) { return regs[kR12]; }

inline void prepareStub(uint64_t *regs, uint64_t entry) {
  regs[kRip] = entry;
  regs[kCs] = 0x33;
  regs[kSs] = 0x2b;
  regs[kEflags] = 0x202;
}
inline void prepareCall(uint64_t *regs, uint64_t entry, const uint64_t *call) {
  prepareStub(regs, entry);
  regs[kRax] = call[0];
  regs[kRdi] = call[1];
  regs[kRsi] = call[2];
  regs[kRdx] = call[3];
  regs[kR10] = call[4];
  regs[kR8] = call[5];
  regs[kR9] = call[6];
}
inline void prepareBatch(uint64_t *regs, uint64_t entry, uint64_t first, uint64_t end) {
  prepareStub(regs, entry);
  regs[kRbx] = first;
  regs[kRbp] = end;
}
// Registers that are only true at the stub's breakpoint.
inline void keepTrueRegs(uint64_t *, const uint64_t *) {}
constexpr bool kHidesRegs = false;

// --- the gate ---

constexpr bool kChannelPerThread = true;
// Instructions behind a system call are moved: a thread that returns to them goes on in the trampoline.
constexpr bool kMovesCode = true;
// RDGSBASE by user code, and RORX, which tests the GS base without touching the flags.
inline bool gateSupported() { return (getauxval(AT_HWCAP2) & 2) != 0 && __builtin_cpu_supports("bmi2"); }
inline uint64_t ticks() { return __rdtsc(); }
// Until it has been measured.
inline double ticksPerUs() { return 2500; }
// Pauses that a guest spends in the gate before it stops: some 50 us.
inline uint32_t spinBudget() { return 3000; }
inline void relax() { _mm_pause(); }
inline const char *gateStart() { return levitate_gate_start; }
inline size_t gateSize() { return static_cast<size_t>(levitate_gate_end - levitate_gate_start); }
// The other stop in there: a mask has been set, and a signal may be waiting.
inline uint64_t gateCheckedAt() { return static_cast<uint64_t>(levitate_gate_checked - levitate_gate_start); }
inline uint64_t gateStoppedAt() { return static_cast<uint64_t>(levitate_gate_stopped - levitate_gate_start); }
inline void fillGate(uint8_t *, uint64_t, uint64_t) {}

// A GS base of 0 stands for the channel's address, which only the host sees. True when it is there now.
inline bool putChannel(uint64_t *regs, uint64_t at) {
  if (regs[kGsBase] != 0) return false;
  regs[kGsBase] = at;
  return true;
}
inline void hideChannel(uint64_t *regs, uint64_t at) {
  if (regs[kGsBase] == at) regs[kGsBase] = 0;
}
inline uint64_t &ipOf(uint64_t *regs) { return regs[kRip]; }
inline uint64_t &resultOf(uint64_t *regs) { return regs[kRax]; }

// A handed-over call in the shape of a system call stop.
inline void showCall(uint64_t *regs, const Channel *channel) {
  regs[kRax] = static_cast<uint64_t>(-38);
  regs[kOrigRax] = channel->nr;
  regs[kRdi] = channel->args[0];
  regs[kRsi] = channel->args[1];
  regs[kRdx] = channel->args[2];
  regs[kR10] = channel->args[3];
  regs[kR8] = channel->args[4];
  regs[kR9] = channel->args[5];
  regs[kRsp] = channel->sp;
}
// The registers the instruction itself would have left behind.
inline void showReturn(uint64_t *regs, uint64_t ret, uint64_t flags) {
  regs[kRip] = regs[kRcx] = ret;
  regs[kEflags] = regs[kR11] = flags;
}
inline void showReturn(uint64_t *regs, const Channel *channel) { showReturn(regs, channel->ret, channel->flags); }
inline uint64_t callNumber(const uint64_t *regs) { return regs[kOrigRax]; }
// What a held thread's stop tells that its channel did not; the call's own registers stay as they were shown.
inline void mergeStop(uint64_t *block, const uint64_t *regs) {
  const uint64_t rax = block[kRax], nr = block[kOrigRax], rip = block[kRip], rcx = block[kRcx], flags = block[kEflags],
                 rsp = block[kRsp];
  memcpy(block, regs, kRegWords * 8);
  block[kRax] = rax;
  block[kOrigRax] = nr;
  block[kRsp] = rsp;
  block[kRip] = rip;
  block[kRcx] = rcx;
  block[kEflags] = block[kR11] = flags;
}

inline uint64_t gateOffset(const char *label) { return static_cast<uint64_t>(label - levitate_gate_start); }

// Nothing is kept on a guest's stack.
constexpr uint64_t spillAt(const uint64_t *, uint64_t) { return 0; }
inline void unspill(uint64_t *, const uint64_t *) {}

// A thread interrupted in the gate's page `at`. Returns true when its call is over (then rax is the result), false when it
// was taken back to the instruction itself.
inline bool leaveGate(uint64_t *regs, uint64_t at, uint64_t channelAt, const Channel *channel, bool done, uint64_t result) {
  const uint64_t offset = regs[kRip] - at;
  const uint64_t flags = offset < gateOffset(levitate_gate_saved) ? regs[kEflags] : channel->flags;
  const bool masked = offset >= gateOffset(levitate_gate_masked) && offset < gateOffset(levitate_gate_fact);
  const bool over = done || masked || (offset >= gateOffset(levitate_gate_answered) && offset < gateOffset(levitate_gate_slow));
  if (regs[kRsp] - channelAt < sizeof(Channel)) regs[kRsp] = channel->sp;
  if (offset >= gateOffset(levitate_gate_arguments)) {
    regs[kRdi] = channel->args[0];
    regs[kRsi] = channel->args[1];
    regs[kRdx] = channel->args[2];
  }
  regs[kEflags] = flags;
  if (over) {
    if (done) regs[kRax] = result;
    if (masked) regs[kRax] = 0;
    showReturn(regs, channel->ret, flags);
  } else {
    if (offset > 0) regs[kRax] = channel->nr;
    regs[kRip] = channel->ret - 2;
  }
  return over;
}

// A fault in the gate: where to go on, or 0 when it was none of the copies.
inline uint64_t afterCopyFault(uint64_t offset) {
  if (offset == gateOffset(levitate_gate_in) || offset == gateOffset(levitate_gate_mask_in) ||
      offset == gateOffset(levitate_gate_mask_out))
    return gateOffset(levitate_gate_slow);
  if (offset == gateOffset(levitate_gate_out)) return gateOffset(levitate_gate_out_done);
  return 0;
}

// --- FP state: what NT_X86_XSTATE is ---

inline int fpState(int request, pid_t tid, uint8_t *image, size_t *size) {
  struct iovec io = {image, *size};
  const int error = hostPtrace(request, tid, NT_X86_XSTATE, &io);
  *size = io.iov_len;
  return error;
}
inline int fpLength(pid_t tid, size_t *size) {
  static uint8_t scratch[65536];
  *size = sizeof scratch;
  return fpState(PTRACE_GETREGSET, tid, scratch, size);
}
// A part of a state may be read alone.
constexpr bool kPartialFp = true;
inline int loadFp(pid_t tid, uint8_t *image, size_t size) { return fpState(PTRACE_GETREGSET, tid, image, &size); }
inline int storeFp(pid_t tid, uint8_t *image, size_t size) { return fpState(PTRACE_SETREGSET, tid, image, &size); }

// XSAVE image of a fresh program: x87 and SSE at their initial values, every other component in its initial state.
inline void initialFp(uint8_t *image, size_t size) {
  memset(image, 0, size);
  uint16_t fcw = 0x37f;
  uint32_t mxcsr = 0x1f80;
  memcpy(image, &fcw, 2);
  memcpy(image + 24, &mxcsr, 4);
  if (size >= 576) image[512] = 3;
}
// The part of an image that tells whether all of it is in use.
constexpr size_t kLegacyFpSize = 576;
inline uint64_t usedFp(const uint8_t *image) {
  uint64_t used;
  memcpy(&used, image + 512, sizeof used);
  return used;
}
// What is needed to make a state the initial one: nothing; x87 and SSE, all else being initial; everything.
enum class FpKind { kInitial = 0, kLegacy = 1, kFull = 2 };
inline FpKind fpKind(const uint8_t *image, const uint8_t *initial, size_t size) {
  if (size < kLegacyFpSize || (usedFp(image) & ~3ull) != 0) return FpKind::kFull;
  // Between the two is the mask of MXCSR, which is the processor's. The registers end at 416.
  const bool same = memcmp(image, initial, 28) == 0 && memcmp(image + 32, initial + 32, 416 - 32) == 0;
  return same ? FpKind::kInitial : FpKind::kLegacy;
}
// x87 and SSE state that an image says is initial is written out. So MXCSR is what the image has, as with the processor's own
// XRSTOR, and the host checks it.
inline void settleFp(uint8_t *image, size_t size) {
  if (size < kLegacyFpSize) return;
  const uint64_t used = usedFp(image);
  if ((used & 1) == 0) {
    const uint16_t fcw = 0x37f;
    memset(image, 0, 24);
    memcpy(image, &fcw, 2);
    memset(image + 32, 0, 160 - 32);
  }
  if ((used & 2) == 0) memset(image + 160, 0, 416 - 160);
  image[512] |= 3;
}
// Whether an image that may be hostile is nothing but that, and valid but perhaps for MXCSR.
inline bool legacyFp(const uint8_t *image, size_t size) {
  if (size < kLegacyFpSize || usedFp(image) != 3) return false;
  for (size_t i = 520; i < kLegacyFpSize; i++)
    if (image[i] != 0) return false;
  return true;
}
// x87 and SSE only. Costs the host a third of what the full form does.
inline int setLegacyFp(pid_t tid, uint8_t *image) { return hostPtrace(kSetFpRegs, tid, 0, image); }
// A legacy FXSAVE image (512 bytes) in the full form the host wants; everything else in its initial state.
inline void widenFp(uint8_t *image, size_t size, size_t length) {
  memset(image + length, 0, size - length);
  if (length < 576 && size >= 576) {
    memset(image + 464, 0, 48);
    image[512] = 3;
  }
}

// Code that has been written is what is executed.
constexpr bool kCoherentCode = true;

struct LostInCalls {
  explicit LostInCalls(pid_t) {}
  void putBack(pid_t) {}
};

inline uint64_t guestHwcap(uint64_t hwcap) { return hwcap; }
inline uint64_t guestHwcap2(uint64_t hwcap2) { return hwcap2; }
// There is none: a handler without a restorer does not return.
constexpr const char *kSigreturnSymbol = nullptr;

constexpr long kCallMmap = 9, kCallMunmap = 11, kCallMprotect = 10, kCallMremap = 25, kCallMadvise = 28,
               kCallClone = 56, kCallExit = 60, kCallExitGroup = 231, kCallClose = 3, kCallPrctl = 157,
               kCallSeccomp = 317, kCallGetppid = 110;

}  // namespace levitate::arch
