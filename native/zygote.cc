// The zygote: the first stub process, which every new address space is forked from.
//
// Set-up through calls the supervisor injects: batch page (read-only, shared) and code page at the top of the address
// space, the host's vDSO and its data pages moved there too, everything else unmapped, then a seccomp filter that lets
// through only what a batch may call, and only from the code page. It is never resumed after that.
//
// Top of every address space, from taskSize (stubArea):
//   +0 batch page   +1 page code page   +2 pages gate   +3 pages gate control   +64 KiB .. vDSO data, vDSO
//   +128 MiB .. channels: one for every slot, or the process's
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cstddef>
#include <string>

#include "context.h"
#include "looper.h"

extern "C" {
extern const char levitate_stub_start[];
extern const char levitate_stub_end[];
extern const char levitate_stub_call_end[];
extern const char levitate_stub_batch_end[];
extern const char levitate_stub_leave[];
}

namespace levitate {

constexpr uint64_t kGadget = 0x400000;
constexpr uint64_t kVdsoOffset = kControlPages * 64 * 1024;  // behind the control pages, whatever their size
constexpr uint64_t kFixedArea = 1024 * 1024;  // everything there but the channels
constexpr size_t kBatchCodeOffset = 16;
constexpr size_t kFilterOffset = 1024;  // in the code page, behind the code
constexpr long kSeizeOptions = 0x100001;  // EXITKILL | TRACESYSGOOD

class ZygoteSetup {
 public:
  explicit ZygoteSetup(Context *context) : c(context) {}
  int run();

 private:
  struct Mapping {
    uint64_t start, end;
    std::string mode, name;
  };
  static bool isVdso(const Mapping &m) { return m.name == "[vdso]" || m.name.compare(0, 5, "[vvar") == 0; }
  int attempt();
  int readMaps();
  int call(uint64_t *result, long nr, uint64_t a = 0, uint64_t b = 0, uint64_t d = 0, uint64_t e = 0, uint64_t f = 0,
           uint64_t g = 0);
  int mapStub();
  int moveVdso();
  int installFilter();
  int probeSysemu();
  void writeFilter();
  int failed(const char *step, int error) {
    c->failedStep = step;
    return error;
  }

