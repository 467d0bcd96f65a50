// Typed waits, callouts and levels of one's own at run time: what their tokens stand for is so.

import Glibc
import Testing

@testable import HostedMachine
@testable import SoftInterrupts

private enum Lower: JustAboveSoftNet { static let number = 0 }
private enum Upper: JustAboveSoftNet, AboveOwnLevel {
  static let number = 1
  typealias Own = Lower
}
/// Says that it is above `Upper`, and has the lower number.
private enum Wrong: JustAboveSoftNet, AboveOwnLevel {
  static let number = 0
  typealias Own = Upper
}

@Suite("Typed waits, callouts and levels of one's own")
struct TypedWaitTests {
  @Test("a section begins when its condition holds, under the gate under which that was looked at")
  func condition() throws {
    try withSystem { system in
      let count = Guarded<Int, SoftNet>(0)
      let changed = system.condition(guardedBy: SoftNet.self)
      let add = try system.establish("add", at: SoftNet.self, as: .ordered) { net in
        net[count] += 1
        changed.broadcast(under: net)
      }
      for round in 1...100 {
        add.schedule(on: round & 1)
        let seen = system.base { base in
          base.raise(to: SoftNet.self, when: changed) { net in
            net[count] == round
          } then: { net in
            #expect(net.agent.held == Level.softNet.gate)
            return net[count]
          }
        }
        #expect(seen == round)
      }
    }
  }

  @Test("who waits holds nothing meanwhile, and is woken by what a lent token broadcasts")
  func holdsNothing() throws {
    try withSystem { system in
      let stage = Guarded<Int, SoftClock>(0)
      let changed = system.condition(guardedBy: SoftClock.self)
      let (asked, over) = (Event(), Event())
      system.submit(on: 1) { _ in
        system.base { base in
          base.raise(to: SoftClock.self, when: changed) { clock in
            asked.signal()
            return clock[stage] == 1
          } then: { clock in
            clock[stage] = 2
            changed.broadcast(under: clock)
          }
        }
        over.signal()
      }
      #expect(asked.wait())
      system.base { base in
        base.raise(to: SoftClock.self) { clock in
          clock[stage] = 1
          clock.raise(to: SoftNet.self) { _, clock in changed.broadcast(under: clock) }
        }
        let last = base.raise(to: SoftClock.self, when: changed) { clock in
          clock[stage] == 2
        } then: { clock in
          clock[stage]
        }
        #expect(last == 2)
      }
      #expect(over.wait())
    }
  }

  @Test("a callout under the big lock has both tokens, and one that is disjoint its own")
  func callouts() throws {
    try withSystem { system in
      let net = Guarded<Int, SoftNet>(0)
      let clock = Guarded<Int, SoftClock>(0)
      let big = Guarded<Int, None>(0)
      let ran = Counter()
      let own = try system.callout("own", at: SoftClock.self, as: .bigLock) { held, none in
        held[clock] += 1
        none[big] += 1
        ran.add()
      }
      let above = try system.callout("above", at: SoftClock.self, guard: SoftNet.self, as: .bigLock) {
        held, none in
        held[net] += 1
        none[big] += 1
        held.raise(to: SoftSerial.self) { _, held in held[net] += none[big] - none[big] }
        ran.add()
      }
      let disjoint = try system.callout("disjoint", at: SoftClock.self, as: .disjoint) { held in
        held.open(clock) { $0 += 1 }
        ran.add()
      }
      for round in 1...20 {
        own.schedule(after: .zero)
        above.schedule(after: .zero)
        disjoint.schedule(after: .zero)
        // Base code under the big lock beside them.
        system.base { base in base.bigLock { none in none[big] += 1 } }
        #expect(eventually { ran.count == 3 * round })
      }
      let counts = system.base { base in
        base.bigLock { none in
          none.raise(to: SoftClock.self) { held, none in
            held.raise(to: SoftNet.self) { top, held in [none[big], held[clock], top[net]] }
          }
        }
      }
      #expect(counts == [60, 40, 20])
      // From inside the big lock: the guard is above it.
      system.base { base in
        base.bigLock { none in
          let isHalted = above.halt(from: &none)
          #expect(isHalted)
        }
      }
    }
  }

