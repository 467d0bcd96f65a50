// What the heap holds: glibc's own count, which Swift's import of the C library leaves out.
#pragma once
#include <malloc.h>
#include <stddef.h>

static inline size_t heap_in_use(void) {
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}
