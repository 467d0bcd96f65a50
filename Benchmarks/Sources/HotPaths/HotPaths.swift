// The hot paths, each in a function of its own, specialised in a module that is not the core's.

public import Glibc
public import HostedMachine
public import SoftInterrupts

public typealias System = InterruptSystem<HostedMachine>

@inline(never) public func raisePairs(_ system: System, _ count: Int, _ word: UnsafeMutablePointer<UInt64>) {
  for _ in 0..<count { system.raise(to: .softNet) { _ in word.pointee &+= 1 } }
}

@inline(never) public func exactPairs(_ system: System, _ count: Int, _ word: UnsafeMutablePointer<UInt64>) {
  for _ in 0..<count { system.raise(exactly: .softNet) { _ in word.pointee &+= 1 } }
}

/// A count behind the gate of softNet.
public typealias Count = Guarded<UInt64, SoftNet>

@inline(never) public func typedPairs(_ base: inout At<None, HostedMachine>, _ count: Int, _ word: Count) {
  for _ in 0..<count { base.raise(to: SoftNet.self) { net in net[word] &+= 1 } }
}

/// The same with the verdict of run time, from code that has no token.
@inline(never) public func enteringPairs(_ system: System, _ count: Int, _ word: Count) {
  for _ in 0..<count { system.raise(to: SoftNet.self) { net in net[word] &+= 1 } }
}

/// Data of two levels in one scope.
@inline(never) public func typedNestedPairs(
  _ base: inout At<None, HostedMachine>, _ count: Int, _ word: Count, _ other: Guarded<UInt64, SoftSerial>
) {
  for _ in 0..<count {
    base.raise(to: SoftNet.self) { net in
      net.raise(to: SoftSerial.self) { serial, net in
        serial[other] &+= net[word]
        net.open(word) { $0 &+= 1 }
      }
    }
  }
}

@inline(never) public func maskPairs(_ system: System, _ count: Int, _ word: UnsafeMutablePointer<UInt64>) {
  for _ in 0..<count { system.mask(to: .softNet) { _ in word.pointee &+= 1 } }
}

@inline(never) public func scheduleAndRun(_ handler: Handler<HostedMachine>, _ system: System, _ count: Int) {
  for _ in 0..<count {
    handler.schedule()
    #if AssemblyMutant
      kept = system
    #endif
    system.checkpoint()
  }
}

#if AssemblyMutant
  nonisolated(unsafe) var kept: System?
#endif

@inline(never) public func scheduleOnly(_ handler: Handler<HostedMachine>, _ count: Int) {
  for _ in 0..<count { handler.schedule() }
}

@inline(never) public func scheduleElsewhere(_ handler: Handler<HostedMachine>, _ cpu: Int) {
  handler.schedule(on: cpu)
}

/// A sequence that is the same in every run.
public struct Fixed {
  var state: UInt64 = 1
  public init() {}
  public mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 33
  }
}

/// Cancels and arms callouts, one after the other, chosen by the sequence.
@inline(never) public func rearmCallouts(
  _ callouts: [Callout<HostedMachine>], _ count: Int, _ random: inout Fixed
) {
  let base = HostedMachine.now() + 600_000_000_000
  for _ in 0..<count {
    let callout = callouts[Int(random.next() % UInt64(callouts.count))]
    callout.cancel()
    callout.schedule(at: base + random.next() % 3_600_000 * 1_000_000)
  }
}

/// What raises are held against: the same loop around a lock.
@inline(never) public func mutexPairs(
  _ mutex: UnsafeMutablePointer<pthread_mutex_t>, _ count: Int, _ word: UnsafeMutablePointer<UInt64>
) {
  for _ in 0..<count {
    pthread_mutex_lock(mutex)
    word.pointee &+= 1
    pthread_mutex_unlock(mutex)
  }
}
