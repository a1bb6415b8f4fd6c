// Feeds a traced program's standard input and keeps what it writes, on a thread of its own: the JS thread blocks in waits.
#pragma once
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace levitate {

class Pump {
 public:
  // Takes the descriptors over: where to write the input, where to read descriptors 1 and 2.
  Pump(std::vector<uint8_t> input, const int fds[3]);
  ~Pump();
  // Takes what is there and ends the thread, whatever is still open.
  void finish();
  // Everything read so far of descriptor 1 or 2; more than kMost bytes are dropped.
  std::vector<uint8_t> output(int fd);

 private:
  static constexpr size_t kMost = 64 << 20;
  void run();
  std::vector<uint8_t> input_;
  size_t fed_ = 0;
  int fds_[3];
  int stopFd_;
  std::mutex mutex_;
  std::vector<uint8_t> outputs_[2];
  std::thread thread_;
};

}  // namespace levitate
