// Random programs on handlers and callouts.
//
// Law: a seed is a program, the same everywhere.

import Exploration
import SimulatedMachine
import SoftInterrupts

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
