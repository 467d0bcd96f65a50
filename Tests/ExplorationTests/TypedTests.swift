// Typed programs under every schedule of a bound: what a token says is so, also where interrupts come anywhere.
//
// The guarded values are declared data, so that the explorer sees each access: a gate that did not hold would be a race, or data
// touched without its guard.

import CoreProofs
import Exploration
import SimulatedMachine
import SoftInterrupts
import Testing

private typealias Machinery = SimulatedMachine
private enum DriverLock: JustAboveSoftNet { static let number = 0 }
private enum CacheLock: JustAboveSoftNet, AboveOwnLevel {
  static let number = 1
  typealias Own = DriverLock
}

/// Typed programs.
enum TypedScenario {
  /// A number that the explorer watches, behind a guard of the same level.
  typealias Number<L: OrderLevel> = Guarded<Shared<Int>, L>

  /// Base code on two CPUs raises, lending the outer token; an ordered handler and a callout with a guard touch the same data.
  static func touches(_ world: World) throws {
    let (packets, lines) = numbers(world)
    let system = world.system
    let input = try system.establish("input", at: SoftNet.self, as: .ordered) { net in
      net.open(packets) { $0.value += 1 }
    }
    let timer = try system.callout("timer", at: SoftClock.self, guard: SoftNet.self) { net in
      net.open(packets) { $0.value += 1 }
    }
    world.base(on: 0) { _ in
      timer.schedule(after: .zero)
      system.base { base in
        base.raise(to: SoftNet.self) { net in
          net.raise(to: SoftSerial.self) { serial, net in
            let seen = net.open(packets) { $0.value }
            serial.open(lines) { $0.value += seen + 1 }
          }
        }
      }
    }
    world.base(on: 1) { _ in
      input.schedule()
      system.base { base in base.raise(to: SoftSerial.self) { serial in serial.open(lines) { $0.value += 1 } }
      }
    }
    world.finally {
      system.raise(to: SoftNet.self) { net in
        let seen = net.open(packets) { $0.value }
        world.expect(seen == 2, "\(seen) packets of 2")
      }
    }
  }

  /// A level of the program's own keeps two CPUs apart, while a handler above it comes between.
  static func ownLevel(_ world: World) throws {
    let system = world.system
    try system.insert(DriverLock.self)
    let registers = Number<DriverLock>(world.shared("registers", 0))
    let urgent = try world.handler("urgent", at: .softSerial, as: .ordered) { _ in }
    for cpu in 0..<2 {
      world.base(on: cpu) { _ in
        system.base { base in
          base.raise(to: DriverLock.self) { driver in driver.open(registers) { $0.value += 1 } }
        }
      }
    }
    world.device("line") { urgent.schedule(on: 0) }
    world.finally {
      system.base { base in
        let seen = base.raise(to: DriverLock.self) { driver in driver.open(registers) { $0.value } }
        world.expect(seen == 2 && urgent.runs == 1, "\(seen) of 2")
      }
    }
  }

  /// A cell in a mask, a lock inside of it, an MP-safe handler that enters its own gate.
  static func masks(_ world: World) throws {
    let system = world.system
    let packets = Number<SoftNet>(world.shared("packets", guard: .softNet, 0))
    let cells = system.perCPU(at: SoftNet.self) { _ in 0 }
    let lock = system.levelLock(at: SoftNet.self, 0)
    let safe = try system.establish("safe", at: SoftNet.self, as: .mpSafe) { here in
      here.mask(to: SoftNet.self) { masked in masked[cells] += 1 }
      here.raise(to: SoftNet.self) { net in net.open(packets) { $0.value += 1 } }
    }
    for cpu in 0..<2 {
      world.base(on: cpu) { _ in
        safe.schedule()
        system.base { base in
          base.mask(to: SoftNet.self) { masked in
            masked[cells] += 1
            masked.lock(lock) { value, _ in value += 1 }
          }
        }
      }
    }
    world.finally {
      system.raise(to: SoftNet.self) { net in
        let seen = net.open(packets) { $0.value }
        world.expect(seen == 2 && lock.untyped.withLock { $0 } == 2, "\(seen) of 2")
      }
    }
  }

  /// Base code waits for a condition that a handler and other base code make true, a step each.
  static func waits(_ world: World) throws { try waits(world, broadcasts: true) }

  /// The same; without the handler's broadcast the wait may last for ever.
  static func waits(_ world: World, broadcasts: Bool) throws {
    let (packets, _) = numbers(world)
    let system = world.system
    let changed = system.condition(guardedBy: SoftNet.self)
    let input = try system.establish("input", at: SoftNet.self, as: .ordered) { net in
      net.open(packets) { $0.value += 1 }
      if broadcasts { changed.broadcast(under: net) }
    }
    world.base(on: 0) { _ in
      let seen = system.base { base in
        base.raise(to: SoftNet.self, when: changed) { net in
          net.open(packets) { $0.value } == 2
        } then: { net in
          net.open(packets) { number in
            number.value += 1
            return number.value
          }
        }
      }
      world.expect(seen == 3, "the section began with \(seen - 1)")
    }
    world.base(on: 1) { _ in
      system.base { base in
        base.raise(to: SoftNet.self) { net in
          net.open(packets) { $0.value += 1 }
          changed.broadcast(under: net)
        }
      }
      input.schedule()
    }
  }

