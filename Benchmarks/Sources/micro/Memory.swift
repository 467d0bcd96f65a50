// What a callout weighs.

import CHeap
import Gauges
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
