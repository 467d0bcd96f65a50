// lwIP's own unit tests, one suite at a time.
#pragma once

// Runs all suites. Each is run by `around`, which is given what runs it; `poll` (or NULL) makes deferred calls, and says whether there were any.
// How many tests failed.
int cunittests_run(void (*around)(const char *suite, void (*run)(void)), int (*poll)(void));
// How many tests were run.
int cunittests_count(void);