  /// Two levels of the program's own, one above the other, beside a callout under the big lock and base code under it.
  static func ownAboveOwn(_ world: World) throws {
    let system = world.system
    try system.insert(DriverLock.self)
    try system.insert(CacheLock.self)
    let registers = Number<DriverLock>(world.shared("registers", 0))
    let cache = Number<CacheLock>(world.shared("cache", 0))
    let big = Number<None>(world.shared("big", 0))
    let timer = try system.callout("timer", at: SoftClock.self, guard: SoftNet.self, as: .bigLock) {
      net, none in
      none.open(big) { $0.value += 1 }
      net.raise(to: CacheLock.self) { upper in upper.open(cache) { $0.value += 1 } }
    }
    world.base(on: 0) { _ in
      timer.schedule(after: .zero)
      system.base { base in
        base.raise(to: DriverLock.self) { lower in
          lower.raise(to: CacheLock.self) { upper, lower in
            let seen = lower.open(registers) { $0.value }
            upper.open(cache) { $0.value += 1 + seen - seen }
          }
        }
      }
    }
    world.base(on: 1) { _ in
      system.base { base in
        base.bigLock { none in
          none.open(big) { $0.value += 1 }
          none.raise(to: DriverLock.self) { lower in lower.open(registers) { $0.value += 1 } }
        }
      }
    }
    world.finally {
      let seen = system.base { base in
        base.bigLock { none in
          none.raise(to: DriverLock.self) { lower, none in
            lower.raise(to: CacheLock.self) { upper, lower in
              [
                none.open(big) { $0.value }, lower.open(registers) { $0.value },
                upper.open(cache) { $0.value },
              ]
            }
          }
        }
      }
      world.expect(seen == [2, 1, 2], "\(seen)")
    }
  }

  private static func numbers(_ world: World) -> (Number<SoftNet>, Number<SoftSerial>) {
    (
      Number<SoftNet>(world.shared("packets", guard: .softNet, 0)),
      Number<SoftSerial>(world.shared("lines", guard: .softSerial, 0))
    )
  }
}

@Suite("Typed programs, explored")
struct TypedTests {
  static var programs: [(World) throws -> Void] {
    [
      TypedScenario.touches, TypedScenario.ownLevel, TypedScenario.masks, TypedScenario.waits,
      TypedScenario.ownAboveOwn,
    ]
  }

  @Test("a wait that nobody ends is found")
  func forgottenBroadcast() throws {
    let result = try explored(cpus: 2, .exhaustive(preemptions: 2)) {
      try TypedScenario.waits($0, broadcasts: false)
    }
    #expect(result.finding != nil)
  }

  @Test(
    "hold within two preemptions, interrupts at recognition points, and within one anywhere",
    arguments: [Recognition.points, .anywhere])
  func hold(_ recognition: Recognition) throws {
    for program in Self.programs {
      let result = try explored(
        cpus: 2, recognition: recognition,
        .exhaustive(preemptions: recognition == .points ? 2 : 1), program)
      #expect(result.finding == nil, "\(result)")
      #expect(result.schedules > 10)
    }
  }

  @Test("hold in a sample under C++20's memory")
  func weakMemory() throws {
    for program in Self.programs {
      let result = try explored(cpus: 2, memory: .rc11, .random(seed: 6, schedules: 100), program)
      #expect(result.finding == nil, "\(result)")
    }
  }

  @Test("a guard opened through a second token in one context is reported, on the first schedule")
  func openTwice() throws {
    let result = try explored(cpus: 1, .exhaustive(), Checks.opensTwice)
    let finding = try #require(result.finding)
    #expect(finding.rule == .fatal && result.schedules == 1)
    #expect(finding.message.contains("this guarded value is already open"))
  }
}

#if Mutants
  @Suite("Mutants, typed", .serialized)
  struct TypedMutantTests {
    @Test("without the guard's word the program sees the middle of a change")
    func openTwice() throws {
      try Mutant.with(.openTwice) {
        let result = try explored(cpus: 1, .exhaustive(), Checks.opensTwice)
        let finding = try #require(result.finding)
        #expect(finding.rule == .expectation)
      }
    }

    @Test("without the gate of a dispatch the handler's token would lie, and is not handed out")
    func noGate() throws {
      try Mutant.with(.noGate) {
        let result = try explored(cpus: 2, .exhaustive(preemptions: 2), TypedScenario.touches)
        #expect(result.finding != nil)
      }
    }
  }
#endif
