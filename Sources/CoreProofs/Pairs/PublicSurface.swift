// Which declarations of the public API are operations, and why the others are none.
//
// Law: every public member of a type that operates is covered by an operation, or stands here with a reason; a test compares both
// with the sources, so that a new operation cannot be forgotten.

/// The public API of the core, by name: "InterruptSystem.barrier(at:file:line:)".
public enum PublicSurface {
  /// The types whose public members do something to a running system.
  public static let operating = [
    "InterruptSystem", "Here", "Handler", "Callout", "PerCPU", "LevelLock", "Condition", "Ring",
  ]

  /// The public types besides: values that are asked for or answered, and what a machine implements. They touch nothing shared.
  public static let values = [
    "AtomicWord", "ArmResult", "BaseWay", "CalloutError", "CancelResult", "ChangeResult", "Configuration",
    "ContextKind", "EstablishError", "Execution", "GateSet", "HandlerStatistics", "HeldGate",
    "InterruptState",
    "Level", "LevelCounters", "LevelStatistics", "Machine", "MachineError", "MachineWord", "MemoryOrder",
    "Mutant", "OrderedOperation", "OrderingSite", "Placement", "PlainAccess", "Rule", "ScheduleResult",
    "ShutdownReport", "Site", "SystemStatistics",
    "Violation", "ViolationPolicy", "WayIn", "WeakenedPart", "Weakening",
  ]

  /// The typed order: each operation is one of those above, spelled so that the compiler sees its place. Explored in `TypedTests`.
  public static let typed = [
    "OrderLevel", "GateLevel", "HandlerLevel", "UserLevel", "AboveOwnLevel", "UserLevelError", "UserGates",
    "OrderToken",
    "TokenSeal", "Held", "Masked", "At", "Guarded", "HandlerAt", "CalloutAt", "ConditionAt", "PerCPUAt",
    "LevelLockAt",
    "TypedWay", "LevelExecutors", "None", "SoftClock", "SoftBio", "SoftNet", "SoftSerial", "VM", "Sched",
    "High", "AtMostSoftClock", "BelowSoftClock", "AtMostSoftBio", "BelowSoftBio", "AtMostSoftNet",
    "BelowSoftNet", "AtMostSoftSerial", "BelowSoftSerial", "AtMostVM", "BelowVM", "AtMostSched", "BelowSched",
    "AtMostHigh", "BelowHigh", "JustAboveSoftClock", "JustAboveSoftBio", "JustAboveSoftNet",
    "JustAboveSoftSerial", "JustAboveVM", "JustAboveSched", "BigLock", "Ordered", "Disjoint", "MPSafe",
  ]

  /// Members of the operating types that are no operation of a program, and why.
  public static let others: [String: String] = [
    "InterruptSystem.init(on:_:)": "the start: nothing of the system is there beside it",
    "InterruptSystem.machine": "constant",
    "InterruptSystem.configuration": "constant",
    "InterruptSystem.cpuCount": "constant",
    "InterruptSystem.handlersPerLevel": "constant",
    "InterruptSystem.hasWitness": "constant",
    "InterruptSystem.threadEnded(_:)": "for machines: what a thread calls after its last operation",
    "InterruptSystem.base(file:line:_:)": "typed: a look at the calling context",
    "InterruptSystem.assume(_:file:line:_:)": "typed: a look at the calling context",
    "Here.assume(_:file:line:_:)": "typed: a look at the calling context",
    "InterruptSystem.insert(_:)": "typed: part of the start, before any raise to the level",
    "InterruptSystem.callout(_:at:cpu:_:)": "typed: a spelling of callout(_:at:guard:as:exactly:cpu:_:)",
    "InterruptSystem.callout(_:at:as:cpu:_:)": "typed: a spelling of callout(_:at:guard:as:exactly:cpu:_:)",
    "InterruptSystem.callout(_:at:guard:cpu:_:)":
      "typed: a spelling of callout(_:at:guard:as:exactly:cpu:_:)",
    "InterruptSystem.callout(_:at:guard:as:cpu:_:)":
      "typed: a spelling of callout(_:at:guard:as:exactly:cpu:_:)",
    "Callout.==(a:b:)": "compares the handles, and touches nothing behind them",
    "Callout.hash(into:)": "as ==",
    "InterruptSystem.raise(to:_:)": "refused by the compiler",
    "InterruptSystem.base(_:)": "refused by the compiler",
    "InterruptSystem.assume(_:_:)": "refused by the compiler",
    "InterruptSystem.interruptState(of:)": "for machines: an address, constant while the system lives",
  ]

  /// What the operations stand for.
  public static var covered: Set<String> { Set(PublicOperation.all.flatMap(\.covers)) }
}
