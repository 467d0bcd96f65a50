// What lwIP's unit tests call in the place of two functions of check (their source is compiled with these names): so each suite is run where
// its caller wants it.
//
// Law: the tests are as they are; nothing is left out here. One suite, TIMERS, tests what callouts replace: lwIP's own list of timeouts,
// on a clock that the tests set. That suite has both back, and is under the gate as all others.

#define _GNU_SOURCE
#include "cunittests.h"
#include <check.h>
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int lwip_unittests_main(void);
Suite *lwip_unittests_suite(const char *name);
void lwip_unittests_run(SRunner *runner, enum print_output mode);

static const char *names[64];
static int name_count, count, failed;
static void (*around_each)(const char *, void (*)(void));
static SRunner *runner_now;
static const char *name_now;

Suite *lwip_unittests_suite(const char *name) {
  // More than there are places is a defect that the count of tests shows.
  if (name_count < 64) names[name_count++] = name;
  return suite_create(name);
}

// The tests' clock, and who lets lwIP keep its own timeouts: not there when the tests run alone.
extern uint32_t lwip_sys_now;
extern void lwip_keep_own_timeouts(uint32_t (*now)(void)) __attribute__((weak));
static uint32_t tests_now(void) { return lwip_sys_now; }

static void run_suite(void) {
  int is_replaced = lwip_keep_own_timeouts != NULL && strcmp(name_now, "TIMERS") == 0;
  if (is_replaced) lwip_keep_own_timeouts(tests_now);
  srunner_run(runner_now, name_now, NULL, CK_SILENT);
  if (is_replaced) lwip_keep_own_timeouts(NULL);
}

// How the tests let deferred calls be made; ours are with the stack.
static int (*poll_deferred)(void);
int tcpip_thread_poll_one(void) {
  static int (*library)(void);
  if (library == NULL) library = (int (*)(void))dlsym(RTLD_NEXT, "tcpip_thread_poll_one");
  return (poll_deferred != NULL && poll_deferred()) || library();
}

void lwip_unittests_run(SRunner *runner, enum print_output mode) {
  (void)mode;
  runner_now = runner;
  for (int index = 0; index < name_count; index++) {
    name_now = names[index];
    int before = srunner_ntests_run(runner);
    around_each(name_now, run_suite);
    printf("%s: %d tests\n", name_now, srunner_ntests_run(runner) - before);
  }
  srunner_print(runner, CK_NORMAL);
  count = srunner_ntests_run(runner);
  failed = srunner_ntests_failed(runner);
}

int cunittests_run(void (*around)(const char *, void (*)(void)), int (*poll)(void)) {
  around_each = around;
  poll_deferred = poll;
  lwip_unittests_main();
  return failed;
}
int cunittests_count(void) { return count; }
