// CPUs that come and go, waits for them, devices, signals, and the end of a system: nothing is lost in silence.

import Glibc
import Testing

@testable import HostedMachine
@testable import SoftInterrupts

/// What the signal handler schedules. Set before the signals are sent.
nonisolated(unsafe) private var signalled: HandlerOf?

@Suite("CPUs, devices and signals")
struct LifeTests {
  @Test(
    "H30: an offline CPU runs nothing; bound work waits for it, .anywhere work goes elsewhere, base code is refused"
  )
  func h30() throws {
    try withSystem { system in
      let log = Log()
      let bound = try system.establish("bound", at: .softNet, as: .ordered) { log.note("bound \($0.cpu!)") }
      let any = try system.establish("any", at: .softNet, as: .ordered, .anywhere) {
        log.note("any \($0.cpu!)")
      }
      #expect(!system.offline(0))
      #expect(system.offline(1) && !system.offline(1))
      #expect(bound.schedule(on: 1) == .offline)
      #expect(any.schedule(on: 1) == .scheduled)
      #expect(!system.submit(on: 1) { _ in })
      system.settle(0)
      // It still answers cross-calls, so everything before was looked at.
      #expect(system.crossCallAndWait(on: 1, at: .softNet) { _ in })
      #expect(log.all == ["any 0"])
      #expect(system.online(1) && !system.online(1))
      #expect(eventually { log.all == ["any 0", "bound 1"] })
      system.settle(1)
    }
  }

  @Test("H30: CPUs go offline and come back under load, and every schedule is followed by a run")
  func offlineUnderLoad() throws {
    try withSystem(cpus: 3, Configuration()) { system in
      let entries = try [Placement.bound, .anywhere].flatMap { placement in
        try [WayIn.ordered, .mpSafe, .bigLock].map { way in
          let started = Counter()
          let clock = Counter()
          let handler = try system.establish("\(way)", at: .softNet, as: way, placement) { _ in
            started.raise(to: clock.add())
          }
          return (handler, started, clock)
        }
      }
      let stop = Counter()
      let visitor = Visitor {
        var cpu = 1
        while stop.count == 0 {
          #expect(system.offline(cpu))
          #expect(system.online(cpu))
          cpu = 3 - cpu
        }
      }
      var last = [Int](repeating: 0, count: entries.count)
      for round in 0..<3_000 {
        let index = round % entries.count
        let tick = entries[index].2.add()
        entries[index].0.schedule(on: round % 3)
        last[index] = tick
      }
      stop.count = 1
      #expect(visitor.join())
      for (index, entry) in entries.enumerated() {
        #expect(eventually { entry.1.count > last[index] }, "\(index)")
      }
    }
  }

