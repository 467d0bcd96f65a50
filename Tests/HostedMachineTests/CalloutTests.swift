// Callouts: armed, cancelled exactly, halted, retired, and in the order of their deadlines.

import Testing

@testable import HostedMachine
@testable import SoftInterrupts

@Suite("Callouts")
struct CalloutTests {
  @Test("a callout runs once, at its level, under its guard, and not before its time")
  func runs() throws {
    try withSystem { system in
      let log = Log()
      let ran = Event()
      for (way, exactly, expected) in [
        (WayIn.ordered, false, "softNet [softClock, softBio, softNet]"),
        (.ordered, true, "softNet [softClock, softNet]"),
        (.mpSafe, false, "softNet [softClock, softBio, softNet]"),
        (.mpSafe, true, "softNet [softNet]"), (.bigLock, true, "softNet [none, softClock, softNet]"),
      ] {
        let deadline = HostedMachine.now() + 300_000
        let callout = try system.callout(
          "c", at: .softClock, guard: .softNet, as: way, exactly: exactly, cpu: 1
        ) { here in
          #expect(HostedMachine.now() >= deadline && here.cpu == 1)
          log.note("\(here.level) [\(here.gates)]")
          ran.signal()
        }
        #expect(callout.schedule(at: deadline) == .armed)
        #expect(ran.wait())
        #expect(log.all.last == expected)
        #expect(callout.cancel() != .cancelled && log.all.count == 1 || log.all.count > 1)
        #expect(callout.retire() && callout.schedule(at: 0) == .retired && callout.cancel() == .retired)
      }
      #expect(log.all.count == 5)
    }
  }

