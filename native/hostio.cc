// Small host services without policy: clocks, randomness, reads and writes that never block.
//
// Descriptors may be shared with the shell that started us, so O_NONBLOCK is never set on them: readiness is asked for
// first. After POLLOUT a pipe takes PIPE_BUF bytes without blocking, so no write is longer than that.
#include "hostio.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace levitate {

namespace {

int integer(const Napi::CallbackInfo &info, size_t i) { return info[i].As<Napi::Number>().Int32Value(); }
Napi::Value reply(const Napi::CallbackInfo &info, double value) { return Napi::Number::New(info.Env(), value); }

struct HostIo {
  double clock[2];
};

// (clock id): errno. Seconds and nanoseconds go into the shared pair: nothing is allocated.
napi_value clock(napi_env env, napi_callback_info info) {
  napi_value arg, result;
  size_t count = 1;
  void *data;
  int32_t id = 0;
  napi_get_cb_info(env, info, &count, &arg, nullptr, &data);
  napi_get_value_int32(env, arg, &id);
  timespec t;
  const int error = clock_gettime(id, &t) < 0 ? errno : 0;
  if (!error) {
    auto *io = static_cast<HostIo *>(data);
    io->clock[0] = static_cast<double>(t.tv_sec);
    io->clock[1] = static_cast<double>(t.tv_nsec);
  }
  napi_create_int32(env, error, &result);
  return result;
}

uint8_t *bytes(const Napi::CallbackInfo &info, size_t i, double offset, double length) {
  auto array = info[i].As<Napi::Uint8Array>();
  if (offset < 0 || length < 0 || offset + length > static_cast<double>(array.ByteLength())) return nullptr;
  return array.Data() + static_cast<size_t>(offset);
}
double number(const Napi::CallbackInfo &info, size_t i) { return info[i].As<Napi::Number>().DoubleValue(); }

Napi::Value random(const Napi::CallbackInfo &info) {
  auto array = info[0].As<Napi::Uint8Array>();
  size_t done = 0;
  while (done < array.ByteLength()) {
    const ssize_t got = getrandom(array.Data() + done, array.ByteLength() - done, 0);
    if (got < 0 && errno != EINTR) return reply(info, errno);
    if (got > 0) done += static_cast<size_t>(got);
  }
  return reply(info, 0);
}

// 0 when ready, else -errno. A hang-up or error is "ready": the call itself reports it.
int ready(int fd, short events) {
  pollfd p = {fd, events, 0};
  const int got = poll(&p, 1, 0);
  if (got < 0) return -errno;
  if (p.revents & POLLNVAL) return -EBADF;
  return got == 0 ? -EAGAIN : 0;
}

// (fd, bytes, offset, length): bytes, 0 at the end of the file, -errno
Napi::Value readSome(const Napi::CallbackInfo &info) {
  uint8_t *at = bytes(info, 1, number(info, 2), number(info, 3));
  if (!at) return reply(info, -EINVAL);
  const int fd = integer(info, 0);
  const int state = ready(fd, POLLIN);
  if (state < 0) return reply(info, state);
  const ssize_t got = read(fd, at, static_cast<size_t>(number(info, 3)));
  return reply(info, static_cast<double>(got < 0 ? -errno : got));
}
Napi::Value writeSome(const Napi::CallbackInfo &info) {
  uint8_t *at = bytes(info, 1, number(info, 2), number(info, 3));
  if (!at) return reply(info, -EINVAL);
  const int fd = integer(info, 0);
  const int state = ready(fd, POLLOUT);
  if (state < 0) return reply(info, state);
  size_t length = static_cast<size_t>(number(info, 3));
  struct stat st;
  if (fstat(fd, &st) < 0) return reply(info, -errno);
  ssize_t done;
  if (S_ISSOCK(st.st_mode)) {
    done = send(fd, at, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  } else {
    if (!S_ISREG(st.st_mode)) length = std::min<size_t>(length, PIPE_BUF);
    // Node ignores SIGPIPE, but a host that embeds it may not: block it for this call.
    sigset_t pipe, saved;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &saved);
    done = write(fd, at, length);
    if (done < 0 && errno == EPIPE) {
      const timespec now = {};
      sigtimedwait(&pipe, nullptr, &now);
      errno = EPIPE;
    }
    const int error = errno;
    pthread_sigmask(SIG_SETMASK, &saved, nullptr);
    errno = error;
  }
  return reply(info, static_cast<double>(done < 0 ? -errno : done));
}

Napi::Value createHostIo(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  auto *io = new HostIo();
  Napi::Object result = Napi::Object::New(env);
  const auto drop = [](Napi::Env, void *, HostIo *hint) { delete hint; };
  result.Set("clockResult", Napi::ArrayBuffer::New(env, io->clock, sizeof io->clock, drop, io));
  napi_value function;
  napi_create_function(env, "clock", NAPI_AUTO_LENGTH, clock, io, &function);
  result.Set("clock", function);
  result.Set("random", Napi::Function::New<random>(env, "random"));
  result.Set("read", Napi::Function::New<readSome>(env, "read"));
  result.Set("write", Napi::Function::New<writeSome>(env, "write"));
  initWatch(env, result);
  initTerminal(env, result);
  return result;
}

}  // namespace

void initHostIo(Napi::Env env, Napi::Object exports) {
  exports.Set("createHostIo", Napi::Function::New<createHostIo>(env, "createHostIo"));
}

}  // namespace levitate
