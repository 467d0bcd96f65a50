// The capture that `softint compare` replays when none is named. It is part of the program, so that a
// copied executable has it too and nothing must be found at run time.
#ifndef CBUNDLEDCAPTURE_H
#define CBUNDLEDCAPTURE_H

#include <stddef.h>

/// The bytes of the capture, and their number in `*count`. They live as long as the program.
const unsigned char *_Nonnull cbundledcapture_bytes(size_t *_Nonnull count);

#endif
