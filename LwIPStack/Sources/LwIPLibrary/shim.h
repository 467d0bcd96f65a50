// The packaged library is only linked here; its headers are read by CLwIPStack alone.
