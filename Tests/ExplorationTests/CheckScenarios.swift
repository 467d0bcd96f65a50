// Small programs for the checks: each holds with every rule of the core on, and is refuted by a check with one switched off.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension Scenario {
  /// A cumulative raise that has to wait for a gate in between.
  static func ascends(_ world: World) throws {
    world.base(on: 0) { here in here.raise(to: .softNet) { _ in world.point() } }
    world.base(on: 1) { here in here.raise(exactly: .softBio) { _ in world.point() } }
  }

  /// Big-lock work comes on a CPU that holds a gate (H1).
  static func bigLockUnderGate(_ world: World) throws {
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
  static func firstComeFirstServed(_ world: World) throws {
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
  static func firstOfAll(_ world: World) throws {
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
  static func comesInTime(_ world: World) throws {
    let timer = try world.callout("timer", at: .softClock) { _ in }
    world.base(on: 0) { _ in timer.schedule(after: .microseconds(20)) }
    world.finally { world.expect(timer.runs == 1) }
  }

  /// Cancelled and armed anew under its guard, while its dispatch waits for the guard (H43).
  static func cancelledAndRearmed(_ world: World) throws {
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
  static func halted(_ world: World, retires: Bool) throws {
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
  static func armedFromOutside(_ world: World) throws {
    let timer = try world.callout("timer", at: .softClock, cpu: 0) { _ in }
    world.visitor { timer.schedule(after: .milliseconds(1)) }
    world.finally { world.expect(timer.runs == 1) }
  }

  /// Retired by its own body, and by another while it waits for its guard; armed by whoever comes.
  static func retired(_ world: World) throws {
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
  static func disestablished(_ world: World) throws {
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in world.point() }
    world.device("card") { net.schedule(on: 0) }
    world.base(on: 1) { _ in net.disestablish() }
  }

  /// The slot of a handler that has gone is another's; the old handle is still asked (H6).
  static func slotReused(_ world: World) throws {
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
  static func suspended(_ world: World) throws {
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
  static func wayChanged(_ world: World) throws {
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
  static func goesOffline(_ world: World) throws {
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in }
    world.base(on: 0) { here in here.raise(exactly: .softNet) { _ in world.point() } }
    world.device("card") { net.schedule(on: 1) }
    world.visitor { world.system.offline(1) }
  }

  /// What waits for a CPU that does not come back stays where it is, also where interrupts come at any operation; it is left there
  /// when the run has its verdict. While the system is taken down nobody is judged, nor thrown out of it.
  static func staysAway(_ world: World) throws {
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
  static func comesBack(_ world: World) throws {
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in }
    world.device("card") { net.schedule(on: 1) }
    world.visitor {
      world.system.offline(1)
      world.system.online(1)
    }
    world.finally { world.expect(net.runs == 1) }
  }

  /// A handler is scheduled while the system stops without grace: it is run, counted, or refused (H30).
  static func stops(_ world: World) throws {
    let net = try world.handler("net", at: .softNet, as: .ordered) { _ in }
    world.visitor("scheduler") { net.schedule(on: 1) }
    world.visitor("stopper") { world.shutdown(grace: .zero) }
  }

  /// One CPU wants a gate that the other takes again and again (H12).
  static func takesTurns(_ world: World) throws {
    world.base(on: 0) { here in
      for _ in 0..<5 { here.raise(exactly: .softNet) { _ in } }
    }
    world.base(on: 1) { here in here.raise(exactly: .softNet) { _ in } }
  }

  /// A handler that schedules itself anew keeps its CPU, and a lower one is pending there (H10). Time passes in each run.
  static func sharesItsCPU(_ world: World) throws {
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

/// A configuration in which a level serves one run at a time, so that its budget of time is looked at.
var oneAtATime: Configuration {
  var configuration = Configuration.exploration
  configuration.dispatchBudget = 1
  configuration.levelBudget = 1_000_000
  return configuration
}

/// Programs made at random: handlers and callouts with all that can be done to them, by two CPUs, a visitor and a device.
struct GeneratedProgram: Sendable {
  let seed: Int

  func build(_ world: World) throws {
    var random = Numbers(UInt64(seed))
    let levels: [Level] = [.softClock, .softBio, .softNet]
    var handlers: [WatchedHandler] = []
    for name in ["a", "b", "c"].prefix(1 + random.below(3)) {
      let way: WayIn = [.ordered, .ordered, .mpSafe, .bigLock][random.below(4)]
      handlers.append(
        try world.handler(
          name, at: levels[random.below(3)], as: way, random.below(3) == 0 ? .anywhere : .bound
        ) { _ in world.point() })
    }
    var callouts: [WatchedCallout] = []
    for name in ["t", "u"].prefix(1 + random.below(2)) {
      let level = levels[random.below(2)]
      let kind = random.below(3)
      callouts.append(
        try world.callout(
          name, at: level, guard: kind == 0 ? nil : .softNet, as: kind == 2 ? .mpSafe : .ordered,
          cpu: random.below(2)
        ) { _ in world.point() })
    }
    if random.below(2) == 0 { world.clock(after: .milliseconds(1)) }
    let actors = 2 + random.below(3)
    for actor in 0..<actors {
      let plan = (0..<1 + random.below(3)).map { _ in
        (random.below(12), random.below(handlers.count), random.below(callouts.count), random.below(4))
      }
      let act: () -> Void = {
        for (kind, handler, callout, detail) in plan {
          let (handler, callout) = (handlers[handler], callouts[callout])
          switch kind {
          case 0...2: handler.schedule(on: detail & 1)
          case 3: callout.schedule(after: .microseconds(20 * detail))
          case 4: callout.schedule(after: .milliseconds(1))
          case 5: callout.cancel()
          case 6: callout.halt()
          case 7: if detail == 0 { callout.retire() }
          case 8: if detail == 0 { handler.disestablish() }
          case 9:
            if case .done = handler.suspend() { handler.resume() }
          case 10: handler.setWay([.ordered, .mpSafe][detail & 1])
          default:
            world.system.raise(to: .softNet) { _ in
              callout.cancel()
              if detail & 1 == 0 { callout.schedule(after: .milliseconds(2)) }
            }
          }
        }
      }
      switch actor {
      case 0, 1: world.base(on: actor, as: random.below(4) == 0 ? .bigLock : .mpSafe) { _ in act() }
      case 2: world.visitor { act() }
      default:
        let (handler, cpu) = (handlers[0], random.below(2))
        world.device { handler.schedule(on: cpu) }
      }
    }
  }
}
