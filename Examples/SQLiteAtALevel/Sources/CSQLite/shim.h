// SQLite, and the one call of it that Swift cannot make: it takes a variable number of arguments.
#include <sqlite3.h>

/// No mutex at all, from now on: the library then "may only be used by a single thread at a time". SQLITE_OK if it is not too late.
static inline int sqlite_without_mutexes(void) { return sqlite3_config(SQLITE_CONFIG_SINGLETHREAD); }
