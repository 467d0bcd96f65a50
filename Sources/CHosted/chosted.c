#define _GNU_SOURCE
#include "chosted.h"
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

_Thread_local void *softint_current_slot __attribute__((tls_model("initial-exec")));
int softint_has_membarrier;

static pthread_key_t end_key;
static pthread_once_t end_once = PTHREAD_ONCE_INIT;
static void (*end_handler)(void *);

static void thread_end(void *agent) {
  void (*handler)(void *) = __atomic_load_n(&end_handler, __ATOMIC_ACQUIRE);
  if (softint_current_slot != NULL && handler != NULL) handler(softint_current_slot);
  (void)agent;
}
static void make_key(void) { (void)pthread_key_create(&end_key, thread_end); }

void softint_set_thread_end(void (*handler)(void *)) {
  pthread_once(&end_once, make_key);
  __atomic_store_n(&end_handler, handler, __ATOMIC_RELEASE);
}

void softint_set_current(void *agent) {
  softint_current_slot = agent;
  pthread_once(&end_once, make_key);
  // Any non-NULL value makes the destructor run.
  (void)pthread_setspecific(end_key, agent);
}

void softint_register_membarrier(void) {
  long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
  if (commands < 0 || !(commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED)) return;
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0)
    __atomic_store_n(&softint_has_membarrier, 1, __ATOMIC_RELAXED);  // each machine does so; the system call orders
}

// The light fences of the other threads are none without this, and a CPU would sleep with work pending, or a slot be used twice: so it is never passed
// over. A process that is registered is refused for want of memory, or by a filter of system calls that was put on it since.
void softint_heavy_fence(void) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (!__atomic_load_n(&softint_has_membarrier, __ATOMIC_RELAXED)) return;
  while (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0) {
    if (errno != ENOMEM) {
      static const char message[] = "softint: membarrier was there and is refused now: let a filter of system calls permit it\n";
      (void)!write(2, message, sizeof message - 1);
      abort();
    }
    sched_yield();
  }
}

