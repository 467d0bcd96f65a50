// Words that measuring threads and CPUs share.

import Synchronization

/// A flag.
final class Flag: Sendable {
  private let word = Atomic<Bool>(false)
  /// Acquire and release: what was done before it was set is visible to who sees it.
  var isSet: Bool { word.load(ordering: .acquiring) }
  func set() { word.store(true, ordering: .releasing) }
  /// Whether it was set, once for each time that it was. Acquire: what was done before it was set is visible to who takes it.
  func take() -> Bool { word.exchange(false, ordering: .acquiring) }
}

/// A count that several threads add to.
final class Counter: Sendable {
  private let word = Atomic<UInt64>(0)
  var value: UInt64 { word.load(ordering: .acquiring) }
  func add(_ n: UInt64) { word.wrappingAdd(n, ordering: .acquiringAndReleasing) }
}
