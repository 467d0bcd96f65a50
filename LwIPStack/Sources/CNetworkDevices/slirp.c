// libslirp under one descriptor: an epoll of its sockets and of a timer for its timeouts.
//
// Law: the epoll watches exactly what libslirp asked for when it was last settled, so it is readable whenever there is work.

#define _GNU_SOURCE
#include "cnetworkdevices.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

// A timer of libslirp's own (router advertisements).
typedef struct timer {
  SlirpTimerCb call;
  void *argument;
  int64_t due;  // ms; -1: not set
  struct timer *next;
} timer;

// What the epoll knows of a descriptor.
typedef struct interest {
  uint32_t events;
  uint32_t round;  // the settling in which it was last asked for
} interest;

struct netdev_slirp {
  Slirp *slirp;
  netdev_frame receive;
  void *context;
  int epoll, clock;
  timer *timers;
  struct pollfd *polls;
  int count, capacity;
  interest *interests;
  int interest_count;
  uint32_t round;
  // What the clock is set to, ms; -1: nothing.
  int64_t clock_due;
};

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// MARK: What libslirp calls

static ssize_t send_packet(const void *bytes, size_t length, void *opaque) {
  netdev_slirp *device = opaque;
  device->receive(device->context, bytes, (uint32_t)length);
  return (ssize_t)length;
}
static void guest_error(const char *message, void *opaque) {
  (void)opaque;
  (void)message;
}
static int64_t clock_get_ns(void *opaque) {
  (void)opaque;
  return now_ns();
}
static void *timer_new(SlirpTimerCb call, void *argument, void *opaque) {
  netdev_slirp *device = opaque;
  timer *made = calloc(1, sizeof *made);
  if (made == NULL) abort();
  *made = (timer){call, argument, -1, device->timers};
  device->timers = made;
  return made;
}
static void timer_free(void *which, void *opaque) {
  netdev_slirp *device = opaque;
  for (timer **at = &device->timers; *at != NULL; at = &(*at)->next)
    if (*at == which) {
      *at = (*at)->next;
      break;
    }
  free(which);
}
static void timer_mod(void *which, int64_t due, void *opaque) {
  (void)opaque;
  ((timer *)which)->due = due;
}
// A number that is used anew: what we know of it was of another socket. The kernel forgets a closed one by itself.
static void forget(int descriptor, void *opaque) {
  netdev_slirp *device = opaque;
  if (descriptor >= 0 && descriptor < device->interest_count) device->interests[descriptor].events = 0;
}
static void notify(void *opaque) { (void)opaque; }

static const SlirpCb callbacks = {
    .send_packet = send_packet,
    .guest_error = guest_error,
    .clock_get_ns = clock_get_ns,
    .timer_new = timer_new,
    .timer_free = timer_free,
    .timer_mod = timer_mod,
    .register_poll_fd = forget,
    .unregister_poll_fd = forget,
    .notify = notify,
};

// MARK: Life

netdev_slirp *netdev_slirp_open(netdev_frame receive, void *context) {
  netdev_slirp *device = calloc(1, sizeof *device);
  if (device == NULL) return NULL;
  device->receive = receive;
  device->context = context;
  device->clock_due = -1;
  device->epoll = epoll_create1(EPOLL_CLOEXEC);
  device->clock = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = device->clock};
  if (device->epoll < 0 || device->clock < 0 || epoll_ctl(device->epoll, EPOLL_CTL_ADD, device->clock, &event) < 0) {
    netdev_slirp_close(device);
    return NULL;
  }
  SlirpConfig config = {.version = 1, .in_enabled = true, .in6_enabled = true, .vprefix_len = 64, .vhostname = "softint"};
  inet_pton(AF_INET, "10.0.2.0", &config.vnetwork);
  inet_pton(AF_INET, "255.255.255.0", &config.vnetmask);
  inet_pton(AF_INET, "10.0.2.2", &config.vhost);
  inet_pton(AF_INET, "10.0.2.15", &config.vdhcp_start);
  inet_pton(AF_INET, "10.0.2.3", &config.vnameserver);
  inet_pton(AF_INET6, "fd00::", &config.vprefix_addr6);
  inet_pton(AF_INET6, "fd00::2", &config.vhost6);
  inet_pton(AF_INET6, "fd00::3", &config.vnameserver6);
  device->slirp = slirp_new(&config, &callbacks, device);
  if (device->slirp == NULL) {
    netdev_slirp_close(device);
    return NULL;
  }
  return device;
}

