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
