// The bytes come from the file that Captures/make-bundled writes, at compile time.
#include "cbundledcapture.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char capture[] = {
#embed "../softint/Resources/bundled.pcapng"
};

const unsigned char *cbundledcapture_bytes(size_t *count) {
  *count = sizeof capture;
  return capture;
}
