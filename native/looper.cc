// The helper thread and the wait's deadline timer, see looper.h.
#include "looper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "context.h"

namespace levitate {

// Does nothing but make a blocking call return EINTR. One of the real-time signals that neither glibc nor Node uses.
static int kickSignal() { return SIGRTMIN + 9; }
static void onKick(int) {}

constexpr int64_t kTickNs = 5'000'000;
constexpr uint32_t kSampleTicks = 20;
constexpr int64_t kRetryNs = 1'000'000;
constexpr int64_t kDeadlineRetryNs = 500'000;
// Granted to the loop when immediates wait.
constexpr int64_t kImmediateGraceNs = 5'000'000;
constexpr int64_t kImmediateSleepNs = 2'000'000;

Looper::Looper(uv_loop_t *loop, int32_t *loopPending, bool place) : loop_(loop), pending_(loopPending), place_(place) {}

int Looper::start() {
  pid_ = getpid();
  jsTid_ = static_cast<pid_t>(syscall(SYS_gettid));
  contention.init(jsTid_, place_);
  backendFd_ = uv_backend_fd(loop_);
  eventFd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (eventFd_ < 0) return errno;

  struct sigaction old;
  if (sigaction(kickSignal(), nullptr, &old) == 0 && old.sa_handler == SIG_DFL) {
    struct sigaction action = {};
    action.sa_handler = onKick;
    sigaction(kickSignal(), &action, nullptr);
  }
  sigset_t unblock;
  sigemptyset(&unblock);
  sigaddset(&unblock, kickSignal());
  pthread_sigmask(SIG_UNBLOCK, &unblock, nullptr);

  struct sigevent event = {};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = kickSignal();
  event._sigev_un._tid = jsTid_;
  haveTimer_ = timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
  if (!haveTimer_) return errno;

  sigset_t all, saved;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &saved);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &saved, nullptr);
  pthread_setname_np(thread_.native_handle(), "levitate-loop");
  return 0;
}

Looper::~Looper() {
  if (thread_.joinable()) {
    stop_ = true;
    wake();
    thread_.join();
  }
  if (haveTimer_) timer_delete(timer_);
  if (eventFd_ >= 0) close(eventFd_);
}

void Looper::wake() {
  uint64_t one = 1;
  ssize_t ignored = write(eventFd_, &one, sizeof one);
  (void)ignored;
}

void Looper::kick() {
  kicked_.store(true);
  syscall(SYS_tgkill, pid_, jsTid_, kickSignal());
}

