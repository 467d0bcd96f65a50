// The words of a job that the runtime leaves to whoever has it enqueued.
//
// Law: the link is written from `enqueue` until the job is run, and at no other time: the runtime's own executors use the same words.

@_spi(ExperimentalCustomExecutors) import _Concurrency

extension UnownedJob: Linked {
  // A job is one pointer to an object of the runtime's, which is there until it has run; never null.
  @inlinable package var bits: UInt { unsafeBitCast(self, to: UInt.self) }
  @inlinable package init(bits: UInt) { self = unsafeBitCast(bits, to: UnownedJob.self) }

  /// Two words are there; the first is the list's. The buffer is memory of the job itself, so the pointer is good as long as it is.
  @usableFromInline package var link: UnsafeMutablePointer<UInt> {
    ExecutorJob(self).withUnsafeExecutorPrivateData {
      $0.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt.self)
    }
  }
}
