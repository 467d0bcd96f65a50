// The words of a job that the runtime leaves to whoever has it enqueued.
//
// Law: the link is written from `enqueue` until the job is run, and at no other time: the runtime's own executors use the same words.

import Synchronization
@_spi(ExperimentalCustomExecutors) import _Concurrency

/// Where in a job the words are, in bytes from its beginning; 0 until the runtime was asked. Relaxed: whoever asks is told the same.
@usableFromInline let linkOffset = Atomic<Int>(0)

extension UnownedJob: Linked {
  // A job is one pointer to an object of the runtime's, which is there until it has run; never null.
  @inlinable package var bits: UInt { unsafeBitCast(self, to: UInt.self) }
  @inlinable package init(bits: UInt) { self = unsafeBitCast(bits, to: UnownedJob.self) }

  /// Two words are there; the first is the list's. They are members of the job itself, so the pointer is good as long as it is, and their
  /// place is one for all jobs: asking takes three calls of the runtime, and is done six times for a hop there and back.
  @usableFromInline package var link: UnsafeMutablePointer<UInt> {
    let offset = linkOffset.load(ordering: .relaxed)
    if offset == 0 { return askedLink }
    let link = UnsafeMutableRawPointer(bitPattern: bits).unsafelyUnwrapped + offset
    return link.assumingMemoryBound(to: UInt.self)
  }

  @inline(never) private var askedLink: UnsafeMutablePointer<UInt> {
    let link = ExecutorJob(self).withUnsafeExecutorPrivateData {
      $0.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt.self)
    }
    // Behind the object's own two words, so never 0.
    linkOffset.store(Int(bitPattern: link) - Int(bitPattern: bits), ordering: .relaxed)
    return link
  }
}
