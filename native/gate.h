// The gate: system calls handed over through shared memory instead of a stop (see native/stub/gate_*.S).
//
// A channel is memory shared with one process only. x86_64: every thread has its own, at a fixed address per slot. aarch64:
// every process has one, at the same address in all, for as long as it has one thread. Everything in it is hostile input:
// read once, and never believed about what the supervisor itself has done; that is in Slot (held, finish, result).
#pragma once
#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace levitate {

// How a context is asked for its gate: 0 no, 1 yes; from here on, that it always polls, and how patiently.
constexpr int kGatePolls = 2;

enum ChannelState : uint32_t { kChannelIdle, kChannelRequest, kChannelTaken, kChannelDone, kChannelPark, kChannelParked };

struct Channel {
  std::atomic<uint32_t> state;
  uint32_t open;  // where channels are a process's: it has one thread, for which it is (set by src/platform/ptrace/gate.ts)
  uint64_t nr, args[6], sp, ret, cont, flags, result, inAddr, inLength, mask, pending, tidAddress, facts[6], scratch[2], spare[6];
  struct {
    uint64_t addr, length;
  } out[16];
  uint8_t data[0x1e00];
};
constexpr size_t kChannelBytes = 8192;
constexpr size_t kInMost = 2048, kOutMost = 15;
static_assert(offsetof(Channel, open) == 0x04 && offsetof(Channel, scratch) == 0xc0 && offsetof(Channel, nr) == 0x08 && offsetof(Channel, sp) == 0x40 && offsetof(Channel, ret) == 0x48 &&
              offsetof(Channel, cont) == 0x50 && offsetof(Channel, flags) == 0x58 && offsetof(Channel, result) == 0x60 &&
              offsetof(Channel, inAddr) == 0x68 && offsetof(Channel, mask) == 0x78 && offsetof(Channel, out) == 0x100 && offsetof(Channel, data) == 0x200 &&
              sizeof(Channel) == kChannelBytes);

// The page the supervisor writes and guests read.
struct GateControl {
  // For each system call number: 0 always a stop; 2: rt_sigprocmask, 0x80 + n: fact n,
  // 0xc0: set_tid_address, 0xc1: arch_prctl(ARCH_SET_FS) are answered by the gate itself;
  // else it may be handed over, 3: with the string or structure that the first
  // argument points to, 5: the second, 7: with a buffer that the second points to, its length in the third.
  uint8_t classes[512];
  std::atomic<uint32_t> polling;
  uint32_t budget;
  uint64_t limit;  // first address at which a word is not the guest's
};
static_assert(offsetof(GateControl, polling) == 512 && offsetof(GateControl, budget) == 516 && offsetof(GateControl, limit) == 520);

// A return address of a rewritten site and the code in its trampoline that stands for it: a small cache per process, so
// that a resume there goes straight to the trampoline. A miss is correct too, and costs one trap (see src/gate).
struct Continuations {
  static constexpr size_t kSize = 32;
  uint64_t ret[kSize] = {}, cont[kSize] = {};
  static size_t at(uint64_t ret) { return (ret ^ (ret >> 7)) % kSize; }
  void add(uint64_t from, uint64_t to) {
    ret[at(from)] = from;
    cont[at(from)] = to;
  }
  uint64_t find(uint64_t ip) const { return ret[at(ip)] == ip ? cont[at(ip)] : 0; }
};

// Whether it pays to poll. Every event is worth what it costs or saves against taking turns, in microseconds.
class Regime {
 public:
  bool polling() const { return polling_; }
  // Polls whether it pays or not, and both sides wait so many times longer for the other, also on a starved machine: for tests
  // of what is handed over.
  void force(int patience) {
    forced_ = true;
    patience_ = patience;
  }
  bool forced() const { return forced_; }
  int patience() const { return patience_; }
  // A handed-over call while polling, or a stop that would have been one while taking turns.
  void gated() {
    if (score_ < kCap) score_ += 10;
  }
  void stopped() {
    if (score_ > kFloor) score_ -= 9;
  }
  // A new process: work that goes fastest where its parent runs.
  void forked() { score_ = score_ > kFloor + 100 ? score_ - 100 : kFloor; }
  // A call that was counted as gated, and needed a stop in the end.
  void wasted() { score_ -= 25; }
  // A copy so large that it counts in whose cache the bytes are: taking turns on one CPU has them at hand.
  void copied(size_t length) {
    if (length >= kLargeCopy && score_ > kFloor) score_ -= 25;
  }
  // Nothing came for as long as a wake-up costs.
  void missed() { score_ -= 60; }
  bool wantsToPoll() const { return !polling_ && (forced_ || score_ >= kEnter); }
  bool wantsTurns() const { return polling_ && !forced_ && score_ < kLeave; }
  void set(bool polling) {
    polling_ = polling;
    score_ = polling ? kEnter : 0;
  }

 private:
  static constexpr size_t kLargeCopy = 32 * 1024;
  static constexpr int kEnter = 320, kCap = 450, kLeave = 0, kFloor = -200;
  int score_ = 0, patience_ = 1;
  bool polling_ = false, forced_ = false;
};

}  // namespace levitate
