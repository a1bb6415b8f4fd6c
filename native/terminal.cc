// Terminal modes with a guaranteed way back.
//
// Three layers restore a terminal that was made raw: the owner or the environment's clean-up hook; a handler for
// fatal signals that nobody else handles (it restores, then lets the signal do its work); and the guard process, which
// acts when the supervisor's end of its pipe closes without a word (SIGKILL). The list of raw terminals is the one
// process-wide state of the addon, because signal handlers are process-wide: fixed slots, lock-free.
//
// Termios here is the kernel's struct (36 bytes: four flag words, c_line, 19 control characters), as guests see it.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include "context.h"
#include "hostio.h"

namespace levitate {

namespace {

constexpr size_t kTermiosSize = 36;
constexpr unsigned long kTcgets = 0x5401, kTcsets = 0x5402;

struct RawTerminal {
  std::atomic<int> state{0};  // 0 free, 1 being changed, 2 raw
  int fd = -1;
  int pipe = -1;
  pid_t guard = -1;
  napi_env env = nullptr;
  uint8_t saved[kTermiosSize];
};
RawTerminal terminals[8];

const int fatalSignals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGXCPU, SIGSYS};

// Async-signal-safe.
void restoreAll() {
  for (RawTerminal &t : terminals) {
    if (t.state.load() != 2) continue;
    ioctl(t.fd, kTcsets, t.saved);
  }
}

void onFatal(int signal) {
  const int error = errno;
  restoreAll();
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, nullptr);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, signal);
  raise(signal);
  pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
  errno = error;
}

// Only where the default action would end the process: handlers of Node or the program stay theirs.
void watchSignals() {
  for (int signal : fatalSignals) {
    struct sigaction old;
    if (sigaction(signal, nullptr, &old) != 0 || old.sa_handler != SIG_DFL) continue;
    struct sigaction action = {};
    action.sa_handler = onFatal;
    sigfillset(&action.sa_mask);
    sigaction(signal, &action, nullptr);
  }
  static std::atomic<bool> registered{false};
  if (!registered.exchange(true)) atexit(restoreAll);
}

void unwatchSignals() {
  for (const RawTerminal &t : terminals)
    if (t.state.load() != 0) return;
  for (int signal : fatalSignals) {
    struct sigaction old;
    if (sigaction(signal, nullptr, &old) == 0 && old.sa_handler == onFatal) {
      old.sa_handler = SIG_DFL;
      sigaction(signal, &old, nullptr);
    }
  }
}

int release(RawTerminal &t) {
  int expected = 2;
  if (!t.state.compare_exchange_strong(expected, 1)) return 0;
  const int error = ioctl(t.fd, kTcsets, t.saved) < 0 ? errno : 0;
  if (t.pipe >= 0) {
    char quit = 'q';
    ssize_t ignored = ::write(t.pipe, &quit, 1);
    (void)ignored;
    close(t.pipe);
  }
  if (t.guard > 0) {
    int status;
    while (waitpid(t.guard, &status, __WALL) < 0 && errno == EINTR) continue;
  }
  t.pipe = t.guard = -1;
  t.state.store(0);
  unwatchSignals();
  return error;
}

int integer(const Napi::CallbackInfo &info, size_t i) { return info[i].As<Napi::Number>().Int32Value(); }
Napi::Value reply(const Napi::CallbackInfo &info, int value) { return Napi::Number::New(info.Env(), value); }
uint8_t *termiosBytes(const Napi::CallbackInfo &info, size_t i) {
  auto array = info[i].As<Napi::Uint8Array>();
  return array.ByteLength() >= kTermiosSize ? array.Data() : nullptr;
}

// (fd, bytes): errno
Napi::Value getTermios(const Napi::CallbackInfo &info) {
  uint8_t *at = termiosBytes(info, 1);
  if (!at) return reply(info, EINVAL);
  return reply(info, ioctl(integer(info, 0), kTcgets, at) < 0 ? errno : 0);
}
// (fd, bytes, action 0 now, 1 drain, 2 flush): errno
Napi::Value setTermios(const Napi::CallbackInfo &info) {
  uint8_t *at = termiosBytes(info, 1);
  const int action = integer(info, 2);
  if (!at || action < 0 || action > 2) return reply(info, EINVAL);
  return reply(info, ioctl(integer(info, 0), kTcsets + static_cast<unsigned long>(action), at) < 0 ? errno : 0);
}

