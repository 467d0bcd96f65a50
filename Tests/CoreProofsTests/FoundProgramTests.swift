// Programs by which random exploration found something, small, each with what was wrong.

import CoreProofs
import Exploration
import SimulatedMachine
import SoftInterrupts
import Testing

enum Found {
  /// CPU 0 has worked out when it will wake, and is interrupted before it sleeps. The handler arms a callout and then waits for a
  /// gate; while it sleeps there it looks at the wheel. Back in the first sleep nothing says that there is a callout.
  /// (Seed 93 of the cumulative programs, as it was found.)
  static var armedOnTopOfSleep: RandomProgram {
    var program = RandomProgram(cpus: 2)
    program.data = [.init(guardLevel: .softBio)]
    program.handlers = [
      .init(level: .softBio, way: .ordered, steps: [.update(0, 4), .raise(.softSerial, [.arm(0)])]),
      .init(level: .softSerial, way: .ordered, placement: .anywhere),
      .init(level: .softNet, way: .disjoint),
    ]
    program.callouts = [
      .init(
        level: .softBio, guardLevel: .softSerial, way: .ordered, cpu: 0,
        steps: [.update(0, 1), .update(0, 5)])
    ]
    program.bases = [
      .init(cpu: 0, isBigLock: true),
      .init(
        cpu: 1, isBigLock: false,
        steps: [
          .raise(.softSerial, [.update(0, 2), .update(0, 3)]), .raise(.softSerial, [.cancel(0, into: 0, 6)]),
        ]),
    ]
    program.devices = [.init(handler: 0, cpu: 0), .init(handler: 1, cpu: 1), .init(handler: 2, cpu: 1)]
    return program
  }
  /// - Parameter sample: which schedules.
  static func check(sample: UInt64 = 93) throws -> TheoremReport {
    var effort = TheoremEffort()
    effort.shrinking = 0
    return try TheoremCheck.check(armedOnTopOfSleep, TheoremSetting(seed: 93), seed: sample, effort)
  }
}

@Suite("Programs that were once wrong")
struct FoundProgramTests {
  @Test("a callout armed on top of a sleep that begins is run")
  func armedOnTopOfSleep() throws {
    let report = try Found.check()
    #expect(report.finding == nil, "\(report)")
  }
}

@Suite("Fairness")
struct FairnessTests {
  /// With K and both budgets of 1 and 2.
  static var all: [FairnessBound] {
    FairnessBound.all(patience: 1, budget: 1) + FairnessBound.all(patience: 2, budget: 2)
  }

  @Test("no schedule goes beyond a bound, and one reaches it", arguments: all.indices)
  func bounds(_ index: Int) throws {
    var bound = Self.all[index]
    bound.limits.schedules = 2_000
    let result = try bound.explore()
    #expect(result.exploration.finding == nil, "\(bound): \(result.exploration)")
    if case .holds = result.exploration.verdict {
      #expect(result.worst == bound.bound, "\(bound): the worst was \(result.worst) of \(bound.bound)")
    }
  }
}

#if Mutants
  @Suite("Mutants that random programs found", .serialized)
  struct FoundProgramMutantTests {
    @Test("without the ring a callout armed on top of a sleep is forgotten")
    func armedOnTopOfSleep() throws {
      try Mutant.with(.keepRing) {
        // A change of the core moves its points, and so the sample that finds it.
        let first = try (1...40 as ClosedRange<UInt64>).first { sample in
          try Found.check(sample: sample).finding?.rule == .expectation
        }
        #expect(first != nil, "in none of 40 samples")
      }
    }
  }
#endif
