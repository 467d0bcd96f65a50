// The core on the simulated machine: the same source, on many schedules.

import SimulatedMachine
import Testing

@testable import SoftInterrupts

/// Chooses by a seed (SplitMix64), with a liking for whoever runs.
final class Seeded: Pilot {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }
  private func random() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  override func next(_ machine: SimulatedMachine, _ last: Event, _ enabled: ProcessSet) -> Int {
    let running = Int(last.process)
    if running >= 0 && enabled.has(running) && random() % 4 != 0 { return running }
    var skip = Int(random() % UInt64(enabled.nonzeroBitCount))
    var left = enabled
    while skip > 0 {
      left.remove(left.first)
      skip -= 1
    }
    return left.first
  }
}

@Suite("The core on the simulated machine")
struct CoreTests {
  @Test(
    "base code, handlers, callouts, cross-calls and visitors run", arguments: [Recognition.points, .anywhere])
  func everything(_ recognition: Recognition) throws {
    let machine = SimulatedMachine(cpus: 2, recognition: recognition)
    for seed in 0..<200 as Range<UInt64> {
      nonisolated(unsafe) var ran: [String: Int] = [:]
      try withSystem(machine, Seeded(seed)) { system in
        let net = try system.establish("net", at: .softNet, as: .ordered) { _ in ran["net", default: 0] += 1 }
        let bio = try system.establish("bio", at: .softBio, as: .bigLock) { _ in ran["bio", default: 0] += 1 }
        let timer = try system.callout("timer", at: .softClock, guard: .softNet) { _ in
          ran["timer", default: 0] += 1
        }
        system.submit(on: 0) { here in
          net.schedule()
          here.raise(to: .softNet) { _ in ran["base", default: 0] += 1 }
          timer.schedule(after: .milliseconds(1))
        }
        system.submit(on: 1, as: .bigLock) { _ in
          bio.schedule()
          net.schedule()
        }
        machine.visitor("visitor") {
          system.raise(to: .softBio) { _ in ran["visitor", default: 0] += 1 }
          system.crossCallAndWait(on: 1, at: .sched) { _ in ran["call", default: 0] += 1 }
        }
        machine.device("device") { net.schedule(on: 1) }
      }
      #expect(ran["net"]! >= 2 && ran["net"]! <= 3, "seed \(seed): \(ran)")
      for name in ["bio", "timer", "base", "visitor", "call"] {
        #expect(ran[name] == 1, "seed \(seed): \(ran)")
      }
    }
  }

  @Test("an interrupt comes in the middle of base code only where interrupts come anywhere")
  func interrupts() throws {
    for recognition in [Recognition.points, .anywhere] {
      nonisolated(unsafe) var isInterrupted = false
      for seed in 0..<100 as Range<UInt64> {
        let machine = SimulatedMachine(cpus: 1, recognition: recognition)
        nonisolated(unsafe) var isInside = false
        try withSystem(machine, Seeded(seed)) { system in
          let net = try system.establish("net", at: .softNet, as: .ordered) { _ in
            if isInside { isInterrupted = true }
          }
          system.submit(on: 0) { _ in
            isInside = true
            for _ in 0..<20 { SimulatedMachine.point() }
            isInside = false
          }
          machine.device("device") { net.schedule(on: 0) }
        }
      }
      #expect(isInterrupted == (recognition == .anywhere))
    }
  }

  @Test("64 CPUs raise to one level, one at a time")
  func many() throws {
    let machine = SimulatedMachine(cpus: 64, stackSize: 128 << 10)
    nonisolated(unsafe) var inside = 0
    nonisolated(unsafe) var most = 0
    nonisolated(unsafe) var sections = 0
    try withSystem(machine, Seeded(7)) { system in
      for cpu in 0..<64 {
        system.submit(on: cpu) { here in
          here.raise(to: .softNet) { _ in
            inside += 1
            most = max(most, inside)
            SimulatedMachine.point()
            inside -= 1
            sections += 1
          }
        }
      }
    }
    #expect(most == 1 && sections == 64)
  }

  @Test("levels in threads of their own, and base code that leaves its CPU")
  func threads() throws {
    let machine = SimulatedMachine(cpus: 1)
    var configuration = quiet()
    configuration.execution = .threads
    nonisolated(unsafe) var ran = 0
    try withSystem(machine, Seeded(3), configuration) { system in
      let net = try system.establish("net", at: .softNet, as: .mpSafe) { _ in ran += 1 }
      machine.device("device") { net.schedule(on: 0) }
    }
    #expect(ran == 1)
    try withSystem(machine, Seeded(4)) { system in
      let net = try system.establish("net", at: .softNet, as: .ordered) { _ in ran += 1 }
      system.submit(on: 0) { here in
        here.leaveCPU {
          net.schedule(on: 0)
          SimulatedMachine.point()
        }
      }
    }
    #expect(ran == 2)
  }
}
