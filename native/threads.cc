// New host threads and processes, FP state, CPU time.
//
// Children are made by the stub's clone with CLONE_PTRACE: attached from birth with our options, stopped before their
// first instruction, and without a stop of the parent. CLONE_PARENT makes a forked process the supervisor's own child.
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>

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
  if (gate_) {
    slots[slot].channel = arch::kChannelPerThread;
    if (newSpace && arch::kChannelPerThread) {
      spaces[space].inheriting = slot;
      spaces[space].continuations = spaces[slots[parent].space].continuations;
    }
  }
  placement.inherit(&slots[slot].placement, slots[parent].placement);
  return slot;
}

void Context::setEntry(int index, uint64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f) {
  uint64_t *entry = batch + static_cast<size_t>(index) * kEntryWords;
  const uint64_t words[kEntryWords] = {nr, a, b, c, d, e, f, 0};
  memcpy(entry, words, sizeof words);
}

// The clone itself. With the gate, a child is born with its channel mapped, and with nobody else's.
int Context::bear(int parent, uint64_t flags, uint64_t *tid) {
  const bool thread = (flags & CLONE_THREAD) != 0;
  if (!gate_ || (thread && !arch::kChannelPerThread)) {
    const uint64_t call[7] = {static_cast<uint64_t>(arch::kCallClone), flags};
    return runCall(parent, call, tid);
  }
  const int error =
      arch::kChannelPerThread ? bearThreadWithChannel(parent, flags, tid) : bearProcessWithChannel(parent, flags, tid);
  if (!thread) {
    regime_.forked();
    if (regime_.wantsTurns()) stopPolling();
  }
  return error;
}

// Every thread has a channel.
int Context::bearThreadWithChannel(int parent, uint64_t flags, uint64_t *tid) {
  Space &space = spaces[slots[parent].space];
  const int child = nextSlot();
  const uint64_t at = channelAddress(child);
  memset(static_cast<void *>(channelAt(child)), 0, kChannelBytes);
  int count = 0;
  if (space.inheriting >= 0) setEntry(count++, arch::kCallMadvise, channelAddress(space.inheriting), kChannelBytes, MADV_DONTFORK);
  setEntry(count++, arch::kCallMmap, at, kChannelBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, kChannelFdInGuest,
           static_cast<uint64_t>(child) * kChannelBytes);
  const bool thread = (flags & CLONE_THREAD) != 0;
  if (thread) setEntry(count++, arch::kCallMadvise, at, kChannelBytes, MADV_DONTFORK);
  setEntry(count, arch::kCallClone, flags, 0);
  batch[static_cast<size_t>(count++) * kEntryWords + 7] = 1;
  if (!thread) setEntry(count++, arch::kCallMunmap, at, kChannelBytes);
  const Continuations kept = space.continuations;
  int failedAt;
  const int error = runBatch(parent, count, &failedAt, tid);
  space.continuations = kept;
  for (int i = 0; i < count; i++) batch[static_cast<size_t>(i) * kEntryWords + 7] = 0;
  if (!error) space.inheriting = -1;
  return error;
}

// Every process has a channel, at the same address: the child's lies there while it is born.
int Context::bearProcessWithChannel(int parent, uint64_t flags, uint64_t *tid) {
  const int child = nextSpace();
  memset(static_cast<void *>(channelAt(child)), 0, kChannelBytes);
  const auto map = [&](int space) {
    return std::array<uint64_t, 7>{static_cast<uint64_t>(arch::kCallMmap), channelAddress(parent), channelBytes(),
                                   PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, kChannelFdInGuest, space * channelBytes()};
  };
  const auto childs = map(child), parents = map(slots[parent].space);
  memcpy(batch, childs.data(), sizeof childs);
  setEntry(1, arch::kCallClone, flags, 0);
  memcpy(batch + 2 * kEntryWords, parents.data(), sizeof parents);
  batch[7] = batch[2 * kEntryWords + 7] = 0;
  batch[kEntryWords + 7] = 1;
  int failedAt;
  const int error = runBatch(parent, 3, &failedAt, tid);
  batch[kEntryWords + 7] = 0;
  uint64_t result;
  if (error && failedAt > 0) runCall(parent, parents.data(), &result);
  return error;
}

