// The typed order at run time: what its tokens stand for is so, and what the compiler cannot see is said.

import Glibc
import Testing

@testable import HostedMachine
@testable import SoftInterrupts

private enum DriverLock: JustAboveSoftNet { static let number = 0 }
private enum Registers: JustAboveVM { static let number = 1 }
private enum TooMany: JustAboveSoftNet { static let number = 8 }
/// Says that it is below softNet, and has the rank of softSerial.
private enum Liar: BelowSoftNet {
  typealias Under = None
  static var level: Level { .softSerial }
}

@Suite("The typed order")
struct TypedTests {
  @Test("each way in has the tokens of its gates, and what they guard is changed by one CPU at a time")
  func waysIn() throws {
    try withSystem { system in
      let count = Guarded<Int, SoftNet>(0)
      let big = Guarded<Int, None>(0)
      let ran = Counter()
      let ordered = try system.establish("ordered", at: SoftNet.self, as: .ordered) { net in
        net[count] += 1
        ran.add()
      }
      let disjoint = try system.establish("disjoint", at: SoftNet.self, as: .disjoint) { net in
        net.open(count) { $0 += 1 }
        ran.add()
      }
      let bigLock = try system.establish("bigLock", at: SoftNet.self, as: .bigLock) { net, none in
        net[count] += 1
        none[big] += 1
        ran.add()
      }
      let mpSafe = try system.establish("mpSafe", at: SoftNet.self, as: .mpSafe) { here in
        here.raise(to: SoftNet.self) { net in net[count] += 1 }
        ran.add()
      }
      let handlers = [ordered, disjoint, bigLock, mpSafe]
      for round in 1...200 {
        for (index, handler) in handlers.enumerated() { handler.schedule(on: (round + index) & 1) }
        system.raise(to: SoftNet.self) { net in net[count] += 1 }
        #expect(eventually { ran.count == 4 * round })
      }
      let total = system.raise(to: SoftNet.self) { net in net[count] }
      let underBigLock = system.base { base in base.bigLock { none in none[big] } }
      #expect(total == 1_000 && underBigLock == 200)
    }
  }

  @Test("base code raises, lends the outer token, and is back where it was after each, and after an error")
  func raises() throws {
    struct Full: Error {}
    try withSystem { system in
      let net = Guarded<Int, SoftNet>(3)
      let serial = Guarded<[Int], SoftSerial>([])
      system.on(0) { here in
        system.base { base in
          base.raise(to: SoftNet.self) { inner in
            inner.raise(to: SoftSerial.self) { top, inner in
              top[serial].append(inner[net])
              #expect(system.core.currentAgent().held == [Level.softNet.gate, Level.softSerial.gate])
            }
            #expect(system.core.currentAgent().held == Level.softNet.gate)
          }
          do {
            try base.raise(through: SoftNet.self) { inner throws(Full) in
              #expect(system.core.currentAgent().held == GateSet.above(.none, through: .softNet))
              inner[net] = 4
              throw Full()
            }
            Issue.record("it throws")
          } catch {}
          let seen = base.raise(to: SoftSerial.self) { top in top.open(serial) { $0.count } }
          #expect(seen == 1)
        }
        #expect(here.level == .none && here.gates.isEmpty)
      }
      let left = system.raise(to: SoftNet.self) { $0[net] }
      #expect(left == 4)
    }
  }

  @Test("masks open per-CPU values, locks are taken inside them, and raises go on above")
  func masks() throws {
    try withSystem { system in
      let cells = system.perCPU(at: SoftNet.self) { $0 * 10 }
      let lock = system.levelLock(at: SoftNet.self, 0)
      let serial = Guarded<Int, SoftSerial>(0)
      for cpu in 0..<2 {
        system.on(cpu) { here in
          system.base { base in
            base.mask(to: SoftNet.self) { masked in
              masked[cells] += 1
              let seen = masked.open(cells) { $0 }
              #expect(seen == cpu * 10 + 1)
              masked.lock(lock) { value, masked in
                value += 1
                masked.raise(to: SoftSerial.self) { top in top[serial] += value }
              }
            }
          }
        }
      }
      #expect(cells.untyped.reduce(0) { $0 + $1 } == 12)
      let sum = system.raise(to: SoftSerial.self) { $0[serial] }
      #expect(sum == 3)
    }
  }

