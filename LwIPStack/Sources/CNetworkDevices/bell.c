// How a plain thread waits for a device or for somebody who rings: the baseline's.
//
// Law: a ring that comes before the wait ends it at once.

#define _GNU_SOURCE
#include "cnetworkdevices.h"
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

int netdev_bell_open(void) {
  int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return bell < 0 ? -errno : bell;
}

void netdev_bell_ring(int bell) {
  // Full means rung.
  (void)!eventfd_write(bell, 1);
}

int netdev_bell_wait(int bell, int device, int milliseconds) {
  struct pollfd polls[2] = {{.fd = device, .events = POLLIN}, {.fd = bell, .events = POLLIN}};
  if (poll(polls, 2, milliseconds) <= 0) return 0;
  eventfd_t count;
  if (polls[1].revents != 0) (void)!eventfd_read(bell, &count);
  return (polls[0].revents != 0 ? 1 : 0) | (polls[1].revents != 0 ? 2 : 0);
}
