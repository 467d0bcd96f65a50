// Callouts that are watched: what a cancel, a halt or a retire has promised, and that an armed one runs.
//
// Law: an answer that says "it will not run" holds until the next arming begins; an arming that was answered is followed by a
// run that starts after it began, or by something that takes it back. Where two calls overlap nothing is promised, and nothing
// is asked.

public import SimulatedMachine
public import SoftInterrupts

extension World {
  /// Makes a callout, not armed, whose runs are watched. See ``SoftInterrupts/InterruptSystem/callout(_:at:guard:as:exactly:cpu:_:)``.
  public func callout(
    _ name: String, at level: Level, guard guardLevel: Level? = nil, as way: WayIn = .ordered,
    exactly: Bool = false, cpu: Int? = nil, _ body: @escaping (borrowing Here<SimulatedMachine>) -> Void
  ) throws(CalloutError) -> WatchedCallout {
    let record = CalloutRecord(name)
    let callout = try system.callout(
      "callout", at: level, guard: guardLevel, as: way, exactly: exactly, cpu: cpu
    ) { [unowned self] here in
      self.note("callout \"\(name)\" starts")
      if let promise = record.promise {
        self.fail(.takenBack, "callout \"\(name)\" starts although \(promise)")
      }
      record.starts += 1
      record.mustRun = false
      self.checkHere()
      body(here)
      self.checkHere()
      record.runs += 1
      self.note("callout \"\(name)\" ends")
    }
    finally { [unowned self] in
      if record.mustRun && !self.calloutsMayRest {
        self.fail(.lostWork, "everybody sleeps, and callout \"\(name)\" was armed and has not run")
      }
    }
    return WatchedCallout(world: self, callout: callout, record: record)
  }
}

/// What is known of a callout's armings and runs.
final class CalloutRecord {
  let name: String
  var runs = 0
  var starts = 0
  /// Calls that arm, and calls that take back, which have begun.
  var armings = 0
  var takings = 0
  /// Those of them that have not returned.
  var inProgress = 0
  /// Why no run may start now; nil if one may.
  var promise: String?
  /// Armed by a call that returned, and not taken back since.
  var mustRun = false

  init(_ name: String) { self.name = name }
}

/// A callout whose runs are watched.
public struct WatchedCallout: @unchecked Sendable {
  // Sendable: as the world.
  unowned let world: World
  public let callout: Callout<SimulatedMachine>
  let record: CalloutRecord

  /// How often it has run to its end.
  public var runs: Int { record.runs }

  @discardableResult public func schedule(afterNanoseconds nanoseconds: UInt64) -> ArmResult {
    record.armings += 1
    record.inProgress += 1
    record.promise = nil
    let (takings, starts) = (record.takings, record.starts)
    let isAlone = record.inProgress == 1
    let result = callout.schedule(afterNanoseconds: nanoseconds)
    record.inProgress -= 1
    if result != .retired, isAlone, record.takings == takings, record.starts == starts {
      record.mustRun = true
    }
    return result
  }

  @discardableResult public func cancel() -> CancelResult {
    takingBack("a cancel has said that it will not run") {
      callout.cancel()
    } isPromise: {
      $0 != .mayBeRunning
    }
  }

  @discardableResult public func halt(file: StaticString = #fileID, line: UInt = #line) -> Bool {
    takingBack("it was halted") {
      callout.halt(file: file, line: line)
    } isPromise: {
      $0
    }
  }

  @discardableResult public func retire(file: StaticString = #fileID, line: UInt = #line) -> Bool {
    takingBack("it was retired") {
      callout.retire(file: file, line: line)
    } isPromise: {
      $0
    }
  }

  private func takingBack<R>(_ promise: String, _ body: () -> R, isPromise: (R) -> Bool) -> R {
    record.takings += 1
    record.inProgress += 1
    record.mustRun = false
    let armings = record.armings
    let isAlone = record.inProgress == 1
    let result = body()
    record.inProgress -= 1
    if isPromise(result), isAlone, record.armings == armings {
      record.promise = promise
      record.mustRun = false
    }
    return result
  }
}
