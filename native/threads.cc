// New host threads and processes, FP state, CPU time.
//
// Children are made by the stub's clone with CLONE_PTRACE: attached from birth with our options, stopped before their
// first instruction, and without a stop of the parent. CLONE_PARENT makes a forked process the supervisor's own child.
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "context.h"

namespace levitate {

// Waits for the child's first stop and gives it a slot. Registers are a copy of the parent's block.
int Context::adoptChild(int parent, pid_t tid, int space) {
  int status;
  for (;;) {
    pid_t got = hostWaitFor(tid, &status);
    if (got < 0) return got;
    if (!isStop(status)) return -ESRCH;
    if (stopEvent(status) == kEventStop) break;
    hostPtrace(kPtraceCont, tid, 0, nullptr);
  }
  const bool newSpace = space < 0;
  if (newSpace) space = addSpace(tid);
  const int slot = addSlot(tid, space);
  if (slot < 0) return slot;
  memcpy(block(slot), block(parent), kBlockWords * 8);
  placement.inherit(&slots[slot].placement, slots[parent].placement);
  return slot;
}

int Context::cloneThread(int parent) {
  if (slots[parent].state == State::kFree) return -ESRCH;
  if (freeSlots_.empty() && slots.size() >= kMaxSlots) return -EAGAIN;
  const uint64_t call[7] = {static_cast<uint64_t>(arch::kCallClone),
                            CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_PTRACE};
  uint64_t tid;
  int error = runCall(parent, call, &tid);
  if (error) return -error;
  spaces[slots[parent].space].threaded = true;
  return adoptChild(parent, static_cast<pid_t>(tid), slots[parent].space);
}

int Context::fork(int parent) {
  if (slots[parent].state == State::kFree) return -ESRCH;
  if (freeSlots_.empty() && slots.size() >= kMaxSlots) return -EAGAIN;
  const uint64_t call[7] = {static_cast<uint64_t>(arch::kCallClone), CLONE_PARENT | CLONE_PTRACE};
  uint64_t tid;
  int error = runCall(parent, call, &tid);
  if (error) return -error;
  return adoptChild(parent, static_cast<pid_t>(tid), -1);
}

int Context::createAddressSpace() {
  const Slot &z = slots[zygote_];
  const bool pinned = placement.pinned();
  if (!pinned) placement.pin();
  placement.beforeResume(z.tid, &slots[zygote_].placement, 0);
  const int slot = fork(zygote_);
  if (!pinned) placement.unpin();
  if (slot < 0) return slot;
  memset(block(slot), 0, kBlockWords * 8);
#if defined(__x86_64__)
  block(slot)[arch::kCs] = 0x33;
  block(slot)[arch::kSs] = 0x2b;
  block(slot)[arch::kEflags] = 0x202;
#endif
  return slot;
}

int Context::getFp(int slot, uint8_t *to, size_t size, size_t *length) {
  struct iovec io = {to, size};
  int error = hostPtrace(kPtraceGetRegset, slots[slot].tid, arch::kFpNote, &io);
  *length = io.iov_len;
  return error;
}

int Context::setFp(int slot, const uint8_t *from, size_t length) {
  if (length > fpSize || length < 512) return EINVAL;
  std::vector<uint8_t> image(fpSize);
  arch::widenFp(image.data(), fpSize, from, length);
  struct iovec io = {image.data(), fpSize};
  int error = hostPtrace(kPtraceSetRegset, slots[slot].tid, arch::kFpNote, &io);
  return error == ESRCH || error == 0 ? error : EINVAL;
}

int Context::resetFp(int slot) {
  std::vector<uint8_t> image(fpSize);
  arch::initialFp(image.data(), fpSize);
  struct iovec io = {image.data(), fpSize};
  return hostPtrace(kPtraceSetRegset, slots[slot].tid, arch::kFpNote, &io);
}

static ssize_t readFile(const char *path, char *buffer, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  ssize_t got = read(fd, buffer, size - 1);
  ::close(fd);
  if (got < 0) return -errno;
  buffer[got] = 0;
  return got;
}

// The total is exact (schedstat) when the host counts it; the split follows the host's tick counts.
int Context::cpuTime(int slot, double *userNs, double *systemNs) {
  const Slot &s = slots[slot];
  // A short-lived process (most exits): below one tick /proc has no split to give, and one clock call is 100 times cheaper.
  // The host lets us read the clocks of foreign processes, not of their threads.
  timespec cpu;
  if (!spaces[s.space].threaded && clock_gettime((~static_cast<clockid_t>(spaces[s.space].tgid) << 3) | 2, &cpu) == 0) {
    const double total = static_cast<double>(cpu.tv_sec) * 1e9 + static_cast<double>(cpu.tv_nsec);
    if (total < 1e7) {
      *userNs = total;
      *systemNs = 0;
      return 0;
    }
  }
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/task/%d/stat", spaces[s.space].tgid, s.tid);
  if (readFile(path, text, sizeof text) < 0) return ESRCH;
  const char *at = strrchr(text, ')');
  unsigned long user = 0, system = 0;
  if (!at || sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2) return EINVAL;
  const double tick = 1e9 / static_cast<double>(sysconf(_SC_CLK_TCK));
  *userNs = static_cast<double>(user) * tick;
  *systemNs = static_cast<double>(system) * tick;
  snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", spaces[s.space].tgid, s.tid);
  unsigned long long total;
  if (readFile(path, text, sizeof text) > 0 && sscanf(text, "%llu", &total) == 1) {
    const double sum = *userNs + *systemNs;
    const double share = sum > 0 ? *userNs / sum : 1;
    *userNs = static_cast<double>(total) * share;
    *systemNs = static_cast<double>(total) - *userNs;
  }
  return 0;
}

}  // namespace levitate