  @Test("a callout's body has its guard's token, taken exactly; who holds the guard cancels for certain")
  func callouts() throws {
    try withSystem { system in
      let count = Guarded<Int, SoftNet>(0)
      let ran = Event()
      let timer = try system.callout("timer", at: SoftClock.self, guard: SoftNet.self) { net in
        net[count] += 1
        #expect(system.core.currentAgent().held == [Level.softClock.gate, Level.softNet.gate])
        ran.signal()
      }
      let plain = try system.callout("plain", at: SoftBio.self) { _ in ran.signal() }
      let safe = try system.callout("safe", at: SoftBio.self, as: .mpSafe) { _ in ran.signal() }
      for callout in [timer.untyped, plain.untyped, safe.untyped] {
        callout.schedule(after: .zero)
        #expect(ran.wait())
      }
      timer.schedule(after: .seconds(3_600))
      system.raise(to: SoftNet.self) { net in
        #expect(timer.cancel() == .cancelled)
        let seen = net[count]
        #expect(seen == 1)
      }
      system.base { base in
        let halted = timer.halt(from: &base)
        let retired = base.raise(to: SoftClock.self) { clock in timer.retire(from: &clock) }
        let safeToo = safe.retire(from: &base)
        #expect(halted && retired && safeToo)
      }
    }
  }

  @Test("the waits come back from below: barrier, cross-call, suspend, disestablish")
  func waits() throws {
    try withSystem { system in
      let ran = Counter()
      let handler = try system.establish("handler", at: SoftNet.self, as: .ordered) { _ in ran.add() }
      system.base { base in
        base.raise(to: SoftClock.self) { clock in
          let passed = clock.barrier(at: SoftNet.self)
          let called = clock.crossCallAndWait(on: 1, at: SoftNet.self) { here in
            let cpu = here.cpu
            #expect(cpu == 1)
          }
          let suspended = handler.suspend(from: &clock)
          #expect(passed && called && suspended == .done(dropped: 0))
        }
        handler.schedule(on: 1)
        let ended = handler.disestablish(from: &base)
        #expect(ended == .done(dropped: 1))
        #expect(handler.schedule(on: 1) == .notEstablished)
      }
      #expect(ran.count == 0)
    }
  }

  @Test("a level of one's own keeps two CPUs apart, is between its neighbours, and is inserted once")
  func userLevels() throws {
    try withSystem { system in
      try system.insert(DriverLock.self)
      try system.insert(Registers.self)
      #expect(throws: UserLevelError.taken(number: 0)) { try system.insert(DriverLock.self) }
      #expect(throws: UserLevelError.tooMany(number: 8, limit: 8)) { try system.insert(TooMany.self) }
      let count = Guarded<Int, DriverLock>(0)
      let registers = Guarded<Int, Registers>(0)
      let sums = (0..<2).map { cpu in
        let done = Event()
        system.submit(on: cpu) { _ in
          system.base { base in
            for _ in 0..<2_000 {
              base.raise(to: SoftNet.self) { net in
                net.raise(to: DriverLock.self) { driver in
                  driver[count] += 1
                  driver.raise(to: Registers.self) { $0[registers] += 1 }
                }
              }
              base.raise(to: DriverLock.self) { driver in driver[count] += 1 }
            }
          }
          done.signal()
        }
        return done
      }
      for done in sums { #expect(done.wait()) }
      system.base { base in
        let seen = base.raise(to: DriverLock.self) { $0[count] }
        let written = base.raise(to: Registers.self) { $0[registers] }
        #expect(seen == 8_000 && written == 4_000)
      }
    }
  }

  @Test("a system with levels of its own is freed with its last owner")
  func userLevelsKeepNothing() throws {
    weak var gone: System?
    do {
      let system = try System(on: .hosted(cpus: 1), quiet())
      try system.insert(DriverLock.self)
      gone = system
      system.shutdown()
    }
    #expect(gone == nil)
  }

  @Test("noncopyable values, and pointers of C, are used inside and stay there")
  func values() throws {
    struct Buffer: ~Copyable {
      var bytes: UnsafeMutablePointer<UInt8> = .allocate(capacity: 4)
      init() { bytes.initialize(repeating: 7, count: 4) }
      deinit { bytes.deallocate() }
    }
    try withSystem(cpus: 1) { system in
      let buffer = Guarded<Buffer, SoftNet>(Buffer())
      system.raise(to: SoftNet.self) { net in
        let sum = net.open(buffer) { buffer in
          buffer.bytes[1] = 9
          return (0..<4).reduce(0) { $0 + Int(buffer.bytes[$1]) }
        }
        #expect(sum == 30)
      }
    }
  }

  @Test(
    "where an exact raise and an older cumulative one meet, the skipped gate and the exact raise's line are said"
  )
  func exactMeetsCumulative() throws {
    var line: UInt = 0
    let system = try System(on: .hosted(cpus: 1), quiet())
    func older() { system.raise(to: .softSerial) { _ in } }
    line = #line + 1
    system.raise(to: SoftNet.self) { _ in older() }
    system.base { base in base.raise(through: SoftNet.self) { _ in older() } }
    #expect(system.violations.map(\.rule) == [.cumulativeInsideExact])
    let text = try #require(system.violations.first).description
    #expect(text.contains("gate softClock was skipped by the exact raise to softNet at"))
    #expect(text.contains("TypedTests.swift:\(line)"))
    system.shutdown()
  }
}

@Suite("What typed code is stopped for")
struct TypedTrapTests {
  /// The last words of a program that stops.
  private func words(_ result: ExitTest.Result?) -> String {
    String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
  }

