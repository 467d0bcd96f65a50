// The peers that are written in C++, behind functions of C.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
// std::mutex: one lock, no order, no sleeping order either; on Linux it is a pthread_mutex.
void peer_std_mutex_pairs(uint64_t count, uint64_t *word);

// Boost.Asio: a strand keeps handlers apart and in their order; one thread runs the context here. No priorities.
bool peer_has_asio(void);
/// Posts to a strand and runs what is ready, one by one.
void peer_asio_strand_run(uint64_t count, uint64_t *word);
/// The same, posting `batch` before they are run.
void peer_asio_strand_batches(uint64_t count, uint64_t batch, uint64_t *word);

// oneTBB: tasks of a group in an arena of one thread. No exclusion between tasks on several threads, no priorities here.
bool peer_has_tbb(void);
void peer_tbb_run(uint64_t count, uint64_t *word);
void peer_tbb_batches(uint64_t count, uint64_t batch, uint64_t *word);
#ifdef __cplusplus
}
#endif
