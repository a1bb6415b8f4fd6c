// Runs a program of the host's under ptrace, its system calls carried out by the host: the native side of levitate-diff.
//
// Invariants: everything belongs to the JS thread that made the tracer, which has at most one of these at a time and no ptrace
// context with guests beside it, since a wait takes any traced thread's event. A task's stop is shown only after its birth has
// been: one that comes sooner is kept. No traced process outlives the tracer (PTRACE_O_EXITKILL, and close() reaps).
#pragma once
#include <napi.h>
#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "pump.h"

namespace levitate {

// What next() found. The numbers are those of src/platform/host-tracer.ts.
enum TraceEvent { kTraceNone = 0, kTraceEnter = 1, kTraceLeave = 2, kTraceSignal = 3, kTraceGroupStop = 4, kTraceBirth = 5,
                  kTraceExec = 6, kTraceExit = 7, kTraceFinished = 8 };

// The event block, 64-bit words shared with JavaScript:
//   0 tid | 1 number of the call | 2..7 its arguments | 8 result | 9 whether it is an error | 10 stack pointer |
//   11 signal or wait status | 12 new task, or the former tid of a thread that called execve | 16..31 siginfo, 128 bytes
enum TraceWord { kTraceTid = 0, kTraceNr = 1, kTraceArgs = 2, kTraceResult = 8, kTraceFailed = 9, kTraceSp = 10,
                 kTraceStatus = 11, kTraceOther = 12, kTraceInfo = 16, kTraceWords = 32 };

struct TraceMount {
  std::string source, target, type, data;
  unsigned long flags = 0;
  bool optional = false;
};

struct TraceLaunch {
  std::string root;                     // chroot(2) here; empty: none
  unsigned long namespaces = 0;         // CLONE_NEW*
  std::string uidMap, gidMap;           // with CLONE_NEWUSER
  std::vector<TraceMount> mounts;       // in order, in a private mount namespace
  std::string hostname;                 // with CLONE_NEWUTS
  std::string cwd;
  std::vector<std::string> candidates;  // where the program may be: the first that can be executed
  std::vector<std::string> argv, envp;
  std::vector<double> limits;           // soft and hard by RLIMIT_ number; negative: leave alone
  std::vector<uint8_t> input;
};

class HostTracer {
 public:
  ~HostTracer() { close(); }
  // 0 or errno; `step` says what failed.
  int start(const TraceLaunch &launch);
  const char *step = "";
  // Resumes the task shown last and waits for the next event; kTraceNone after `timeoutMs` without one.
  int next(int timeoutMs);
  int read(pid_t tid, uint64_t addr, uint8_t *to, size_t length);
  // Sends SIGKILL to all; their ends are still shown.
  void kill();
  void close();
  std::vector<uint8_t> output(int fd) { return pump_ ? pump_->output(fd) : std::vector<uint8_t>(); }
  uint64_t event[kTraceWords] = {};

 private:
  struct Tracee {
    bool inCall = false;
  };
  int attach(pid_t child, int go, int status);
  int startTimer();
  int handle(pid_t tid, int status);
  int syscallStop(pid_t tid, Tracee &tracee);
  int show(int kind, pid_t tid);
  void resume(pid_t tid, long request, int signal = 0);
  // The task shown last goes on like this.
  void later(pid_t tid, long request, int signal = 0) { later_ = {tid, request, signal}; }

  struct {
    pid_t tid;
    long request;
    int signal;
  } later_ = {};
  std::unordered_map<pid_t, Tracee> tracees_;
  std::unordered_map<pid_t, int> early_;  // wait statuses of tasks whose birth has not been shown
  std::unique_ptr<Pump> pump_;
  bool launching_ = true;  // until the first execve: nothing is shown
  bool haveTimer_ = false;
  timer_t timer_{};
};

// tracer-launch.cc: starts a child that is ready to be traced. Sets the descriptors of its "go" and status pipes and, in
// `ours`, our ends of its standard streams. The pid or -errno.
pid_t launchTraced(const TraceLaunch &launch, int *go, int *status, int ours[3]);
// What the child reports before its execve.
struct LaunchReport {
  int32_t error;
  int32_t step;
};
const char *launchStep(int step);

void initTracer(Napi::Env env, Napi::Object exports);

}  // namespace levitate
