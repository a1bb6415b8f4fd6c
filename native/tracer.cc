// The tracer proper, see tracer.h: seizing, stops and what they mean, the end.
#include "tracer.h"

#include <linux/ptrace.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstring>

#include "arch/arch.h"
#include "hostcall.h"

namespace levitate {

namespace {

constexpr long kPtraceSyscall = 24, kPtraceGetEventMsg = 0x4201, kPtraceListen = 0x4208;
constexpr uintptr_t kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                               PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
constexpr int64_t kCloseNs = 5'000'000'000;

int64_t monotonicNs() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000ll + t.tv_nsec;
}

// As the looper's: only ends a blocking call.
int kickSignal() { return SIGRTMIN + 9; }
void onKick(int) {}

bool stopsGroup(int signal) { return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU; }

}  // namespace

int HostTracer::startTimer() {
  struct sigaction old;
  if (sigaction(kickSignal(), nullptr, &old) == 0 && old.sa_handler == SIG_DFL) {
    struct sigaction action = {};
    action.sa_handler = onKick;  // without SA_RESTART
    sigaction(kickSignal(), &action, nullptr);
  }
  sigset_t unblock;
  sigemptyset(&unblock);
  sigaddset(&unblock, kickSignal());
  pthread_sigmask(SIG_UNBLOCK, &unblock, nullptr);
  struct sigevent event = {};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = kickSignal();
  event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
  if (timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0) return errno;
  haveTimer_ = true;
  return 0;
}

int HostTracer::start(const TraceLaunch &launch) {
  step = "timer";
  if (const int error = startTimer()) return error;
  int go, status, ours[3];
  step = "clone";
  const pid_t child = launchTraced(launch, &go, &status, ours);
  if (child < 0) return -child;
  pump_ = std::make_unique<Pump>(launch.input, ours);
  LaunchReport report = {EPIPE, 0};
  ssize_t got;
  do got = ::read(status, &report, sizeof report);
  while (got < 0 && errno == EINTR);
  ::close(status);
  int error = got == sizeof report ? report.error : EPIPE;
  step = launchStep(report.step);
  if (!error) {
    step = "ptrace";
    error = attach(child, go, status);
  }
  ::close(go);
  if (!error) return 0;
  ::kill(child, SIGKILL);
  int ended;
  while (hostWait(child, &ended, static_cast<int>(__WALL)) == child && isStop(ended)) {
  }
  tracees_.clear();
  return error;
}

int HostTracer::attach(pid_t child, int go, int) {
  if (const int error = hostPtrace(kPtraceSeize, child, 0, reinterpret_cast<void *>(kOptions))) return error;
  // The child sleeps in a read: stopped now, it shows all its calls from here on.
  if (const int error = hostPtrace(kPtraceInterrupt, child, 0, nullptr)) return error;
  int status;
  if (hostWaitFor(child, &status) != child || !isStop(status)) return ESRCH;
  tracees_[child];
  resume(child, kPtraceSyscall);
  return ::write(go, "g", 1) == 1 ? 0 : EPIPE;
}

void HostTracer::resume(pid_t tid, long request, int signal) {
  // An error means that it has been killed: its exit status is on the way.
  hostPtrace(request, tid, 0, reinterpret_cast<void *>(static_cast<intptr_t>(signal)));
}

int HostTracer::show(int kind, pid_t tid) {
  event[kTraceTid] = static_cast<uint64_t>(tid);
  return kind;
}

int HostTracer::syscallStop(pid_t tid, Tracee &tracee) {
  struct ptrace_syscall_info info;
  later(tid, kPtraceSyscall);
  if (hostPtraceResult(PTRACE_GET_SYSCALL_INFO, tid, sizeof info, &info) < 0) return kTraceNone;
  event[kTraceSp] = info.stack_pointer;
  if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
    tracee.inCall = true;
    // A 32-bit entry has other numbers: none of ours.
    event[kTraceNr] = info.arch == arch::kAuditArch ? info.entry.nr : ~0ull;
    memcpy(event + kTraceArgs, info.entry.args, sizeof info.entry.args);
    if (launching_ && event[kTraceNr] != SYS_execve) return kTraceNone;
    launching_ = false;
    return show(kTraceEnter, tid);
  }
  if (info.op != PTRACE_SYSCALL_INFO_EXIT || !tracee.inCall || launching_) return kTraceNone;
  tracee.inCall = false;
  event[kTraceResult] = static_cast<uint64_t>(info.exit.rval);
  event[kTraceFailed] = info.exit.is_error;
  return show(kTraceLeave, tid);
}

