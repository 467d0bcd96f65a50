// The few things of Linux that Swift cannot say: the current agent in thread-local storage, futex, membarrier, epoll.
#pragma once
#include <stdint.h>
#include <stddef.h>
#include <stdbool.h>

// MARK: The current agent

// initial-exec: one instruction to read, and safe in signal handlers (nothing is allocated at first use). The library is
// linked into the executable, so the model is always possible.
extern _Thread_local void *softint_current_slot __attribute__((tls_model("initial-exec")));

static inline void *softint_current(void) { return softint_current_slot; }

// Sets it, and has `softint_thread_end` called with it when the thread ends, unless it is NULL then.
void softint_set_current(void *agent);
void softint_set_thread_end(void (*handler)(void *));

// MARK: Fences

// 1 if the kernel has the expedited private membarrier and this process is registered for it.
extern int softint_has_membarrier;
void softint_register_membarrier(void);

static inline void softint_light_fence(void) {
  if (__builtin_expect(__atomic_load_n(&softint_has_membarrier, __ATOMIC_RELAXED), 1))
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
  else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
void softint_heavy_fence(void);

static inline void softint_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Asks for a cache line for writing. The instruction does nothing on processors that do not have it.
static inline void softint_will_write(const void *at) {
#if defined(__x86_64__)
  __asm__ volatile("prefetchw %0" : : "m"(*(const char *)at));
#else
  __builtin_prefetch(at, 1, 3);
#endif
}

// Asks for a cache line for reading. Any address may be named.
static inline void softint_will_read(const void *at) { __builtin_prefetch(at, 0, 3); }

// MARK: Seats

// Where a thread sleeps. `word`: 0 awake, 1 rung, 2 asleep on the word, 3 asleep in epoll. `event` is the doorbell of a sleep in epoll.
typedef struct softint_seat {
  uint32_t word;
  int32_t epoll;
  int32_t event;
  uint32_t devices;
} softint_seat;

void softint_seat_wake(softint_seat *seat, uint32_t state);

// Async-signal-safe. The exchange releases what the caller wrote to the exchange of the park that it ends.
static inline void softint_unpark(softint_seat *seat) {
  uint32_t old = __atomic_exchange_n(&seat->word, 1, __ATOMIC_SEQ_CST);
  if (old >= 2) softint_seat_wake(seat, old);
}

// Sleeps until rung, for at most `timeout` ns (UINT64_MAX: for ever). With devices it sleeps in epoll; what is ready is
// stored in `ready` (at most `capacity` tokens) and counted.
int softint_park(softint_seat *seat, uint64_t timeout, uint64_t *ready, int capacity);
// Looks at the devices without waiting.
int softint_poll(softint_seat *seat, uint64_t *ready, int capacity);
// Opens what devices need, 0 or -errno; and closes it, but for the doorbell.
int softint_seat_open(softint_seat *seat);
void softint_seat_close(softint_seat *seat);
// Registers a descriptor for one report; again; and no longer. 0 or -errno.
int softint_device_add(softint_seat *seat, int fd, uint32_t events, uint64_t token);
int softint_device_again(softint_seat *seat, int fd, uint32_t events, uint64_t token);
int softint_device_remove(softint_seat *seat, int fd);

// MARK: Time and processors

uint64_t softint_now(void);
static inline uint64_t softint_ticks(void) {
#if defined(__x86_64__) || defined(__i386__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  uint64_t ticks;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#else
  return softint_now();
#endif
}
// A timer that is readable every `period` ns, first after `period`; -errno.
int softint_timer(uint64_t period);
// The processors this thread may run on, as up to `capacity` numbers; how many.
int softint_processors(int *list, int capacity);
// Pins the calling thread; 0 or an errno.
int softint_pin(int processor);
// Real-time priority (SCHED_FIFO) for the calling thread, or none (0); 0 or an errno.
int softint_realtime(int priority);

static inline void softint_store(int32_t *at, int32_t value) { __atomic_store_n(at, value, __ATOMIC_RELEASE); }
static inline int32_t softint_load(const int32_t *at) { return __atomic_load_n(at, __ATOMIC_ACQUIRE); }
