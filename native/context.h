// One Context is one ptrace platform: its zygote, threads, physical memory, helper thread and shared arrays.
//
// Invariants: everything but the atomics belongs to the JS thread that made the context (it is the tracer); a slot is a
// host thread from its creation until its exit status has been collected; a thread counts as running from its resume
// to the moment its stop is taken out of the host.
#pragma once
#include <napi.h>
#include <sys/types.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "arch/arch.h"
#include "gate.h"
#include "placement.h"

namespace levitate {

// The control block, an Int32Array shared with src/platform/ptrace/layout.ts:
//
//   0        1     2       3     4       5       6       7          8            9        10           11        12..15
//   result | slot| signal| code| addrLo| addrHi| access| timeoutUs| resumeCount| running| loopPending| hostTid |
//   12 via (how a system call came: see Via) | 13 calls handed over | 14 times polling began | 15 who
//   16..21 three doubles: see argument() | 22, 24, 25 length and address of what a handed-over call brought along |
//   23 how many copies its answer carries
//   32 .. 32+kMaxSlots: the resume queue, slot numbers
//   then kMaxSlots words: per space, the peak RSS of its process in KiB, written when it has been collected
enum Control { kResult = 0, kSlot = 1, kSignal = 2, kCode = 3, kAddrLo = 4, kAddrHi = 5, kAccess = 6, kTimeoutUs = 7,
               kResumeCount = 8, kRunning = 9, kLoopPending = 10, kHostTid = 11, kVia = 12, kGatedCalls = 13,
               kPollingTimes = 14, kWho = 15, kArguments = 16, kInLength = 22, kOutCount = 23, kInAddrLo = 24,
               kInAddrHi = 25, kResumeQueue = 32 };

// A system call of an ordinary site; a stop inside the gate; handed over through the channel.
enum Via { kViaSite = 0, kViaGate = 1, kViaChannel = 2 };

enum Result { kNone = 0, kSyscall = 1, kSignalStop = 2, kInterrupted = 3, kGone = 4 };

constexpr int kMaxSlots = 16383;  // the last page below the end of user space stays free
constexpr int kMaxTid = 1 << 22;
// Words between register blocks in the shared Uint32Array, in 64-bit words; the same for every architecture.
constexpr int kBlockWords = 40;
constexpr int kBatchEntries = 64;
constexpr int kEntryWords = 8;
constexpr int kPeaks = kResumeQueue + kMaxSlots;
constexpr size_t kControlBytes = (kPeaks + kMaxSlots) * sizeof(int32_t);
constexpr size_t kRegisterBytes = static_cast<size_t>(kMaxSlots) * kBlockWords * 8;
constexpr int kPhysicalFdInGuest = 3, kChannelFdInGuest = 4, kControlFdInGuest = 5;
constexpr size_t kControlPages = 4;  // batch, code, gate, gate control
constexpr size_t kFpRoom = 1024;  // before and behind the image in the FP area
constexpr size_t kStubAreaSize = 256u << 20;
constexpr size_t kChannelArea = 128u << 20;  // the upper half of it
constexpr int64_t kBlockCapNs = 10'000'000;
constexpr int64_t kCollectCapNs = 2'000'000'000;

enum class State : uint8_t { kFree, kStopped, kRunning, kDying };

struct Slot {
  pid_t tid = 0;
  int32_t space = -1;
  State state = State::kFree;
  bool wanted = false;         // interrupt() asked for and not yet delivered
  bool exitRequested = false;  // exit() was called: its exit status is swallowed
  bool channel = false;        // its channel is mapped
  bool held = false;           // its call has been taken out of its channel: it spins or parks
  bool wideFp = false;         // more than x87 and SSE registers was in use when last looked
  bool finish = false;         // held and answered, but on its way to a stop: resumed there
  uint32_t lastTick = 0;       // of its last stop or call
  uint64_t result = 0;         // last answer given through the channel
  uint64_t resumedAt = 0;      // arch::ticks()
  PlacementState placement;
};

struct Space {
  pid_t tgid = 0;
  int alive = 0;    // slots not yet killed or told to exit
  int exiting = 0;  // of those, how many have been asked to
  int slots = 0;    // slots whose exit status has not been collected
  bool threaded = false;  // has ever had a second thread
  bool killed = false;
  int32_t peakKb = 0;  // peak RSS as exit statuses told it
  int pagemapFd = -1;
  int statmFd = -1;
  int inheriting = -1;  // slot whose channel a fork would still hand down
  Continuations continuations;
};

struct Event {
  pid_t tid;
  int status;
  int32_t peakKb = 0;  // with an exit status that was asked for: the process's peak RSS
};

// Memory shared with JavaScript: unmapped when both the context and the last buffer on it are done with it. At the end
// of an environment either may come first.
struct Region {
  void *at;
  size_t size;
  std::atomic<int> users{1};
  void drop();
};

class Looper;

struct HostArea {
  uint64_t start, end;
  std::string mode, name;
};

class Context {
 public:
  Context(napi_env env, std::string stubPath, uint64_t physicalSize, bool place, int gate);
  ~Context();

