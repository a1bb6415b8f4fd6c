// The placement policy, see placement.h.
#include "placement.h"

#include <stdio.h>

namespace levitate {

// Stops within one or two ticks after which a thread is brought home again.
constexpr int kFrequentStops = 8;
// Shares of a sample period: how long the JS thread waited for its CPU, and how idle another one must have been.
constexpr double kContended = 0.2, kIdle = 0.5;

void Placement::init(bool enabled) {
  CPU_ZERO(&allowed_);
  active_ = enabled && sched_getaffinity(0, sizeof allowed_, &allowed_) == 0 && CPU_COUNT(&allowed_) > 1;
}

void Placement::pin() {
  if (!active_ || pinned_) return;
  const int cpu = apart_ ? homeCpu_ : sched_getcpu();
  if (cpu < 0 || !CPU_ISSET(cpu, &allowed_)) return;
  if (cpu != homeCpu_) setHome(cpu);
  if (sched_setaffinity(0, sizeof home_, &home_) == 0) pinned_ = true;
}

void Placement::setHome(int cpu) {
  homeCpu_ = cpu;
  generation_++;
  CPU_ZERO(&home_);
  CPU_SET(cpu, &home_);
  others_ = allowed_;
  CPU_CLR(cpu, &others_);
}

void Placement::moveHome(int cpu) {
  if (!active_ || cpu == homeCpu_ || !CPU_ISSET(cpu, &allowed_)) return;
  setHome(cpu);
  pinned_ = sched_setaffinity(0, sizeof home_, &home_) == 0;
}

void Placement::unpin() {
  if (!pinned_) return;
  sched_setaffinity(0, sizeof allowed_, &allowed_);
  pinned_ = false;
}

void Placement::inherit(PlacementState *child, const PlacementState &parent) const {
  child->away = parent.away;
  child->apart = parent.apart;
  child->homeGeneration = parent.homeGeneration;
  child->stops = 0;
}

void Placement::goHome(pid_t tid, PlacementState *state) {
  if (!active_ || homeCpu_ < 0) return;
  sched_setaffinity(tid, sizeof home_, &home_);
  state->away = state->apart = false;
  state->homeGeneration = generation_;
}

void Placement::sendAway(pid_t tid, PlacementState *state) {
  if (sched_setaffinity(tid, sizeof others_, &others_) == 0) {
    state->away = true;
    state->stops = 0;
    state->homeGeneration = generation_;
  }
}

void Placement::follow(pid_t tid, PlacementState *state) {
  if (apart_) {
    sendAway(tid, state);
    state->apart = true;
  } else {
    goHome(tid, state);
  }
}

void Placement::countStop(pid_t tid, PlacementState *state, uint32_t tick) {
  if (tick - state->stopsTick > 1) {
    state->stopsTick = tick;
    state->stops = 0;
  }
  if (++state->stops >= kFrequentStops) goHome(tid, state);
}

void Contention::init(pid_t jsTid, bool enabled) {
  jsTid_ = jsTid;
  CPU_ZERO(&allowed_);
  enabled_ = enabled && sched_getaffinity(0, sizeof allowed_, &allowed_) == 0 && CPU_COUNT(&allowed_) > 1;
}

// Idle time of every CPU in clock ticks (10 ms).
bool Contention::readIdle(int64_t *idleTicks) {
  FILE *file = fopen("/proc/stat", "re");
  if (!file) return false;
  char line[512];
  while (fgets(line, sizeof line, file)) {
    int cpu;
    long long user, nice, system, idle;
    if (sscanf(line, "cpu%d %lld %lld %lld %lld", &cpu, &user, &nice, &system, &idle) == 5 && cpu >= 0 && cpu < kMaxCpus)
      idleTicks[cpu] = idle;
  }
  fclose(file);
  return true;
}

void Contention::sample(int64_t nowNs) {
  if (!enabled_) return;
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/schedstat", jsTid_);
  FILE *file = fopen(path, "re");
  long long ran = 0, delay = 0;
  const bool good = file && fscanf(file, "%lld %lld", &ran, &delay) == 2;
  if (file) fclose(file);
  if (!good) {
    enabled_ = false;  // the host does not count it
    return;
  }
  const auto period = static_cast<double>(nowNs - lastNs_);
  const bool recent = lastNs_ != 0 && period < 1e9;
  const bool contended = recent && static_cast<double>(delay - lastDelayNs_) > kContended * period;
  lastNs_ = nowNs;
  lastDelayNs_ = delay;
  if (!contended) {
    haveIdle_ = false;
    return;
  }
  int64_t idle[kMaxCpus] = {};
  if (!readIdle(idle)) return;
  if (haveIdle_) {
    int best = -1;
    int64_t most = static_cast<int64_t>(kIdle * period / 1e7);
    for (int cpu = 0; cpu < kMaxCpus; cpu++) {
      if (!CPU_ISSET(cpu, &allowed_) || idle[cpu] - idle_[cpu] <= most) continue;
      best = cpu;
      most = idle[cpu] - idle_[cpu];
    }
    if (best >= 0) suggested_.store(best);
  }
  for (int cpu = 0; cpu < kMaxCpus; cpu++) idle_[cpu] = idle[cpu];
  haveIdle_ = true;
}

}  // namespace levitate
