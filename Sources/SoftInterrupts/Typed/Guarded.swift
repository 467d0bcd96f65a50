// Values that a level guards: opened through the `Held` token of that level only.
//
// Law: whoever opens holds the level's gate (the token says so), so there is one at a time; that it is one *opening* at a time the
// token cannot say, for a context may have two tokens of one level. So each guard has a word, "open", which is always checked. The
// same word knows the system: a token of another system's gate opens nothing.

import Synchronization

/// A value that is touched at one level only, under its gate.
///
/// ```swift
/// let table = Guarded<[Int: Session], SoftNet>([:])
/// system.raise(to: SoftNet.self) { net in net.open(table) { $0.removeAll() } }
/// ```
/// Made without a system, and from then on the first one's that opens it. The value may be noncopyable, and need not be `Sendable`:
/// it is sent to the guard when it is made, and nothing that is not `Sendable` comes out.
public final class Guarded<Value: ~Copyable, L: OrderLevel>: @unchecked Sendable {
  // Sendable: the value is touched under the gate of L only, by one opening at a time; the word is atomic.
  @usableFromInline let value: UnsafeMutablePointer<Value>
  /// 0: no system has opened it yet. Else the system's address; plus 1 while it is open.
  @usableFromInline let state = Atomic<UInt>(0)

  /// Guards a value, which nobody else may know: it is sent.
  @inlinable public init(_ value: consuming sending Value) {
    self.value = .allocate(capacity: 1)
    self.value.initialize(to: value)
  }

  deinit {
    value.deinitialize(count: 1)
    value.deallocate()
  }

  /// Says that it is open from here on; the system's address. Relaxed: who opens holds the gate, which orders everything; the word
  /// is atomic for those who break the rule.
  @inlinable @inline(__always)
  func begin<M: Machine>(_ agent: AgentRef<M>, _ site: @autoclosure () -> Violation.Site) -> UInt {
    let system = UInt(bitPattern: agent.system.p)
    if state.load(ordering: .relaxed) != system { refuseOrBind(agent, system, site()) }
    state.store(system | 1, ordering: .relaxed)
    return system
  }

  @inlinable @inline(__always) func end(_ system: UInt) { state.store(system, ordering: .relaxed) }

  /// The first opening, or a wrong one, which traps whatever the policy is: there is nothing to go on with.
  @inlinable @inline(never)
  func refuseOrBind<M: Machine>(_ agent: AgentRef<M>, _ system: UInt, _ site: Violation.Site) {
    let (bound, seen) = state.compareExchange(expected: 0, desired: system, ordering: .relaxed)
    if bound { return }
    if seen == system | 1 {
      if Mutant.isOn(.openTwice) { return }
      agent.system.object.report(.guardOpenTwice, agent, L.level, "a guarded value", site, mustTrap: true)
    } else if seen != system {
      agent.system.object.report(.guardOfOtherSystem, agent, L.level, "a guarded value", site, mustTrap: true)
    }
  }
}

extension Held {
  /// Opens a guarded value of this level for the time of `body`.
  ///
  /// Several guards may be open at once; one guard twice is a violation, which traps. What comes out is `Sendable`, so nothing that
  /// belongs to the value does: put what is to happen to it into `body`. Also for pointers of C.
  @inlinable @inline(__always)
  public borrowing func open<V: ~Copyable, R: ~Copyable & Sendable, E: Error>(
    _ guarded: Guarded<V, L>, file: StaticString = #fileID, line: UInt = #line,
    _ body: (inout sending V) throws(E) -> R
  ) throws(E) -> R {
    let system = guarded.begin(agent, .init(file, line))
    defer { guarded.end(system) }
    return try body(&guarded.value.pointee)
  }

  /// A guarded value of this level that is `Sendable`: read, written, or changed in place (open meanwhile).
  @inlinable @inline(__always)
  public subscript<V: Sendable>(
    guarded: Guarded<V, L>, file: StaticString = #fileID, line: UInt = #line
  ) -> V {
    @inline(__always) get {
      let system = guarded.begin(agent, .init(file, line))
      defer { guarded.end(system) }
      return guarded.value.pointee
    }
    @inline(__always) nonmutating _modify {
      let system = guarded.begin(agent, .init(file, line))
      defer { guarded.end(system) }
      yield &guarded.value.pointee
    }
  }
}