  // zygote.cc: 0 or errno, `failedStep` says where.
  int start();
  const char *failedStep = "";
  void close();
  bool closed() const { return closed_; }

  // wait.cc
  // Does at once what the next wait would begin with.
  void send();
  void wait();
  void resume(int slot);
  void interrupt(int slot);
  void requestExit(int slot);
  // Nothing will be waited for for a while: carries out exits, collects what has died. How many are still dying.
  int settle();
  // Waits (not for ever) until the exit statuses of a killed space have been collected.
  void collect(int space);

  // batch.cc: errno results
  int runBatch(int slot, int count, int *failedAt, uint64_t *kept = nullptr);
  int runCall(int slot, const uint64_t *call, uint64_t *result);
  int sync(int slot);

  // threads.cc: slot or -errno
  int cloneThread(int slot);
  int fork(int slot);
  int createAddressSpace();
  // FP state through fpImage(): 0 or errno.
  int getFp(int slot, arch::FpKind *kind);
  int setFp(int slot, size_t length);
  int resetFp(int slot, arch::FpKind from);
  int cpuTime(int slot, double *userNs, double *systemNs);

  // memory.cc: bytes or -errno
  ssize_t copyFrom(int space, uint64_t addr, uint8_t *to, size_t length);
  ssize_t copyTo(int space, uint64_t addr, uint8_t *from, size_t length);
  // Physical memory is to be executed as it is now.
  void syncCode(uint64_t offset, uint64_t length);
  int release(uint64_t offset, uint64_t length);
  int clear(uint64_t offset, uint64_t length);
  double physicalResident();
  int poke(int space, uint64_t addr, const uint8_t *from, size_t length);
  ssize_t resident(int space, uint64_t addr, uint64_t length, uint8_t *out);
  double rss(int space);
  double peakRss(int space);

  // gate.cc
  bool gate() const { return gate_; }
  GateControl *gateControl() const { return gateControl_; }
  // In memory: a page at least, where every process has its own at the same address.
  size_t channelBytes() const { return arch::kChannelPerThread ? kChannelBytes : std::max(kChannelBytes, pageSize); }
  size_t channelFile() const { return (kMaxSlots + 1) * channelBytes(); }
  Channel *channelAt(int index) const;
  Channel *channelOf(int slot) const;
  bool alone(int slot) const { return spaces[slots[slot].space].slots == 1; }
  uint64_t gateAt() const { return gateAt_; }
  uint64_t channelsAt() const { return channelsAt_; }

  napi_env env;
  std::string stubPath;
  uint64_t physicalSize;
  uint8_t *physical = nullptr;
  int physicalFd = -1;
  int32_t *control = nullptr;
  // Arguments and results of the functions that are called often, about the slot or space `kWho`.
  double &argument(int i) { return reinterpret_cast<double *>(control + kArguments)[i]; }
  uint64_t *registers = nullptr;
  uint64_t *batch = nullptr;  // supervisor's view of the batch page
  size_t pageSize = 4096;
  uint64_t taskSize = 0;
  uint64_t vdso = 0;
  // What the host's kernel has in every guest and /proc/PID/maps shows, by address: the vDSO and its data, the vsyscall page.
  std::vector<HostArea> hostAreas;
  // An FP image with kFpRoom bytes on either side, shared with JavaScript.
  uint8_t *fpArea = nullptr;
  size_t fpSize = 0;
  uint8_t *fpImage() const { return fpArea + kFpRoom; }
  std::vector<Slot> slots;
  std::vector<Space> spaces;
  Placement placement;
  std::unique_ptr<Looper> looper;
  std::vector<napi_ref> buffers;
  std::vector<Region *> regions;

  uint64_t *block(int slot) { return registers + static_cast<size_t>(slot) * kBlockWords; }
  int findSlot(pid_t tid) const { return tid > 0 && tid < kMaxTid ? slotOfTid_[tid] - 1 : -1; }
  // A thread of the space that is alive, for process_vm_* and /proc.
  pid_t liveTid(int space) const;

