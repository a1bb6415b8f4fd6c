// Keeps Node's event loop alive while the JS thread blocks in wait4: a helper thread that polls libuv's backend
// descriptor and the loop's next timer, counts 5 ms ticks, and interrupts the wait with a signal when the loop has work
// or the wait has blocked for a whole tick. While one guest computes and nothing happens, ticks and interruptions become
// rare: each costs the guest's CPU some 50 us.
//
// A signal may land just before wait4 sleeps, so it is repeated every millisecond until the wait has been left.
// Deadlines of a wait itself use a POSIX timer that signals the JS thread, repeating for the same reason.
#pragma once
#include <pthread.h>
#include <time.h>
#include <uv.h>

#include <atomic>
#include <cstdint>
#include <thread>

#include "placement.h"

namespace levitate {

class Looper {
 public:
  // `loopPending`: the word TypeScript reads.
  Looper(uv_loop_t *loop, int32_t *loopPending, bool place);
  Contention contention;
  ~Looper();
  int start();

  // Once per event loop turn, on the JS thread. `immediates`: whether any wait for the loop's next turn.
  void arm(bool immediates);
  bool pending() const { return __atomic_load_n(pending_, __ATOMIC_ACQUIRE) != 0; }
  uint32_t tick() const { return tick_.load(std::memory_order_relaxed); }

  // Ticks after which a wait is over, though nothing has happened.
  int patience() const { return patience_.load(std::memory_order_relaxed); }
  // Around a blocking wait. `alone`: for one guest, whose place no tick changes.
  void enter(int64_t deadlineNs, bool alone) {
    if (!alone) patience_.store(1, std::memory_order_relaxed);
    sequence_.fetch_add(1);
    kicked_.store(false);
    inWait_.store(true);
    if (asleep_.load()) [[unlikely]] wake();
    if (deadlineNs != 0) setDeadline(deadlineNs);
  }
  // Instead of a blocking wait: keeps the ticks going.
  void touch() {
    sequence_.fetch_add(1, std::memory_order_relaxed);
    if (asleep_.load(std::memory_order_relaxed)) [[unlikely]] wake();
  }
  // After a signal that did not end the wait.
  void again(int64_t deadlineNs);
  void leave(bool event) {
    inWait_.store(false);
    const int now = patience();
    const int next = event || pending() ? 1 : now < kMostPatience ? 2 * now : now;
    if (next != now) patience_.store(next, std::memory_order_relaxed);
  }
  // Whether the helper wants this wait to end.
  bool kicked() const { return kicked_.load(); }
  // Blocks without guests until the deadline, loop work, or the cap.
  void sleep(int64_t deadlineNs);

 private:
  static constexpr int kMostPatience = 16;
  void run();
  void wake();
  void setDeadline(int64_t deadlineNs);
  void disarmExpired();
  void kick();

  uv_loop_t *loop_;
  int32_t *pending_;
  bool place_;
  int backendFd_ = -1;
  int eventFd_ = -1;
  pid_t pid_ = 0;
  pid_t jsTid_ = 0;
  timer_t timer_{};
  bool haveTimer_ = false;
  int64_t armedNs_ = 0;  // what the POSIX timer is set to, 0 when off
  std::thread thread_;
  std::atomic<uint32_t> sequence_{0};
  std::atomic<bool> inWait_{false}, kicked_{false}, asleep_{false}, stop_{false}, watchLoop_{false};
  std::atomic<int64_t> loopDeadlineNs_{0};  // 0: none
  std::atomic<uint32_t> tick_{0};
  std::atomic<int> patience_{1};
};

}  // namespace levitate