int Context::cloneThread(int parent) {
  if (slots[parent].state == State::kFree) return -ESRCH;
  if (freeSlots_.empty() && slots.size() >= kMaxSlots) return -EAGAIN;
  uint64_t tid;
  int error = bear(parent, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_PTRACE, &tid);
  if (error) return -error;
  spaces[slots[parent].space].threaded = true;
  return adoptChild(parent, static_cast<pid_t>(tid), slots[parent].space);
}

int Context::fork(int parent) {
  if (slots[parent].state == State::kFree) return -ESRCH;
  if (freeSlots_.empty() && slots.size() >= kMaxSlots) return -EAGAIN;
  uint64_t tid;
  int error = bear(parent, CLONE_PARENT | CLONE_PTRACE, &tid);
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

// How large FP states are here, and the memory for one.
int Context::measureFp() {
  if (const int error = arch::fpLength(slots[zygote_].tid, &fpSize)) return error;
  initialFp_.resize(fpSize);
  arch::initialFp(initialFp_.data(), fpSize);
  const size_t bytes = fpSize + 2 * kFpRoom;
  void *at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return errno;
  fpArea = static_cast<uint8_t *>(at);
  regions.push_back(new Region{at, bytes});
  return 0;
}

// As much of the state as tells what it is, when it is likely that nothing else is in use: the host takes less time for that.
int Context::readFp(int slot, uint8_t *image, arch::FpKind *kind) {
  Slot &s = slots[slot];
  const size_t size = s.wideFp || !arch::kPartialFp ? fpSize : std::min(fpSize, arch::kLegacyFpSize);
  if (const int error = arch::loadFp(s.tid, image, size)) return error;
  *kind = arch::fpKind(image, initialFp_.data(), fpSize);
  return 0;
}

int Context::getFp(int slot, arch::FpKind *kind) {
  if (const int halted = halt(slot)) return halted;
  Slot &s = slots[slot];
  const bool all = s.wideFp || !arch::kPartialFp;
  if (const int error = readFp(slot, fpImage(), kind)) return error;
  s.wideFp = *kind == arch::FpKind::kFull;
  if (all) return 0;
  if (s.wideFp) return readFp(slot, fpImage(), kind);
  if (fpSize > arch::kLegacyFpSize) memset(fpImage() + arch::kLegacyFpSize, 0, fpSize - arch::kLegacyFpSize);
  return 0;
}

int Context::setFp(int slot, size_t length) {
  if (const int halted = halt(slot)) return halted;
  if (length > fpSize || length < 512) return EINVAL;
  arch::widenFp(fpImage(), fpSize, length);
  arch::settleFp(fpImage(), fpSize);
  if (!slots[slot].wideFp && arch::legacyFp(fpImage(), fpSize)) {
    alignas(64) uint8_t now[arch::kLegacyFpSize];
    arch::FpKind kind;
    if (const int error = readFp(slot, now, &kind)) return error;
    slots[slot].wideFp = kind == arch::FpKind::kFull;
    if (kind != arch::FpKind::kFull && arch::setLegacyFp(slots[slot].tid, fpImage()) == 0) return 0;
  }
  const int error = arch::storeFp(slots[slot].tid, fpImage(), fpSize);
  return error == ESRCH || error == 0 ? error : EINVAL;
}

// `from`: what the state is now.
int Context::resetFp(int slot, arch::FpKind from) {
  if (from == arch::FpKind::kInitial) return 0;
  if (const int halted = halt(slot)) return halted;
  if (from == arch::FpKind::kLegacy && arch::setLegacyFp(slots[slot].tid, initialFp_.data()) == 0) return 0;
  return arch::storeFp(slots[slot].tid, initialFp_.data(), fpSize);
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