void softint_seat_wake(softint_seat *seat, uint32_t state) {
  int saved = errno;  // may be called in a signal handler
  if (state == 2) {
    (void)syscall(SYS_futex, &seat->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
  } else {
    // However late this comes: the doorbell of a seat that has one is the same for ever (softint_seat_open).
    uint64_t one = 1;
    (void)!write(seat->event, &one, sizeof one);
  }
  errno = saved;
}

static int collect(softint_seat *seat, int timeout_ms, const struct timespec *timeout, uint64_t *ready, int capacity) {
  struct epoll_event events[32];
  if (capacity > 32) capacity = 32;
  int count;
#ifdef SYS_epoll_pwait2
  if (timeout != NULL) {
    count = (int)syscall(SYS_epoll_pwait2, seat->epoll, events, capacity, timeout, NULL, 0);
    // Filters of system calls that do not know it refuse it.
    if (count < 0 && (errno == ENOSYS || errno == EPERM))
      count = epoll_wait(seat->epoll, events, capacity,
                         (int)(timeout->tv_sec > INT_MAX / 1000 - 1 ? INT_MAX : timeout->tv_sec * 1000 + timeout->tv_nsec / 1000000));
  } else
#endif
    count = epoll_wait(seat->epoll, events, capacity, timeout_ms);
  int found = 0;
  for (int i = 0; i < count; i++) {
    if (events[i].data.u64 == 0) {
      uint64_t sink;
      (void)!read(seat->event, &sink, sizeof sink);
    } else {
      ready[found++] = events[i].data.u64;
    }
  }
  return found;
}

int softint_park(softint_seat *seat, uint64_t timeout, uint64_t *ready, int capacity) {
  uint32_t expected = 0;
  // Acquire: pairs with the release in softint_device_add, which comes after the descriptors were opened.
  uint32_t asleep = __atomic_load_n(&seat->devices, __ATOMIC_ACQUIRE) != 0 ? 3 : 2;
  // Acquire: pairs with the ring that is there already.
  if (!__atomic_compare_exchange_n(&seat->word, &expected, asleep, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    __atomic_exchange_n(&seat->word, 0, __ATOMIC_SEQ_CST);
    return 0;
  }
  struct timespec wait, *limit = NULL;
  if (timeout != UINT64_MAX) {
    wait.tv_sec = (time_t)(timeout / 1000000000u);
    wait.tv_nsec = (long)(timeout % 1000000000u);
    limit = &wait;
  }
  int found = 0;
  if (asleep == 3) {
    found = collect(seat, -1, limit, ready, capacity);
  } else {
    // Returns at once if the word is no longer 2; early returns (signals) are allowed.
    (void)syscall(SYS_futex, &seat->word, FUTEX_WAIT_PRIVATE, 2, limit, NULL, 0);
  }
  __atomic_exchange_n(&seat->word, 0, __ATOMIC_SEQ_CST);
  return found;
}

int softint_poll(softint_seat *seat, uint64_t *ready, int capacity) {
  return __atomic_load_n(&seat->devices, __ATOMIC_ACQUIRE) == 0 ? 0 : collect(seat, 0, NULL, ready, capacity);
}

int softint_seat_open(softint_seat *seat) {
  seat->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (seat->epoll < 0) return -errno;
  // Made once in a seat's life and never closed: who rings has taken the word from 3 to 1 before it writes, and in between the CPU may wake by
  // itself and end, and its machine with it. Then the write comes to the seat's next owner, as a ring too many, and not to somebody else's
  // descriptor of the same number. Written before `devices` is, so before the first 3; from then on it is constant.
  if (seat->event < 0) seat->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0};
  if (seat->event < 0 || epoll_ctl(seat->epoll, EPOLL_CTL_ADD, seat->event, &event) < 0) {
    int error = errno;
    softint_seat_close(seat);
    return -error;
  }
  return 0;
}

void softint_seat_close(softint_seat *seat) {
  // The epoll is the CPU's and its devices' alone: nobody comes late to it.
  close(seat->epoll);
  seat->epoll = -1;
  __atomic_store_n(&seat->devices, 0, __ATOMIC_RELAXED);  // what was not detached; the next owner is handed the seat under a lock
}

static int control(softint_seat *seat, int operation, int fd, uint32_t events, uint64_t token) {
  struct epoll_event event = {.events = events | EPOLLONESHOT, .data.u64 = token};
  return epoll_ctl(seat->epoll, operation, fd, &event) < 0 ? -errno : 0;
}
int softint_device_add(softint_seat *seat, int fd, uint32_t events, uint64_t token) {
  int error = control(seat, EPOLL_CTL_ADD, fd, events, token);
  if (error == 0) __atomic_fetch_add(&seat->devices, 1, __ATOMIC_RELEASE);
  return error;
}
int softint_device_again(softint_seat *seat, int fd, uint32_t events, uint64_t token) {
  return control(seat, EPOLL_CTL_MOD, fd, events, token);
}
int softint_device_remove(softint_seat *seat, int fd) {
  int error = control(seat, EPOLL_CTL_DEL, fd, 0, 0);
  __atomic_fetch_sub(&seat->devices, 1, __ATOMIC_RELEASE);
  return error;
}

uint64_t softint_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int softint_timer(uint64_t period) {
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (fd < 0) return -errno;
  struct itimerspec spec = {
      .it_interval = {(time_t)(period / 1000000000u), (long)(period % 1000000000u)},
      .it_value = {(time_t)(period / 1000000000u), (long)(period % 1000000000u)},
  };
  if (timerfd_settime(fd, 0, &spec, NULL) < 0) {
    int error = errno;
    close(fd);
    return -error;
  }
  return fd;
}

int softint_processors(int *list, int capacity) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) < 0) return 0;
  int count = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE && count < capacity; cpu++)
    if (CPU_ISSET(cpu, &set)) list[count++] = cpu;
  return count;
}

int softint_pin(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

int softint_realtime(int priority) {
  struct sched_param parameters = {.sched_priority = priority};
  return pthread_setschedparam(pthread_self(), priority > 0 ? SCHED_FIFO : SCHED_OTHER, &parameters);
}
