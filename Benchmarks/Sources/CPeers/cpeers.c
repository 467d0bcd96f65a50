// The peers in C. What is not installed answers `peer_has_…` with false and traps when it is called all the same.
#define _GNU_SOURCE
#include "cpeers.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

// MARK: The kernel

void peer_futex_wait(uint32_t *word, uint32_t seen) {
  while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == seen) syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, 0, 0, 0);
}
void peer_futex_wake(uint32_t *word) {
  __atomic_fetch_add(word, 1, __ATOMIC_RELEASE);
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}
void peer_count(uint32_t *word) { __atomic_fetch_add(word, 1, __ATOMIC_RELEASE); }
uint32_t peer_counted(uint32_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
int peer_eventfd(void) { return eventfd(0, EFD_CLOEXEC); }
void peer_eventfd_wait(int descriptor) {
  uint64_t value;
  while (read(descriptor, &value, sizeof value) < 0) continue;
}
void peer_eventfd_ring(int descriptor) {
  uint64_t one = 1;
  while (write(descriptor, &one, sizeof one) < 0) continue;
}
void peer_pin_two(int first, int second) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(first, &set);
  CPU_SET(second, &set);
  sched_setaffinity(0, sizeof set, &set);
}
void peer_pin(int processor) { peer_pin_two(processor, processor); }

// Threads that have a real-time priority, as long as they live: those that go on after a session are to be as they were.
static pid_t realtime_threads[256];
static pthread_mutex_t realtime_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t realtime_key;
static pthread_once_t realtime_once = PTHREAD_ONCE_INIT;
static int part_session = 1;
static _Thread_local int part_seen;

static void set_policy(pid_t thread, int policy, int priority) {
  struct sched_param parameters = {.sched_priority = priority};
  (void)sched_setscheduler(thread, policy, &parameters);
}
/// Puts a thread in the place of another; 0 is none. False if there is no such place.
static bool replace_realtime(pid_t old, pid_t new) {
  bool found = false;
  pthread_mutex_lock(&realtime_lock);
  for (int i = 0; i < 256 && !found; i++) {
    found = realtime_threads[i] == old;
    if (found) realtime_threads[i] = new;
  }
  pthread_mutex_unlock(&realtime_lock);
  return found;
}
// Its number may be another thread's next.
static void realtime_thread_ends(void *ignored) { replace_realtime((pid_t)syscall(SYS_gettid), 0); }
static void make_realtime_key(void) { pthread_key_create(&realtime_key, realtime_thread_ends); }

void peer_take_part(int priority, bool anywhere, int first, int second) {
  int session = __atomic_load_n(&part_session, __ATOMIC_RELAXED);
  if (part_seen == session) return;
  part_seen = session;
  if (anywhere) peer_pin_two(first, second);
  if (priority == 0) return;
  pthread_once(&realtime_once, make_realtime_key);
  // With more threads than places the rest stay as they are: none keeps the priority.
  if (!replace_realtime(0, (pid_t)syscall(SYS_gettid))) return;
  pthread_setspecific(realtime_key, &realtime_key);
  set_policy(0, SCHED_FIFO, priority);
}
void peer_take_part_end(void) {
  pthread_mutex_lock(&realtime_lock);
  for (int i = 0; i < 256; i++) {
    if (realtime_threads[i] != 0) set_policy(realtime_threads[i], SCHED_OTHER, 0);
    realtime_threads[i] = 0;
  }
  pthread_mutex_unlock(&realtime_lock);
  __atomic_fetch_add(&part_session, 1, __ATOMIC_RELAXED);
}

// MARK: Memory

struct handle {
  uint64_t *word;
  uint64_t identity;
};
struct peer_touched {
  uint64_t *lines;
  uint32_t lock;
  struct handle handles[];
};
peer_touched *peer_touch_new(uint64_t armed) {
  peer_touched *touched = malloc(sizeof *touched + armed * sizeof(struct handle));
  touched->lines = aligned_alloc(64, armed * 64);
  touched->lock = 0;
  for (uint64_t i = 0; i < armed; i++) {
    for (int word = 0; word < 8; word++) touched->lines[i * 8 + word] = 0;
    touched->handles[i] = (struct handle){touched->lines + i * 8, 0};
  }
  return touched;
}
#define TWICE                     \
  one += 1;                       \
  __asm__ volatile("" : "+r"(one)); \
  other += 1;                     \
  __asm__ volatile("" : "+r"(other));
