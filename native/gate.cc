// Serving the gate: taking calls out of channels, answering them, and keeping held threads and their stops apart.
//
// A thread whose call has been taken is "held": for the kernel it is stopped, on the host it spins. Whatever needs it really
// stopped calls halt() first. A held thread that the kernel has not answered by the next wait is told to park, which it does
// in an ordinary stop; the stop is swallowed here, and its registers join those of the call.
#include "gate.h"

#include <sched.h>

#include <algorithm>

#include "context.h"
#include "looper.h"

namespace levitate {

// How long to poll without any call before sleeping: about what a wake-up on the other CPU costs.
constexpr double kIdleSpinUs = 60;
// A guest that computed longer than this between two calls gains nothing from the gate.
constexpr double kShortRunUs = 30;

uint64_t Context::channelAddress(int slot) const {
  return arch::kChannelPerThread ? channelsAt_ + static_cast<uint64_t>(slot) * kChannelBytes : channelsAt_;
}
Channel *Context::channelAt(int index) const {
  return reinterpret_cast<Channel *>(channels_ + static_cast<size_t>(index) * channelBytes());
}
Channel *Context::channelOf(int slot) const { return channelAt(arch::kChannelPerThread ? slot : slots[slot].space); }

// Where the thread goes on that has called from `ret`.
void Context::remember(int slot, uint64_t ret, uint64_t cont) {
  if constexpr (arch::kMovesCode) spaces[slots[slot].space].continuations.add(ret, cont);
}

void Context::calibrate() {
  const int64_t ns = nowNs();
  const uint64_t ticks = arch::ticks();
  if (calibrationNs_ == 0) {
    calibrationNs_ = ns;
    calibrationTicks_ = ticks;
  } else if (ns - calibrationNs_ > 1'000'000) {
    ticksPerUs_ = static_cast<double>(ticks - calibrationTicks_) * 1000 / static_cast<double>(ns - calibrationNs_);
  }
}

// Takes the call a running thread has posted, if it has.
bool Context::take(int slot) {
  Slot &s = slots[slot];
  Channel *channel = channelOf(slot);
  if (channel->state.load(std::memory_order_relaxed) != kChannelRequest) return false;
  uint32_t expected = kChannelRequest;
  if (!channel->state.compare_exchange_strong(expected, kChannelTaken)) return false;
  uint64_t *regs = block(slot);
  arch::showCall(regs, channel);
  arch::showReturn(regs, channel);
  remember(slot, arch::ipOf(regs), channel->cont);
  markNotRunning(slot);
  s.held = true;
  held_ = slot;
  s.lastTick = looper->tick();
  const uint64_t inAddr = channel->inAddr, inLength = channel->inLength;
  const bool in = inLength <= kInMost;
  control[kInLength] = in ? static_cast<int32_t>(inLength) : 0;
  control[kInAddrLo] = static_cast<int32_t>(inAddr);
  control[kInAddrHi] = static_cast<int32_t>(inAddr >> 32);
  control[kVia] = kViaChannel;
  control[kGatedCalls]++;
  regime_.gated();
  if (regime_.wantsTurns()) stopPolling();
  report(kSyscall, slot);
  return true;
}

// The answer of a held call is in its block: give it, or see to it that the parked thread gets it at its stop.
void Context::reply(int slot) {
  Slot &s = slots[slot];
  Channel *channel = channelOf(slot);
  s.result = arch::resultOf(block(slot));
  markRunning(slot);
  channel->result = s.result;
  if (!s.finish) channel->out[0].addr = control[kOutCount] > 0 && held_ == slot ? channel->out[0].addr : 0;
  uint32_t expected = kChannelTaken;
  if (!channel->state.compare_exchange_strong(expected, kChannelDone)) {
    expected = kChannelPark;
    if (!channel->state.compare_exchange_strong(expected, kChannelDone)) {
      s.finish = true;
      deliver(slot);
      if (expected != kChannelParked) hostPtrace(kPtraceInterrupt, s.tid, 0, nullptr);
      return;
    }
  }
  s.held = false;
}

// What the gate would have copied out, had the thread not left it. Bounds are the channel's: its process harms itself only.
void Context::deliver(int slot) {
  const Slot &s = slots[slot];
  Channel *channel = channelOf(slot);
  size_t at = std::min<size_t>(channel->inLength, sizeof channel->data);
  for (size_t i = 0; i < kOutMost; i++) {
    const uint64_t addr = channel->out[i].addr, length = channel->out[i].length;
    if (addr == 0 || length > sizeof channel->data - at) break;
    copyTo(s.space, addr, channel->data + at, length);
    at += length;
  }
  channel->out[0].addr = 0;
}

void Context::park(int slot) {
  if (!slots[slot].held || slots[slot].finish) return;
  uint32_t expected = kChannelTaken;
  channelOf(slot)->state.compare_exchange_strong(expected, kChannelPark);
}

// A stop of a held thread, whatever it is: its registers are the call's.
bool Context::mergeHeld(int slot) {
  Slot &s = slots[slot];
  uint64_t regs[kBlockWords] = {};
  if (arch::getRegs(s.tid, regs) != 0) return false;
  arch::hideChannel(regs, channelAddress(slot));
  arch::mergeStop(block(slot), regs);
  channelOf(slot)->state.store(kChannelIdle, std::memory_order_relaxed);
  s.held = false;
  s.wanted = false;
  return true;
}

// Makes a held thread stop for real. 0 or errno.
int Context::halt(int slot) {
  Slot &s = slots[slot];
  if (!s.held) return 0;
  int status;
  if (!takeReadyStop(s.tid)) {
    hostPtrace(kPtraceInterrupt, s.tid, 0, nullptr);
    const pid_t got = hostWaitFor(s.tid, &status);
    if (got < 0) return -got;
    if (!isStop(status)) {
      s.held = false;
      ready_.push_back({s.tid, status});
      return ESRCH;
    }
  }
  return mergeHeld(slot) ? 0 : ESRCH;
}

// Whether the thread has stopped already, and its stop only waits to be handled: the host would not tell of it again.
bool Context::takeReadyStop(pid_t tid) {
  for (size_t i = readyHead_; i < ready_.size(); i++) {
    if (ready_[i].tid != tid || !isStop(ready_[i].status)) continue;
    ready_[i].tid = 0;
    return true;
  }
  return false;
}

// The stop of a held thread arrived by itself. Reported only if it was asked for after the answer: the stop that brings the
// answer has used up the interrupt.
bool Context::heldStop(int slot) {
  Slot &s = slots[slot];
  const bool wanted = s.wanted;
  if (!mergeHeld(slot) || !s.finish) return false;
  s.finish = false;
  if (!wanted) {
    resumeWithRegs(slot);
    return false;
  }
  markNotRunning(slot);
  report(kInterrupted, slot);
  return true;
}

// A system call stop inside the gate: show it as one of the site.
void Context::gateStop(int slot, uint64_t *regs) {
  Channel *channel = channelOf(slot);
  channel->state.store(kChannelIdle, std::memory_order_relaxed);
  arch::showReturn(regs, channel);
  remember(slot, arch::ipOf(regs), channel->cont);
  control[kVia] = kViaGate;
}

// An interrupted thread in the gate's page is taken out of it.
void Context::leaveGate(int slot, uint64_t *regs) {
  Slot &s = slots[slot];
  Channel *channel = channelOf(slot);
  uint32_t expected = kChannelRequest;
  channel->state.compare_exchange_strong(expected, kChannelIdle);
  const bool done = channel->state.load() == kChannelDone;
  channel->state.store(kChannelIdle, std::memory_order_relaxed);
  if (done) deliver(slot);
  const uint64_t cont = channel->cont, spill = arch::spillAt(regs, arch::ip(regs) - gateAt_);
  if (arch::leaveGate(regs, gateAt_, channelAddress(slot), channel, done, s.result)) remember(slot, arch::ipOf(regs), cont);
  if (spill != 0) {
    uint64_t words[2];
    if (copyFrom(s.space, spill, reinterpret_cast<uint8_t *>(words), sizeof words) == sizeof words) arch::unspill(regs, words);
  }
}

// A fault at one of the gate's own copies: the thread goes on, and nobody hears of it.
void Context::copyFault(int slot) {
  uint64_t *regs = block(slot);
  arch::ipOf(regs) = gateAt_ + arch::afterCopyFault(arch::ip(regs) - gateAt_);
  resumeWithRegs(slot);
}

// Registers of a stopped thread, without what the gate put there.
int Context::readRegs(int slot, uint64_t *regs) {
  const int error = arch::getRegs(slots[slot].tid, regs);
  if (gate_ && !error) arch::hideChannel(regs, channelAddress(slot));
  return error;
}

void Context::resumeWithRegs(int slot) {
  Slot &s = slots[slot];
  uint64_t *regs = block(slot);
  if (!gate_) {
    arch::resumeRegs(s.tid, regs);
  } else {
    // Only the host sees the channel, and where in the trampoline a return address is.
    uint64_t &ip = arch::ipOf(regs);
    const uint64_t shownIp = ip, cont = arch::kMovesCode ? spaces[s.space].continuations.find(ip) : 0;
    const bool put = arch::putChannel(regs, channelAddress(slot));
    if (cont != 0) ip = cont;
    s.resumedAt = arch::ticks();
    arch::resumeRegs(s.tid, regs);
    if (put) arch::hideChannel(regs, channelAddress(slot));
    if (cont != 0) ip = shownIp;
  }
  hostPtrace(kPtraceSysemu, s.tid, 0, nullptr);
}

void Context::countStop(int slot, bool gated) {
  if (!gate_) return;
  const uint64_t ran = arch::ticks() - slots[slot].resumedAt;
  const bool polling = regime_.polling();
  if (!polling && gated && static_cast<double>(ran) < kShortRunUs * ticksPerUs_) regime_.gated();
  else regime_.stopped();
  if (regime_.wantsToPoll()) startPolling();
  else if (regime_.wantsTurns()) stopPolling();
}

// Threads that have computed for two ticks and more.
int Context::busySlots() const {
  const uint32_t tick = looper->tick();
  int count = 0;
  for (const Slot &s : slots)
    if (s.state == State::kRunning && tick - s.lastTick >= 2) count++;
  return count;
}

void Context::startPolling() {
  calibrate();
  if (!placement.active() || (!regime_.forced() && running_ > 0 && busySlots() >= placement.others())) {
    regime_.set(false);
    return;
  }
  regime_.set(true);
  control[kPollingTimes]++;
  placement.setApart(true);
  placeRunning();
  gateControl_->polling.store(1);
}

// Threads whose calls are handed over are not resumed before each: they are told when the CPUs change.
void Context::placeRunning() {
  for (Slot &s : slots)
    if (s.state == State::kRunning) placement.beforeResume(s.tid, &s.placement, looper->tick());
}

void Context::stopPolling() {
  regime_.set(false);
  gateControl_->polling.store(0);
  placement.setApart(false);
}

bool Context::takeAny() {
  const int count = static_cast<int>(slots.size());
  for (int i = 0, left = running_; i < count && left > 0; i++) {
    const int slot = (lastTaken_ + 1 + i) % count;
    if (slots[slot].state != State::kRunning) continue;
    left--;
    if (take(slot)) {
      lastTaken_ = slot;
      return true;
    }
  }
  return false;
}

// Polls channels and the host's stops in turn. Ends with a call, an event, or nothing: the loop has work, the deadline is
// over, or it does not pay any longer (then polling_ is off and the caller sleeps).
Context::Found Context::poll(Event *event, int64_t deadlineNs, bool once) {
  if (running_ == 0) return Found::kSleep;
  looper->touch();
  const uint64_t start = arch::ticks();
  const auto limit = static_cast<uint64_t>(kIdleSpinUs * ticksPerUs_ * regime_.patience());
  if (gateControl_->polling.load(std::memory_order_relaxed) == 0) gateControl_->polling.store(1);
  for (;;) {
    if (lastTaken_ >= 0 && slots[lastTaken_].state == State::kRunning && take(lastTaken_)) return Found::kCall;
    // Counted over all calls, so that a busy thread does not keep the others and the host's stops from being seen.
    if ((++polls_ & 63) != 0) {
      arch::relax();
      continue;
    }
    // Stops first: while several threads make calls there always is another call.
    if (fetch(-1, WNOHANG, event)) return Found::kEvent;
    if (takeAny()) return Found::kCall;
    if (once || looper->pending()) return Found::kNothing;
    if (deadlineNs != 0 && nowNs() >= deadlineNs) return Found::kNothing;
    if (arch::ticks() - start > limit) break;
  }
  regime_.missed();
  if (regime_.wantsTurns()) stopPolling();
  else gateControl_->polling.store(0);
  return takeAny() ? Found::kCall : Found::kSleep;
}

}  // namespace levitate
