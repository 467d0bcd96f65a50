#define _GNU_SOURCE
#include "csimulated.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SOFTINT_ASAN 1
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if __has_feature(thread_sanitizer)
#define SOFTINT_TSAN 1
#include <sanitizer/tsan_interface.h>
#endif
#endif

_Thread_local void *softint_simulation_slot = NULL;
_Thread_local bool softint_trap_armed = false;

// Swift's runtime keeps the dynamic accesses of a thread ("exclusivity") in a list that is threaded through its stack. It has
// these two for tasks: `enter` puts a task's list on top of the thread's, `exit` takes it off again. Coroutines need the same.
// Weak: an older or an embedded runtime has none, and keeps no such list that a switch could confuse.
__attribute__((weak)) void swift_task_enterThreadLocalContext(char *state);
__attribute__((weak)) void swift_task_exitThreadLocalContext(char *state);

static inline void enter_accesses(softint_coroutine *c) {
  if (c->stack && swift_task_enterThreadLocalContext) swift_task_enterThreadLocalContext((char *)c->accesses);
}
static inline void exit_accesses(softint_coroutine *c) {
  if (c->stack && swift_task_exitThreadLocalContext) swift_task_exitThreadLocalContext((char *)c->accesses);
}

// softint_swap(void **save, void *load): pushes the callee-saved registers, saves the stack pointer, loads the other and pops.
// The floating-point control words are left alone: nothing that runs here changes them. r13 (x20), r14 (x22) and r12 (x21),
// which Swift uses for self, async context and error, are callee-saved in the C convention of the caller.
void softint_swap(void **save, void *load);
void softint_trampoline(void);
__attribute__((used, noreturn)) void softint_coroutine_main(softint_coroutine *self);

#if defined(__x86_64__)
__asm__(
    ".text\n"
    ".p2align 4\n"
    ".globl softint_swap\n"
    ".type softint_swap, @function\n"
    "softint_swap:\n"
    "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
    "  movq %rsp, (%rdi)\n"
    "  movq %rsi, %rsp\n"
    "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
    "  retq\n"
    ".size softint_swap, .-softint_swap\n"
    ".globl softint_trampoline\n"
    ".type softint_trampoline, @function\n"
    "softint_trampoline:\n"
    "  movq %rbx, %rdi\n"
    "  callq softint_coroutine_main\n"
    "  ud2\n"
    ".size softint_trampoline, .-softint_trampoline\n");

// The frame that the first swap pops: r15 r14 r13 r12 rbx rbp, then the return address. At the trampoline's first instruction
// the stack is aligned to 16 bytes, as it is before a call.
static void *first_frame(softint_coroutine *c) {
  uintptr_t top = ((uintptr_t)c->stack + c->size) & ~(uintptr_t)15;
  void **frame = (void **)(top - 16) - 7;
  memset(frame, 0, 7 * sizeof(void *));
  frame[4] = c;  // rbx
  frame[6] = (void *)softint_trampoline;
  return frame;
}
#elif defined(__aarch64__)
__asm__(
    ".text\n"
    ".p2align 4\n"
    ".globl softint_swap\n"
    ".type softint_swap, %function\n"
    "softint_swap:\n"
    "  sub sp, sp, #160\n"
    "  stp x19, x20, [sp, #0]\n  stp x21, x22, [sp, #16]\n  stp x23, x24, [sp, #32]\n"
    "  stp x25, x26, [sp, #48]\n  stp x27, x28, [sp, #64]\n  stp x29, x30, [sp, #80]\n"
    "  stp d8, d9, [sp, #96]\n  stp d10, d11, [sp, #112]\n"
    "  stp d12, d13, [sp, #128]\n  stp d14, d15, [sp, #144]\n"
    "  mov x9, sp\n  str x9, [x0]\n  mov sp, x1\n"
    "  ldp x19, x20, [sp, #0]\n  ldp x21, x22, [sp, #16]\n  ldp x23, x24, [sp, #32]\n"
    "  ldp x25, x26, [sp, #48]\n  ldp x27, x28, [sp, #64]\n  ldp x29, x30, [sp, #80]\n"
    "  ldp d8, d9, [sp, #96]\n  ldp d10, d11, [sp, #112]\n"
    "  ldp d12, d13, [sp, #128]\n  ldp d14, d15, [sp, #144]\n"
    "  add sp, sp, #160\n"
    "  ret\n"
    ".size softint_swap, .-softint_swap\n"
    ".globl softint_trampoline\n"
    ".type softint_trampoline, %function\n"
    "softint_trampoline:\n"
    "  mov x0, x19\n"
    "  bl softint_coroutine_main\n"
    "  brk #1\n"
    ".size softint_trampoline, .-softint_trampoline\n");

