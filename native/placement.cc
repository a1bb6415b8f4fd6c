// The placement policy, see placement.h.
#include "placement.h"

namespace levitate {

// Stops within one or two ticks after which a thread is brought home again.
constexpr int kFrequentStops = 8;

void Placement::init(bool enabled) {
  CPU_ZERO(&allowed_);
  active_ = enabled && sched_getaffinity(0, sizeof allowed_, &allowed_) == 0 && CPU_COUNT(&allowed_) > 1;
}

void Placement::pin() {
  if (!active_ || pinned_) return;
  int cpu = sched_getcpu();
  if (cpu < 0 || !CPU_ISSET(cpu, &allowed_)) return;
  if (cpu != homeCpu_) {
    homeCpu_ = cpu;
    generation_++;
    CPU_ZERO(&home_);
    CPU_SET(cpu, &home_);
    others_ = allowed_;
    CPU_CLR(cpu, &others_);
  }
  if (sched_setaffinity(0, sizeof home_, &home_) == 0) pinned_ = true;
}

void Placement::unpin() {
  if (!pinned_) return;
  sched_setaffinity(0, sizeof allowed_, &allowed_);
  pinned_ = false;
}

void Placement::inherit(PlacementState *child, const PlacementState &parent) const {
  child->away = parent.away;
  child->homeGeneration = parent.homeGeneration;
  child->stops = 0;
}

void Placement::goHome(pid_t tid, PlacementState *state) {
  if (!active_ || homeCpu_ < 0) return;
  sched_setaffinity(tid, sizeof home_, &home_);
  state->away = false;
  state->homeGeneration = generation_;
}

void Placement::sendAway(pid_t tid, PlacementState *state) {
  if (sched_setaffinity(tid, sizeof others_, &others_) == 0) {
    state->away = true;
    state->stops = 0;
  }
}

void Placement::countStop(pid_t tid, PlacementState *state, uint32_t tick) {
  if (tick - state->stopsTick > 1) {
    state->stopsTick = tick;
    state->stops = 0;
  }
  if (++state->stops >= kFrequentStops) goHome(tid, state);
}

}  // namespace levitate