  @Test("what cannot be a callout is refused when it is made")
  func refused() throws {
    try withSystem { system in
      #expect(throws: CalloutError.notSoft(.vm)) { _ = try system.callout("c", at: .vm) { _ in } }
      #expect(throws: CalloutError.guardBelowLevel(.softNet, guard: .softBio)) {
        _ = try system.callout("c", at: .softNet, guard: .softBio) { _ in }
      }
      #expect(throws: CalloutError.disjointGuard("c", at: .softClock, guard: .softNet)) {
        _ = try system.callout("c", at: .softClock, guard: .softNet, as: .disjoint) { _ in }
      }
      #expect(throws: CalloutError.noSuchCPU(9)) {
        _ = try system.callout("c", at: .softClock, cpu: 9) { _ in }
      }
    }
  }

  @Test("who holds the guard cancels for certain: cancelled or not armed, and never a run after it")
  func cancelUnderGuard() throws {
    try withSystem { system in
      let runs = Counter()
      let callout = try system.callout("c", at: .softClock, guard: .softNet, exactly: true, cpu: 0) { _ in
        runs.add()
      }
      for round in 0..<300 {
        callout.schedule(afterNanoseconds: UInt64(round % 7) * 9_000)
        let (result, before) = system.raise(exactly: .softNet) { _ in (callout.cancel(), runs.count) }
        #expect(result == .cancelled || result == .notArmed)
        system.raise(exactly: .softNet) { _ in #expect(runs.count == before) }
      }
    }
  }

  @Test("a popped callout that waits for its guard is cancelled exactly by the holder of the guard")
  func cancelPopped() throws {
    try withSystem { system in
      let runs = Counter()
      let callout = try system.callout("c", at: .softClock, guard: .softNet, exactly: true, cpu: 0) { _ in
        runs.add()
      }
      system.raise(exactly: .softNet) { _ in
        callout.schedule(at: 0)
        system.someoneWaits(for: .softNet)
        #expect(callout.cancel() == .cancelled)
        #expect(callout.cancel() == .notArmed)
      }
      system.settle(0)
      #expect(runs.count == 0 && callout.cancel() == .notArmed)
    }
  }

  @Test("who does not hold the guard learns that the body may be running")
  func cancelRunning() throws {
    try withSystem { system in
      let entered = Event()
      let go = Event()
      let callout = try system.callout("c", at: .softClock, guard: .softNet, cpu: 0) { _ in
        entered.signal()
        go.wait()
      }
      callout.schedule(at: 0)
      #expect(entered.wait())
      #expect(callout.cancel() == .mayBeRunning)
      go.signal()
      system.raise(exactly: .softNet) { _ in #expect(callout.cancel() == .notArmed) }
    }
  }

  @Test("H4: halt returns when the body is not running, and it does not run after", arguments: [false, true])
  func halt(_ isGuarded: Bool) throws {
    try withSystem { system in
      let log = Log()
      let entered = Event()
      let go = Event()
      let callout = try system.callout(
        "c", at: .softClock, guard: isGuarded ? .softNet : nil, as: .mpSafe, cpu: 0
      ) { _ in
        entered.signal()
        go.wait()
        log.note("ended")
      }
      callout.schedule(at: 0)
      #expect(entered.wait())
      let visitor = Visitor {
        #expect(callout.halt())
        log.note("halted")
      }
      #expect(eventually { system.queueLength(.softNet) == 1 || system.quiescers.load(.acquire) == 1 })
      go.signal()
      #expect(visitor.join())
      #expect(log.all == ["ended", "halted"] && callout.cancel() == .notArmed)
    }
  }

  @Test("halting where the guard is out of order is refused")
  func haltRefused() throws {
    try withSystem(expecting: [.downward]) { system in
      let callout = try system.callout("c", at: .softClock, guard: .softNet) { _ in }
      callout.schedule(after: .seconds(3_600))
      system.raise(exactly: .softSerial) { _ in #expect(!callout.halt()) }
      #expect(callout.cancel() == .cancelled)
    }
  }

  @Test("a body arms its own callout again, and H5: a retired one stays retired")
  func h5() throws {
    try withSystem { system in
      let runs = Counter()
      let ended = Event()
      nonisolated(unsafe) var me: CalloutOf?
      me = try system.callout("c", at: .softClock, cpu: 0) { _ in
        if runs.add() < 5 {
          #expect(me!.reschedule(after: .nanoseconds(1)) == .armed)
        } else {
          #expect(me!.retire())
          #expect(me!.schedule(at: 0) == .retired)
          ended.signal()
        }
      }
      let callout = try #require(me)
      callout.schedule(at: 0)
      #expect(ended.wait())
      system.settle(0)
      #expect(runs.count == 5 && callout.schedule(at: 0) == .retired && callout.cancel() == .retired)
      // Its node goes to the next, which the old handle does not reach.
      let next = try system.callout("next", at: .softClock, cpu: 0) { _ in runs.add() }
      #expect(next.node == callout.node && callout.schedule(at: 0) == .retired)
    }
  }

  @Test("late callouts run in the order of their deadlines, those of one time in the order of arming")
  func order() throws {
    try withSystem { system in
      let log = Log()
      let ran = Event()
      let deadlines: [UInt64] = [500, 100, 300, 100, 400, 200].map { $0 * 100_000 + 1 }
      let callouts = try deadlines.indices.map { index in
        try system.callout("c", at: .softClock, cpu: 0) { here in
          log.note("\(index)")
          #expect(here.lateness > 0)
          ran.signal()
        }
      }
      system.on(0) { here in
        // Nothing is run while the CPU is masked; all are past their time then.
        here.mask(to: .softClock) { _ in
          let now = HostedMachine.now()
          for (callout, deadline) in zip(callouts, deadlines) {
            callout.schedule(at: now - 100_000_000 + deadline)
          }
        }
      }
      for _ in callouts { #expect(ran.wait()) }
      #expect(log.all == ["1", "3", "5", "2", "4", "0"])
    }
  }

  @Test("arming again moves a callout, and counts once")
  func rearm() throws {
    try withSystem { system in
      let runs = Counter()
      let ran = Event()
      let callout = try system.callout("c", at: .softBio, cpu: 1) { _ in
        runs.add()
        ran.signal()
      }
      #expect(callout.schedule(after: .seconds(3_600)) == .armed)
      #expect(callout.schedule(after: .seconds(7_200)) == .rearmed)
      #expect(callout.schedule(at: 0) == .rearmed)
      #expect(ran.wait())
      system.settle(1)
      #expect(runs.count == 1)
    }
  }

  @Test("a callout that is armed again while its popped run waits for the guard is cancelled once")
  func supersede() throws {
    try withSystem { system in
      let runs = Counter()
      let callout = try system.callout("c", at: .softClock, guard: .softNet, exactly: true, cpu: 0) { _ in
        runs.add()
      }
      system.raise(exactly: .softNet) { _ in
        callout.schedule(at: 0)
        system.someoneWaits(for: .softNet)
        #expect(callout.schedule(after: .seconds(3_600)) == .rearmed)
        #expect(callout.schedule(after: .seconds(3_600)) == .rearmed)
        #expect(callout.cancel() == .cancelled)
        #expect(callout.cancel() == .notArmed)
        #expect(callout.schedule(after: .seconds(3_600)) == .armed)
        #expect(callout.cancel() == .cancelled)
      }
      system.settle(0)
      #expect(runs.count == 0 && callout.cancel() == .notArmed)
    }
  }

  @Test("a stale callout may be asked after its system has gone")
  func outlivesSystem() throws {
    nonisolated(unsafe) var callout: CalloutOf?
    do {
      let system = try System(on: .hosted(cpus: 1), quiet())
      callout = try system.callout("c", at: .softClock, guard: .softNet) { _ in }
      callout?.schedule(after: .seconds(3_600))
      #expect(system.shutdown().armedCallouts == 1)
    }
    let visitor = Visitor {
      #expect(callout?.schedule(at: 0) == .retired && callout?.cancel() == .retired)
      #expect(callout?.halt() == true && callout?.retire() == true)
    }
    #expect(visitor.join())
    #expect(callout?.cancel() == .retired)
  }

  @Test("halting a callout without a guard that arms itself again returns when it neither runs nor will")
  func haltPeriodic() throws {
    try withSystem { system in
      let inside = Counter()
      let runs = Counter()
      nonisolated(unsafe) var me: CalloutOf?
      let callout = try system.callout("c", at: .softClock, as: .mpSafe, cpu: 1) { _ in
        inside.add()
        runs.add()
        me!.schedule(at: 0)
        inside.add(-1)
      }
      me = callout
      for round in 0..<200 {
        callout.schedule(at: 0)
        let before = runs.count
        if round % 2 == 0 { #expect(eventually { runs.count > before }) }
        #expect(callout.halt())
        let after = runs.count
        #expect(inside.count == 0)
        system.settle(1)
        #expect(runs.count == after && callout.cancel() == .notArmed)
      }
      callout.schedule(at: 0)
      #expect(callout.retire() && inside.count == 0 && callout.schedule(at: 0) == .retired)
    }
  }
}
