// A program about the theorem, as plain data: who touches what, from where, and raised how far.
//
// Law: nothing in it depends on a machine. The interpreter runs it on the core, the reference on one abstract processor, the
// generator makes it and the breakers change it; all four read the same steps.

public import SoftInterrupts

/// What an actor does, one after the other.
public indirect enum Step: Sendable, Hashable {
  /// `datum = 31 · datum + constant`: no constant is used twice, so a value tells the order of all that was done to it.
  case update(Int, UInt64)
  /// `datum = 31 · datum + other`, which has to be guarded as well.
  case mix(Int, from: Int)
  /// A cumulative raise.
  case raise(Level, [Step])
  /// An exact raise.
  case exactly(Level, [Step])
  /// A mask: of this CPU's handlers only.
  case mask(Level, [Step])
  /// Counts in this CPU's cell, with a point in the middle.
  case open(Int)
  /// A handler, on this CPU.
  case schedule(Int)
  /// A callout, due at once.
  case arm(Int)
  /// Takes a callout back; `datum = 31 · datum + constant`, or one more if it was not armed.
  case cancel(Int, into: Int, UInt64)
  /// A recognition point.
  case checkpoint
  /// A section of a LevelLock.
  case lock(Int, [Step])
  /// Waits for a condition, by base code and visitors: a section with it is two.
  case wait(Int)
  /// Makes a condition true, for good.
  case signal(Int)

  /// What is inside of it.
  var inner: [Step]? {
    switch self {
    case .raise(_, let steps), .exactly(_, let steps), .mask(_, let steps), .lock(_, let steps): steps
    default: nil
    }
  }

  /// The same around other steps.
  func with(_ steps: [Step]) -> Step {
    switch self {
    case .raise(let level, _): .raise(level, steps)
    case .exactly(let level, _): .exactly(level, steps)
    case .mask(let level, _): .mask(level, steps)
    case .lock(let lock, _): .lock(lock, steps)
    default: self
    }
  }
}

/// Handlers, callouts, base code and devices with what they share.
public struct RandomProgram: Sendable, Hashable {
  public struct Datum: Sendable, Hashable {
    /// The highest level at which any accessor starts.
    public var guardLevel: Level
    /// Whether accesses are checked against it, or only against each other.
    public var isChecked = true
    /// What guards it instead of a gate; its guard level is above all then.
    public var lock: Int?
    public init(guardLevel: Level) { self.guardLevel = guardLevel }
    public init(lock: Int) { (guardLevel, self.lock) = (.high, lock) }
  }
  /// A LevelLock.
  public struct Lock: Sendable, Hashable {
    public var level: Level
    public var rank: Int
    public init(level: Level, rank: Int = 0) { (self.level, self.rank) = (level, rank) }
  }
  public struct Work: Sendable, Hashable {
    public var level: Level
    public var way: WayIn
    public var placement: Placement
    public var steps: [Step]
    public init(level: Level, way: WayIn, placement: Placement = .bound, steps: [Step] = []) {
      (self.level, self.way, self.placement, self.steps) = (level, way, placement, steps)
    }
  }
  public struct Timer: Sendable, Hashable {
    public var level: Level
    public var guardLevel: Level
    public var way: WayIn
    public var isExact: Bool
    public var cpu: Int
    public var steps: [Step]
    public init(
      level: Level, guardLevel: Level, way: WayIn, isExact: Bool = false, cpu: Int, steps: [Step] = []
    ) {
      (self.level, self.guardLevel, self.way) = (level, guardLevel, way)
      (self.isExact, self.cpu, self.steps) = (isExact, cpu, steps)
    }
  }
  public struct Base: Sendable, Hashable {
    public var cpu: Int
    public var isBigLock: Bool
    /// A thread that is no CPU: it names one when it schedules.
    public var isVisitor: Bool
    public var steps: [Step]
    public init(cpu: Int, isBigLock: Bool, isVisitor: Bool = false, steps: [Step] = []) {
      (self.cpu, self.isBigLock, self.isVisitor, self.steps) = (cpu, isBigLock, isVisitor, steps)
    }
  }
  /// Schedules a handler on a CPU, once, at any time.
  public struct Device: Sendable, Hashable {
    public var handler: Int
    public var cpu: Int
    public init(handler: Int, cpu: Int) { (self.handler, self.cpu) = (handler, cpu) }
  }

