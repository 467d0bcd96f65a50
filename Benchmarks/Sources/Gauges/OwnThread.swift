// Threads that are no CPU and none of a pool's.
//
// Law: who makes one joins it, so what its body captures outlives it.

import Glibc

/// A thread of its own, for what is no CPU.
public final class OwnThread: @unchecked Sendable {
  // Sendable: set once, before anybody else knows of it.
  private var thread = pthread_t()
  private let body: @Sendable () -> Void

  public init(_ body: @escaping @Sendable () -> Void) {
    self.body = body
    let opaque = Unmanaged.passRetained(self).toOpaque()
    let status = pthread_create(
      &thread, nil,
      { opaque in
        Unmanaged<OwnThread>.fromOpaque(opaque!).takeRetainedValue().body()
        return nil
      }, opaque)
    precondition(status == 0, "no thread")
  }

  public func join() { pthread_join(thread, nil) }
}