int netdev_slirp_descriptor(netdev_slirp *device) { return device->epoll; }

void netdev_slirp_close(netdev_slirp *device) {
  if (device->slirp != NULL) slirp_cleanup(device->slirp);
  while (device->timers != NULL) timer_free(device->timers, device);
  if (device->epoll >= 0) close(device->epoll);
  if (device->clock >= 0) close(device->clock);
  free(device->polls);
  free(device->interests);
  free(device);
}

// MARK: Work

static int add_poll(int descriptor, int events, void *opaque) {
  netdev_slirp *device = opaque;
  if (device->count == device->capacity) {
    device->capacity = device->capacity == 0 ? 64 : 2 * device->capacity;
    device->polls = realloc(device->polls, (size_t)device->capacity * sizeof *device->polls);
    if (device->polls == NULL) abort();
  }
  // SLIRP_POLL_* by name, for they need not have poll's values.
  short wanted = 0;
  if (events & SLIRP_POLL_IN) wanted |= POLLIN;
  if (events & SLIRP_POLL_OUT) wanted |= POLLOUT;
  if (events & SLIRP_POLL_PRI) wanted |= POLLPRI;
  device->polls[device->count] = (struct pollfd){.fd = descriptor, .events = wanted};
  return device->count++;
}
static int get_revents(int index, void *opaque) {
  netdev_slirp *device = opaque;
  short got = device->polls[index].revents;
  int events = 0;
  if (got & POLLIN) events |= SLIRP_POLL_IN;
  if (got & POLLOUT) events |= SLIRP_POLL_OUT;
  if (got & POLLPRI) events |= SLIRP_POLL_PRI;
  if (got & POLLERR) events |= SLIRP_POLL_ERR;
  if (got & POLLHUP) events |= SLIRP_POLL_HUP;
  return events;
}

// Asks libslirp what it waits for; for how many milliseconds at most, -1 for ever.
static int64_t fill(netdev_slirp *device) {
  uint32_t timeout = UINT32_MAX;
  device->count = 0;
  slirp_pollfds_fill(device->slirp, &timeout, add_poll, device);
  int64_t now = now_ns() / 1000000, wait = timeout == UINT32_MAX ? -1 : timeout;
  for (timer *at = device->timers; at != NULL; at = at->next) {
    if (at->due < 0) continue;
    int64_t left = at->due > now ? at->due - now : 0;
    if (wait < 0 || left < wait) wait = left;
  }
  return wait;
}

// libslirp listens with a backlog of one: of clients that come together the kernel drops most, and they try again after a second.
// Linux lets a socket that listens listen anew.
static void deepen(netdev_slirp *device) {
  (void)fill(device);
  for (int index = 0; index < device->count; index++) {
    int listens = 0;
    socklen_t length = sizeof listens;
    int descriptor = device->polls[index].fd;
    if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens)
      (void)listen(descriptor, SOMAXCONN);
  }
}