  Context *c;
  pid_t pid = 0;
  std::vector<Mapping> maps;
  uint64_t gadget = kGadget;
};

int ZygoteSetup::readMaps() {
  maps.clear();
  std::string path = "/proc/" + std::to_string(pid) + "/maps";
  FILE *file = fopen(path.c_str(), "re");
  if (!file) return errno;
  char line[512];
  while (fgets(line, sizeof line, file)) {
    unsigned long start, end;
    int nameAt = 0;
    char mode[5] = "";
    if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %n", &start, &end, mode, &nameAt) < 3) continue;
    std::string name = nameAt ? line + nameAt : "";
    while (!name.empty() && name.back() == '\n') name.pop_back();
    maps.push_back({start, end, mode, name});
  }
  fclose(file);
  return maps.empty() ? ESRCH : 0;
}

int ZygoteSetup::call(uint64_t *result, long nr, uint64_t a, uint64_t b, uint64_t d, uint64_t e, uint64_t f, uint64_t g) {
  uint64_t regs[kBlockWords];
  const uint64_t words[7] = {static_cast<uint64_t>(nr), a, b, d, e, f, g};
  int error = arch::getRegs(pid, regs);
  if (error) return error;
  arch::prepareCall(regs, gadget, words);
  if ((error = arch::setRegs(pid, regs))) return error;
  for (;;) {
    if ((error = hostPtrace(kPtraceCont, pid, 0, nullptr))) return error;
    int status;
    if (hostWaitFor(pid, &status) != pid || !isStop(status)) return ESRCH;
    if (stopSignal(status) == SIGTRAP && stopEvent(status) == 0) break;
    if (stopEvent(status) == 0 && stopSignal(status) == SIGSEGV) return EFAULT;
  }
  if ((error = arch::getRegs(pid, regs))) return error;
  *result = arch::result(regs);
  if (*result > static_cast<uint64_t>(-4096)) return static_cast<int>(-static_cast<int64_t>(*result));
  return 0;
}

int ZygoteSetup::mapStub() {
  uint64_t top = 0, result;
  for (const Mapping &m : maps)
    if (m.start < 1ull << 56) top = std::max(top, m.end);
  // The stack is the highest mapping; user address spaces end at a power of two (x86_64: a page below).
  uint64_t power = 1ull << 32;
  while (power < top) power <<= 1;
  c->taskSize = power - kStubAreaSize;
  c->batchAt_ = c->taskSize;
  c->stubAt_ = c->taskSize + c->pageSize;
  c->gateAt_ = c->stubAt_ + c->pageSize;
  c->channelsAt_ = c->taskSize + kChannelArea;
  c->callEnd_ = c->stubAt_ + static_cast<uint64_t>(levitate_stub_call_end - levitate_stub_start);
  c->leaveAt_ = c->stubAt_ + static_cast<uint64_t>(levitate_stub_leave - levitate_stub_start);
  c->batchEnd_ = c->stubAt_ + static_cast<uint64_t>(levitate_stub_batch_end - levitate_stub_start);
  if (c->gate_) {
    arch::fillGate(reinterpret_cast<uint8_t *>(c->batch) + 2 * c->pageSize, c->channelsAt_, c->gateAt_ + c->pageSize);
    c->gateControl_->limit = c->taskSize - 7;
  }
  uint64_t at = c->taskSize;
  int error = 0;
  for (const Mapping &m : maps) {  // in order of addresses; the vDSO is moved later
    if (!isVdso(m) || m.end <= c->taskSize || m.start >= power) continue;
    if (m.start < c->taskSize + kFixedArea) return EAGAIN;
    if (m.start > at) error = call(&result, arch::kCallMunmap, at, m.start - at);
    if (error) return error;
    at = m.end;
  }
  const uint64_t end = power - c->pageSize;
  if (at < end) error = call(&result, arch::kCallMunmap, at, end - at);
  if (!error)
    error = call(&result, arch::kCallMmap, c->batchAt_, c->pageSize, PROT_READ, MAP_SHARED | MAP_FIXED, kControlFdInGuest, 0);
  if (!error)
    error = call(&result, arch::kCallMmap, c->stubAt_, c->pageSize, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED,
                 kControlFdInGuest, c->pageSize);
  if (!error && c->gate_)
    error = call(&result, arch::kCallMmap, c->gateAt_, c->pageSize, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED,
                 kControlFdInGuest, 2 * c->pageSize);
  if (!error && c->gate_)
    error = call(&result, arch::kCallMmap, c->gateAt_ + c->pageSize, c->pageSize, PROT_READ, MAP_SHARED | MAP_FIXED,
                 kControlFdInGuest, 3 * c->pageSize);
  if (!error) error = call(&result, arch::kCallClose, kControlFdInGuest);
  return error;
}

// Without a vDSO (moving it is refused when the host seals its mappings) clocks trap, and all is well otherwise.
int ZygoteSetup::moveVdso() {
  uint64_t lowest = ~0ull, image = 0, result;
  c->hostAreas.clear();
  for (const Mapping &m : maps) {
    if (m.name == "[vsyscall]") c->hostAreas.push_back({m.start, m.end, m.mode, m.name});
    if (!isVdso(m)) continue;
    lowest = std::min(lowest, m.start);
    if (m.name == "[vdso]") image = m.start;
  }
  if (!image) return 0;
  uint64_t to = c->taskSize + kVdsoOffset;
  for (const Mapping &m : maps) {
    if (!isVdso(m)) continue;
    uint64_t size = m.end - m.start;
    if (call(&result, arch::kCallMremap, m.start, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to + (m.start - lowest)) == 0)
      continue;
    for (const Mapping &rest : maps)
      if (isVdso(rest) && rest.start >= m.start) call(&result, arch::kCallMunmap, rest.start, rest.end - rest.start);
    return 0;
  }
  c->vdso = to + (image - lowest);
  std::vector<HostArea> moved;
  for (const Mapping &m : maps)
    if (isVdso(m)) moved.push_back({to + (m.start - lowest), to + (m.end - lowest), m.mode, m.name});
  c->hostAreas.insert(c->hostAreas.begin(), moved.begin(), moved.end());
  return 0;
}

void ZygoteSetup::writeFilter() {
  auto *at = reinterpret_cast<uint8_t *>(c->batch) + c->pageSize + kFilterOffset;
  std::vector<sock_filter> code;
  const uint32_t low = static_cast<uint32_t>(c->stubAt_), high = static_cast<uint32_t>(c->stubAt_ >> 32);
  const auto load = [&](size_t offset) {
    code.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset)));
  };
  const auto killUnless = [&](uint32_t value) {
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0));
    code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  };
  load(offsetof(seccomp_data, arch));
  killUnless(arch::kAuditArch);
  load(offsetof(seccomp_data, instruction_pointer) + 4);
  // The vsyscall page: the host emulates it without a trap; make it one (arch::vsyscallStop).
  code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xffffffff, 0, 1));
  code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));
  killUnless(high);
  load(offsetof(seccomp_data, instruction_pointer));
  code.push_back(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~static_cast<uint32_t>(c->pageSize - 1)));
  killUnless(low);
  load(offsetof(seccomp_data, nr));
  const long allowed[] = {arch::kCallMmap, arch::kCallMunmap, arch::kCallMprotect, arch::kCallMremap,
                          arch::kCallMadvise, arch::kCallClone, arch::kCallExit, arch::kCallExitGroup};
  for (long nr : allowed) {
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(nr), 0, 1));
    code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  struct {
    uint16_t length;
    uint16_t pad[3];
    uint64_t filter;
  } program = {static_cast<uint16_t>(code.size()), {}, c->stubAt_ + kFilterOffset + 16};
  memcpy(at, &program, sizeof program);
  memcpy(at + 16, code.data(), code.size() * sizeof(sock_filter));
}