  @Test("who holds a callout's guard retires it at once, also from its own body")
  func retiring() throws {
    try withSystem { system in
      let ran = Counter()
      let callout = try system.callout("late", at: SoftClock.self, guard: SoftNet.self) { _ in ran.add() }
      callout.schedule(after: .seconds(3_600))
      system.raise(to: SoftNet.self) { net in
        let isRetired = callout.retire(under: net)
        #expect(isRetired)
      }
      #expect(callout.schedule(after: .zero) == .retired)
      let cell = Guarded<CalloutAt<SoftNet, HostedMachine>?, SoftNet>(nil)
      let once = try system.callout("once", at: SoftClock.self, guard: SoftNet.self) { net in
        let isRetired = net[cell]?.retire(under: net)
        #expect(isRetired == true)
        ran.add()
      }
      system.raise(to: SoftNet.self) { net in net[cell] = once }
      once.schedule(after: .zero)
      #expect(eventually { once.schedule(after: .zero) == .retired })
      // It is retired before its body has ended.
      #expect(eventually { ran.count == 1 })
    }
  }

  @Test("two levels of one's own above one level, of which one is above the other")
  func aboveOwn() throws {
    try withSystem { system in
      try system.insert(Lower.self)
      try system.insert(Upper.self)
      let (low, high) = (Guarded<Int, Lower>(0), Guarded<Int, Upper>(0))
      let threads = (0..<2).map { _ in
        Visitor {
          for _ in 0..<500 {
            system.base { base in
              base.raise(to: Lower.self) { lower in
                lower[low] += 1
                lower.raise(to: Upper.self) { upper, lower in upper[high] += lower[low] - lower[low] + 1 }
              }
              base.raise(to: Upper.self) { upper in
                upper[high] += 1
                upper.raise(to: SoftSerial.self) { _, upper in upper[high] += 0 }
              }
            }
          }
        }
      }
      for thread in threads { #expect(thread.join()) }
      let sums = system.base { base in
        base.raise(to: Lower.self) { lower in
          lower.raise(to: Upper.self) { upper, lower in [lower[low], upper[high]] }
        }
      }
      #expect(sums == [1_000, 2_000])
    }
  }
}

@Suite("What typed waits are stopped for")
struct TypedWaitTrapTests {
  private func words(_ result: ExitTest.Result?) -> String {
    String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
  }

  @Test("a wait inside of a raise by untyped code")
  func waitUnderGate() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let system = try System(on: .hosted(cpus: 1), quiet())
      let changed = system.condition(guardedBy: SoftNet.self)
      system.base { base in
        system.raise(to: .softClock) { _ in
          base.raise(to: SoftNet.self, when: changed) { _ in
            true
          } then: { _ in
          }
        }
      }
      exit(0)
    }
    #expect(words(result).contains("a token says what is so"))
  }

  @Test("a wait for another system's condition")
  func otherSystem() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let first = try System(on: .hosted(cpus: 1), quiet())
      let second = try System(on: .hosted(cpus: 1), quiet())
      let changed = second.condition(guardedBy: SoftNet.self)
      first.base { base in
        base.raise(to: SoftNet.self, when: changed) { _ in
          true
        } then: { _ in
        }
      }
      exit(0)
    }
    #expect(words(result).contains("each system guards its own"))
  }

  @Test("a raise downward by a second token, also where violations are collected: the token would lie")
  func lyingToken() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let system = try System(on: .hosted(cpus: 1), quiet())
      system.raise(to: SoftSerial.self) { _ in system.raise(to: SoftNet.self) { _ in } }
      exit(0)
    }
    #expect(words(result).contains("gates are acquired in ascending order only"))
  }

  @Test("the big lock by a token of before, inside of a raise, also where violations are collected")
  func lyingBigLock() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let system = try System(on: .hosted(cpus: 1), quiet())
      system.base { base in system.raise(to: .softNet) { _ in base.bigLock { _ in } } }
      exit(0)
    }
    #expect(words(result).contains("the big lock is the lowest gate"))
  }

  @Test("a level of one's own that says it is above one of a higher number")
  func wrongNumber() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let system = try System(on: .hosted(cpus: 1), quiet())
      try system.insert(Lower.self)
      try system.insert(Upper.self)
      system.base { base in base.raise(to: Upper.self) { upper in upper.raise(to: Wrong.self) { _ in } } }
      exit(0)
    }
    #expect(words(result).contains("has the higher number"))
  }
}
