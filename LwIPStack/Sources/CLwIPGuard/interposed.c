// The symbols that lwIP's port defines and that this program defines in its place: the dynamic linker prefers those of the
// executable (in another namespace, of the library that was loaded there), so the packaged library, unchanged, asks us.
//
// Law: lwIP takes no lock of its own here. Whoever calls it holds the stack's guard; each of its assertions of the core lock, each
// request of that lock and each of its protected sections asks for the guard, and is counted: under the guard plainly, because then nobody
// else counts.

#define _GNU_SOURCE
#include "internal.h"
#include <dlfcn.h>
#include <time.h>

// The library's own functions are found behind ours.
#define LIBRARY(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

lwip_counts lwip_tally;
static int64_t most_pcbs, most_pbufs;

bool lwip_is_interposed(void) { return true; }

static bool guarded(const void *from) {
  if (__builtin_expect(lwip_hook.is_guarded != NULL && lwip_hook.is_guarded(lwip_hook.stack), 1)) return true;
  // Not guarded, so others may count as well. Relaxed: a count, nothing is published by it.
  __atomic_fetch_add(&lwip_tally.failures, 1, __ATOMIC_RELAXED);
  if (lwip_hook.unguarded != NULL) lwip_hook.unguarded(lwip_hook.stack, from);
  return false;
}

void sys_check_core_locking(void) {
  if (guarded(__builtin_return_address(0))) lwip_tally.assertions++;
}
void sys_lock_tcpip_core(void) {
  if (guarded(__builtin_return_address(0))) lwip_tally.locks++;
}
void sys_unlock_tcpip_core(void) {}
sys_prot_t sys_arch_protect(void) {
  if (guarded(__builtin_return_address(0))) lwip_tally.protections++;
  return 0;
}
void sys_arch_unprotect(sys_prot_t level) { (void)level; }

// MARK: Time

static u32_t (*own_now)(void);

u32_t sys_now(void) {
  if (own_now != NULL) return own_now();
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (u32_t)((uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u);
}

// Called at the end of lwip_init: the timers are started by lwip_start, for each system of soft interrupts anew.
void sys_timeouts_init(void) {}
void sys_timeout(u32_t milliseconds, sys_timeout_handler handler, void *argument) {
  if (own_now != NULL) return LIBRARY(sys_timeout)(milliseconds, handler, argument);
  lwip_hook.timeout(lwip_hook.stack, milliseconds, handler, argument);
}
void sys_untimeout(sys_timeout_handler handler, void *argument) {
  if (own_now != NULL) return LIBRARY(sys_untimeout)(handler, argument);
  lwip_hook.untimeout(lwip_hook.stack, handler, argument);
}
void lwip_keep_own_timeouts(uint32_t (*now)(void)) { own_now = now; }

// lwIP calls it whenever a control block comes to life.
void tcp_timer_needed(void) { lwip_need_tcp_timer(); }

// MARK: Deferred calls. Of lwIP's core only the loopback of an interface to its own address makes them.

err_t tcpip_try_callback(tcpip_callback_fn function, void *argument) {
  return lwip_hook.later(lwip_hook.stack, function, argument) ? ERR_OK : ERR_MEM;
}
err_t tcpip_callback(tcpip_callback_fn function, void *argument) { return tcpip_try_callback(function, argument); }

// Once, whoever calls it: its lists are the process's.
void lwip_init(void) {
  static bool was_initialised;
  if (was_initialised) return;
  was_initialised = true;
  LIBRARY(lwip_init)();
}

// MARK: Accounts

static int64_t *account(memp_t type) {
  switch (type) {
    case MEMP_TCP_PCB: return &lwip_tally.tcp_pcbs;
    case MEMP_TCP_PCB_LISTEN: return &lwip_tally.listen_pcbs;
    case MEMP_UDP_PCB: return &lwip_tally.udp_pcbs;
    case MEMP_TCP_SEG: return &lwip_tally.segments;
    default: return NULL;
  }
}

void *memp_malloc(memp_t type) {
  static void *(*real)(memp_t);
  if (real == NULL) real = LIBRARY(memp_malloc);
  if (type == MEMP_TCP_PCB && most_pcbs > 0 && lwip_tally.tcp_pcbs >= most_pcbs) {
    // lwIP ends the oldest connection in TIME_WAIT or of low priority and asks again.
    lwip_tally.refused++;
    return NULL;
  }
  void *block = real(type);
  int64_t *count = account(type);
  if (block != NULL && count != NULL) ++*count;
  return block;
}
void memp_free(memp_t type, void *block) {
  static void (*real)(memp_t, void *);
  if (real == NULL) real = LIBRARY(memp_free);
  int64_t *count = account(type);
  if (block != NULL && count != NULL) --*count;
  real(type, block);
}

static bool is_input;
struct pbuf *lwip_input_buffer(u16_t length) {
  is_input = true;
  // PBUF_RAM: the pool's elements are smaller in the packaged library than its header says.
  struct pbuf *buffer = pbuf_alloc(PBUF_RAW, length, PBUF_RAM);
  is_input = false;
  return buffer;
}

struct pbuf *pbuf_alloc(pbuf_layer layer, u16_t length, pbuf_type type) {
  static struct pbuf *(*real)(pbuf_layer, u16_t, pbuf_type);
  if (real == NULL) real = LIBRARY(pbuf_alloc);
  // A quarter more for input: or else, once all buffers wait to be sent, no acknowledgement gets in that would free them.
  int64_t most = most_pbufs + (is_input ? most_pbufs / 4 + 1 : 0);
  if (most_pbufs > 0 && lwip_tally.pbufs >= most) {
    lwip_tally.refused++;
    return NULL;
  }
  struct pbuf *buffer = real(layer, length, type);
  for (struct pbuf *at = buffer; at != NULL; at = at->next) lwip_tally.pbufs++;
  return buffer;
}
struct pbuf *pbuf_alloced_custom(pbuf_layer layer, u16_t length, pbuf_type type, struct pbuf_custom *custom,
                                 void *memory, u16_t size) {
  static __typeof__(&pbuf_alloced_custom) real;
  if (real == NULL) real = LIBRARY(pbuf_alloced_custom);
  struct pbuf *buffer = real(layer, length, type, custom, memory, size);
  if (buffer != NULL) lwip_tally.pbufs++;
  return buffer;
}
u8_t pbuf_free(struct pbuf *buffer) {
  static u8_t (*real)(struct pbuf *);
  if (real == NULL) real = LIBRARY(pbuf_free);
  // It says how many of the chain it gave back.
  u8_t count = real(buffer);
  lwip_tally.pbufs -= count;
  return count;
}

lwip_counts lwip_count_now(void) {
  lwip_counts counts = lwip_tally;
  // Relaxed: who was not guarded may be counting.
  counts.failures = __atomic_load_n(&lwip_tally.failures, __ATOMIC_RELAXED);
  return counts;
}
void lwip_set_limits(int64_t tcp_pcbs, int64_t pbufs) {
  most_pcbs = tcp_pcbs;
  most_pbufs = pbufs;
}