  @Test("a guard opened inside of its opening, through a second token")
  func openTwice() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let system = try System(on: .hosted(cpus: 1), quiet())
      let count = Guarded<Int, SoftNet>(0)
      system.raise(to: SoftNet.self) { net in
        net.open(count) { _ in system.assume(SoftNet.self) { $0[count] += 1 } }
      }
      exit(0)
    }
    #expect(words(result).contains("this guarded value is already open"))
  }

  @Test("a guard of one system opened in another")
  func otherSystem() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let (first, second) = (
        try System(on: .hosted(cpus: 1), quiet()), try System(on: .hosted(cpus: 1), quiet())
      )
      let count = Guarded<Int, SoftNet>(0)
      first.raise(to: SoftNet.self) { $0[count] += 1 }
      second.raise(to: SoftNet.self) { $0[count] += 1 }
      exit(0)
    }
    #expect(words(result).contains("opened by one system only"))
  }

  @Test("a gate assumed that an interrupted context holds, not this one")
  func assumed() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let system = try System(on: .hosted(cpus: 1), quiet())
      let handler = try system.establish("h", at: .softSerial, as: .ordered) { here in
        here.assume(SoftNet.self) { _ in }
      }
      system.on(0) { here in
        here.raise(exactly: .softNet) { here in
          handler.schedule()
          here.checkpoint()
        }
      }
      exit(0)
    }
    #expect(words(result).contains("a token says what is so"))
  }

  @Test("base code assumed inside a raise")
  func notBase() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let system = try System(on: .hosted(cpus: 1), quiet())
      system.raise(to: SoftNet.self) { _ in system.base { _ in } }
      exit(0)
    }
    #expect(words(result).contains("a token says what is so"))
  }

  @Test("a typed handler whose way in was changed through the untyped handle")
  func changedWay() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let system = try System(on: .hosted(cpus: 1), quiet())
      let handler = try system.establish("h", at: SoftNet.self, as: .ordered) { _ in }
      system.setWay(.mpSafe, of: handler.untyped)
      handler.schedule(on: 0)
      system.settle(0)
      exit(0)
    }
    #expect(words(result).contains("a token says what is so"))
  }

  @Test("a level of one's own that was not inserted")
  func notInserted() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let system = try System(on: .hosted(cpus: 1), quiet())
      system.base { base in base.raise(to: DriverLock.self) { _ in } }
      exit(0)
    }
    #expect(words(result).contains("was not inserted: call system.insert(_:) first"))
  }

  @Test("a conformance that lies")
  func lie() async {
    await #expect(processExitsWith: .failure) {
      let system = try System(on: .hosted(cpus: 1), quiet())
      system.base { base in
        var liar = Held<Liar, HostedMachine>(base.seal.agent)
        liar.raise(to: SoftNet.self) { _ in }
      }
      exit(0)
    }
  }

  @Test("a per-CPU value opened twice, or by a visitor")
  func cells() async {
    await #expect(processExitsWith: .failure) {
      let system = try System(on: .hosted(cpus: 1), quiet())
      let cells = system.perCPU(at: SoftNet.self) { _ in 0 }
      system.on(0) { _ in
        system.base { base in
          base.mask(to: SoftNet.self) { masked in masked.open(cells) { _ in masked[cells] += 1 } }
        }
      }
      exit(0)
    }
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let system = try System(on: .hosted(cpus: 1), quiet())
      let cells = system.perCPU(at: SoftNet.self) { _ in 0 }
      system.base { base in base.mask(to: SoftNet.self) { masked in masked[cells] += 1 } }
      exit(0)
    }
    #expect(words(result).contains("per-CPU data belongs to a CPU"))
  }
}
