// The end of a system: what was accepted is run, or the report says so.

import Testing

@testable import HostedMachine
@testable import SoftInterrupts

@Suite("Shutdown")
struct ShutdownTests {
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

  @Test("H30: a schedule that is under way when the system ends is counted") func inflight() throws {
    #expect(try Hazards.shutdownAwaitsSchedules())
  }

  /// Who calls: base code, or a handler. With level threads only a handler: a CPU's base code stands above everything there, and is
  /// refused the wait.
  enum Caller { case base, handler }

  @Test(
    "a call to a CPU or a level's thread that the shutdown has given up is answered false, and the shutdown ends",
    arguments: [(Execution.inline, Caller.base), (.inline, .handler), (.threads, .handler)])
  func callToAbandoned(_ execution: Execution, _ caller: Caller) throws {
    let system = try System(on: .hosted(cpus: 2), quiet { $0.execution = execution })
    let held = Event()
    let release = Event()
    let results = Log()
    // In the way of the call: above it on its CPU; with threads in the very thread that is to run it.
    let stuck = try system.establish("stuck", at: execution == .threads ? .vm : .sched, as: .mpSafe) { _ in
      held.signal()
      release.hold()
    }
    stuck.schedule(on: 1)
    #expect(held.wait())
    let call: @Sendable () -> Void = {
      held.signal()
      results.note("\(system.crossCallAndWait(on: 1, at: .vm) { _ in results.note("ran") })")
    }
    switch caller {
    case .base: system.submit(on: 0) { _ in call() }
    case .handler: try system.establish("calls", at: .softNet, as: .mpSafe) { _ in call() }.schedule(on: 0)
    }
    #expect(held.wait())
    let calls = system.agents[1].calls + Int(Level.vm.rawValue)
    #expect(eventually { calls.load(.acquire) != 0 })
    nonisolated(unsafe) var report = ShutdownReport()
    let visitor = Visitor { report = system.shutdown(grace: .zero) }
    #expect(eventually { results.all == ["false"] })
    release.signal()
    #expect(visitor.join())
    #expect(report.crossCalls == 1 && results.all == ["false"])
  }

  @Test(
    "calls that are made while the system ends are run, or answered false",
    arguments: [Execution.inline, .threads])
  func callsMeanwhile(_ execution: Execution) throws {
    for _ in 0..<20 {
      let system = try System(on: .hosted(cpus: 2), quiet { $0.execution = execution })
      let ran = Counter()
      let yes = Counter()
      let start = Counter()
      let visitors = (0..<2).map { cpu in
        Visitor {
          start.add()
          eventually { start.count == 3 }
          for _ in 0..<20 where system.crossCallAndWait(on: cpu, at: .vm, { _ in ran.add() }) { yes.add() }
        }
      }
      start.add()
      eventually { start.count == 3 }
      system.shutdown()
      for visitor in visitors { #expect(visitor.join()) }
      #expect(ran.count == yes.count)
    }
  }

  @Test("handlers of level threads that call other CPUs while the system ends are answered")
  func levelThreadsAtTheEnd() throws {
    let system = try System(on: .hosted(cpus: 2), quiet { $0.execution = .threads })
    let answered = Counter()
    nonisolated(unsafe) var handler: HandlerOf?
    let asks = try system.establish("asks", at: .softNet, as: .mpSafe) { here in
      if system.crossCallAndWait(on: 1 - here.cpu!, at: .vm, { _ in }) && answered.add() < 100 {
        handler!.schedule(on: 1 - here.cpu!)
      }
    }
    handler = asks
    asks.schedule(on: 0)
    #expect(system.shutdown().isComplete)
    #expect(answered.count == 100)
    // Counted by the threads, and added up at their end.
    #expect(system.statistics().total(.softNet).runs == 100)
  }

  @Test("a visitor that holds a gate and waits for a CPU that the shutdown has given up is let go")
  func visitorOfAbandoned() throws {
    let system = try System(on: .hosted(cpus: 2), quiet())
    let held = Event()
    let release = Event()
    let results = Log()
    let stuck = try system.establish("stuck", at: .sched, as: .mpSafe) { _ in
      held.signal()
      release.hold()
    }
    stuck.schedule(on: 1)
    #expect(held.wait())
    let caller = Visitor {
      system.raise(exactly: .softClock) { _ in
        results.note("\(system.crossCallAndWait(on: 1, at: .vm) { _ in })")
      }
    }
    let calls = system.agents[1].calls + Int(Level.vm.rawValue)
    #expect(eventually { calls.load(.acquire) != 0 })
    // This CPU does not end before the visitor has left its gate.
    system.submit(on: 0) { here in here.raise(exactly: .softClock) { _ in } }
    #expect(system.someoneWaits(for: .softClock))
    let visitor = Visitor { system.shutdown(grace: .zero) }
    #expect(caller.join())
    #expect(results.all == ["false"])
    release.signal()
    #expect(visitor.join())
  }

  @Test("what is scheduled on a CPU that has just left is run by the shutdown, or is in its report")
  func scheduledLate() throws {
    for _ in 0..<30 {
      let system = try System(on: .hosted(cpus: 2), quiet())
      let ran = Counter()
      let handler = try system.establish("h", at: .softNet, as: .ordered) { _ in ran.add() }
      let stop = Counter()
      let asked = Counter()
      let visitor = Visitor {
        while stop.count == 0 {
          if handler.schedule(on: 1) == .notEstablished { break }
          asked.add()
        }
      }
      eventually { asked.count > 0 }
      nonisolated(unsafe) var report = ShutdownReport()
      // With a grace as long as this one, a shutdown that waits for a CPU that has left never ends.
      let ending = Visitor { report = system.shutdown(grace: .seconds(100_000)) }
      #expect(eventually { system.stopping.load(.acquire) & System.cpusMayLeave != 0 })
      stop.count = 1
      #expect(visitor.join() && ending.join())
      // The last one may have come after the last look: then it is in the report.
      #expect(
        ran.count > 0 && report.jobs == 0 && report.pending.allSatisfy { $0.name == "h" && $0.cpus == 1 })
    }
  }
}
