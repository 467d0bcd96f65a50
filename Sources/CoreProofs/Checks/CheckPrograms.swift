// Small programs for the checks that are always on.
//
// Law: each holds with every rule of the core on, and a check refutes it with one switched off (Checks.swift says which).

public import Exploration
import SimulatedMachine
import SoftInterrupts

extension Checks {
  /// A cumulative raise that has to wait for a gate in between.
  public static func ascends(_ world: World) throws {
    world.base(on: 0) { here in here.raise(to: .softNet) { _ in world.point() } }
    world.base(on: 1) { here in here.raise(exactly: .softBio) { _ in world.point() } }
  }

  /// Big-lock work comes on a CPU that holds a gate (H1).
  public static func bigLockUnderGate(_ world: World) throws {
    let legacy = world.shared("legacy", guard: Level.none, 0)
    let big = try world.handler("big", at: .softSerial, as: .bigLock) { _ in legacy.value += 1 }
    world.base(on: 0, as: .bigLock) { here in
      legacy.value += 1
      here.raise(to: .softNet) { _ in }
    }
    world.base(on: 1) { here in
      here.raise(exactly: .softNet) { here in
        big.schedule()
        here.checkpoint()
      }
    }
  }

  /// Two bound ordered handlers of one level, the second established scheduled first: by their own CPU, and from outside.
  public static func firstComeFirstServed(_ world: World) throws {
    let a = try world.handler("a", at: .softNet, as: .ordered) { _ in }
    let b = try world.handler("b", at: .softNet, as: .ordered) { _ in }
    world.base(on: 0) { here in
      here.mask(to: .softNet) { _ in
        b.schedule()
        a.schedule()
      }
    }
    world.device("card") {
      b.schedule(on: 1)
      a.schedule(on: 1)
    }
    world.finally { world.expect(a.runs == 2 && b.runs == 2) }
  }

  /// One that has run before, and one that has never been scheduled, whose schedule is under way when the first is looked for.
  public static func firstOfAll(_ world: World) throws {
    let first = try world.handler("first", at: .softNet, as: .ordered) { _ in }
    let second = try world.handler("second", at: .softNet, as: .ordered) { _ in }
    world.base(on: 0) { _ in
      first.schedule(on: 1)
      second.schedule(on: 1)
    }
    world.base(on: 1) { here in
      first.schedule()
      here.checkpoint()
    }
  }

  /// A callout whose time is no multiple of the wheel's tick.
  public static func comesInTime(_ world: World) throws {
    let timer = try world.callout("timer", at: .softClock) { _ in }
    world.base(on: 0) { _ in timer.schedule(after: .microseconds(20)) }
    world.finally { world.expect(timer.runs == 1) }
  }

  /// Moved to a later time by another CPU: it is left in the slot of the earlier one, which comes first.
  public static func putOff(_ world: World) throws {
    let timer = try world.callout("timer", at: .softClock, guard: .softNet, cpu: 0) { _ in }
    world.base(on: 0) { _ in timer.schedule(after: .microseconds(20)) }
    world.base(on: 1) { here in
      here.raise(exactly: .softNet) { _ in _ = timer.schedule(after: .milliseconds(20)) }
    }
    world.finally { world.expect(timer.runs >= 1) }
  }

  /// Moved to an earlier time, armed or cancelled before: it leaves the slot of the later one.
  public static func putForward(_ world: World) throws {
    let timer = try world.callout("timer", at: .softClock, cpu: 0) { here in
      world.expect(here.lateness < 100_000_000)
    }
    world.base(on: 0) { _ in
      timer.schedule(after: .seconds(10))
      timer.cancel()
      timer.schedule(after: .milliseconds(1))
    }
    world.finally { world.expect(timer.runs == 1) }
  }

  /// Two in one slot; one is cancelled, retired, and its node made another's, while the other waits.
  public static func retiredAmongOthers(_ world: World) throws {
    let first = try world.callout("first", at: .softClock, cpu: 0) { _ in }
    let second = try world.callout("second", at: .softClock, cpu: 0) { _ in }
    world.base(on: 0) { _ in
      first.schedule(after: .milliseconds(1))
      second.schedule(after: .milliseconds(1))
    }
    world.base(on: 1) { _ in
      first.cancel()
      first.retire()
      let next = try? world.callout("next", at: .softClock, cpu: 0) { _ in }
      next?.schedule(after: .microseconds(500))
    }
    world.finally { world.expect(second.runs == 1) }
  }

  /// Cancelled and armed anew under its guard, while its dispatch waits for the guard (H43).
  public static func cancelledAndRearmed(_ world: World) throws {
    let timer = try world.callout("timer", at: .softClock, guard: .softNet) { _ in }
    world.base(on: 0) { _ in timer.schedule(after: .zero) }
    world.base(on: 1) { here in
      here.raise(exactly: .softNet) { _ in
        timer.cancel()
        timer.schedule(after: .seconds(1))
      }
    }
    // Time passes while others can go on, so that it is popped in the middle.
    world.clock(after: .milliseconds(1))
    world.finally { world.expect(timer.runs >= 1) }
  }

  /// A callout without a guard is halted, or retired, by another CPU while its body runs.
  public static func halted(_ world: World, retires: Bool) throws {
    let timer = try world.callout("timer", at: .softNet, as: .mpSafe, cpu: 0) { _ in
      world.point()
      world.point()
    }
    world.base(on: 0) { _ in timer.schedule(after: .zero) }
    world.base(on: 1) { _ in
      if retires { timer.retire() } else { timer.halt() }
    }
    world.clock(after: .milliseconds(1))
  }