int netdev_slirp_forward(netdev_slirp *device, bool udp, bool v6, uint16_t host_port, uint16_t port) {
  int result;
  errno = 0;
  if (v6) {
    struct sockaddr_in6 host = {.sin6_family = AF_INET6, .sin6_port = htons(host_port)};
    struct sockaddr_in6 guest = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    inet_pton(AF_INET6, "::1", &host.sin6_addr);
    inet_pton(AF_INET6, "fd00::15", &guest.sin6_addr);
    result = slirp_add_hostxfwd(device->slirp, (struct sockaddr *)&host, sizeof host, (struct sockaddr *)&guest,
                                sizeof guest, (udp ? SLIRP_HOSTFWD_UDP : 0) | SLIRP_HOSTFWD_V6ONLY);
  } else {
    struct in_addr host, guest;
    inet_pton(AF_INET, "127.0.0.1", &host);
    inet_pton(AF_INET, "10.0.2.15", &guest);
    result = slirp_add_hostfwd(device->slirp, udp, host, host_port, guest, port);
  }
  if (result == 0) deepen(device);
  return result < 0 ? -(errno != 0 ? errno : EADDRINUSE) : 0;
}

void netdev_slirp_run(netdev_slirp *device) {
  int64_t now = now_ns() / 1000000;
  // Read only when it may have rung; if it rings after this, the epoll stays readable.
  uint64_t ticks;
  if (device->clock_due >= 0 && now >= device->clock_due && read(device->clock, &ticks, sizeof ticks) == sizeof ticks)
    device->clock_due = -1;
  for (timer *at = device->timers, *next; at != NULL; at = next) {
    next = at->next;
    if (at->due < 0 || at->due > now) continue;
    at->due = -1;
    at->call(at->argument);
  }
  (void)fill(device);
  // Once only: what is still ready keeps the epoll readable, and others of the level have their turn.
  int ready = device->count > 0 ? poll(device->polls, (nfds_t)device->count, 0) : 0;
  slirp_pollfds_poll(device->slirp, ready < 0, get_revents, device);
}

void netdev_slirp_send(netdev_slirp *device, const uint8_t *bytes, uint32_t length) {
  slirp_input(device->slirp, bytes, (int)length);
}

static void watch(netdev_slirp *device, int descriptor, uint32_t events) {
  if (descriptor >= device->interest_count) {
    int count = descriptor + 64;
    device->interests = realloc(device->interests, (size_t)count * sizeof *device->interests);
    if (device->interests == NULL) abort();
    memset(device->interests + device->interest_count, 0,
           (size_t)(count - device->interest_count) * sizeof *device->interests);
    device->interest_count = count;
  }
  interest *known = &device->interests[descriptor];
  known->round = device->round;
  if (known->events == events) return;
  struct epoll_event event = {.events = events, .data.fd = descriptor};
  int operation = known->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (epoll_ctl(device->epoll, operation, descriptor, &event) < 0 && (errno == EEXIST || errno == ENOENT))
    (void)epoll_ctl(device->epoll, errno == EEXIST ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor, &event);
  known->events = events;
}

void netdev_slirp_settle(netdev_slirp *device) {
  int64_t wait = fill(device);
  device->round++;
  for (int index = 0; index < device->count; index++) {
    short wanted = device->polls[index].events;
    // poll's and epoll's bits of these three are the same in Linux.
    watch(device, device->polls[index].fd, (uint32_t)wanted);
  }
  for (int descriptor = 0; descriptor < device->interest_count; descriptor++) {
    interest *known = &device->interests[descriptor];
    if (known->events == 0 || known->round == device->round) continue;
    // Not asked for: a socket whose buffers are full, or a closed one.
    (void)epoll_ctl(device->epoll, EPOLL_CTL_DEL, descriptor, NULL);
    known->events = 0;
  }
  int64_t due = wait < 0 ? -1 : now_ns() / 1000000 + wait;
  // A clock that rings too early does no harm: it is set anew then.
  if (due == -1 || (device->clock_due >= 0 && device->clock_due <= due)) return;
  device->clock_due = due;
  int64_t ns = wait > 0 ? wait * 1000000 : 1;
  struct itimerspec spec = {.it_value = {ns / 1000000000, ns % 1000000000}};
  (void)timerfd_settime(device->clock, 0, &spec, NULL);
}
