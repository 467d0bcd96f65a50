// lwIP's own unit tests without anything of ours, to know what fails then too: no interposed timers, no clock but the tests', and
// nobody asked for the core lock.
#include "cunittests.h"
#include <stdio.h>

void sys_check_core_locking(void) {}
void sys_lock_tcpip_core(void) {}
void sys_unlock_tcpip_core(void) {}

static void around(const char *suite, void (*run)(void)) {
  (void)suite;
  run();
}

int main(void) {
  int failed = cunittests_run(around, NULL);
  printf("%d tests, %d failed\n", cunittests_count(), failed);
  return 0;
}
