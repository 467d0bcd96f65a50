// Only linked here; its header is read by CUnitTests alone.
