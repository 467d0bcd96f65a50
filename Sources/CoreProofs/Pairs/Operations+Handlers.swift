// Handlers: scheduling, establishing, ending, suspending, changing.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension PublicOperation {
  // Two closures a call, one after the other: what it needs, and what it does.
  // swift-format-ignore: OnlyOneTrailingClosureArgument
  private static func schedule(
    _ name: String, in place: Place = .base, anotherCPU: Bool = false,
    _ handler: @escaping @Sendable (Stage) -> StageHandler
  ) -> PublicOperation {
    PublicOperation(
      name, [anotherCPU ? "Handler.schedule(on:)" : "Handler.schedule()"], in: place,
      prepare: with { _ = handler($0) }
    ) { stage, side, _ in
      handler(stage).schedule(on: anotherCPU ? side.other : nil)
    }
  }

  // Two closures a call, one after the other: what it needs, and what it does.
  // swift-format-ignore: OnlyOneTrailingClosureArgument
  private static func change(
    _ name: String, _ declaration: String, ends: Bool = false,
    _ handler: @escaping @Sendable (Stage) -> StageHandler, _ body: @escaping @Sendable (StageHandler) -> Void
  ) -> PublicOperation {
    PublicOperation(
      name, [declaration],
      prepare: with {
        _ = handler($0)
        if ends { $0.endsHandlers = true }
      }
    ) { stage, _, _ in
      // Something to run, to keep or to drop.
      handler(stage).schedule(on: nil)
      body(handler(stage))
    }
  }

  private static let disestablish = "InterruptSystem.disestablish(_:file:line:)"
  private static let suspend = "InterruptSystem.suspend(_:file:line:)"
  private static let setWay = "InterruptSystem.setWay(_:of:file:line:)"

  // Two closures a call, one after the other: what it needs, and what it does.
  // swift-format-ignore: OnlyOneTrailingClosureArgument
  static let handlers: [PublicOperation] = [
    schedule("schedule()", \.net),
    schedule("schedule(on: another)", anotherCPU: true, \.net),
    schedule("schedule() .anywhere", \.anywhere),
    schedule("schedule(on: another) .anywhere", anotherCPU: true, \.anywhere),
    schedule("schedule(on: another) .mpSafe", anotherCPU: true, \.safe),
    schedule("schedule(on: another) .bigLock", anotherCPU: true, \.big),
    schedule("handler at high: schedule()", in: .handler(.high, .mpSafe), \.net),
    PublicOperation(
      visitor: "visitor: schedule(on:)", ["Handler.schedule(on:)"], prepare: with { _ = $0.net }
    ) {
      stage, side in stage.net.schedule(on: 1)
    },
    PublicOperation(
      "establish, disestablish, establish", ["InterruptSystem.establish(_:at:as:_:_:)", disestablish]
    ) { stage, _, _ in
      for round in 0..<2 {
        nonisolated(unsafe) var runs = 0
        do {
          let new = try stage.system.establish("new", at: .softNet, as: .ordered) { _ in
            runs += 1
            stage.touch(.softNet)
          }
          let wasAccepted = new.schedule() == .scheduled
          let result = stage.system.disestablish(new)
          let soFar = runs
          if case .done(let dropped) = result {
            stage.expect(!wasAccepted || runs + dropped == 1, "round \(round): neither run nor counted")
          } else {
            stage.expect(stage.shutsDown, "its maker disestablishes it: \(result)")
          }
          stage.world.point()
          stage.expect(runs == soFar || stage.shutsDown, "a run after the end")
          stage.expect(new.schedule() == .notEstablished || runs == soFar, "a stale handle")
        } catch { stage.expect(stage.shutsDown, "\(error)") }
      }
    },
    change("disestablish", disestablish, ends: true, \.net) { $0.disestablish() },
    change("disestablish .anywhere", disestablish, ends: true, \.anywhere) { $0.disestablish() },
    change("disestablish .mpSafe", disestablish, ends: true, \.safe) { $0.disestablish() },
    change("disestablish .bigLock", disestablish, ends: true, \.big) { $0.disestablish() },
    PublicOperation(
      visitor: "visitor: disestablish", [disestablish],
      prepare: with {
        _ = $0.net
        $0.endsHandlers = true
      }
    ) { stage, _ in
      stage.net.schedule(on: 1)
      stage.net.disestablish()
    },
    change("suspend", suspend, \.net) { $0.suspend() },
    change("suspend .mpSafe", suspend, \.safe) { $0.suspend() },
    change("suspend, resume", "InterruptSystem.resume(_:)", \.net) {
      $0.suspend()
      $0.resume()
    },
    change("suspend, resume .anywhere", "InterruptSystem.resume(_:)", \.anywhere) {
      $0.suspend()
      $0.resume()
    },
    change("suspend, resume .mpSafe", "InterruptSystem.resume(_:)", \.safe) {
      $0.suspend()
      $0.resume()
    },
    change("setWay .mpSafe", setWay, \.net) { $0.setWay(.mpSafe) },
    change("setWay .bigLock", setWay, \.net) { $0.setWay(.bigLock) },
    change("setWay .disjoint", setWay, \.net) { $0.setWay(.disjoint) },
    change("setWay .ordered of .mpSafe", setWay, \.safe) { $0.setWay(.ordered) },
    change("setWay .ordered of .bigLock", setWay, \.big) { $0.setWay(.ordered) },
    PublicOperation(
      "here.retire()", ["Here.retire()"], prepare: with { $0.net.retires = true }
    ) { stage, side, _ in stage.net.schedule(on: side.other) },
    PublicOperation(
      "here.retire() .mpSafe", ["Here.retire()"], prepare: with { $0.safe.retires = true }
    ) { stage, _, _ in stage.safe.schedule(on: nil) },
  ]
}
