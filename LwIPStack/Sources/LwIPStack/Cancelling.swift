// Waits of tasks that are cancelled.
//
// Law: `onCancel` waits for nothing. Swift calls it under the lock of the task that waits, and who resumes that task, as is done here under the
// guard, may need the same lock: who waited for the guard in `onCancel` would close the cycle, and nobody would enter the stack any more. So another
// task takes the guard. It may come late, when somebody else waits in the same place: each wait has a number, and only its own is
// cancelled.

import Synchronization

/// Numbers for waits and for lwIP's questions: of the process, as these outlive a stack. Relaxed: a number that nobody else has, no more.
enum WaitNumber {
  private static let last = Atomic<UInt>(0)
  static func next() -> UInt { last.wrappingAdd(1, ordering: .relaxed).newValue }
}

extension NetworkStack {
  /// Runs `body` under the guard, soon, on a thread of the concurrency pool: for `onCancel`. Waits for nothing.
  func enterLater(_ body: @escaping @Sendable () -> Void) { Task.detached { self.enter(body) } }
}