int ZygoteSetup::installFilter() {
  writeFilter();
  uint64_t result;
  int error = call(&result, arch::kCallPrctl, PR_SET_NO_NEW_PRIVS, 1);
  if (error) return error;
  // SPEC_ALLOW: without it old hosts switch off speculative store bypass in every guest.
  return call(&result, arch::kCallSeccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, c->stubAt_ + kFilterOffset);
}

int ZygoteSetup::probeSysemu() {
  uint64_t regs[kBlockWords];
  const uint64_t words[7] = {static_cast<uint64_t>(arch::kCallGetppid)};
  int error = arch::getRegs(pid, regs);
  if (error) return error;
  arch::prepareCall(regs, gadget, words);
  if ((error = arch::setRegs(pid, regs))) return error;
  if ((error = hostPtrace(kPtraceSysemu, pid, 0, nullptr))) return error;
  int status;
  if (hostWaitFor(pid, &status) != pid || !isStop(status)) return ESRCH;
  return stopSignal(status) == (SIGTRAP | 0x80) ? 0 : ENOSYS;
}

int ZygoteSetup::attempt() {
  const int fds[] = {c->physicalFd, c->channelFd_, c->controlFd_};
  pid = spawn(c->stubPath.c_str(), "levitate-guest", fds, 3, kPhysicalFdInGuest, true);
  if (pid < 0) return failed("spawn", -pid);
  // A guest that wakes never takes the CPU away from the supervisor or from another guest: they take turns anyway.
  const sched_param batch = {};
  sched_setscheduler(pid, SCHED_BATCH, &batch);
  int error = hostPtrace(kPtraceSeize, pid, 0, reinterpret_cast<void *>(kSeizeOptions));
  if (error) return failed("seize", error);
  if ((error = hostPtrace(kPtraceInterrupt, pid, 0, nullptr))) return failed("interrupt", error);
  int status;
  if (hostWaitFor(pid, &status) != pid || !isStop(status)) return failed("start", ESRCH);
  gadget = kGadget;
  if ((error = readMaps())) return failed("maps", error);
  if ((error = mapStub())) return failed("map", error);
  if ((error = moveVdso())) return failed("vdso", error);
  gadget = c->stubAt_;
  uint64_t result;
  if ((error = call(&result, arch::kCallMunmap, 0, c->taskSize))) return failed("unmap", error);
  if ((error = probeSysemu())) return failed("sysemu", error);
  if ((error = installFilter())) return failed("seccomp", error);
  return 0;
}

int ZygoteSetup::run() {
  auto *code = reinterpret_cast<uint8_t *>(c->batch) + c->pageSize;
  memcpy(code, levitate_stub_start, static_cast<size_t>(levitate_stub_end - levitate_stub_start));
  if (c->gate_) {
    memcpy(code + c->pageSize, arch::gateStart(), arch::gateSize());
    c->gateControl_->budget = arch::spinBudget() * static_cast<uint32_t>(c->regime_.patience());
  }
  int error = EAGAIN;
  for (int tries = 0; tries < 8 && error == EAGAIN; tries++) {
    error = attempt();
    if (error && pid > 0) {
      kill(pid, SIGKILL);
      int status;
      while (hostWait(pid, &status, __WALL) == pid && isStop(status)) continue;
    }
  }
  if (error) return error;
  int space = c->addSpace(pid);
  c->zygote_ = c->addSlot(pid, space);
  return 0;
}

int Context::start() {
  int error = mapShared();
  if (error) return error;
  uv_loop_t *loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  looper = std::make_unique<Looper>(loop, &control[kLoopPending], place_);
  failedStep = "thread";
  if ((error = looper->start())) return error;
  placement.init(place_);
  gate_ = wantGate_ && placement.active() && arch::gateSupported();
  if (gate_) calibrate();
  placement.pin();
  error = ZygoteSetup(this).run();
  placement.unpin();
  if (error) return error;
  failedStep = "fp";
  if ((error = measureFp())) return error;
  munmap(reinterpret_cast<uint8_t *>(batch) + pageSize, 2 * pageSize);  // nobody writes code from here on
  looper->arm(true);
  return 0;
}

}  // namespace levitate
