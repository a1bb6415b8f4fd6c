// Readiness of host descriptors for the tty and the CLI: one helper thread in poll() and one thread-safe function.
//
// A watch is one-shot: after its callback it must be armed again, so a level that stays up costs nothing until the
// owner wants to hear of it. While something is armed the loop is kept alive. Regular files are always ready. The helper
// holds no napi value; everything else belongs to the JS thread.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "hostio.h"

namespace levitate {

namespace {

struct Watch {
  int fd;
  short events;
};
struct Ready {
  int id, revents;
};

class Watcher {
 public:
  Watcher(Napi::Env env, Napi::Function callback) : env_(env) {
    eventFd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    function_ = Napi::ThreadSafeFunction::New(env, callback, "levitate-watch", 0, 1);
    function_.Unref(env);
    env.AddCleanupHook([](Watcher *watcher) { delete watcher; }, this);
  }
  ~Watcher() { close(); }

  void arm(int id, int fd, int events) {
    if (closed_) return;
    {
      std::lock_guard lock(mutex_);
      armed_[id] = {fd, static_cast<short>(events)};
    }
    if (!thread_.joinable()) startThread();
    wake();
    keepAlive();
  }
  void disarm(int id) {
    if (closed_) return;
    {
      std::lock_guard lock(mutex_);
      if (armed_.erase(id) == 0) return;
    }
    wake();
    keepAlive();
  }
  // On the JS thread, when a callback has been made.
  void keepAlive() {
    if (closed_) return;
    bool any;
    {
      std::lock_guard lock(mutex_);
      any = !armed_.empty() || inFlight_ > 0;
    }
    if (any == referenced_) return;
    referenced_ = any;
    if (any) function_.Ref(env_);
    else function_.Unref(env_);
  }
  void delivered() {
    {
      std::lock_guard lock(mutex_);
      inFlight_--;
    }
    keepAlive();
  }
  void close() {
    if (closed_) return;
    closed_ = true;
    stop_ = true;
    if (thread_.joinable()) {
      wake();
      thread_.join();
    }
    function_.Abort();
    ::close(eventFd_);
  }

 private:
  void wake() {
    uint64_t one = 1;
    ssize_t ignored = write(eventFd_, &one, sizeof one);
    (void)ignored;
  }
  void startThread() {
    sigset_t all, saved;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &saved);
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &saved, nullptr);
    pthread_setname_np(thread_.native_handle(), "levitate-watch");
  }
  void run() {
    std::vector<pollfd> fds;
    std::vector<int> ids;
    while (!stop_) {
      fds.assign(1, {eventFd_, POLLIN, 0});
      ids.assign(1, 0);
      {
        std::lock_guard lock(mutex_);
        for (const auto &[id, watch] : armed_) {
          fds.push_back({watch.fd, watch.events, 0});
          ids.push_back(id);
        }
      }
      if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
      if (stop_) return;
      if (fds[0].revents) {
        uint64_t count;
        ssize_t ignored = read(eventFd_, &count, sizeof count);
        (void)ignored;
      }
      for (size_t i = 1; i < fds.size(); i++) {
        if (!fds[i].revents) continue;
        {
          std::lock_guard lock(mutex_);
          auto found = armed_.find(ids[i]);
          if (found == armed_.end() || found->second.fd != fds[i].fd) continue;
          armed_.erase(found);
          inFlight_++;
        }
        auto *ready = new Ready{ids[i], fds[i].revents};
        const auto call = [this](Napi::Env env, Napi::Function callback, Ready *data) {
          const Ready got = *data;
          delete data;
          if (env == nullptr || closed_) return;
          callback.Call({Napi::Number::New(env, got.id), Napi::Number::New(env, got.revents)});
          delivered();
        };
        if (function_.NonBlockingCall(ready, call) != napi_ok) delete ready;
      }
    }
  }

  napi_env env_;
  Napi::ThreadSafeFunction function_;
  std::mutex mutex_;
  std::map<int, Watch> armed_;
  int inFlight_ = 0;
  int eventFd_ = -1;
  std::thread thread_;
  std::atomic<bool> stop_{false};
  bool closed_ = false;
  bool referenced_ = false;
};

Watcher *of(const Napi::CallbackInfo &info) { return static_cast<Watcher *>(info.Data()); }
int integer(const Napi::CallbackInfo &info, size_t i) { return info[i].As<Napi::Number>().Int32Value(); }

Napi::Value createWatcher(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  auto *watcher = new Watcher(env, info[0].As<Napi::Function>());
  Napi::Object result = Napi::Object::New(env);
  const auto arm = [](const Napi::CallbackInfo &info) {
    of(info)->arm(integer(info, 0), integer(info, 1), integer(info, 2));
  };
  const auto disarm = [](const Napi::CallbackInfo &info) { of(info)->disarm(integer(info, 0)); };
  const auto close = [](const Napi::CallbackInfo &info) { of(info)->close(); };
  result.Set("arm", Napi::Function::New(env, arm, "arm", watcher));
  result.Set("disarm", Napi::Function::New(env, disarm, "disarm", watcher));
  result.Set("close", Napi::Function::New(env, close, "close", watcher));
  return result;
}

}  // namespace

void initWatch(Napi::Env env, Napi::Object exports) {
  exports.Set("createWatcher", Napi::Function::New<createWatcher>(env, "createWatcher"));
}

}  // namespace levitate
