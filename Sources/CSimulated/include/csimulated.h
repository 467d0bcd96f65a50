// What the simulated machine needs and Swift cannot say: coroutines with stacks of their own, and the thread's simulation.
//
// Law: a coroutine runs on the thread that made it, and only one of a thread's coroutines runs at a time. A switch saves what
// the calling convention says is the callee's to keep, the set of Swift's dynamic exclusive accesses, and what the sanitizers
// want to know.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct softint_coroutine {
  void *sp;         // while it does not run
  void *stack;      // lowest address of its stack; NULL for the thread's own
  size_t size;      // bytes of it
  void (*entry)(void *);
  void *argument;
  void *accesses[2];  // Swift's dynamic accesses that it has begun and not ended, while it does not run
  void *fake_stack;   // Address Sanitizer's
  void *fiber;        // Thread Sanitizer's
} softint_coroutine;

// Gives a coroutine a stack of at least `size` bytes with a guard page below it; false without memory.
bool softint_coroutine_make(softint_coroutine *coroutine, size_t size);
// Lets it begin at `entry(argument)` when it is switched to. What was on its stack is forgotten, not unwound.
void softint_coroutine_reset(softint_coroutine *coroutine, void (*entry)(void *), void *argument);
void softint_coroutine_free(softint_coroutine *coroutine);
// Goes on in `to`; returns when somebody switches to `from`, which is the caller.
void softint_coroutine_switch(softint_coroutine *from, softint_coroutine *to);

// The simulation of the calling thread, or NULL.
extern _Thread_local void *softint_simulation_slot __attribute__((tls_model("initial-exec")));
static inline void *softint_simulation(void) { return softint_simulation_slot; }
static inline void softint_set_simulation(void *simulation) { softint_simulation_slot = simulation; }

// Has `handler` called, on the stack that trapped, when a Swift trap (a failed precondition, an overflow) happens on a thread
// whose `softint_trap_armed` is set; the handler does not return. Other traps end the process as before.
void softint_catch_traps(void (*handler)(void));
extern _Thread_local bool softint_trap_armed __attribute__((tls_model("initial-exec")));
static inline void softint_arm_traps(bool armed) { softint_trap_armed = armed; }