int HostTracer::handle(pid_t tid, int status) {
  const auto found = tracees_.find(tid);
  if (found == tracees_.end()) {
    early_[tid] = status;
    return kTraceNone;
  }
  event[kTraceStatus] = static_cast<uint64_t>(static_cast<uint32_t>(status));
  if (!isStop(status)) {
    tracees_.erase(found);
    return show(kTraceExit, tid);
  }
  const int signal = stopSignal(status);
  unsigned long message = 0;
  switch (stopEvent(status)) {
    case 0:
      if (signal == (SIGTRAP | 0x80)) return syscallStop(tid, found->second);
      later(tid, kPtraceSyscall, signal);
      if (hostPtrace(kPtraceGetSiginfo, tid, 0, event + kTraceInfo) != 0) return kTraceNone;
      event[kTraceStatus] = static_cast<uint64_t>(signal);
      return launching_ ? kTraceNone : show(kTraceSignal, tid);
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
      later(tid, kPtraceSyscall);
      if (hostPtrace(kPtraceGetEventMsg, tid, 0, &message) != 0) return kTraceNone;
      tracees_[static_cast<pid_t>(message)];
      event[kTraceOther] = message;
      return show(kTraceBirth, tid);
    case PTRACE_EVENT_EXEC:
      later(tid, kPtraceSyscall);
      // A thread that is not the first takes the first one's id; the others are gone.
      if (hostPtrace(kPtraceGetEventMsg, tid, 0, &message) != 0) return kTraceNone;
      if (static_cast<pid_t>(message) != tid) {
        const auto former = tracees_.find(static_cast<pid_t>(message));
        if (former != tracees_.end()) {
          found->second = former->second;
          tracees_.erase(former);
        }
      }
      event[kTraceOther] = message;
      return show(kTraceExec, tid);
    case kEventStop:
      if (!stopsGroup(signal)) break;
      later(tid, kPtraceListen);
      event[kTraceStatus] = static_cast<uint64_t>(signal);
      return show(kTraceGroupStop, tid);
  }
  later(tid, kPtraceSyscall);
  return kTraceNone;
}

int HostTracer::next(int timeoutMs) {
  const struct itimerspec limit = {{0, 5'000'000}, {timeoutMs / 1000, timeoutMs % 1000 * 1'000'000}};
  const struct itimerspec off = {};
  bool armed = false;
  int kind = kTraceNone;
  while (kind == kTraceNone) {
    if (later_.tid != 0) resume(later_.tid, later_.request, later_.signal);
    later_ = {};
    if (tracees_.empty()) {
      if (pump_) pump_->finish();  // so that the output is whole
      kind = kTraceFinished;
      break;
    }
    pid_t tid = 0;
    int status = 0;
    for (const auto &[early, stop] : early_) {
      if (!tracees_.contains(early)) continue;
      tid = early;
      status = stop;
      break;
    }
    if (tid != 0) early_.erase(tid);
    else {
      if (!armed) timer_settime(timer_, 0, &limit, nullptr);
      armed = true;
      tid = hostWait(-1, &status, kWaitFlags);
      if (tid == -EINTR) break;
      if (tid < 0) tracees_.clear();
    }
    if (tid > 0) kind = handle(tid, status);
  }
  if (armed) timer_settime(timer_, 0, &off, nullptr);
  return kind;
}

int HostTracer::read(pid_t tid, uint64_t addr, uint8_t *to, size_t length) {
  if (!tracees_.contains(tid)) return ESRCH;
  const iovec local = {to, length}, remote = {reinterpret_cast<void *>(addr), length};
  const ssize_t got = process_vm_readv(tid, &local, 1, &remote, 1, 0);
  return got < 0 ? errno : static_cast<size_t>(got) == length ? 0 : EFAULT;
}

void HostTracer::kill() {
  for (const auto &[tid, tracee] : tracees_) ::kill(tid, SIGKILL);
  for (const auto &[tid, status] : early_) ::kill(tid, SIGKILL);
}

void HostTracer::close() {
  const int64_t end = monotonicNs() + kCloseNs;
  if (!tracees_.empty() || !early_.empty()) kill();
  while ((!tracees_.empty() || !early_.empty()) && monotonicNs() < end) {
    int status;
    const pid_t tid = hostWait(-1, &status, kWaitFlags | WNOHANG);
    if (tid == -ECHILD) break;
    if (tid <= 0) {
      const timespec pause = {0, 200'000};
      nanosleep(&pause, nullptr);
    } else if (isStop(status)) {
      // Born while the others were killed.
      early_[tid] = status;
      ::kill(tid, SIGKILL);
    } else {
      tracees_.erase(tid);
      early_.erase(tid);
    }
  }
  tracees_.clear();
  early_.clear();
  later_ = {};
  pump_.reset();
  if (haveTimer_) timer_delete(timer_);
  haveTimer_ = false;
}

}  // namespace levitate
