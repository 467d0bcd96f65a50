// The capture that `softint compare` replays when none is named. It is part of the program, so that a
// copied executable has it too and nothing must be found at run time.
#ifndef CBUNDLEDCAPTURE_H
#define CBUNDLEDCAPTURE_H

#include <stddef.h>

/// Opens the bundled capture as a file that lies in memory, at its start.
///
/// Answers a descriptor that the caller closes, or -1 with `errno` set.
int cbundledcapture_open(void);

/// The bundled cost model, a file of the schema softint.costs/1; its number of bytes in `size`.
const unsigned char *cbundledcapture_costs(size_t *size);

#endif
