// CPUs that go and come back: nothing that was accepted for them is lost.

import Testing

@testable import HostedMachine
@testable import SoftInterrupts

@Suite("CPUs offline and back")
struct OfflineTests {
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
      #expect(eventually { system.agent(ofCPU: 1).p.pointee.offline.load(.acquire) == OfflineState.leaving })
      blocker.letGo()
      #expect(visitor.join())
      #expect(ran.count == 1)
      system.online(1)
    }
  }

  @Test("H30: .anywhere work that was suspended when its CPU went runs elsewhere when it is resumed")
  func suspendedWorkMoves() throws {
    try withSystem { system in
      let log = Log()
      let any = try system.establish("any", at: .softNet, as: .ordered, .anywhere) { log.note("\($0.cpu!)") }
      system.suspend(any)
      #expect(any.schedule(on: 1) == .scheduled)
      #expect(system.offline(1))
      system.resume(any)
      system.settle(0)
      #expect(log.all == ["0"])
      system.online(1)
    }
  }

  @Test(
    "a CPU is taken offline while the system shuts down, and put back: each is answered, and nothing runs after the end"
  )
  func againstShutdown() throws {
    for _ in 0..<20 {
      let system = try System(on: .hosted(cpus: 2), quiet())
      let start = Counter()
      let visitor = Visitor {
        start.add()
        eventually { start.count == 2 }
        system.offline(1)
        system.online(1)
      }
      start.add()
      eventually { start.count == 2 }
      #expect(system.shutdown().isComplete)
      #expect(visitor.join())
      // Whatever came first, the CPU is closed for good.
      #expect(!system.submit(on: 1) { _ in } && !system.offline(1) && !system.online(1))
    }
  }

  @Test("a CPU whose base code has left it goes offline when that is back")
  func waitsForBaseCode() throws {
    try withSystem { system in
      let log = Log()
      let left = Event()
      let back = Event()
      system.submit(on: 1) { here in
        here.leaveCPU {
          left.signal()
          back.wait()
        }
        log.note("back")
      }
      #expect(left.wait())
      let visitor = Visitor {
        #expect(system.offline(1))
        log.note("offline")
      }
      #expect(eventually { system.agent(ofCPU: 1).p.pointee.offline.load(.acquire) == OfflineState.leaving })
      // The thread that stands in has looked meanwhile, and answers.
      #expect(system.crossCallAndWait(on: 1, at: .vm) { _ in })
      back.signal()
      #expect(visitor.join())
      #expect(log.all == ["back", "offline"])
      system.online(1)
    }
  }

  @Test("a CPU that stands aside answers a call that comes while it answers another")
  func asideAnswersAll() throws {
    try withSystem(cpus: 3) { system in
      #expect(system.offline(2))
      let answered = Counter()
      for _ in 0..<200 {
        let visitors = (0..<2).map { cpu in
          Visitor {
            let answer = system.crossCallAndWait(on: 2, at: .softNet) { _ in
              // Waits, and uses up the rings that come meanwhile.
              #expect(system.crossCallAndWait(on: cpu, at: .vm) { _ in })
            }
            if answer { answered.add() }
          }
        }
        for visitor in visitors where !visitor.join() {
          Issue.record("a call was not answered")
          return
        }
      }
      #expect(answered.count == 400)
      system.online(2)
    }
  }

  @Test("a CPU that stands aside answers calls of higher levels in the middle of one that waits")
  func asideServes() throws {
    try withSystem(cpus: 3) { system in
      #expect(system.offline(2))
      let first = Event()
      system.raise(exactly: .softNet) { _ in
        system.crossCall(on: 2, at: .softClock) { here in
          here.raise(exactly: .softNet) { _ in first.signal() }
        }
        #expect(system.someoneWaits(for: .softNet))
        // It waits for our gate, and we for it: it serves.
        #expect(system.crossCallAndWait(on: 2, at: .vm) { _ in })
      }
      #expect(first.wait())
      system.online(2)
    }
  }

  @Test("a CPU that comes back in the middle of a call that waits finds what waited for it")
  func backInsideCall() throws {
    try withSystem(cpus: 3) { system in
      let ran = Event()
      let handler = try system.establish("h", at: .softBio, as: .ordered) { _ in ran.signal() }
      #expect(system.offline(2))
      #expect(handler.schedule(on: 2) == .offline)
      system.raise(exactly: .softNet) { _ in
        system.crossCall(on: 2, at: .softClock) { here in here.raise(exactly: .softNet) { _ in } }
        #expect(system.someoneWaits(for: .softNet))
        // The ring of this is used up by the wait.
        #expect(system.online(2))
      }
      #expect(ran.wait())
    }
  }
}
