// The four soft levels: hosted, one type is both the level and its global actor; Embedded Swift has no concurrency, and there they
// are plain types.
//
// Law: the core knows no executor. Whoever brings them (the library LevelActors) installs them once, before any use of an actor;
// they live as long as the process, since an executor is referred to without ownership.

#if hasFeature(Embedded)
  /// Level `softClock`: timeouts and callouts.
  public enum SoftClock {}
  /// Level `softBio`: block input and output, anything that talks to slow devices.
  public enum SoftBio {}
  /// Level `softNet`: protocol processing.
  public enum SoftNet {}
  /// Level `softSerial`: the most urgent soft level.
  public enum SoftSerial {}
#else
  import Synchronization

  /// Level `softClock`: timeouts and callouts. As a global actor: runs there, once `LevelActors` is bootstrapped.
  @globalActor public actor SoftClock {
    public static let shared = SoftClock()
    public nonisolated var unownedExecutor: UnownedSerialExecutor { LevelExecutors.of(.softClock) }
  }

  /// Level `softBio`: block input and output, anything that talks to slow devices. As a global actor: runs there, once `LevelActors`
  /// is bootstrapped.
  @globalActor public actor SoftBio {
    public static let shared = SoftBio()
    public nonisolated var unownedExecutor: UnownedSerialExecutor { LevelExecutors.of(.softBio) }
  }

  /// Level `softNet`: protocol processing. As a global actor: runs there, once `LevelActors` is bootstrapped.
  @globalActor public actor SoftNet {
    public static let shared = SoftNet()
    public nonisolated var unownedExecutor: UnownedSerialExecutor { LevelExecutors.of(.softNet) }
  }

  /// Level `softSerial`: the most urgent soft level. As a global actor: runs there, once `LevelActors` is bootstrapped.
  @globalActor public actor SoftSerial {
    public static let shared = SoftSerial()
    public nonisolated var unownedExecutor: UnownedSerialExecutor { LevelExecutors.of(.softSerial) }
  }

  /// Where the global actors of the soft levels find their executors: for a library that brings them.
  public enum LevelExecutors {
    /// The four soft levels' executors, in the order of the levels. Written once, between the two states below.
    nonisolated(unsafe) private static var executors: [UnownedSerialExecutor] = []
    /// 0: none; 1: being installed; 2: installed.
    private static let state = Atomic<UInt8>(0)

    /// Installs the executors of the soft levels, once in a process, before any use of an actor. `executor` is called here, for each
    /// soft level; what it answers must live as long as the process. False, and nothing done, if they have been installed.
    public static func install(_ executor: (Level) -> UnownedSerialExecutor) -> Bool {
      // Whoever turns 0 into 1 is the only writer.
      guard state.compareExchange(expected: 0, desired: 1, ordering: .relaxed).exchanged else { return false }
      executors = Level.allCases.filter(\.isSoft).map(executor)
      // Release: pairs with the acquire of `of`.
      state.store(2, ordering: .releasing)
      return true
    }

    /// Whether executors have been installed.
    public static var areInstalled: Bool { state.load(ordering: .acquiring) == 2 }

    /// A soft level's executor; traps, with the remedy, if there is none yet.
    static func of(_ level: Level) -> UnownedSerialExecutor {
      guard areInstalled else {
        fatalError(
          "an actor of level \(level) was used before the levels have executors: call LevelActors.bootstrap(system) first"
        )
      }
      return executors[Int(level.rawValue) - Int(Level.softClock.rawValue)]
    }
  }
#endif
