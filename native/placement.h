// Which CPU guests run on. The whole policy is in this file and placement.cc.
//
// Taking turns through stops is cheapest on one CPU (10 us against 55 us), so the JS thread and its guests share a
// "home" CPU. A guest that ran for two ticks (5-10 ms) without a stop while others run too is moved to the other allowed
// CPUs; when it stops often again it is brought home. The affinity mask the process started with is never left, and
// the JS thread gets it back by unpin(). When the home CPU turns out to be busy with other processes and another allowed
// CPU is mostly idle, home moves there (Contention).
#pragma once
#include <sched.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>

namespace levitate {

struct PlacementState {
  uint32_t resumedTick = 0;
  uint32_t stopsTick = 0;
  uint16_t stops = 0;
  bool away = false;
  bool apart = false;  // away because calls are handed over through memory, see Gate
  uint8_t homeGeneration = 0;
};

// Sampled by the helper thread, every kSampleTicks ticks: did the JS thread wait for its CPU, and is another one idle?
class Contention {
 public:
  void init(pid_t jsTid, bool enabled);
  void sample(int64_t nowNs);
  // On the JS thread: a better home CPU, or -1. Asked once per wait.
  int suggestion() {
    return suggested_.load(std::memory_order_relaxed) < 0 ? -1 : suggested_.exchange(-1);
  }

 private:
  static constexpr int kMaxCpus = 256;
  bool readIdle(int64_t *idleTicks);

  cpu_set_t allowed_;
  pid_t jsTid_ = 0;
  bool enabled_ = false;
  bool haveIdle_ = false;
  int64_t lastNs_ = 0, lastDelayNs_ = 0;
  int64_t idle_[kMaxCpus] = {};
  std::atomic<int> suggested_{-1};
};

class Placement {
 public:
  // `enabled`: false leaves every affinity alone.
  void init(bool enabled);
  // Pins the calling (JS) thread to the home CPU: where it is, or where it was while its guests keep clear of that.
  void pin();
  void unpin();
  // Makes `cpu` the home; the JS thread goes there now, guests when they are resumed next.
  void moveHome(int cpu);
  bool pinned() const { return pinned_; }
  // A new host thread inherits its creator's mask.
  void inherit(PlacementState *child, const PlacementState &parent) const;
  // Before a resume: guests follow when the home CPU has changed.
  void beforeResume(pid_t tid, PlacementState *state, uint32_t tick) {
    state->resumedTick = tick;
    if (state->apart != apart_ || (state->homeGeneration != generation_ && active_)) [[unlikely]] follow(tid, state);
  }
  // At a stop of a thread that is away.
  void onStop(pid_t tid, PlacementState *state, uint32_t tick) {
    if (state->away && !apart_) [[unlikely]] countStop(tid, state, tick);
  }
  // A thread that is still running at a tick, while others run too.
  void onTick(pid_t tid, PlacementState *state, uint32_t tick) {
    if (active_ && !apart_ && !state->away && tick - state->resumedTick >= 2) sendAway(tid, state);
  }
  bool active() const { return active_; }
  // Guests on the other CPUs, all of them, while the JS thread polls; they follow when they are resumed next.
  void setApart(bool apart) { apart_ = apart; }
  int others() const { return CPU_COUNT(&allowed_) - 1; }
  void goHome(pid_t tid, PlacementState *state);

 private:
  void setHome(int cpu);
  void sendAway(pid_t tid, PlacementState *state);
  void follow(pid_t tid, PlacementState *state);
  void countStop(pid_t tid, PlacementState *state, uint32_t tick);

  cpu_set_t allowed_, home_, others_;
  int homeCpu_ = -1;
  bool active_ = false;
  bool pinned_ = false;
  bool apart_ = false;
  uint8_t generation_ = 0;
};

}  // namespace levitate