  public var cpus: Int
  public var data: [Datum] = []
  /// The levels of per-CPU cells.
  public var cells: [Level] = []
  public var locks: [Lock] = []
  /// The guards of conditions.
  public var conditions: [Level] = []
  public var handlers: [Work] = []
  public var callouts: [Timer] = []
  public var bases: [Base] = []
  public var devices: [Device] = []
  /// Whether time passes while others could go on, once; otherwise callouts are due when nobody can.
  public var hasClock = false

  public init(cpus: Int) { self.cpus = cpus }

  /// Only cumulative raises, no masks and no MP-safe handlers: then outcomes are those of one processor.
  public var isCumulative: Bool {
    func isPlain(_ step: Step) -> Bool {
      switch step {
      case .exactly, .mask, .open, .lock, .wait, .signal: false
      default: step.inner?.allSatisfy(isPlain) ?? true
      }
    }
    return handlers.allSatisfy { $0.way != .mpSafe && $0.steps.allSatisfy(isPlain) }
      && callouts.allSatisfy { $0.way != .mpSafe && !$0.isExact && $0.steps.allSatisfy(isPlain) }
      && bases.allSatisfy { $0.steps.allSatisfy(isPlain) }
  }

  /// How many steps there are, in all.
  public var size: Int {
    func count(_ steps: [Step]) -> Int { steps.reduce(0) { $0 + 1 + count($1.inner ?? []) } }
    return handlers.reduce(0) { $0 + 1 + count($1.steps) } + callouts.reduce(0) { $0 + 1 + count($1.steps) }
      + bases.reduce(0) { $0 + 1 + count($1.steps) } + devices.count
  }
}

extension RandomProgram: CustomStringConvertible {
  /// As a person writes it down.
  public var description: String {
    var lines = ["\(cpus) CPUs"]
    if hasClock { lines.append("time passes in the middle") }
    for (index, datum) in data.enumerated() {
      lines.append("datum \(Self.name(index)), guard \(datum.lock.map { "l\($0)" } ?? "\(datum.guardLevel)")")
    }
    for (index, level) in cells.enumerated() { lines.append("cell c\(index) at \(level)") }
    for (index, lock) in locks.enumerated() {
      lines.append("lock l\(index) at \(lock.level), rank \(lock.rank)")
    }
    for (index, level) in conditions.enumerated() { lines.append("condition w\(index) under \(level)") }
    for device in devices { lines.append("device: schedule h\(device.handler) on CPU \(device.cpu)") }
    for (index, work) in handlers.enumerated() {
      lines.append("handler h\(index) at \(work.level), \(work.way), \(work.placement):" + text(work.steps))
    }
    for (index, timer) in callouts.enumerated() {
      lines.append(
        "callout t\(index) at \(timer.level), guard \(timer.guardLevel)\(timer.isExact ? " exactly" : ""), "
          + "\(timer.way), CPU \(timer.cpu):" + text(timer.steps))
    }
    for base in bases {
      lines.append(
        "\(base.isVisitor ? "visitor, to CPU \(base.cpu)" : "base code of CPU \(base.cpu)"), \(base.isBigLock ? "bigLock" : "mpSafe"):"
          + text(base.steps))
    }
    return lines.joined(separator: "\n")
  }

  static func name(_ datum: Int) -> String { ["x", "y", "z", "u"][datum] }

  private func text(_ steps: [Step]) -> String {
    if steps.isEmpty { return " nothing" }
    return steps.map { step in
      switch step {
      case .update(let d, let c): " \(Self.name(d)) = 31\(Self.name(d)) + \(c);"
      case .mix(let d, let from): " \(Self.name(d)) = 31\(Self.name(d)) + \(Self.name(from));"
      case .raise(let level, let inner): " raise(to: \(level)) {\(text(inner)) }"
      case .exactly(let level, let inner): " raise(exactly: \(level)) {\(text(inner)) }"
      case .mask(let level, let inner): " mask(to: \(level)) {\(text(inner)) }"
      case .open(let cell): " open c\(cell);"
      case .schedule(let handler): " schedule h\(handler);"
      case .arm(let callout): " arm t\(callout);"
      case .cancel(let callout, let d, let c):
        " \(Self.name(d)) = 31\(Self.name(d)) + \(c) if t\(callout) was cancelled, else + \(c + 1);"
      case .checkpoint: " checkpoint;"
      case .lock(let lock, let inner): " lock(l\(lock)) {\(text(inner)) }"
      case .wait(let condition): " wait for w\(condition);"
      case .signal(let condition): " signal w\(condition);"
      }
    }.joined()
  }
}
