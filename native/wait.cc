// The hot path: resume the queued threads, wait for the next stop, read its registers. Allocates nothing.
//
// Invariants: a stop is reported at most once; stops that nobody asked for (an interrupt that lost the race against a
// system call stop, signals sent to a stub from outside, exits of threads we killed) are swallowed here. Any stop
// clears the host's pending interrupt trap, so `wanted` is cleared by whatever stop comes first.
#include "looper.h"

#include <sched.h>

#include <algorithm>

#include "context.h"

namespace levitate {

void Context::markRunning(int slot) {
  slots[slot].state = State::kRunning;
  control[kRunning] = ++running_;
  runningXor_ ^= slot;
}

void Context::markNotRunning(int slot) {
  if (slots[slot].state != State::kRunning) return;
  slots[slot].state = State::kStopped;
  control[kRunning] = --running_;
  runningXor_ ^= slot;
}

void Context::report(int result, int slot) {
  control[kResult] = result;
  control[kSlot] = slot;
}

void Context::resume(int slot) {
  Slot &s = slots[slot];
  if (s.state != State::kStopped || s.exitRequested) return;
  placement.beforeResume(s.tid, &s.placement, looper->tick());
  if (s.held) {
    reply(slot);
    return;
  }
  // Errors mean that the thread was killed from outside: its exit status is on the way.
  resumeWithRegs(slot);
  markRunning(slot);
}

// After a swallowed stop: the host still has the registers.
void Context::resumeAsIs(int slot) { hostPtrace(kPtraceSysemu, slots[slot].tid, 0, nullptr); }

void Context::interrupt(int slot) {
  Slot &s = slots[slot];
  if (s.state != State::kRunning || s.wanted) return;
  s.wanted = true;
  hostPtrace(kPtraceInterrupt, s.tid, 0, nullptr);
}

// Carried out at the next wait, so that exits of all threads of a process become one kill.
void Context::requestExit(int slot) {
  Slot &s = slots[slot];
  if (s.state == State::kFree || s.state == State::kDying || s.exitRequested) return;
  s.exitRequested = true;
  dying_++;
  spaces[s.space].exiting++;
  if (s.state == State::kRunning) {
    markNotRunning(slot);
    s.wanted = true;  // it really runs: see runExit
  }
  pendingExits_.push_back(slot);
}

void Context::runExit(int slot) {
  Slot &s = slots[slot];
  Space &space = spaces[s.space];
  if (halt(slot) != 0) return;
  const uint64_t call[7] = {static_cast<uint64_t>(arch::kCallExit)};
  const uint64_t leave[7] = {static_cast<uint64_t>(arch::kCallMunmap), channelAddress(slot), kChannelBytes};
  uint64_t regs[kBlockWords];
  memcpy(regs, block(slot), sizeof regs);
  // The channel goes first: its slot will be another thread's.
  if (s.channel) arch::prepareCall(regs, leaveAt_, leave);
  else arch::prepareCall(regs, stubAt_, call);
  arch::setRegs(s.tid, regs);
  hostPtrace(kPtraceCont, s.tid, 0, nullptr);
  s.state = State::kDying;
  space.alive--;
  space.exiting--;
}

void Context::processExits() {
  for (int slot : pendingExits_) {
    Slot &s = slots[slot];
    if (s.state != State::kStopped || !s.exitRequested) continue;
    Space &space = spaces[s.space];
    if (space.alive == space.exiting) {
      if (!space.killed) kill(space.tgid, SIGKILL);
      space.killed = true;
      s.state = State::kDying;
      space.alive--;
      space.exiting--;
    } else if (s.wanted) {
      hostPtrace(kPtraceInterrupt, s.tid, 0, nullptr);  // runExit at its stop
    } else {
      runExit(slot);
    }
  }
  pendingExits_.clear();
}

// A fault of the thread's own code, as opposed to a signal somebody sent.
static bool isFault(const siginfo_t &info, int signal) {
  return info.si_code > 0 && (signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL ||
                              signal == SIGTRAP || signal == SIGSYS);
}

// Whether the thread has a fault that the host has not shown yet: an interrupt comes first, and were other registers set at its
// stop, the fault would be taken for one of theirs.
static bool faultPending(pid_t tid) {
  siginfo_t infos[4];
  struct {
    uint64_t offset;
    uint32_t flags;
    int32_t count;
  } which = {0, 0, 4};
  const long count = hostPtraceResult(kPtracePeekSiginfo, tid, reinterpret_cast<uintptr_t>(&which), infos);
  for (long i = 0; i < count; i++)
    if (isFault(infos[i], infos[i].si_signo)) return true;
  return false;
}

bool Context::handleStop(int slot, int status) {
  Slot &s = slots[slot];
  if (s.held) [[unlikely]] return heldStop(slot);
  const int signal = stopSignal(status);
  uint64_t *regs = block(slot);
  if (signal == (SIGTRAP | 0x80)) [[likely]] {
    if (readRegs(slot, regs) != 0) return false;
    arch::classifySyscall(s.tid, regs);
    control[kVia] = kViaSite;
    if (gate_ && arch::ip(regs) == gateAt_ + arch::gateCheckedAt()) [[unlikely]] {
      gateStop(slot, regs);
      arch::resultOf(regs) = 0;
      markNotRunning(slot);
      s.wanted = false;
      report(kInterrupted, slot);
      return true;
    }
    if (gate_) {
      s.lastTick = looper->tick();
      const bool gated = arch::ip(regs) == gateAt_ + arch::gateStoppedAt();
      const uint64_t nr = arch::callNumber(regs);
      if (gated) gateStop(slot, regs);
      countStop(slot, gated && nr < sizeof gateControl_->classes && gateControl_->classes[nr] != 0);
    }
    markNotRunning(slot);
    s.wanted = false;
    placement.onStop(s.tid, &s.placement, looper->tick());
    report(kSyscall, slot);
    return true;
  }
  const int event = stopEvent(status);
  siginfo_t info;
  bool own = false;
  if (event == 0) {
    if (hostPtrace(kPtraceGetSiginfo, s.tid, 0, &info) != 0) return false;
    own = isFault(info, signal);
  }
  // `wanted` stays: whatever stop the fault brings is reported, and the host has no interrupt left to show.
  if (!own && (!s.wanted || faultPending(s.tid))) {
    resumeAsIs(slot);
    return false;
  }
  if (readRegs(slot, regs) != 0) return false;
  if (gate_ && own && arch::afterCopyFault(arch::ip(regs) - gateAt_) != 0) {
    if (!s.wanted) {
      copyFault(slot);
      return false;
    }
    own = false;  // this stop has used up the interrupt
  }
  if (gate_ && arch::ip(regs) - gateAt_ < pageSize) [[unlikely]] leaveGate(slot, regs);
  if (gate_) s.lastTick = looper->tick();
  markNotRunning(slot);
  s.wanted = false;
  placement.onStop(s.tid, &s.placement, looper->tick());
  if (!own) {
    report(kInterrupted, slot);
  } else if (signal == SIGSYS && arch::vsyscallStop(regs)) {
    report(kSyscall, slot);
  } else {
    control[kSignal] = signal;
    control[kCode] = info.si_code;
    const auto address = reinterpret_cast<uint64_t>(info.si_addr);
    control[kAddrLo] = static_cast<int32_t>(address);
    control[kAddrHi] = static_cast<int32_t>(address >> 32);
    control[kAccess] = -1;
    report(kSignalStop, slot);
  }
  return true;
}

// True when there is something to report.
bool Context::handle(const Event &event) {
  const int slot = findSlot(event.tid);
  if (slot < 0) {
    route(event);
    return false;
  }
  Slot &s = slots[slot];
  if (!isStop(event.status)) {
    const bool swallowed = s.exitRequested;
    Space &space = spaces[s.space];
    space.peakKb = std::max(space.peakKb, event.peakKb);
    if (s.state == State::kRunning) markNotRunning(slot);
    freeSlot(slot);
    if (!swallowed) report(kGone, slot);
    return !swallowed;
  }
  if (s.exitRequested) {
    if (spaces[s.space].killed) return false;
    if (s.state == State::kStopped) {
      s.held = false;  // answered, and this is its stop: there will be no other to wait for
      runExit(slot);
    } else hostPtrace(kPtraceCont, s.tid, 0, nullptr);  // a late interrupt on the way to its exit
    return false;
  }
  return handleStop(slot, event.status);
}

// Exits asked for are carried out and what has died is collected without blocking; anything else is kept for a wait.
int Context::settle() {
  if (!pendingExits_.empty()) processExits();
  Event event;
  while (dying_ > 0 && fetch(-1, WNOHANG, &event)) {
    const int slot = findSlot(event.tid);
    if (slot >= 0 && slots[slot].exitRequested) handle(event);
    else if (slot >= 0) ready_.push_back(event);
    else route(event);
  }
  return expectingExit() ? dying_ : 0;
}

void Context::collect(int space) {
  for (size_t i = readyHead_; i < ready_.size(); i++) {
    const int slot = findSlot(ready_[i].tid);
    if (slot < 0 || !slots[slot].exitRequested) continue;
    handle(ready_[i]);
    ready_[i].tid = 0;
  }
  const int64_t end = nowNs() + kCollectCapNs;
  for (settle(); spaces[space].slots > 0 && spaces[space].alive == 0 && nowNs() < end; settle()) {
    timespec pause = {0, 50'000};
    nanosleep(&pause, nullptr);
  }
}

// One event out of the host. What a process has used is asked for only when one is dying: it costs something at every stop.
bool Context::fetch(pid_t who, int flags, Event *event) {
  if (!anyDying()) {
    event->tid = hostWait(who, &event->status, kWaitFlags | flags);
    event->peakKb = 0;
    return event->tid > 0;
  }
  rusage usage;
  event->tid = hostWait(who, &event->status, kWaitFlags | flags, &usage);
  event->peakKb = event->tid > 0 && !isStop(event->status) ? static_cast<int32_t>(usage.ru_maxrss) : 0;
  return event->tid > 0;
}

// wait4 always finds the first stopped thread in its list; now and then take all of them, so that none starves.
void Context::collectReady() {
  Event event;
  while (fetch(-1, WNOHANG, &event)) ready_.push_back(event);
}

// Whether an exit status is due soon. A first thread that ended before its siblings is only reported after them.
bool Context::expectingExit() const {
  if (dying_ == 0) return false;
  for (const Slot &s : slots) {
    if (s.exitRequested && (s.tid != spaces[s.space].tgid || spaces[s.space].alive == 0)) return true;
  }
  return false;
}

// Nothing runs: collect what is dying, then sleep until the event loop has work.
bool Context::idle(Event *event, int64_t deadlineNs, bool poll) {
  for (int tries = 0; tries < 40 && expectingExit(); tries++) {
    if (fetch(-1, WNOHANG, event)) return true;
    if (poll) return false;
    timespec pause = {0, 50'000};
    nanosleep(&pause, nullptr);
  }
  if (fetch(-1, WNOHANG, event)) return true;
  if (!poll && !looper->pending()) looper->sleep(deadlineNs);
  return false;
}

bool Context::nextEvent(Event *event, int64_t deadlineNs, bool poll) {
  if (readyHead_ < ready_.size()) {
    *event = ready_[readyHead_++];
    if (readyHead_ == ready_.size()) {
      ready_.clear();
      readyHead_ = 0;
    }
    return true;
  }
  if (running_ == 0) return idle(event, deadlineNs, poll);
  if (running_ > 2 && (++rounds_ & 15) == 0) {
    collectReady();
    if (!ready_.empty()) return nextEvent(event, deadlineNs, poll);
  }
  const pid_t who = running_ == 1 && dying_ == 0 ? slots[runningXor_].tid : -1;
  if (poll || looper->pending()) return fetch(who, WNOHANG, event);
  looper->enter(deadlineNs, running_ == 1);
  for (;;) {
    if (looper->pending()) event->tid = 0;
    else if (fetch(who, 0, event)) break;
    if (event->tid != -EINTR || looper->pending() || looper->kicked()) break;
    if (deadlineNs != 0 && nowNs() >= deadlineNs) break;
    looper->again(deadlineNs);
  }
  const bool found = event->tid > 0;
  looper->leave(found);
  return found;
}

// What has been queued runs; a held thread without an answer is told to park.
void Context::startQueued() {
  if (!pendingExits_.empty()) processExits();
  const int count = control[kResumeCount];
  for (int i = 0; i < count; i++) resume(control[kResumeQueue + i]);
  control[kResumeCount] = control[kOutCount] = 0;
  if (held_ >= 0) {
    park(held_);
    held_ = -1;
  }
}

void Context::send() {
  if (closed_) return;
  if (!placement.pinned()) placement.pin();
  startQueued();
}

void Context::wait() {
  control[kResult] = kNone;
  if (closed_) return;
  if (!placement.pinned()) placement.pin();
  if (const int cpu = looper->contention.suggestion(); cpu >= 0) [[unlikely]] {
    placement.moveHome(cpu);
    if (regime_.polling()) placeRunning();
  }
  startQueued();

  const uint32_t tick = looper->tick();
  if (tick != lastTick_ && running_ > 1) {
    lastTick_ = tick;
    // Guests that compute need the other CPUs more than we need them for polling.
    if (regime_.polling() && !regime_.forced() && busySlots() >= placement.others()) stopPolling();
    for (Slot &s : slots)
      if (s.state == State::kRunning) placement.onTick(s.tid, &s.placement, tick);
  }
  const int timeoutUs = control[kTimeoutUs];
  const bool poll = timeoutUs == 0;
  // Longer waits end by themselves: the helper thread interrupts them.
  const int64_t deadlineNs = timeoutUs > 0 && timeoutUs < 10'000 * looper->patience() ? nowNs() + timeoutUs * 1000ll : 0;
  Event event;
  do {
    while (regime_.polling() && readyHead_ == ready_.size()) {
      const Found found = this->poll(&event, deadlineNs, poll);
      if (found == Found::kCall || found == Found::kNothing) return;
      if (found == Found::kSleep) break;
      if (handle(event)) return;
    }
    if (!nextEvent(&event, deadlineNs, poll)) return;
  } while (!handle(event));
}

}  // namespace levitate