  @Test("going offline ends although the holder of a gate ran what was marked")
  func offlineWhileDelegated() throws {
    try withSystem { system in
      let ran = Counter()
      let any = try system.establish("any", at: .softNet, as: .ordered, .anywhere) { _ in ran.add() }
      let blocker = try Blocker(system, at: .softNet, on: 0)
      any.schedule(on: 1)
      #expect(system.isMarked(.softNet, by: 1))
      let visitor = Visitor { #expect(system.offline(1)) }
      #expect(eventually { system.agent(ofCPU: 1).p.pointee.offline.load(.acquire) == 1 })
      blocker.letGo()
      #expect(visitor.join())
      #expect(ran.count == 1)
      system.online(1)
    }
  }

  @Test("a shutdown runs what was accepted, on whichever CPU, and says what it could not run")
  func shutdown() throws {
    let system = try System(on: .hosted(cpus: 3), quiet())
    let runs = Counter()
    nonisolated(unsafe) var handlers: [HandlerOf] = []
    for index in 0..<3 {
      handlers.append(
        try system.establish("h", at: .softNet, as: .mpSafe) { here in
          // From CPU to CPU, long after the others have nothing to do.
          if runs.add() < 300 { handlers[(index + 1) % 3].schedule(on: (here.cpu! + 1) % 3) }
        })
    }
    let suspended = try system.establish("suspended", at: .softBio, as: .ordered) { _ in }
    system.suspend(suspended)
    suspended.schedule(on: 1)
    suspended.schedule(on: 2)
    let callout = try system.callout("c", at: .softClock) { _ in }
    callout.schedule(after: .seconds(3_600))
    handlers[0].schedule(on: 0)
    let report = system.shutdown()
    #expect(runs.count == 300)
    #expect(report.pending.map(\.name) == ["suspended"] && report.pending.first?.cpus == 2)
    #expect(report.armedCallouts == 1 && report.jobs == 0 && report.crossCalls == 0 && !report.isComplete)
    #expect(system.shutdown() == ShutdownReport())
    #expect(handlers[0].schedule() == .notEstablished && !system.submit(on: 0) { _ in })
    #expect(!system.crossCall(on: 0, at: .vm) { _ in })
    #expect(throws: EstablishError.shutDown) { try system.establish("late", at: .vm, as: .mpSafe) { _ in } }
    #expect(throws: CalloutError.shutDown) { _ = try system.callout("late", at: .softClock) { _ in } }
  }

  @Test("who waits for a CPU while the system is shut down is answered")
  func shutdownWithCall() throws {
    let system = try System(on: .hosted(cpus: 2), quiet())
    let entered = Event()
    let go = Event()
    let answered = Counter()
    system.submit(on: 1) { _ in
      entered.signal()
      go.wait()
      if system.crossCallAndWait(on: 0, at: .vm, { _ in }) { answered.add() }
    }
    #expect(entered.wait())
    let visitor = Visitor { system.shutdown() }
    #expect(eventually { system.agent(ofCPU: 0).p.pointee.rest.load(.acquire) & 1 == 1 })
    go.signal()
    #expect(visitor.join())
    #expect(answered.count == 1)
  }

  @Test(
    "H40: two CPUs call each other and both are answered; a call at a level that is not served is refused")
  func h40() throws {
    try withSystem(expecting: [.waitOutOfOrder]) { system in
      let done = Counter()
      let ended = Event()
      for cpu in 0..<2 {
        system.submit(on: cpu) { _ in
          for _ in 0..<200 {
            system.crossCallAndWait(on: 1 - cpu, at: .vm) { here in
              #expect(here.cpu == 1 - cpu && here.level == .vm && here.gates.isEmpty)
              done.add()
            }
          }
          ended.signal()
        }
      }
      #expect(ended.wait() && ended.wait())
      #expect(done.count == 400)
      system.raise(to: .softNet) { _ in
        #expect(!system.crossCallAndWait(on: 0, at: .softNet) { _ in })
        #expect(system.crossCallAndWait(on: 0, at: .softSerial) { _ in })
      }
    }
  }

  @Test("cross-calls to one CPU and level run in the order in which they were made")
  func crossCallOrder() throws {
    try withSystem { system in
      let log = Log()
      let blocker = try Blocker(system, at: .sched, as: .mpSafe, on: 1)
      for index in 0..<50 { system.crossCall(on: 1, at: .vm) { _ in log.note("\(index)") } }
      blocker.letGo()
      #expect(system.crossCallAndWait(on: 1, at: .vm) { _ in })
      #expect(log.all == (0..<50).map { "\($0)" })
    }
  }

  @Test(
    "a barrier returns when what ran at its level and above has ended", arguments: [WayIn.mpSafe, .ordered])
  func barrier(_ way: WayIn) throws {
    try withSystem { system in
      let log = Log()
      let entered = Event()
      let go = Event()
      let handler = try system.establish("h", at: .softSerial, as: way) { _ in
        entered.signal()
        go.wait()
        log.note("ended")
      }
      handler.schedule(on: 1)
      #expect(entered.wait())
      let visitor = Visitor {
        #expect(system.barrier(at: .softNet))
        log.note("barrier")
      }
      #expect(eventually { system.queueLength(.softSerial) == 1 || system.quiescers.load(.acquire) == 1 })
      go.signal()
      #expect(visitor.join())
      #expect(log.all == ["ended", "barrier"])
    }
  }

  @Test("base code leaves its CPU: handlers go on there, and it comes back to the same one")
  func leaveCPU() throws {
    try withSystem(expecting: [.leaveUnderGate]) { system in
      let ran = Event()
      let handler = try system.establish("h", at: .softNet, as: .ordered) { here in
        #expect(here.cpu == 0)
        ran.signal()
      }
      system.on(0) { here in
        let result = here.leaveCPU { () -> Int in
          // A visitor now, of this system and of another.
          #expect(system.raise(to: .softClock) { $0.cpu } == nil)
          let other = try? System(on: .hosted(cpus: 1), quiet())
          other?.raise(to: .softNet) { _ in }
          other?.shutdown()
          handler.schedule(on: 0)
          #expect(ran.wait())
          return 7
        }
        #expect(result == 7 && system.raise(to: .softClock) { $0.cpu } == 0)
        here.raise(to: .softNet) { inside in #expect(inside.leaveCPU { 8 } == 8) }
      }
    }
  }

  // MARK: Data

  @Test("per-CPU values: opened at home, at the level, once at a time; summed by asking each CPU")
  func perCPU() throws {
    try withSystem(expecting: [.cellLevel, .cellOpenTwice]) { system in
      let cell = system.perCPU(at: .softNet) { $0 * 100 }
      for cpu in 0..<2 {
        system.on(cpu) { here in
          #expect(
            here.mask(to: .softNet) { _ in
              cell.open {
                $0 += 1
                return $0
              }
            } == cpu * 100 + 1)
          if cpu == 0 { #expect(cell.open { $0 } == nil) }
          if cpu == 1 {
            here.raise(to: .softNet) { _ in cell.open { _ in #expect(cell.open { $0 } == nil) } }
          }
        }
      }
      #expect(cell.reduce(0) { $0 + $1 } == 102)
    }
  }

  @Test("H50: LevelLocks mask to their level, and each wrong shape is said")
  func h50() throws {
    let expected: [Violation.Rule] = [
      .levelLockAboveLevel, .gateUnderLevelLock, .levelLockRank, .levelLockAboveLevel, .parkUnderGate,
      .waitOutOfOrder,
    ]
    try withSystem(expecting: expected) { system in
      let low = system.levelLock(at: .softBio, rank: 0, 0)
      let net = system.levelLock(at: .softNet, rank: 1, 0)
      let netToo = system.levelLock(at: .softNet, rank: 2, 0)
      let condition = system.condition(guardedBy: .softSerial)
      let log = Log()
      let handler = try system.establish("h", at: .softNet, as: .mpSafe) { _ in log.note("handler") }
      system.on(0) { here in
        low.withLock { _ in net.withLock { _ in netToo.withLock { $0 += 1 } } }
        net.withLock { _ in
          #expect(here.level == .softNet)
          handler.schedule()
          here.checkpoint()
          log.note("locked")
        }
        log.note("after")
        // Above its level, a gate under it, against the rank, a lower lock inside, waiting with it.
        here.mask(to: .softSerial) { _ in net.withLock { _ in } }
        net.withLock { _ in here.raise(exactly: .softBio) { _ in } }
        netToo.withLock { _ in net.withLock { _ in } }
        net.withLock { _ in low.withLock { _ in } }
        net.withLock { _ in here.raise(exactly: .softSerial) { _ in _ = condition.wait { true } } }
        net.withLock { _ in _ = system.barrier(at: .softNet) }
      }
      #expect(log.all == ["locked", "handler", "after"])
    }
  }

  @Test("a LevelLock excludes CPUs and visitors, and its waiters serve what is above")
  func levelLock() throws {
    try withSystem(cpus: 2, quiet()) { system in
      let lock = system.levelLock(at: .softNet, Datum())
      let served = Event()
      let above = try system.establish("above", at: .softSerial, as: .ordered) { _ in served.signal() }
      let ended = Event()
      lock.withLock { datum in
        system.submit(on: 0) { _ in
          lock.withLock { $0.update(1) }
          ended.signal()
        }
        let queue = lock.queue
        #expect(eventually { queue.pointee.word.word.load(.acquire) & Level.softNet.gate.attentionBits != 0 })
        above.schedule(on: 0)
        #expect(served.wait())
        datum.update(1)
      }
      #expect(ended.wait())
      let visitors = (0..<3).map { _ in Visitor { for _ in 0..<500 { lock.withLock { $0.update(2) } } } }
      for visitor in visitors { #expect(visitor.join()) }
      lock.withLock { #expect($0.isWhole && $0.updates.count == 1_502) }
    }
  }

  @Test("a condition is waited for under its guard only, never in a handler or under a mask")
  func conditions() throws {
    try withSystem(expecting: [
      .conditionWithoutGuard, .parkUnderGate, .conditionWithoutGuard, .conditionInHandler,
    ]) {
      system in
      let condition = system.condition(guardedBy: .softNet)
      system.on(0) { here in
        #expect(!condition.wait { true })
        here.raise(to: .softNet) { inside in
          inside.mask(to: .softNet) { _ in #expect(!condition.wait { true }) }
        }
      }
      condition.broadcast()
      let handler = try system.establish("h", at: .softNet, as: .ordered) { _ in
        #expect(!condition.wait { true })
      }
      handler.schedule(on: 0)
      system.settle(0)
    }
  }

  @Test("visitors and CPUs hand a value back and forth through a condition")
  func pingPong() throws {
    try withSystem { system in
      let condition = system.condition(guardedBy: .softNet)
      nonisolated(unsafe) var turn = 0
      let ended = Event()
      let play: @Sendable (Int) -> Void = { player in
        for _ in 0..<300 {
          system.raise(exactly: .softNet) { _ in
            condition.wait { turn % 3 == player }
            turn += 1
            condition.broadcast()
          }
        }
        ended.signal()
      }
      for cpu in 0..<2 { system.submit(on: cpu) { _ in play(cpu) } }
      _ = Visitor { play(2) }
      for _ in 0..<3 { #expect(ended.wait()) }
      system.raise(exactly: .softNet) { _ in #expect(turn == 900) }
    }
  }

  @Test("H18: what was read before a raise that waited is stale after it")
  func h18() throws {
    try withSystem { system in
      nonisolated(unsafe) var value = 1
      let read = Event()
      let ended = Event()
      system.raise(exactly: .softNet) { _ in
        system.submit(on: 0) { here in
          let before = value
          read.signal()
          here.raise(exactly: .softNet) { _ in #expect(before == 1 && value == 2) }
          ended.signal()
        }
        #expect(read.wait() && system.someoneWaits(for: .softNet))
        value = 2
      }
      #expect(ended.wait())
    }
  }

  @Test("H31: a full ring says so; one producer and one consumer on two CPUs lose nothing")
  func h31() throws {
    try withSystem { system in
      let ring = Ring<Int, HostedMachine>(capacity: 8)
      let full = Counter()
      let ended = Event()
      system.submit(on: 0) { here in
        for value in 0..<20_000 {
          while !ring.push(value) {
            full.add()
            sched_yield()
          }
        }
        ended.signal()
      }
      system.submit(on: 1) { _ in
        for value in 0..<20_000 {
          var next = ring.pop()
          while next == nil {
            sched_yield()
            next = ring.pop()
          }
          if next != value { Issue.record("\(value): \(next!)") }
        }
        ended.signal()
      }
      #expect(ended.wait() && ended.wait())
      #expect(ring.pop() == nil)
    }
  }

  @Test("H56: a thread that holds a gate of one system may not enter another")
  func h56() async {
    await #expect(processExitsWith: .failure) {
      let first = try System(on: .hosted(cpus: 1), quiet())
      let second = try System(on: .hosted(cpus: 1), quiet())
      first.raise(to: .softNet) { _ in second.raise(to: .softNet) { _ in } }
      exit(0)
    }
  }

  @Test("a violation traps by default, with one line that names rule, context and gates")
  func traps() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let system = try System(on: .hosted(cpus: 1))
      system.raise(exactly: .softNet) { here in here.raise(exactly: .softBio) { _ in } }
      exit(0)
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("softint: ") && text.contains("a visitor at softNet asked for softBio"))
    #expect(text.contains("holds gate softNet taken at"))
  }

  // MARK: Devices and signals

  @Test("a pipe interrupts at its level whenever it can be read, until it is detached")
  func pipes() throws {
    try withSystem { system in
      var ends: [Int32] = [0, 0]
      #expect(pipe(&ends) == 0)
      for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
      let (input, output) = (ends[0], ends[1])
      let bytes = Counter()
      let device = try system.attach(input, on: 1) { here in
        #expect(here.level == .vm && here.cpu == 1)
        var byte: UInt8 = 0
        if read(input, &byte, 1) == 1 { bytes.add() }
      }
      for count in 1...20 {
        #expect(write(output, "ab", 2) == 2)
        #expect(eventually { bytes.count == 2 * count })
      }
      #expect(system.detach(device) == .done(dropped: 0) && system.detach(device) == .notEstablished)
      #expect(write(output, "ab", 2) == 2)
      system.settle(1)
      #expect(bytes.count == 40)
      close(input)
      close(output)
      #expect(throws: DeviceError.self) { _ = try system.attach(input, on: 1) { _ in } }
      #expect(throws: DeviceError.self) { _ = try system.attach(0, at: .softNet) { _ in } }
    }
  }

  @Test("a timer interrupts again and again")
  func timers() throws {
    try withSystem { system in
      let ticks = Counter()
      let timer = try system.attachTimer(every: .microseconds(200), on: 0) { _ in ticks.add() }
      #expect(eventually { ticks.count >= 5 })
      system.detach(timer)
      #expect(throws: DeviceError.self) { _ = try system.attachTimer(every: .zero) { _ in } }
    }
  }

  @Test(
    "H14: a storm of signals that schedule loses no run, whatever it interrupts",
    // Thread Sanitizer keeps signals back until the next call that it knows of; a futex is none.
    .enabled(if: dlsym(nil, "__tsan_init") == nil))
  func h14() throws {
    try withSystem(cpus: 2, Configuration()) { system in
      let clock = Counter()
      let started = Counter()
      let handler = try system.establish("h", at: .softNet, as: .ordered) { _ in
        started.raise(to: clock.add())
      }
      signalled = handler
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { _ in signalled?.schedule() }
      action.sa_flags = SA_RESTART
      var before = sigaction()
      #expect(sigaction(SIGUSR1, &action, &before) == 0)
      let threads = (0..<2).compactMap { cpu in
        system.on(cpu) { _ in
          // The test's own thread may have blocked signals, and CPUs inherit that.
          var mask = sigset_t()
          sigemptyset(&mask)
          sigaddset(&mask, SIGUSR1)
          pthread_sigmask(SIG_UNBLOCK, &mask, nil)
          return pthread_self()
        }
      }
      let stop = Counter()
      for cpu in 0..<2 {
        system.submit(on: cpu) { here in
          while stop.count == 0 { here.raise(to: .softNet) { _ in } }
        }
      }
      for round in 0..<4_000 { pthread_kill(threads[round % 2], SIGUSR1) }
      stop.count = 1
      system.settle(0)
      system.settle(1)
      // One to each while it sleeps or is about to: it must be seen without any other ring.
      for round in 0..<400 {
        let tick = clock.add()
        pthread_kill(threads[round % 2], SIGUSR1)
        #expect(eventually { started.count > tick }, "round \(round)")
        if started.count <= tick { break }
      }
      #expect(sigaction(SIGUSR1, &before, nil) == 0)
      signalled = nil
    }
  }

  @Test("the quota of a cgroup bounds how many CPUs are worth having")
  func quota() {
    #expect(HostedMachine.cpus(fromQuota: "200000 100000\n") == 2)
    #expect(HostedMachine.cpus(fromQuota: "150000 100000") == 2)
    #expect(HostedMachine.cpus(fromQuota: "1000 100000") == 1)
    #expect(HostedMachine.cpus(fromQuota: "max 100000") == nil)
    #expect(HostedMachine.cpus(fromQuota: "") == nil && HostedMachine.cpus(fromQuota: "5 0") == nil)
    #expect(HostedMachine().cpuCount >= 1)
  }
}