void Looper::setDeadline(int64_t deadlineNs) {
  if (armedNs_ != 0 && deadlineNs >= armedNs_ - 20'000 && armedNs_ > nowNs()) return;
  armedNs_ = deadlineNs;
  struct itimerspec spec;
  spec.it_value = {deadlineNs / 1'000'000'000, deadlineNs % 1'000'000'000};
  spec.it_interval = {0, kDeadlineRetryNs};
  timer_settime(timer_, TIMER_ABSTIME, &spec, nullptr);
}

// The timer repeats until it is switched off here: at the first signal, or turn of the loop, after its time.
void Looper::disarmExpired() {
  if (armedNs_ == 0 || armedNs_ > nowNs()) return;
  struct itimerspec off = {};
  timer_settime(timer_, 0, &off, nullptr);
  armedNs_ = 0;
}

void Looper::again(int64_t deadlineNs) {
  disarmExpired();
  if (deadlineNs != 0) setDeadline(deadlineNs);
}

// Milliseconds until the loop's next timer, -1 without one. uv_backend_timeout says 0 in every immediate: Node keeps a handle
// active until all have run.
static int nextTimer(uv_loop_t *loop) {
  int64_t next = INT64_MAX;
  uv_walk(
      loop,
      [](uv_handle_t *handle, void *next) {
        if (handle->type != UV_TIMER || !uv_is_active(handle)) return;
        const auto due = static_cast<int64_t>(uv_timer_get_due_in(reinterpret_cast<uv_timer_t *>(handle)));
        *static_cast<int64_t *>(next) = std::min(*static_cast<int64_t *>(next), due);
      },
      &next);
  return next == INT64_MAX ? -1 : static_cast<int>(std::min<int64_t>(next, INT32_MAX));
}

void Looper::arm(bool immediates) {
  disarmExpired();
  // Child processes of Node make libuv handle SIGCHLD; every guest stop would run its handler.
  struct sigaction action;
  if (sigaction(SIGCHLD, nullptr, &action) == 0 && action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN &&
      !(action.sa_flags & SA_NOCLDSTOP)) {
    action.sa_flags |= SA_NOCLDSTOP;
    sigaction(SIGCHLD, &action, nullptr);
  }
  int timeoutMs = immediates ? 0 : nextTimer(loop_);
  int64_t deadline = 0;
  int64_t now = nowNs();
  if (timeoutMs == 0) {
    deadline = now + kImmediateGraceNs;
  } else if (timeoutMs > 0) {
    deadline = static_cast<int64_t>(uv_now(loop_) + static_cast<uint64_t>(timeoutMs)) * 1'000'000;
    if (deadline <= now) deadline = now;
  }
  int64_t before = loopDeadlineNs_.exchange(deadline);
  __atomic_store_n(pending_, 0, __ATOMIC_RELEASE);
  bool watched = watchLoop_.exchange(true);
  bool sooner = deadline != 0 && deadline < now + kTickNs && (before == 0 || deadline < before);
  if (!watched || sooner) wake();
}

void Looper::run() {
  uint32_t lastSequence = 0;
  bool lastInWait = false;
  int quietTicks = 0;
  int waitedTicks = 0;
  int64_t lastTick = nowNs();
  int64_t nextTick = lastTick + kTickNs;
  while (!stop_) {
    bool retry = kicked_.load() && inWait_.load();
    int64_t now = nowNs();
    int64_t until = INT64_MAX;
    if (quietTicks < 4) until = nextTick;
    if (retry) until = std::min(until, now + kRetryNs);
    bool watch = watchLoop_.load();
    int64_t loopDeadline = watch ? loopDeadlineNs_.load() : 0;
    if (loopDeadline != 0) until = std::min(until, loopDeadline);

    const bool doze = quietTicks < 4 && nextTick - now > kTickNs;
    if (doze || quietTicks >= 4) {
      asleep_.store(true);
      if (doze ? sequence_.load() != lastSequence || !inWait_.load() : inWait_.load()) {
        asleep_.store(false);
        quietTicks = waitedTicks = 0;
        lastTick = now;
        nextTick = now + kTickNs;
        continue;
      }
    }
    struct pollfd fds[2] = {{eventFd_, POLLIN, 0}, {watch ? backendFd_ : -1, POLLIN, 0}};
    timespec timeout = {};
    if (until != INT64_MAX) {
      int64_t left = std::max<int64_t>(until - now, 0);
      timeout = {left / 1'000'000'000, left % 1'000'000'000};
    }
    ppoll(fds, 2, until == INT64_MAX ? nullptr : &timeout, nullptr);
    now = nowNs();
    if (asleep_.exchange(false) && (!doze || now < nextTick)) {
      quietTicks = waitedTicks = 0;
      lastTick = now;
      nextTick = now + kTickNs;
      lastSequence = sequence_.load();
    }
    if (fds[0].revents) {
      uint64_t count;
      ssize_t ignored = read(eventFd_, &count, sizeof count);
      (void)ignored;
    }
    if (stop_) break;
    if (watchLoop_.load() && (fds[1].revents != 0 || (loopDeadline != 0 && loopDeadline == loopDeadlineNs_.load() &&
                                                      now >= loopDeadline))) {
      watchLoop_.store(false);
      __atomic_store_n(pending_, 1, __ATOMIC_RELEASE);
      if (inWait_.load()) kick();
    } else if (retry && kicked_.load() && inWait_.load()) {
      kick();
    }
    if (now >= nextTick) {
      const auto ticks = static_cast<uint32_t>(std::max<int64_t>((now - lastTick) / kTickNs, 1));
      const uint32_t before = tick_.fetch_add(ticks, std::memory_order_relaxed);
      if ((before + ticks) / kSampleTicks != before / kSampleTicks) contention.sample(now);
      lastTick = now;
      nextTick = now + kTickNs;
      uint32_t sequence = sequence_.load();
      bool inWait = inWait_.load();
      waitedTicks = inWait && lastInWait && sequence == lastSequence ? waitedTicks + static_cast<int>(ticks) : 0;
      const int left = inWait ? patience() - waitedTicks : 1;
      if (left > 1 && waitedTicks > 0) nextTick += (left - 1) * kTickNs;
      else if (left <= 0) kick();
      quietTicks = sequence == lastSequence && !inWait ? quietTicks + 1 : 0;
      lastSequence = sequence;
      lastInWait = inWait;
    }
  }
}

void Looper::sleep(int64_t deadlineNs) {
  int64_t now = nowNs();
  int64_t until = now + kBlockCapNs;
  if (deadlineNs != 0) until = std::min(until, deadlineNs);
  int timeoutMs = uv_backend_timeout(loop_);
  // 0 is also said for the owner's own immediate: sleep a little rather than spin.
  if (timeoutMs == 0) until = std::min(until, now + kImmediateSleepNs);
  if (timeoutMs > 0) until = std::min(until, static_cast<int64_t>(uv_now(loop_) + static_cast<uint64_t>(timeoutMs)) * 1'000'000);
  int64_t left = std::max<int64_t>(until - now, 0);
  timespec timeout = {left / 1'000'000'000, left % 1'000'000'000};
  struct pollfd fd = {backendFd_, POLLIN, 0};
  ppoll(&fd, 1, &timeout, nullptr);
}

}  // namespace levitate
