// The hot paths, each in a function of its own, specialised in a module that is not the core's.

import HostedMachine
import SoftInterrupts

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
@inline(never) public func typedNested(
  _ base: inout At<None, HostedMachine>, _ word: Count, _ other: Guarded<UInt64, SoftSerial>
) {
  base.raise(to: SoftNet.self) { net in
    net.raise(to: SoftSerial.self) { serial, net in
      serial[other] &+= net[word]
      net.open(word) { $0 &+= 1 }
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
