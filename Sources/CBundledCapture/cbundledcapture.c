// The bytes come from the file that Captures/make-bundled writes, at compile time.
#define _GNU_SOURCE
#include "cbundledcapture.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char capture[] = {
#embed "../softint/Resources/bundled.pcapng"
};

static const unsigned char costs[] = {
#embed "../../Benchmarks/Models/epyc-two-processors.json"
};

const unsigned char *cbundledcapture_costs(size_t *size) {
  *size = sizeof costs;
  return costs;
}

// An empty file without a name.
static int open_nameless(void) {
#ifdef __linux__
  return memfd_create("softint", MFD_CLOEXEC);
#else
  FILE *file = tmpfile();
  if (!file) return -1;
  int descriptor = dup(fileno(file));
  fclose(file);
  return descriptor;
#endif
}

int cbundledcapture_open(void) {
  int descriptor = open_nameless();
  if (descriptor < 0) return -1;
  for (size_t done = 0; done < sizeof capture;) {
    ssize_t written = write(descriptor, capture + done, sizeof capture - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      int code = errno;
      close(descriptor);
      errno = code;
      return -1;
    }
    done += (size_t)written;
  }
  lseek(descriptor, 0, SEEK_SET);
  return descriptor;
}