// (fd, guard's path): errno. Raw as cfmakeraw(3) makes it; already raw through us is no error.
Napi::Value makeRaw(const Napi::CallbackInfo &info) {
  const int fd = integer(info, 0);
  for (RawTerminal &t : terminals)
    if (t.state.load() == 2 && t.fd == fd) return reply(info, 0);
  uint8_t saved[64] = {};
  if (ioctl(fd, kTcgets, saved) < 0) return reply(info, errno);
  RawTerminal *t = nullptr;
  for (RawTerminal &candidate : terminals) {
    int expected = 0;
    if (candidate.state.compare_exchange_strong(expected, 1)) {
      t = &candidate;
      break;
    }
  }
  if (!t) return reply(info, EBUSY);
  memcpy(t->saved, saved, kTermiosSize);
  t->fd = fd;
  t->env = info.Env();
  t->pipe = t->guard = -1;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) == 0) {
    const int fds[] = {ends[0], fd};
    const std::string path = info[1].As<Napi::String>().Utf8Value();
    const pid_t pid = spawn(path.c_str(), "levitate-guard", fds, 2, 3, false);
    close(ends[0]);
    if (pid > 0 && ::write(ends[1], saved, kTermiosSize) == kTermiosSize) {
      t->guard = pid;
      t->pipe = ends[1];
    } else {
      close(ends[1]);
    }
  }
  watchSignals();
  t->state.store(2);
  uint32_t flags[4];
  memcpy(flags, saved, sizeof flags);
  flags[0] &= ~(0x1u | 0x2u | 0x8u | 0x20u | 0x40u | 0x80u | 0x100u | 0x400u);  // IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON
  flags[1] &= ~0x1u;                                                             // OPOST
  flags[2] = (flags[2] & ~(0x30u | 0x100u)) | 0x30u;                             // CSIZE PARENB, CS8
  flags[3] &= ~(0x8u | 0x40u | 0x2u | 0x1u | 0x8000u);                           // ECHO ECHONL ICANON ISIG IEXTEN
  memcpy(saved, flags, sizeof flags);
  saved[17 + 6] = 1;  // VMIN
  saved[17 + 5] = 0;  // VTIME
  if (ioctl(fd, kTcsets, saved) < 0) {
    const int error = errno;
    release(*t);
    return reply(info, error);
  }
  return reply(info, 0);
}

Napi::Value restoreTerminal(const Napi::CallbackInfo &info) {
  for (RawTerminal &t : terminals)
    if (t.state.load() == 2 && t.fd == integer(info, 0)) return reply(info, release(t));
  return reply(info, 0);
}

// (fd, Uint16Array(4): rows, columns, x pixels, y pixels): errno
Napi::Value getWinsize(const Napi::CallbackInfo &info) {
  auto out = info[1].As<Napi::Uint16Array>();
  struct winsize size;
  if (ioctl(integer(info, 0), TIOCGWINSZ, &size) < 0) return reply(info, errno);
  const uint16_t values[] = {size.ws_row, size.ws_col, size.ws_xpixel, size.ws_ypixel};
  for (size_t i = 0; i < 4 && i < out.ElementLength(); i++) out[i] = values[i];
  return reply(info, 0);
}

}  // namespace

void initTerminal(Napi::Env env, Napi::Object exports) {
  exports.Set("getTermios", Napi::Function::New<getTermios>(env, "getTermios"));
  exports.Set("setTermios", Napi::Function::New<setTermios>(env, "setTermios"));
  exports.Set("makeRaw", Napi::Function::New<makeRaw>(env, "makeRaw"));
  exports.Set("restoreTerminal", Napi::Function::New<restoreTerminal>(env, "restoreTerminal"));
  exports.Set("getWinsize", Napi::Function::New<getWinsize>(env, "getWinsize"));
  const auto hook = [](napi_env__ *ending) {
    for (RawTerminal &t : terminals)
      if (t.state.load() == 2 && t.env == ending) release(t);
  };
  env.AddCleanupHook(hook, static_cast<napi_env>(env));
}

}  // namespace levitate
