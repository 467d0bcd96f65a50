// SIGINT and SIGTERM as a request to stop and show what there is. Invariant: the first one is only noted;
// a second one ends the process at once, should it not come to its end.

import Glibc
import Synchronization

enum Interruption {
  private static let received = Atomic<Int32>(0)

  /// Begins to note the signals. One that is ignored, as in the background of a script, stays ignored.
  static func watch() {
    // Touched here, so that the handler does not find it uninitialised.
    received.store(0, ordering: .relaxed)
    for number in [SIGINT, SIGTERM] {
      let previous = signal(number) { number in
        // Both calls are safe in a handler: a store to an atomic word and signal(2).
        Interruption.received.store(number, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
      if isIgnore(previous) { signal(number, SIG_IGN) }
    }
  }

  /// The exit status for the signal that came; nil if none did.
  static var exitStatus: Int32? {
    switch received.load(ordering: .relaxed) {
    case 0: nil
    case SIGTERM: ExitStatus.terminated
    default: ExitStatus.interrupted
    }
  }

  private static func isIgnore(_ handler: (@convention(c) (Int32) -> Void)?) -> Bool {
    // A handler is a pointer-sized word, of which SIG_IGN is one; functions have no equality in Swift.
    unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}
