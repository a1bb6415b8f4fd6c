// ptrace and wait4 as plain functions that return errno numbers. <sys/ptrace.h> clashes with <linux/ptrace.h>, so the
// system call is made directly.
#pragma once
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>

namespace levitate {

// Linux's requests that differ from or are missing in older headers.
constexpr long kPtraceCont = 7, kPtraceSysemu = 31, kPtraceGetSiginfo = 0x4202, kPtraceGetRegset = 0x4204,
               kPtraceSetRegset = 0x4205, kPtraceSeize = 0x4206, kPtraceInterrupt = 0x4207, kPtracePeekSiginfo = 0x4209;
constexpr int kEventStop = 128;  // PTRACE_EVENT_STOP
// Sees traced threads of this thread only: __WCLONE without __WALL leaves Node's own child processes alone (they end
// with SIGCHLD and are not traced), while traced threads are always eligible.
constexpr int kWaitFlags = static_cast<int>(0x80000000u | 0x20000000u);  // __WCLONE | __WNOTHREAD

inline long hostPtraceResult(long request, pid_t tid, uintptr_t addr, void *data) {
  return syscall(SYS_ptrace, request, static_cast<long>(tid), addr, data);
}
inline int hostPtrace(long request, pid_t tid, uintptr_t addr, void *data) {
  return hostPtraceResult(request, tid, addr, data) < 0 ? errno : 0;
}
// Result: thread id, 0 (nothing, WNOHANG) or -errno. The arguments of the raw call are the same as the wrapper's.
inline pid_t hostWait(pid_t tid, int *status, int flags, rusage *usage = nullptr) {
  long got = syscall(SYS_wait4, static_cast<long>(tid), status, static_cast<long>(flags), usage);
  return got < 0 ? -errno : static_cast<pid_t>(got);
}
// The same for one thread, whatever signals arrive meanwhile.
inline pid_t hostWaitFor(pid_t tid, int *status) {
  pid_t got;
  do got = hostWait(tid, status, kWaitFlags);
  while (got == -EINTR);
  return got;
}

inline bool isStop(int status) { return (status & 0xff) == 0x7f; }
inline int stopSignal(int status) { return (status >> 8) & 0xff; }
inline int stopEvent(int status) { return static_cast<int>(static_cast<unsigned>(status) >> 16); }

}  // namespace levitate
