// Several callouts in one run of their dispatch.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension Checks {
  /// Three callouts, due in one tick: the second has another guard than the first, and data behind it that another CPU uses; the third has
  /// the second one's.
  public static func dueTogether(_ world: World) throws {
    let net = world.shared("net", guard: .softNet, 0)
    let serial = world.shared("serial", guard: .softSerial, 0)
    let first = try world.callout("first", at: .softClock, guard: .softNet, exactly: true, cpu: 0) { _ in
      net.value += 1
    }
    let second = try world.callout("second", at: .softClock, guard: .softSerial, exactly: true, cpu: 0) { _ in
      serial.value += 1
    }
    let third = try world.callout("third", at: .softClock, guard: .softSerial, exactly: true, cpu: 0) { _ in
      serial.value += 1
    }
    world.base(on: 0) { _ in
      for callout in [first, second, third] { callout.schedule(at: 0) }
    }
    world.base(on: 1) { here in here.raise(exactly: .softSerial) { _ in serial.value += 1 } }
    world.clock(after: .milliseconds(1))
    world.finally {
      world.expect(first.runs == 1 && second.runs == 1 && third.runs == 1, "a callout did not run once")
    }
  }

  /// The first of two callouts schedules a handler between its level and its guard.
  public static func handlerBetween(_ world: World) throws {
    nonisolated(unsafe) var isServed = false
    let between = try world.handler("between", at: .softBio, as: .ordered) { _ in isServed = true }
    let first = try world.callout("first", at: .softClock, guard: .softNet, exactly: true, cpu: 0) { _ in
      between.schedule()
    }
    let second = try world.callout("second", at: .softClock, guard: .softNet, exactly: true, cpu: 0) { _ in
      world.expect(isServed, "what is pending above waits for a second callout")
    }
    world.base(on: 0) { _ in
      first.schedule(at: 0)
      second.schedule(at: 0)
    }
    world.clock(after: .milliseconds(1))
    world.finally { world.expect(first.runs == 1 && second.runs == 1, "a callout did not run once") }
  }
}
