// The global actors of the levels, given to one system for the life of the process.
//
// Law: once. A global actor is process-wide and a system is an instance, so one system is the process's; others have `LevelActor`.

public import SoftInterrupts
import Synchronization

/// Why the global actors could not be given to a system.
public enum BootstrapError: Error, Sendable, Equatable, CustomStringConvertible {
  /// They have a system.
  case alreadyDone
  /// A handler could not be established there.
  case notEstablished(EstablishError)

  public var description: String {
    switch self {
    case .alreadyDone:
      "the global actors of the levels have a system already: a second system's actors are LevelActors with executors of their own"
    case .notEstablished(let error): "an executor of the global actors could not be made: \(error)"
    }
  }
}

/// The global actors `@SoftClock`, `@SoftBio`, `@SoftNet` and `@SoftSerial`.
public enum LevelActors {
  /// Gives the global actors to a system. Once in a process, before their first use: that use stops the program otherwise.
  ///
  /// - Parameters:
  ///   - system: kept until the process ends.
  ///   - cpu: as of ``LevelExecutor/init(_:at:on:budget:name:)``.
  ///   - budget: the same.
  /// - Throws: ``BootstrapError``; the global actors are as they were then. (If a level has no handler left, those below it have one less.)
  @inlinable public static func bootstrap<M: Machine>(
    _ system: InterruptSystem<M>, on cpu: Int = 0, budget: Int = 32
  ) throws(BootstrapError) {
    try install { level throws(EstablishError) in
      try LevelExecutor(system, at: level, on: cpu, budget: budget, name: "@\(level)")
    }
  }

  /// The executor of a level's global actor; nil before ``bootstrap(_:on:budget:)``, and for levels that have none.
  public static func executor(of level: Level) -> LevelExecutor? {
    installed.withLock { $0?.first { $0.level == level } }
  }

  /// Kept for ever: the global actors refer to them without owning them.
  private static let installed = Mutex<[LevelExecutor]?>(nil)

  @usableFromInline static func install(
    _ make: (Level) throws(EstablishError) -> LevelExecutor
  ) throws(BootstrapError) {
    // One at a time, and nobody sees half of it. Nothing that is called inside takes this lock.
    let failure: BootstrapError? = installed.withLock { installed in
      if installed != nil || LevelExecutors.areInstalled { return .alreadyDone }
      do throws(EstablishError) {
        var made: [LevelExecutor] = []
        for level in Level.allCases where level.isSoft { made.append(try make(level)) }
        let isFirst = LevelExecutors.install { level in
          made.first { $0.level == level }.unsafelyUnwrapped.asUnownedSerialExecutor()
        }
        installed = made
        return isFirst ? nil : .alreadyDone
      } catch { return .notEstablished(error) }
    }
    if let failure { throw failure }
  }
}
