// What a callout weighs, and what it costs to arm and cancel one among many.

import CHeap
import HostedMachine
import HotPaths
import SoftInterrupts

/// Bytes that the heap holds.
func heapInUse() -> Int { Int(heap_in_use()) }

/// Heap growth for each of `count` armed callouts whose closure captures one word.
func weighCallouts(_ count: Int) throws {
  let system = try System(on: .hosted(cpus: 1))
  var callouts: [Callout<HostedMachine>] = []
  callouts.reserveCapacity(count)
  let before = heapInUse()
  for index in 0..<count {
    let callout = try system.callout("weighed", at: .softClock, guard: .softNet) { _ in sink = index }
    callout.schedule(after: .seconds(3_600 + index % 3_600))
    callouts.append(callout)
  }
  let each = Double(heapInUse() - before) / Double(count)
  print("\(count) armed callouts: \(fixed(each, 1)) B each")
  system.shutdown()
}

nonisolated(unsafe) var sink = 0

/// Arms `armed` callouts, then moves one of them `operations` times and cancels and arms it as often: to be counted by a
/// tool that counts instructions; two runs with different `operations` give the price of one.
func countCallouts(_ armed: Int, _ operations: Int) throws {
  let system = try System(on: .hosted(cpus: 1))
  var state: UInt64 = 1
  func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 33
  }
  var callouts: [Callout<HostedMachine>] = []
  for _ in 0..<armed {
    let callout = try system.callout("counted", at: .softClock, guard: .softNet) { _ in }
    callout.schedule(after: .milliseconds(600_000 + Int(next() % 3_600_000)))
    callouts.append(callout)
  }
  for _ in 0..<operations {
    let callout = callouts[Int(next() % UInt64(armed))]
    callout.cancel()
    callout.schedule(at: HostedMachine.now() + 600_000_000_000 + next() % 3_600_000_000_000)
  }
  system.shutdown()
}
