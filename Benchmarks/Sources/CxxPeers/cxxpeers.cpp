// The peers in C++. What is not installed answers `peer_has_…` with false and traps when it is called all the same.
#include "cxxpeers.h"

#include <mutex>

extern "C" void peer_std_mutex_pairs(uint64_t count, uint64_t *word) {
  // As a lock that others could know of: escaping, so that nothing is left out.
  static std::mutex mutex;
  for (uint64_t i = 0; i < count; i++) {
    std::lock_guard<std::mutex> hold(mutex);
    __atomic_store_n(word, __atomic_load_n(word, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
  }
}

#ifdef HAVE_ASIO
#include <boost/asio.hpp>
extern "C" bool peer_has_asio(void) { return true; }
extern "C" void peer_asio_strand_batches(uint64_t count, uint64_t batch, uint64_t *word) {
  boost::asio::io_context context(1);
  auto strand = boost::asio::make_strand(context);
  auto guard = boost::asio::make_work_guard(context);
  for (uint64_t done = 0; done < count; done += batch) {
    for (uint64_t i = 0; i < batch; i++) boost::asio::post(strand, [word] { *word += 1; });
    context.poll();
  }
}
#else
extern "C" bool peer_has_asio(void) { return false; }
extern "C" void peer_asio_strand_batches(uint64_t, uint64_t, uint64_t *) { __builtin_trap(); }
#endif
extern "C" void peer_asio_strand_run(uint64_t count, uint64_t *word) { peer_asio_strand_batches(count, 1, word); }

#ifdef HAVE_TBB
#include <tbb/task_arena.h>
#include <tbb/task_group.h>
extern "C" bool peer_has_tbb(void) { return true; }
extern "C" void peer_tbb_batches(uint64_t count, uint64_t batch, uint64_t *word) {
  tbb::task_arena arena(1);
  arena.execute([&] {
    tbb::task_group group;
    for (uint64_t done = 0; done < count; done += batch) {
      for (uint64_t i = 0; i < batch; i++) group.run([word] { *word += 1; });
      group.wait();
    }
  });
}
#else
extern "C" bool peer_has_tbb(void) { return false; }
extern "C" void peer_tbb_batches(uint64_t, uint64_t, uint64_t *) { __builtin_trap(); }
#endif
extern "C" void peer_tbb_run(uint64_t count, uint64_t *word) { peer_tbb_batches(count, 1, word); }
