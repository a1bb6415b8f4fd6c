// The thread behind pump.h.
#include "pump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

namespace levitate {

Pump::Pump(std::vector<uint8_t> input, const int fds[3]) : input_(std::move(input)), stopFd_(eventfd(0, EFD_CLOEXEC)) {
  for (int i = 0; i < 3; i++) fds_[i] = fds[i];
  fcntl(fds_[0], F_SETFL, O_NONBLOCK);  // ours alone: the other end is another open file
  // Inherited by the thread: a closed reader is EPIPE.
  sigset_t all, saved;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &saved);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &saved, nullptr);
}

void Pump::finish() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  ssize_t ignored = write(stopFd_, &one, sizeof one);
  (void)ignored;
  thread_.join();
}

Pump::~Pump() {
  finish();
  for (int fd : fds_)
    if (fd >= 0) close(fd);
  close(stopFd_);
}

std::vector<uint8_t> Pump::output(int fd) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return outputs_[fd - 1];
}

void Pump::run() {
  const auto drop = [this](int i) {
    close(fds_[i]);
    fds_[i] = -1;
  };
  if (input_.empty()) drop(0);
  bool stopping = false;
  // Asked to stop, it still takes what is there.
  while (fds_[1] >= 0 || fds_[2] >= 0 || (fds_[0] >= 0 && !stopping)) {
    pollfd polls[4] = {{fds_[0], POLLOUT, 0}, {fds_[1], POLLIN, 0}, {fds_[2], POLLIN, 0}, {stopping ? -1 : stopFd_, POLLIN, 0}};
    const int ready = poll(polls, 4, stopping ? 0 : -1);
    if (ready < 0) continue;
    if (ready == 0) return;
    if (polls[3].revents) stopping = true;
    if (polls[0].revents) {
      const ssize_t put = write(fds_[0], input_.data() + fed_, input_.size() - fed_);
      if (put > 0) fed_ += static_cast<size_t>(put);
      if ((put < 0 && errno != EAGAIN && errno != EINTR) || fed_ == input_.size()) drop(0);
    }
    for (int i = 1; i < 3; i++) {
      if (!polls[i].revents) continue;
      uint8_t bytes[65536];
      const ssize_t got = ::read(fds_[i], bytes, sizeof bytes);
      if (got <= 0) {
        drop(i);
        continue;
      }
      const std::lock_guard<std::mutex> lock(mutex_);
      std::vector<uint8_t> &kept = outputs_[i - 1];
      kept.insert(kept.end(), bytes, bytes + std::min<size_t>(static_cast<size_t>(got), kMost - kept.size()));
    }
  }
}

}  // namespace levitate
