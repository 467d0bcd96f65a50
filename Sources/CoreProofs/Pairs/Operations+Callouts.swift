// Callouts: making, arming, cancelling, halting, retiring.

import Exploration
import SimulatedMachine
import SoftInterrupts

extension PublicOperation {
  // Two closures a call, one after the other: what it needs, and what it does.
  // swift-format-ignore: OnlyOneTrailingClosureArgument
  /// Arms the callout, which fires as soon as may be, on CPU 1; then does something to it.
  private static func armed(
    _ name: String, _ declarations: [String], _ callout: @escaping @Sendable (Stage) -> StageCallout,
    _ body: @escaping @Sendable (Stage, StageCallout) -> Void = { _, _ in }
  ) -> PublicOperation {
    PublicOperation(name, declarations, prepare: with { _ = callout($0) }) { stage, _, _ in
      callout(stage).arm()
      body(stage, callout(stage))
    }
  }

  private static let cancel = "Callout.cancel()"
  private static let halt = "Callout.halt(file:line:)"
  private static let retire = "Callout.retire(file:line:)"
  private static let arm = "Callout.schedule(at:)"

  // Two closures a call, one after the other: what it needs, and what it does.
  // swift-format-ignore: OnlyOneTrailingClosureArgument
  static let callouts: [PublicOperation] = [
    PublicOperation(
      "make a callout, arm, retire", ["InterruptSystem.callout(_:at:guard:as:exactly:cpu:_:)"],
      prepare: with { $0.world.machine.watchClock() }
    ) {
      stage, _, _ in
      nonisolated(unsafe) var isOver = false
      do {
        let new = try stage.system.callout("new", at: .softClock, guard: .softNet, exactly: true, cpu: 1) {
          here in
          stage.expect(!isOver && here.lateness < .max, "a retired callout runs")
          stage.touch(.softNet)
        }
        new.schedule(at: 0)
        Machinery.elapse(32_768)
        stage.expect(new.retire(), "its retiring was refused")
        isOver = true
        stage.expect(new.schedule(at: 0) == .retired, "it was armed after it was retired")
      } catch { stage.expect(stage.shutsDown, "\(error)") }
    },
    armed("arm", [arm, "Here.lateness"], \.timer),
    armed("arm without a guard", [arm], \.plain),
    armed(
      "arm for later, then for now",
      ["Callout.schedule(after:)", "Callout.schedule(afterNanoseconds:)", "Callout.reschedule(after:)"],
      \.timer
    ) { stage, timer in
      timer.callout.schedule(after: .milliseconds(3))
      timer.callout.schedule(afterNanoseconds: 2_000_000)
      timer.callout.reschedule(after: .milliseconds(1))
      timer.arm()
    },
    PublicOperation(
      "a body arms itself", [arm], prepare: with { $0.timer.rearms = true }
    ) { stage, _, _ in stage.timer.arm() },
    PublicOperation(
      "a body arms itself, without a guard", [arm], prepare: with { $0.plain.rearms = true }
    ) { stage, _, _ in stage.plain.arm() },
    armed("cancel", [cancel], \.timer) { $1.cancel(underGuard: false) },
    armed("cancel under the guard", [cancel], \.timer) { stage, timer in
      stage.system.raise(exactly: .softNet) { _ in timer.cancel(underGuard: true) }
    },
    armed("cancel without a guard", [cancel], \.plain) { $1.cancel(underGuard: false) },
    armed("cancel, arm again", [cancel], \.timer) {
      $1.cancel(underGuard: false)
      $1.arm()
    },
    armed("halt", [halt], \.timer) { $1.halt() },
    armed("halt without a guard", [halt], \.plain) { $1.halt() },
    armed("retire", [retire], \.timer) { $1.retire() },
    armed("retire without a guard", [retire], \.plain) { $1.retire() },
    PublicOperation(
      "a body retires its callout", [retire], prepare: with { $0.timer.retires = true }
    ) { stage, _, _ in stage.timer.arm() },
    PublicOperation(visitor: "visitor: halt", [halt], prepare: with { _ = $0.timer }) { stage, _ in
      stage.timer.arm()
      stage.timer.halt()
    },
    PublicOperation(visitor: "visitor: retire without a guard", [retire], prepare: with { _ = $0.plain }) {
      stage, _ in
      stage.plain.arm()
      stage.plain.retire()
    },
    PublicOperation(
      "here.retire() in a callout's body", ["Here.retire()"],
      prepare: with { $0.plain.callsHereRetire = true }
    ) { stage, _, _ in stage.plain.arm() },
  ]
}