 private:
  friend class ZygoteSetup;
  int mapShared();
  int addSlot(pid_t tid, int space);
  int addSpace(pid_t tgid);
  void freeSlot(int slot);
  void markRunning(int slot);
  void markNotRunning(int slot);
  void resumeAsIs(int slot);
  void processExits();
  void runExit(int slot);
  bool handle(const Event &event);
  bool handleStop(int slot, int status);
  void report(int result, int slot);
  // False when nothing stopped in time.
  bool fetch(pid_t who, int flags, Event *event);
  bool nextEvent(Event *event, int64_t deadlineNs, bool poll);
  bool idle(Event *event, int64_t deadlineNs, bool poll);
  void collectReady();
  bool expectingExit() const;
  int adoptChild(int parent, pid_t tid, int space);
  int waitForStub(int slot, uint64_t *regs);
  void startQueued();
  int runOneByOne(int slot, int count, int *failedAt, uint64_t *kept);
  void route(const Event &event);
  // Whether some process of this JS thread's contexts is dying.
  static bool anyDying();

  enum class Found { kNothing, kSleep, kEvent, kCall };
  Found poll(Event *event, int64_t deadlineNs, bool once);
  bool take(int slot);
  bool takeAny();
  void reply(int slot);
  void deliver(int slot);
  void copyFault(int slot);
  void park(int slot);
  bool mergeHeld(int slot);
  int halt(int slot);
  bool takeReadyStop(pid_t tid);
  bool heldStop(int slot);
  void gateStop(int slot, uint64_t *regs);
  void leaveGate(int slot, uint64_t *regs);
  int readRegs(int slot, uint64_t *regs);
  void resumeWithRegs(int slot);
  void countStop(int slot, bool gated);
  int busySlots() const;
  void startPolling();
  void stopPolling();
  void placeRunning();
  void remember(int slot, uint64_t ret, uint64_t cont);
  void calibrate();
  uint64_t channelAddress(int slot) const;
  int nextSlot() const { return freeSlots_.empty() ? static_cast<int>(slots.size()) : freeSlots_.back(); }
  int nextSpace() const { return freeSpaces_.empty() ? static_cast<int>(spaces.size()) : freeSpaces_.back(); }
  int bearThreadWithChannel(int parent, uint64_t flags, uint64_t *tid);
  int bearProcessWithChannel(int parent, uint64_t flags, uint64_t *tid);
  int bear(int parent, uint64_t flags, uint64_t *tid);
  void setEntry(int index, uint64_t nr, uint64_t a, uint64_t b, uint64_t c = 0, uint64_t d = 0, uint64_t e = 0, uint64_t f = 0);

  int measureFp();
  int readFp(int slot, uint8_t *image, arch::FpKind *kind);

  int32_t *slotOfTid_ = nullptr;  // slot + 1
  std::vector<uint8_t> initialFp_;
  std::vector<int> freeSlots_, freeSpaces_, pendingExits_;
  std::vector<Event> ready_;  // stops taken out of the host and not yet reported, in order from readyHead_
  size_t readyHead_ = 0;
  int running_ = 0;
  int runningXor_ = 0;  // xor of the running slots' numbers: the slot itself when only one runs
  int dying_ = 0;       // slots with exitRequested
  unsigned rounds_ = 0;
  uint32_t lastTick_ = 0;
  uint64_t stubAt_ = 0, batchAt_ = 0;
  uint64_t leaveAt_ = 0;  // stub: unmap, then exit
  uint64_t callEnd_ = 0, batchEnd_ = 0;  // ip at the stub's breakpoints
  int zygote_ = -1;
  int controlFd_ = -1, channelFd_ = -1;
  bool gate_ = false;
  uint64_t gateAt_ = 0, channelsAt_ = 0;
  GateControl *gateControl_ = nullptr;
  uint8_t *channels_ = nullptr;
  Regime regime_;
  int held_ = -1;       // taken since the last wait
  int lastTaken_ = -1;  // polled first
  unsigned polls_ = 0;
  double ticksPerUs_ = arch::ticksPerUs();
  int64_t calibrationNs_ = 0;
  uint64_t calibrationTicks_ = 0;
  bool place_;
  bool wantGate_;
  bool closed_ = false;
};

// vdso.cc: offset from the start of the vDSO's image, or 0.
uint64_t vdsoSymbol(const char *name);

inline int64_t nowNs() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000ll + t.tv_nsec;
}

// spawn.cc: starts `path` without forking the big process. fds[i] becomes descriptor i + firstFd of the child, every
// other one is closed. Returns the pid or -errno.
pid_t spawn(const char *path, const char *name, const int *fds, int count, int firstFd, bool dieWithParent);

}  // namespace levitate