void peer_touch(peer_touched *touched, const uint32_t *which, uint64_t count, bool locked, uint64_t instructions) {
  uint64_t one = 0, other = 0;
  if (!locked) {
    for (uint64_t i = 0; i < count; i++) *touched->handles[which[i]].word += 1;
    return;
  }
  for (uint64_t i = 0; i < count; i++) {
    uint64_t *word = touched->handles[which[i]].word;
    while (__atomic_load_n(&touched->lock, __ATOMIC_RELAXED) || __atomic_exchange_n(&touched->lock, 1, __ATOMIC_ACQUIRE))
      continue;
    // Two chains of additions that the compiler can neither drop nor join.
    for (uint64_t tens = 0; tens < instructions; tens += 10) {
      TWICE TWICE TWICE TWICE TWICE
    }
    *word += 1;
    __atomic_store_n(&touched->lock, 0, __ATOMIC_RELEASE);
  }
}
void peer_touch_free(peer_touched *touched) {
  free(touched->lines);
  free(touched);
}

// MARK: Between two processors that poll

// What others change of one side, what both sides' levels share, and what a call is: each on lines of its own.
struct needed_side {
  _Alignas(128) uint64_t pending;
  _Alignas(128) uint64_t calls;
  _Alignas(128) uint64_t written;
};
// Nothing of it is in the heap, where ours lies.
static struct {
  struct needed_side sides[2];
  _Alignas(128) uint64_t gates;
  _Alignas(128) struct {
    uint64_t answer, next, value;
  } call;
} needed;
void peer_needed_begin(void) {
  for (int side = 0; side < 2; side++) needed.sides[side].pending = needed.sides[side].calls = 0;
  needed.gates = needed.call.answer = 0;
}
static void await_bit(uint64_t *word) {
  for (unsigned tries = 1; !(__atomic_load_n(word, __ATOMIC_ACQUIRE) & 1); tries++)
    if (!(tries & 0xffff)) sched_yield();
}
static void claim_bit(uint64_t *word) {
  uint64_t seen = __atomic_load_n(word, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(word, &seen, (seen & ~1ull) + (1ull << 32), false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    continue;
}
// A handler at its level: the gate is held from its claim until it has marked the other side's.
void peer_needed_messages(int side, uint64_t turns) {
  uint64_t gate = 1ull << side;
  for (uint64_t i = 0; i < turns + (side ? 0 : 1); i++) {
    // The first message comes from nowhere.
    if (side || i) await_bit(&needed.sides[side].pending);
    uint64_t seen = __atomic_load_n(&needed.gates, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&needed.gates, &seen, seen | gate, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) continue;
    if (side || i) claim_bit(&needed.sides[side].pending);
    needed.sides[side].written += 1;
    if (side || i < turns) __atomic_fetch_or(&needed.sides[!side].pending, 1, __ATOMIC_ACQ_REL);
    __atomic_fetch_sub(&needed.gates, gate, __ATOMIC_RELEASE);
  }
}
void peer_needed_calls(int side, uint64_t turns) {
  struct needed_side *target = &needed.sides[1];
  for (uint64_t i = 0; i < turns; i++) {
    if (side == 0) {
      needed.call.answer = 0;
      needed.call.value = i;
      uint64_t head = __atomic_load_n(&target->calls, __ATOMIC_RELAXED);
      do needed.call.next = head;
      while (!__atomic_compare_exchange_n(&target->calls, &head, (uint64_t)(uintptr_t)&needed.call, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
      __atomic_fetch_or(&target->pending, 1, __ATOMIC_ACQ_REL);
      await_bit(&needed.call.answer);
    } else {
      await_bit(&target->pending);
      claim_bit(&target->pending);
      (void)__atomic_exchange_n(&target->calls, 0, __ATOMIC_ACQUIRE);
      target->written += needed.call.value + needed.call.next;
      (void)__atomic_exchange_n(&needed.call.answer, 1, __ATOMIC_RELEASE);
    }
  }
}

// What a task is to all queues here: a function and its argument.
struct task {
  void (*run)(uint64_t *);
  uint64_t *word;
};
__attribute__((unused, noinline)) static void add(uint64_t *word) { *word += 1; }

// MARK: Concurrency Kit

#ifdef HAVE_CK
#include <ck_fifo.h>
#include <ck_ring.h>
#include <ck_spinlock.h>

bool peer_has_ck(void) { return true; }
void peer_ck_fas_pairs(uint64_t count, uint64_t *word) {
  static ck_spinlock_fas_t lock = CK_SPINLOCK_FAS_INITIALIZER;
  for (uint64_t i = 0; i < count; i++) {
    ck_spinlock_fas_lock(&lock);
    __atomic_store_n(word, *word + 1, __ATOMIC_RELAXED);
    ck_spinlock_fas_unlock(&lock);
  }
}
void peer_ck_ticket_pairs(uint64_t count, uint64_t *word) {
  static ck_spinlock_ticket_t lock = CK_SPINLOCK_TICKET_INITIALIZER;
  for (uint64_t i = 0; i < count; i++) {
    ck_spinlock_ticket_lock(&lock);
    __atomic_store_n(word, *word + 1, __ATOMIC_RELAXED);
    ck_spinlock_ticket_unlock(&lock);
  }
}
void *peer_ck_ticket_new(void) {
  ck_spinlock_ticket_t *lock = aligned_alloc(64, 64);
  ck_spinlock_ticket_init(lock);
  return lock;
}
void peer_ck_ticket_lock(void *lock) { ck_spinlock_ticket_lock(lock); }
void peer_ck_ticket_unlock(void *lock) { ck_spinlock_ticket_unlock(lock); }
void peer_ck_ticket_free(void *lock) { free(lock); }

void peer_ck_ring_run(uint64_t count, uint64_t *word) {
  static struct ck_ring ring;
  static struct ck_ring_buffer buffer[64];
  ck_ring_init(&ring, 64);
  struct task task = {add, word};
  for (uint64_t i = 0; i < count; i++) {
    void *taken = 0;
    ck_ring_enqueue_spsc(&ring, buffer, &task);
    if (ck_ring_dequeue_spsc(&ring, buffer, &taken)) ((struct task *)taken)->run(((struct task *)taken)->word);
  }
}
void peer_ck_fifo_run(uint64_t count, uint64_t *word) {
  ck_fifo_spsc_t fifo;
  ck_fifo_spsc_entry_t entries[2];
  ck_fifo_spsc_init(&fifo, &entries[0]);
  struct task task = {add, word};
  ck_fifo_spsc_entry_t *entry = &entries[1];
  for (uint64_t i = 0; i < count; i++) {
    void *taken = 0;
    ck_fifo_spsc_enqueue(&fifo, entry, &task);
    if (ck_fifo_spsc_dequeue(&fifo, &taken)) ((struct task *)taken)->run(((struct task *)taken)->word);
    entry = ck_fifo_spsc_recycle(&fifo);
    if (!entry) __builtin_trap();
  }
}
struct rings {
  struct ck_ring ring[2];
  struct ck_ring_buffer buffer[2][64];
};
void *peer_ck_rings_new(void) {
  struct rings *rings = aligned_alloc(64, (sizeof *rings + 63) / 64 * 64);
  ck_ring_init(&rings->ring[0], 64);
  ck_ring_init(&rings->ring[1], 64);
  return rings;
}
static void receive(struct rings *rings, int side) {
  void *taken;
  for (unsigned tries = 1; !ck_ring_dequeue_spsc(&rings->ring[side], rings->buffer[side], &taken); tries++)
    if (!(tries & 0xffff)) sched_yield();
}
void peer_ck_rings_play(void *opaque, int side, uint64_t turns) {
  struct rings *rings = opaque;
  for (uint64_t i = 0; i < turns; i++) {
    if (side) receive(rings, 1);
    ck_ring_enqueue_spsc(&rings->ring[!side], rings->buffer[!side], rings);
    if (!side) receive(rings, 0);
  }
}
void peer_ck_rings_free(void *rings) { free(rings); }
#else
bool peer_has_ck(void) { return false; }
void peer_ck_fas_pairs(uint64_t count, uint64_t *word) { __builtin_trap(); }
void peer_ck_ticket_pairs(uint64_t count, uint64_t *word) { __builtin_trap(); }
void *peer_ck_ticket_new(void) { __builtin_trap(); }
void peer_ck_ticket_lock(void *lock) { __builtin_trap(); }
void peer_ck_ticket_unlock(void *lock) { __builtin_trap(); }
void peer_ck_ticket_free(void *lock) { __builtin_trap(); }
void peer_ck_ring_run(uint64_t count, uint64_t *word) { __builtin_trap(); }
void peer_ck_fifo_run(uint64_t count, uint64_t *word) { __builtin_trap(); }
void *peer_ck_rings_new(void) { __builtin_trap(); }
void peer_ck_rings_play(void *rings, int side, uint64_t turns) { __builtin_trap(); }
void peer_ck_rings_free(void *rings) { __builtin_trap(); }
#endif

// MARK: liburcu

#ifdef HAVE_URCU
#include <urcu.h>
#include <urcu/wfcqueue.h>

bool peer_has_urcu(void) { return true; }
struct node {
  struct cds_wfcq_node link;
  struct task task;
};
void peer_urcu_wfcq_run(uint64_t count, uint64_t *word) {
  static struct __cds_wfcq_head head;
  static struct cds_wfcq_tail tail;
  __cds_wfcq_init(&head, &tail);
  struct node node = {.task = {add, word}};
  for (uint64_t i = 0; i < count; i++) {
    cds_wfcq_node_init(&node.link);
    cds_wfcq_enqueue(&head, &tail, &node.link);
    struct cds_wfcq_node *taken = __cds_wfcq_dequeue_blocking(&head, &tail);
    struct node *found = caa_container_of(taken, struct node, link);
    found->task.run(found->task.word);
  }
}
struct deferred {
  struct rcu_head head;
  struct task task;
};
static void run_deferred(struct rcu_head *head) {
  struct deferred *deferred = caa_container_of(head, struct deferred, head);
  deferred->task.run(deferred->task.word);
}
void peer_urcu_call_rcu(uint64_t count, uint64_t *word) {
  struct deferred *all = calloc(count, sizeof *all);
  rcu_register_thread();
  for (uint64_t i = 0; i < count; i++) {
    all[i].task = (struct task){add, word};
    call_rcu(&all[i].head, run_deferred);
  }
  rcu_barrier();
  rcu_unregister_thread();
  free(all);
}
#else
bool peer_has_urcu(void) { return false; }
void peer_urcu_wfcq_run(uint64_t count, uint64_t *word) { __builtin_trap(); }
void peer_urcu_call_rcu(uint64_t count, uint64_t *word) { __builtin_trap(); }
#endif

// MARK: libuv

#ifdef HAVE_UV
#include <uv.h>

bool peer_has_uv(void) { return true; }
static void on_async(uv_async_t *async) { *(uint64_t *)async->data += 1; }
void peer_uv_async_run(uint64_t count, uint64_t *word) {
  uv_loop_t loop;
  uv_async_t async;
  uv_loop_init(&loop);
  uv_async_init(&loop, &async, on_async);
  async.data = word;
  for (uint64_t i = 0; i < count; i++) {
    uv_async_send(&async);
    uv_run(&loop, UV_RUN_NOWAIT);
  }
  uv_close((uv_handle_t *)&async, 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  uv_loop_close(&loop);
}
void peer_uv_async_coalesced(uint64_t count) {
  uint64_t word = 0;
  uv_loop_t loop;
  uv_async_t async;
  uv_loop_init(&loop);
  uv_async_init(&loop, &async, on_async);
  async.data = &word;
  for (uint64_t i = 0; i < count; i++) uv_async_send(&async);
  uv_close((uv_handle_t *)&async, 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  uv_loop_close(&loop);
}
struct peer_uv_timers {
  uv_loop_t loop;
  uint64_t count;
  uint64_t expired;
  uv_timer_t timers[];
};
static void on_timer(uv_timer_t *timer) { ((struct peer_uv_timers *)timer->data)->expired += 1; }
peer_uv_timers *peer_uv_timers_new(uint64_t armed) {
  peer_uv_timers *timers = malloc(sizeof *timers + armed * sizeof(uv_timer_t));
  uv_loop_init(&timers->loop);
  timers->count = armed;
  timers->expired = 0;
  for (uint64_t i = 0; i < armed; i++) {
    uv_timer_init(&timers->loop, &timers->timers[i]);
    timers->timers[i].data = timers;
  }
  return timers;
}
void peer_uv_timers_cancel(peer_uv_timers *timers, const uint32_t *which, uint64_t count) {
  for (uint64_t i = 0; i < count; i++) uv_timer_stop(&timers->timers[which[i]]);
}
void peer_uv_timers_arm(peer_uv_timers *timers, const uint32_t *which, const uint64_t *milliseconds, uint64_t count) {
  for (uint64_t i = 0; i < count; i++) uv_timer_start(&timers->timers[which[i]], on_timer, milliseconds[i], 0);
}
void peer_uv_timers_expire(peer_uv_timers *timers, const uint32_t *which, uint64_t count) {
  uint64_t wanted = timers->expired + count;
  for (uint64_t i = 0; i < count; i++) uv_timer_start(&timers->timers[which[i]], on_timer, 0, 0);
  while (timers->expired < wanted) uv_run(&timers->loop, UV_RUN_NOWAIT);
}
void peer_uv_timers_free(peer_uv_timers *timers) {
  for (uint64_t i = 0; i < timers->count; i++) uv_close((uv_handle_t *)&timers->timers[i], 0);
  uv_run(&timers->loop, UV_RUN_DEFAULT);
  uv_loop_close(&timers->loop);
  free(timers);
}
struct sleeper {
  uv_loop_t loop;
  uv_async_t ring, stop;
  pthread_t thread;
  int processor;
  void (*stamp)(void *);
  void *context;
};
static void on_ring(uv_async_t *async) {
  struct sleeper *sleeper = async->data;
  sleeper->stamp(sleeper->context);
}
static void on_stop(uv_async_t *async) {
  struct sleeper *sleeper = async->data;
  uv_close((uv_handle_t *)&sleeper->ring, 0);
  uv_close((uv_handle_t *)&sleeper->stop, 0);
}
static void *sleep_and_run(void *opaque) {
  peer_pin(((struct sleeper *)opaque)->processor);
  uv_run(&((struct sleeper *)opaque)->loop, UV_RUN_DEFAULT);
  return 0;
}
void *peer_uv_sleeper_new(int processor, void (*stamp)(void *), void *context) {
  struct sleeper *sleeper = calloc(1, sizeof *sleeper);
  sleeper->processor = processor;
  sleeper->stamp = stamp;
  sleeper->context = context;
  uv_loop_init(&sleeper->loop);
  uv_async_init(&sleeper->loop, &sleeper->ring, on_ring);
  uv_async_init(&sleeper->loop, &sleeper->stop, on_stop);
  sleeper->ring.data = sleeper->stop.data = sleeper;
  pthread_create(&sleeper->thread, 0, sleep_and_run, sleeper);
  return sleeper;
}
void peer_uv_ring(void *sleeper) { uv_async_send(&((struct sleeper *)sleeper)->ring); }
void peer_uv_sleeper_free(void *opaque) {
  struct sleeper *sleeper = opaque;
  uv_async_send(&sleeper->stop);
  pthread_join(sleeper->thread, 0);
  uv_loop_close(&sleeper->loop);
  free(sleeper);
}
#else
bool peer_has_uv(void) { return false; }
void peer_uv_async_run(uint64_t count, uint64_t *word) { __builtin_trap(); }
void peer_uv_async_coalesced(uint64_t count) { __builtin_trap(); }
peer_uv_timers *peer_uv_timers_new(uint64_t armed) { __builtin_trap(); }
void peer_uv_timers_cancel(peer_uv_timers *timers, const uint32_t *which, uint64_t count) { __builtin_trap(); }
void peer_uv_timers_arm(peer_uv_timers *timers, const uint32_t *which, const uint64_t *milliseconds, uint64_t count) {
  __builtin_trap();
}
void peer_uv_timers_expire(peer_uv_timers *timers, const uint32_t *which, uint64_t count) { __builtin_trap(); }
void peer_uv_timers_free(peer_uv_timers *timers) { __builtin_trap(); }
void *peer_uv_sleeper_new(int processor, void (*stamp)(void *), void *context) { __builtin_trap(); }
void peer_uv_ring(void *sleeper) { __builtin_trap(); }
void peer_uv_sleeper_free(void *sleeper) { __builtin_trap(); }
#endif
