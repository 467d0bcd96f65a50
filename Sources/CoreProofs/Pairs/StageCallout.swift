// A callout that operations share, and what it was promised.
//
// Law: armings are counted when they begin. Whoever takes the callout back and is told for certain that nothing runs notes that count; a
// run that starts afterwards needs an arming that had not returned by then.

import Exploration
import SimulatedMachine
import SoftInterrupts

final class StageCallout {
  unowned let stage: Stage
  let guardLevel: Level?
  private(set) var callout: Callout<Machinery>!
  private var armsBegun = 0
  private var armsReturned = 0
  /// No run starts unless more armings than these have begun.
  private var quelled = 0
  private var isInBody = false
  private var starts = 0
  private let ledger = LedgerWord()
  private var hasRetired = false
  /// Whether anybody has begun to take it back.
  private var isTakenBack = false
  private var lastArm: UInt64 = 0
  private var lastStart: UInt64 = 0
  /// Arms itself again, once, from its body.
  var rearms = false
  /// Ends itself, from its body.
  var retires = false
  /// Says that its handler is to end, which it is no run of.
  var callsHereRetire = false

  /// On CPU 1, which may go offline.
  init(
    _ stage: Stage, _ name: StaticString, at level: Level, guard guardLevel: Level?, as way: WayIn = .ordered
  ) throws {
    self.stage = stage
    self.guardLevel = guardLevel
    callout = try stage.system.callout(name, at: level, guard: guardLevel, as: way, cpu: 1) {
      [weak self] here in self?.body(here)
    }
    stage.callouts.append(self)
    stage.world.machine.watchClock()
  }

  private func body(_ here: borrowing Here<Machinery>) {
    ledger.changed()
    stage.expect(!hasRetired, "a callout's body starts after it was retired")
    stage.expect(armsBegun > quelled, "a callout's body starts although it was taken back")
    stage.expect(!isInBody, "a callout's body starts while it runs")
    isInBody = true
    starts += 1
    lastStart = stage.step
    if retires {
      isTakenBack = true
      callout.retire()
    }
    if callsHereRetire { here.retire() }
    if let guardLevel { stage.touch(guardLevel) } else { stage.world.point() }
    if rearms && starts == 1 { arm() }
    ledger.changed()
    isInBody = false
  }

  /// Arms it for as soon as may be.
  func arm() {
    let called = stage.step
    let wasRetired = hasRetired
    ledger.changed()
    armsBegun += 1
    let result = callout.schedule(at: 0)
    armsReturned += 1
    // Two ticks of the wheel: else time would stand still until nobody can go on, and it would fire beside nothing.
    if !isInBody { Machinery.elapse(32_768) }
    if result == .retired {
      stage.expect(isTakenBack || stage.shutsDown, "a callout is there, and cannot be armed")
    } else {
      stage.expect(!wasRetired, "a callout was armed after it was retired")
      lastArm = called + 1
    }
  }

  /// Runs `body` as something that takes the callout back; whether no arming was under way or began meanwhile, so that what it
  /// says can be compared.
  private func takingBack(_ body: () -> Void) -> Bool {
    isTakenBack = true
    ledger.compared()
    let (begun, returned) = (armsBegun, armsReturned)
    body()
    ledger.compared()
    return begun == returned && begun == armsBegun
  }

  /// Whether the calling context holds the guard is known to the caller.
  func cancel(underGuard: Bool) {
    var result = CancelResult.retired
    let isAlone = takingBack { result = callout.cancel() }
    if underGuard { stage.expect(result != .mayBeRunning, "a cancel under the guard was not certain") }
    guard isAlone else { return }
    switch result {
    case .cancelled:
      // Without the guard an earlier arming may be about to begin: it has passed its comparison, and not yet called the body.
      if underGuard || armsBegun == 1 { quelled = armsBegun }
    case .notArmed:
      stage.expect(!isInBody, "a cancel found it not armed while its body runs")
      quelled = armsBegun
    case .mayBeRunning: break
    case .retired: break
    }
    if underGuard { stage.expect(!isInBody, "a callout was cancelled under its guard and its body runs") }
  }

  func halt() {
    var isDone = false
    let isAlone = takingBack { isDone = callout.halt() }
    stage.expect(isDone, "a halt was refused")
    guard isAlone else { return }
    stage.expect(!isInBody, "a callout was halted and its body runs")
    quelled = armsBegun
  }

  func retire() {
    isTakenBack = true
    let isDone = callout.retire()
    ledger.compared()
    stage.expect(isDone, "retiring a callout was refused")
    // Its body may be the caller of another retire that ends with it.
    if !retires {
      stage.expect(!isInBody, "a callout was retired and its body runs")
      hasRetired = true
    }
  }

  /// What was armed has run, unless somebody took it back or its CPU is gone.
  func checkDelivered() {
    if isTakenBack || stage.shutsDown || stage.isOffline(1) { return }
    stage.expect(lastArm <= lastStart, "a callout was armed and its body has not run after it")
  }
}
