// Guest memory copies and memory statistics.
//
// Copies go through process_vm_readv/writev, which copy page by page and stop at the first page the host refuses: a
// short count is the answer, never an error. They respect the guest's page protections.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <algorithm>

#include "context.h"

namespace levitate {

template <typename Copy>
static ssize_t copyAll(uint64_t addr, uint8_t *local, size_t length, Copy copy) {
  size_t done = 0;
  while (done < length) {
    struct iovec mine = {local + done, length - done};
    struct iovec theirs = {reinterpret_cast<void *>(addr + done), length - done};
    const ssize_t got = copy(&mine, &theirs);
    if (got <= 0) {
      if (got < 0 && errno == ESRCH) return -ESRCH;
      break;
    }
    done += static_cast<size_t>(got);
  }
  return static_cast<ssize_t>(done);
}

ssize_t Context::copyFrom(int space, uint64_t addr, uint8_t *to, size_t length) {
  regime_.copied(length);
  pid_t tid = spaces[space].tgid;
  const auto copy = [&](const iovec *mine, const iovec *theirs) { return process_vm_readv(tid, mine, 1, theirs, 1, 0); };
  ssize_t got = copyAll(addr, to, length, copy);
  if (got == -ESRCH) {  // the first thread has ended: any other one will do
    tid = liveTid(space);
    got = copyAll(addr, to, length, copy);
  }
  return std::max<ssize_t>(got, 0);
}

ssize_t Context::copyTo(int space, uint64_t addr, uint8_t *from, size_t length) {
  pid_t tid = spaces[space].tgid;
  const auto copy = [&](const iovec *mine, const iovec *theirs) { return process_vm_writev(tid, mine, 1, theirs, 1, 0); };
  ssize_t got = copyAll(addr, from, length, copy);
  if (got == -ESRCH) {
    tid = liveTid(space);
    got = copyAll(addr, from, length, copy);
  }
  return std::max<ssize_t>(got, 0);
}

void Context::syncCode(uint64_t offset, uint64_t length) {
  if (arch::kCoherentCode || offset >= physicalSize) return;
  char *at = reinterpret_cast<char *>(physical + offset);
  __builtin___clear_cache(at, at + std::min(length, physicalSize - offset));
}

int Context::release(uint64_t offset, uint64_t length) {
  if (offset > physicalSize || length > physicalSize - offset) return EINVAL;
  if (length == 0) return 0;
  return fallocate(physicalFd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                   static_cast<off_t>(length)) < 0
             ? errno
             : 0;
}

// Zeroes what the host has there, without making it have more.
int Context::clear(uint64_t offset, uint64_t length) {
  if (offset > physicalSize || length > physicalSize - offset) return EINVAL;
  unsigned char there[256];
  for (uint64_t at = offset, end = offset + length; at < end; at += sizeof there * pageSize) {
    const size_t size = std::min<uint64_t>(end - at, sizeof there * pageSize);
    if (mincore(physical + at, size, there) != 0) return errno;
    for (size_t page = 0, run; page * pageSize < size; page = run + 1) {
      for (run = page; run * pageSize < size && (there[run] & 1) != 0; run++) continue;
      memset(physical + at + page * pageSize, 0, (run - page) * pageSize);
    }
  }
  return 0;
}

double Context::physicalResident() {
  struct stat st;
  return fstat(physicalFd, &st) < 0 ? 0 : static_cast<double>(st.st_blocks) * 512;
}

// Over whatever protection: as debuggers write.
int Context::poke(int space, uint64_t addr, const uint8_t *from, size_t length) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/mem", liveTid(space));
  const int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return errno;
  const ssize_t put = pwrite(fd, from, length, static_cast<off_t>(addr));
  const int error = put == static_cast<ssize_t>(length) ? 0 : put < 0 ? errno : EIO;
  ::close(fd);
  return error;
}

ssize_t Context::resident(int space, uint64_t addr, uint64_t length, uint8_t *out) {
  Space &s = spaces[space];
  char path[64];
  if (s.pagemapFd < 0) {
    snprintf(path, sizeof path, "/proc/%d/pagemap", liveTid(space));
    s.pagemapFd = open(path, O_RDONLY | O_CLOEXEC);
    if (s.pagemapFd < 0) return -errno;
  }
  uint64_t page = addr / pageSize;
  const uint64_t end = (addr + length + pageSize - 1) / pageSize;
  uint64_t words[512];
  ssize_t count = 0;
  for (size_t index = 0; page < end;) {
    const uint64_t want = std::min<uint64_t>(end - page, 512);
    const ssize_t got = pread(s.pagemapFd, words, want * 8, static_cast<off_t>(page * 8));
    const uint64_t pages = got > 0 ? static_cast<uint64_t>(got) / 8 : 0;
    for (uint64_t i = 0; i < want; i++, index++) {
      const bool present = i < pages && (words[i] >> 62) != 0;  // present or swapped
      count += present;
      if (out) out[index] = present;
    }
    page += want;
  }
  return count;
}

double Context::rss(int space) {
  Space &s = spaces[space];
  char text[128];
  for (int tries = 0; tries < 2; tries++) {
    if (s.statmFd < 0) {
      snprintf(text, sizeof text, "/proc/%d/statm", liveTid(space));
      s.statmFd = open(text, O_RDONLY | O_CLOEXEC);
      if (s.statmFd < 0) return 0;
    }
    const ssize_t got = pread(s.statmFd, text, sizeof text - 1, 0);
    unsigned long size, pages;
    if (got > 0) {
      text[got] = 0;
      if (sscanf(text, "%lu %lu", &size, &pages) == 2 && size != 0) return static_cast<double>(pages) * static_cast<double>(pageSize);
    }
    ::close(s.statmFd);
    s.statmFd = -1;
  }
  return 0;
}

// The high-water mark of a process that is alive.
double Context::peakRss(int space) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/status", liveTid(space));
  FILE *file = fopen(path, "re");
  if (!file) return 0;
  char line[256];
  unsigned long kb = 0;
  while (fgets(line, sizeof line, file) && sscanf(line, "VmHWM: %lu", &kb) != 1) continue;
  fclose(file);
  return static_cast<double>(kb) * 1024;
}

}  // namespace levitate
