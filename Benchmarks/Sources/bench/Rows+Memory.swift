// What a system weighs: bytes of the heap, against bounds.
//
// Law: the heap is glibc's own count; stacks are not in it. What is weighed lives until it has been weighed, and nothing else is made
// meanwhile.

import CHeap
import Gauges
import HostedMachine
import HotPaths
import SoftInterrupts

private func heap() -> Double { Double(heap_in_use()) }

/// A system of two CPUs that has worked; then handlers, then callouts.
private func weigh() throws -> [Double] {
  let start = heap()
  let system = try System(on: .hosted(cpus: 2))
  let runs = UnsafeMutablePointer<Int>.allocate(capacity: 1)
  runs.initialize(to: 0)
  let first = try system.establish("first", at: .softSerial, as: .ordered) { _ in runs.pointee += 1 }
  first.schedule(on: 0)
  first.schedule(on: 1)
  for cpu in 0..<2 { onCPU(system, cpu) {} }
  let idle = heap() - start
  var handlers: [Handler<HostedMachine>] = []
  handlers.reserveCapacity(24)
  var before = heap()
  for _ in 0..<24 {
    handlers.append(try system.establish("weighed", at: .softNet, as: .ordered) { _ in runs.pointee += 1 })
  }
  let handler = (heap() - before) / 24
  let count = 100_000
  var callouts: [Callout<HostedMachine>] = []
  callouts.reserveCapacity(count)
  before = heap()
  for index in 0..<count {
    let callout = try system.callout("weighed", at: .softClock, guard: .softNet) { _ in runs.pointee = index }
    callout.schedule(after: .seconds(3_600 + index % 3_600))
    callouts.append(callout)
  }
  let callout = (heap() - before) / Double(count)
  withExtendedLifetime((handlers, callouts)) { _ = system.shutdown() }
  return [idle, handler, callout]
}

func memoryExperiments() -> [Experiment] {
  let figures = [
    Figure(name: "memory-idle", title: "heap of an idle system with 2 CPUs, stacks apart", unit: "B"),
    Figure(name: "memory-handler", title: "heap of a handler", unit: "B"),
    Figure(
      name: "memory-callout",
      title: "heap of an armed callout, with a closure of two words", unit: "B"),
  ]
  var goals: [String: Goal] = [:]
  for figure in figures { goals[figure.name] = .atMost(1) }
  return [
    Experiment(figures, roundLimit: 3) {
      Session(
        ours: weigh,
        peers: [.bound("bound", "The project's own bounds.", [256 * 1_024, 512, 128], goals: goals)])
    }
  ]
}
