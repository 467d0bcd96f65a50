// The scenarios of Examples/Scenarios as bytes of the program, so that `softint explore NAME` works from any folder.
#ifndef CBUNDLEDSCENARIOS_H
#define CBUNDLEDSCENARIOS_H

#include <stddef.h>

/// A scenario's name, which is its file's without ".json", and its text.
struct cbundledscenarios_entry {
  const char *name;
  const unsigned char *text;
  size_t length;
};

/// How many there are.
size_t cbundledscenarios_count(void);

/// One of them, by an index below the count, in the order of their names.
struct cbundledscenarios_entry cbundledscenarios_at(size_t index);

#endif