  /// A visitor arms a callout of a CPU that sleeps.
  public static func armedFromOutside(_ world: World) throws {
    let timer = try world.callout("timer", at: .softClock, cpu: 0) { _ in }
    world.visitor { timer.schedule(after: .milliseconds(1)) }
    world.finally { world.expect(timer.runs == 1) }
  }

  /// Retired by its own body, and by another while it waits for its guard; armed by whoever comes.
  public static func retired(_ world: World) throws {
    let once = try world.callout("once", at: .softClock, guard: .softNet) { _ in world.point() }
    world.base(on: 0) { here in
      once.schedule(after: .zero)
      here.raise(to: .softNet) { _ in world.point() }
    }
    world.base(on: 1) { _ in
      once.retire()
      world.expect(once.schedule(after: .zero) == .retired)
    }
    world.clock(after: .milliseconds(1))
  }

  /// A handler is scheduled, and disestablished from outside: it has run, or is counted.
  public static func disestablished(_ world: World) throws {
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in world.point() }
    world.device("card") { net.schedule(on: 0) }
    world.base(on: 1) { _ in net.disestablish() }
  }

  /// The slot of a handler that has gone is another's; the old handle is still asked (H6).
  public static func slotReused(_ world: World) throws {
    let old = try world.handler("old", at: .softNet, as: .ordered) { _ in }
    world.visitor {
      old.schedule(on: 0)
      old.disestablish()
      let new = try? world.handler("new", at: .softNet, as: .ordered) { _ in }
      world.point()
      old.schedule(on: 0)
      new?.schedule(on: 1)
    }
  }

  /// Suspended and resumed while it is scheduled.
  public static func suspended(_ world: World) throws {
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in world.point() }
    world.device("card") { net.schedule(on: 0) }
    world.base(on: 1) { _ in
      net.suspend()
      world.point()
      net.resume()
    }
    world.finally { world.expect(net.runs == 1) }
  }

  /// Its way in changes while it is scheduled on both CPUs (H57).
  public static func wayChanged(_ world: World) throws {
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in world.point() }
    world.device("card") {
      net.schedule(on: 0)
      net.schedule(on: 1)
    }
    world.visitor { net.setWay(.mpSafe) }
    world.finally { world.expect(net.runs == 2) }
  }

  /// A bound handler is scheduled on a CPU that goes offline, while another has its gate: it is run, or the answer says that it
  /// waits (H44).
  public static func goesOffline(_ world: World) throws {
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in }
    world.base(on: 0) { here in here.raise(exactly: .softNet) { _ in world.point() } }
    world.device("card") { net.schedule(on: 1) }
    world.visitor { world.system.offline(1) }
  }

  /// What waits for a CPU that does not come back stays where it is, also where interrupts come at any operation; it is left there
  /// when the run has its verdict. While the system is taken down nobody is judged, nor thrown out of it.
  public static func staysAway(_ world: World) throws {
    let packets = world.shared("packets", guard: .softNet, 0)
    nonisolated(unsafe) var isAway = false
    let net = try world.handler("net", at: .softNet, as: .mpSafe) { _ in
      world.expect(!isAway, "no run while the CPU is away")
    }
    let plain = try world.system.establish("plain", at: .softNet, as: .mpSafe) { _ in
      world.expect(!isAway, "no run while the CPU is away")
      if isAway { packets.value += 1 }
    }
    world.device("card") {
      net.schedule(on: 1)
      plain.schedule(on: 1)
    }
    world.visitor {
      world.system.offline(1)
      isAway = true
    }
  }

  /// The same, and it comes back.
  public static func comesBack(_ world: World) throws {
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in }
    world.device("card") { net.schedule(on: 1) }
    world.visitor {
      world.system.offline(1)
      world.system.online(1)
    }
    world.finally { world.expect(net.runs == 1) }
  }

  /// A handler is scheduled while the system stops without grace: it is run, counted, or refused (H30).
  public static func stops(_ world: World) throws {
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in }
    world.visitor("scheduler") { net.schedule(on: 1) }
    world.visitor("stopper") { world.shutdown(grace: .zero) }
  }

  /// One CPU wants a gate that the other takes again and again (H12).
  public static func takesTurns(_ world: World) throws {
    world.base(on: 0) { here in
      for _ in 0..<5 { here.raise(exactly: .softNet) { _ in } }
    }
    world.base(on: 1) { here in here.raise(exactly: .softNet) { _ in } }
  }

  /// A handler that schedules itself anew keeps its CPU, and a lower one is pending there (H10). Time passes in each run.
  public static func sharesItsCPU(_ world: World) throws {
    world.machine.watchClock()
    nonisolated(unsafe) var left = 64
    nonisolated(unsafe) var again: WatchedHandler?
    let flood = try world.handler("flood", at: .softNet, as: .mpSafe) { _ in
      SimulatedMachine.elapse(200_000)
      left -= 1
      if left > 0 { again?.schedule() }
    }
    again = flood
    let tick = try world.handler("tick", at: .softClock, as: .mpSafe) { _ in }
    world.base(on: 0) { here in
      here.mask(to: .softNet) { _ in
        flood.schedule()
        tick.schedule()
      }
    }
    world.finally {
      again = nil
      world.expect(flood.runs == 64 && tick.runs == 1)
    }
  }
}
