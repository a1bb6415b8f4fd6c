// A context's life: shared memory, slots and spaces, close.
#include "context.h"

#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>

#include "looper.h"

namespace levitate {

// The contexts of this JS thread: one wait4 sees the guests of all of them.
static thread_local std::vector<Context *> contextsOfThread;

// An event of another context's guest: that context finds it at its next wait.
void Context::route(const Event &event) {
  for (Context *other : contextsOfThread)
    if (other != this && !other->closed_ && other->findSlot(event.tid) >= 0) other->ready_.push_back(event);
}

bool Context::anyDying() {
  for (const Context *context : contextsOfThread)
    if (context->dying_ > 0) return true;
  return false;
}

Context::Context(napi_env env, std::string stub, uint64_t size, bool place, int gate)
    : env(env), stubPath(std::move(stub)), physicalSize(size), place_(place), wantGate_(gate != 0) {
  if (gate >= kGatePolls) regime_.force(gate);
  pageSize = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  contextsOfThread.push_back(this);
}

Context::~Context() { close(); }

static int makeMemfd(const char *name) {
  int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | 0x0008u /* MFD_NOEXEC_SEAL */);
  if (fd < 0 && errno == EINVAL) fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  return fd;
}

template <typename T>
static T *reserve(size_t bytes) {
  void *at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return at == MAP_FAILED ? nullptr : static_cast<T *>(at);
}

// Sealed against shrinking, so that touching the mapping can never raise SIGBUS.
int Context::mapShared() {
  failedStep = "memory";
  physicalSize = physicalSize / pageSize * pageSize;
  physicalFd = makeMemfd("levitate-physical");
  controlFd_ = makeMemfd("levitate-control");
  if (physicalFd < 0 || controlFd_ < 0) return errno;
  if (ftruncate(physicalFd, static_cast<off_t>(physicalSize)) < 0) return errno;
  if (ftruncate(controlFd_, static_cast<off_t>(kControlPages * pageSize)) < 0) return errno;
  fcntl(physicalFd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  fcntl(controlFd_, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  void *at = mmap(nullptr, physicalSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, physicalFd, 0);
  if (at == MAP_FAILED) return errno;
  madvise(at, physicalSize, MADV_DONTFORK);  // Node's own child processes need not copy its page tables
  physical = static_cast<uint8_t *>(at);
  regions.push_back(new Region{at, physicalSize});
  channelFd_ = makeMemfd("levitate-channels");
  if (channelFd_ < 0 || ftruncate(channelFd_, static_cast<off_t>(channelFile())) < 0) return errno;
  fcntl(channelFd_, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  at = mmap(nullptr, channelFile(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, channelFd_, 0);
  if (at == MAP_FAILED) return errno;
  madvise(at, channelFile(), MADV_DONTFORK);
  channels_ = static_cast<uint8_t *>(at);
  regions.push_back(new Region{at, channelFile()});
  at = mmap(nullptr, kControlPages * pageSize, PROT_READ | PROT_WRITE, MAP_SHARED, controlFd_, 0);
  if (at == MAP_FAILED) return errno;
  batch = static_cast<uint64_t *>(at);
  regions.push_back(new Region{at, pageSize});
  gateControl_ = reinterpret_cast<GateControl *>(static_cast<uint8_t *>(at) + 3 * pageSize);
  regions.push_back(new Region{gateControl_, pageSize});
  control = reserve<int32_t>(kControlBytes);
  registers = reserve<uint64_t>(kRegisterBytes);
  slotOfTid_ = reserve<int32_t>(kMaxTid * sizeof(int32_t));
  if (!control || !registers || !slotOfTid_) return ENOMEM;
  regions.push_back(new Region{control, kControlBytes});
  regions.push_back(new Region{registers, kRegisterBytes});
  slots.reserve(64);
  return 0;
}

int Context::addSpace(pid_t tgid) {
  int space;
  if (freeSpaces_.empty()) {
    space = static_cast<int>(spaces.size());
    spaces.emplace_back();
  } else {
    space = freeSpaces_.back();
    freeSpaces_.pop_back();
    spaces[space] = Space();
  }
  spaces[space].tgid = tgid;
  return space;
}

int Context::addSlot(pid_t tid, int space) {
  int slot;
  if (!freeSlots_.empty()) {
    slot = freeSlots_.back();
    freeSlots_.pop_back();
    slots[slot] = Slot();
  } else {
    if (slots.size() >= kMaxSlots) return -EAGAIN;
    slot = static_cast<int>(slots.size());
    slots.emplace_back();
  }
  slots[slot].tid = tid;
  slots[slot].space = space;
  slots[slot].state = State::kStopped;
  slotOfTid_[tid] = slot + 1;
  slots[slot].lastTick = looper->tick();
  spaces[space].alive++;
  spaces[space].slots++;
  return slot;
}

// Its exit status has been collected: the tid may be used again by the host from now on.
void Context::freeSlot(int slot) {
  Slot &s = slots[slot];
  Space &space = spaces[s.space];
  if (s.exitRequested) dying_--;
  if (s.state != State::kDying) {
    space.alive--;
    if (s.exitRequested) space.exiting--;
  }
  if (--space.slots == 0) {
    control[kPeaks + s.space] = space.peakKb;
    if (space.pagemapFd >= 0) ::close(space.pagemapFd);
    if (space.statmFd >= 0) ::close(space.statmFd);
    space = Space();
    freeSpaces_.push_back(s.space);
  }
  slotOfTid_[s.tid] = 0;
  s = Slot();
  freeSlots_.push_back(slot);
}

pid_t Context::liveTid(int space) const {
  pid_t found = spaces[space].tgid;
  for (const Slot &s : slots) {
    if (s.space != space || s.state == State::kFree || s.state == State::kDying) continue;
    found = s.tid;
    if (found == spaces[space].tgid) break;
  }
  return found;
}

void Region::drop() {
  if (users.fetch_sub(1) != 1) return;
  munmap(at, size);
  delete this;
}

// Kills every host process and collects every exit status.
void Context::close() {
  if (closed_) return;
  closed_ = true;
  std::erase(contextsOfThread, this);
  for (size_t i = readyHead_; i < ready_.size(); i++)
    if (!isStop(ready_[i].status) && findSlot(ready_[i].tid) >= 0) freeSlot(findSlot(ready_[i].tid));
  for (const Space &space : spaces)
    if (space.slots > 0) kill(space.tgid, SIGKILL);
  while (freeSlots_.size() < slots.size()) {
    int status;
    pid_t tid = hostWait(-1, &status, kWaitFlags);
    if (tid == -EINTR) continue;
    if (tid < 0) break;
    int slot = findSlot(tid);
    if (slot < 0) route({tid, status});
    else if (!isStop(status)) freeSlot(slot);
  }
  looper.reset();
  placement.unpin();
  if (physicalFd >= 0) ::close(physicalFd);
  if (controlFd_ >= 0) ::close(controlFd_);
  if (channelFd_ >= 0) ::close(channelFd_);
  physicalFd = controlFd_ = channelFd_ = -1;
  if (slotOfTid_) munmap(slotOfTid_, kMaxTid * sizeof(int32_t));
  for (Region *region : regions) region->drop();
  regions.clear();
  batch = nullptr;
  slotOfTid_ = nullptr;
}

}  // namespace levitate
