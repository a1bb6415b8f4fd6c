// Calls made by the stub inside a guest's address space: one call in registers, or a batch from the batch page.
//
// The thread is stopped before and after, and its own registers stay in its block: the next resume puts them back.
// Only here is a guest thread continued without SYSEMU, always from a stub address with interrupts of single stepping
// cleared; a stop that is not one of the stub's own breakpoints is continued (outside signals, late interrupts) or, for
// a fault, fails the batch.
#include "context.h"

namespace levitate {

int Context::waitForStub(int slot, uint64_t *regs) {
  Slot &s = slots[slot];
  for (;;) {
    int error = hostPtrace(kPtraceCont, s.tid, 0, nullptr);
    if (error) return error;
    int status;
    pid_t got = hostWaitFor(s.tid, &status);
    if (got < 0) return -got;
    if (!isStop(status)) {
      ready_.push_back({s.tid, status});  // reported by the next wait
      return ESRCH;
    }
    if (stopEvent(status) != 0) continue;
    const int signal = stopSignal(status);
    if (signal == SIGTRAP) {
      if ((error = arch::getRegs(s.tid, regs))) return error;
      if (arch::ip(regs) == callEnd_ || arch::ip(regs) == batchEnd_) return 0;
    }
    siginfo_t info;
    if (hostPtrace(kPtraceGetSiginfo, s.tid, 0, &info) == 0 && info.si_code > 0 &&
        (signal == SIGSEGV || signal == SIGBUS || signal == SIGILL))
      return EFAULT;
  }
}

// For a thread that cannot read the batch page: a guest that took key 0 away from itself with protection keys.
int Context::runOneByOne(int slot, int count, int *failedAt, uint64_t *kept) {
  uint64_t result;
  for (*failedAt = 0; *failedAt < count; ++*failedAt) {
    const uint64_t *entry = batch + static_cast<size_t>(*failedAt) * kEntryWords;
    const int error = runCall(slot, entry, &result);
    if (error) return error;
    if (kept && entry[7] != 0) *kept = result;
  }
  return 0;
}

int Context::runBatch(int slot, int count, int *failedAt, uint64_t *kept) {
  Slot &s = slots[slot];
  if (s.state != State::kStopped || s.exitRequested || halt(slot) != 0) return ESRCH;
  if (gate_) spaces[s.space].continuations = Continuations();  // what they stood for may be unmapped
  uint64_t regs[kBlockWords];
  memcpy(regs, block(slot), sizeof regs);
  const uint64_t end = batchAt_ + static_cast<uint64_t>(count) * kEntryWords * 8;
  arch::prepareBatch(regs, stubAt_ + 16, batchAt_, end);
  arch::LostInCalls lost(s.tid);
  int error = arch::setRegs(s.tid, regs);
  if (!error) error = waitForStub(slot, regs);
  if (!error) lost.putBack(s.tid);
  if (error == EFAULT) return runOneByOne(slot, count, failedAt, kept);
  if (error) {
    *failedAt = 0;
    return error;
  }
  arch::keepTrueRegs(block(slot), regs);
  const uint64_t cursor = arch::cursor(regs);
  if (kept) *kept = arch::kept(regs);
  *failedAt = static_cast<int>((cursor - batchAt_) / (kEntryWords * 8));
  return cursor == end ? 0 : static_cast<int>(-static_cast<int64_t>(arch::result(regs)));
}

int Context::runCall(int slot, const uint64_t *call, uint64_t *result) {
  Slot &s = slots[slot];
  if (s.state != State::kStopped || s.exitRequested || halt(slot) != 0) return ESRCH;
  uint64_t regs[kBlockWords];
  memcpy(regs, block(slot), sizeof regs);
  arch::prepareCall(regs, stubAt_, call);
  arch::LostInCalls lost(s.tid);
  int error = arch::setRegs(s.tid, regs);
  if (!error) error = waitForStub(slot, regs);
  if (error) return error;
  lost.putBack(s.tid);
  arch::keepTrueRegs(block(slot), regs);
  *result = arch::result(regs);
  if (*result > static_cast<uint64_t>(-4096)) return static_cast<int>(-static_cast<int64_t>(*result));
  return 0;
}

// Brings registers that a system call stop hides into the block (aarch64: x7). The stub's call number -1 fails with
// ENOSYS in the host, before any filter is asked for what it does not allow: so use a harmless allowed one.
int Context::sync(int slot) {
  // The call needed its registers after all: it is no use to hand over calls like this one.
  if (gate_) regime_.wasted();
  if (const int error = halt(slot); error || !arch::kHidesRegs) return error;
  const uint64_t call[7] = {static_cast<uint64_t>(arch::kCallMunmap), taskSize - pageSize, 0};
  uint64_t result;
  int error = runCall(slot, call, &result);
  return error == EINVAL ? 0 : error;
}

}  // namespace levitate