static void *first_frame(softint_coroutine *c) {
  uintptr_t top = ((uintptr_t)c->stack + c->size) & ~(uintptr_t)15;
  void **frame = (void **)(top - 160);
  memset(frame, 0, 160);
  frame[0] = c;                            // x19
  frame[11] = (void *)softint_trampoline;  // x30
  return frame;
}
#else
#error "no coroutine switch for this processor: add one here"
#endif

#ifdef SOFTINT_ASAN
static _Thread_local softint_coroutine *previous = NULL;

static void finish_switch(softint_coroutine *self) {
  const void *bottom;
  size_t size;
  __sanitizer_finish_switch_fiber(self->fake_stack, &bottom, &size);
  if (previous && !previous->stack) {
    // The thread's own stack: learnt from who left it. `size` alone says that it is known; `stack` stays NULL.
    previous->argument = (void *)bottom;
    previous->size = size;
  }
}
#endif

void softint_coroutine_main(softint_coroutine *self) {
#ifdef SOFTINT_ASAN
  finish_switch(self);
#endif
  enter_accesses(self);
  self->entry(self->argument);
  __builtin_trap();  // An entry switches away for good; it never returns.
}

bool softint_coroutine_make(softint_coroutine *c, size_t size) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size = (size + page - 1) / page * page;
  // Committed when touched, so a generous stack costs address space only.
  char *memory = mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return false;
  mprotect(memory, page, PROT_NONE);
  memset(c, 0, sizeof *c);
  c->stack = memory + page;
  c->size = size;
  return true;
}

void softint_coroutine_reset(softint_coroutine *c, void (*entry)(void *), void *argument) {
  c->entry = entry;
  c->argument = argument;
  c->accesses[0] = c->accesses[1] = NULL;
  // The fake stack stays with the coroutine, or Address Sanitizer would map one more for each run.
#ifdef SOFTINT_ASAN
  __asan_unpoison_memory_region(c->stack, c->size);
#endif
#ifdef SOFTINT_TSAN
  if (c->fiber) __tsan_destroy_fiber(c->fiber);
  c->fiber = __tsan_create_fiber(0);
#endif
  c->sp = first_frame(c);
}

void softint_coroutine_free(softint_coroutine *c) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
#ifdef SOFTINT_TSAN
  if (c->fiber) __tsan_destroy_fiber(c->fiber);
#endif
  if (c->stack) munmap((char *)c->stack - page, c->size + page);
  memset(c, 0, sizeof *c);
}

#ifdef SOFTINT_TSAN
__attribute__((no_sanitize("thread")))
#endif
void softint_coroutine_switch(softint_coroutine *from, softint_coroutine *to) {
  exit_accesses(from);
#ifdef SOFTINT_ASAN
  previous = from;
  __sanitizer_start_switch_fiber(&from->fake_stack, to->stack ? to->stack : to->argument, to->size);
#endif
#ifdef SOFTINT_TSAN
  if (!from->stack) from->fiber = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(to->fiber, 0);
#endif
  softint_swap(&from->sp, to->sp);
#ifdef SOFTINT_ASAN
  finish_switch(from);
#endif
  enter_accesses(from);
}

// MARK: Traps

// Relaxed: every thread that simulates sets the same function.
static void (*_Atomic trap_handler)(void);
static struct sigaction old_ill, old_trap;

static void on_trap(int number, siginfo_t *info, void *context) {
  (void)info, (void)context;
  void (*handler)(void) = atomic_load_explicit(&trap_handler, memory_order_relaxed);
  if (softint_trap_armed && handler) {
    softint_trap_armed = false;
    // The signal was raised by this very instruction stream, and SA_NODEFER keeps the mask as it was, so leaving the
    // handler's frame behind on an abandoned stack is sound.
    handler();
  }
  // Not ours: as before. The instruction traps again on return.
  sigaction(number, number == SIGILL ? &old_ill : &old_trap, NULL);
}

static void install(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_trap;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigemptyset(&action.sa_mask);
  sigaction(SIGILL, &action, &old_ill);
  sigaction(SIGTRAP, &action, &old_trap);
}

void softint_catch_traps(void (*handler)(void)) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  atomic_store_explicit(&trap_handler, handler, memory_order_relaxed);
  pthread_once(&once, install);
}
