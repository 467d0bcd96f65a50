// Random programs that are spl-correct by construction: what theory demands is how they are made, and not looked at afterwards.
//
// Law: the same seed gives the same program everywhere. Every access to a datum of guard g is made at IPL ≥ g, lifted there by the
// entry level, by a callout's guard or by a cumulative raise; g is the highest level at which an accessor starts. An exact raise is
// made to a datum's own guard only. Cells are opened at home at an IPL at or above their level, by contexts that start at or below it.
// MP-safe handlers enter their own gate. Base code that touches data un-raised is in a big-lock section. What is scheduled or
// armed from below its level is so under its level's gate: a pending bit is shared as a datum is. A LevelLock is taken at an IPL at or
// below its level, in ascending rank, and under it nothing is entered but gates above. Who waits for a condition is base code or a
// visitor, and somebody who runs in any case makes it true.

import SoftInterrupts

/// Sebastiano Vigna's SplitMix64: small, and the same everywhere.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64
  public init(_ seed: UInt64) { state = seed }
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
  /// 0 ..< bound. The standard library's own ranges may change between its releases.
  mutating func below(_ bound: Int) -> Int { Int(next() >> 33) % bound }
  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
  mutating func pick<T>(_ list: [T]) -> T { list[below(list.count)] }
}

/// What programs are made of.
public enum Flavour: String, Sendable, CaseIterable {
  /// Cumulative raises only, no masks and no MP-safe handlers: outcomes are compared with one processor's.
  case cumulative
  /// All of it: exact raises, masks with per-CPU cells, MP-safe handlers, LevelLocks, conditions.
  case mixed
}

public struct ProgramGenerator {
  var random: SplitMix64
  let flavour: Flavour
  var program: RandomProgram
  var constant: UInt64 = 0

  /// The program of a seed.
  public static func program(seed: UInt64, cpus: Int, _ flavour: Flavour) -> RandomProgram {
    var generator = ProgramGenerator(seed, cpus, flavour)
    var program = generator.make()
    program.hasClock = !program.callouts.isEmpty && seed % 3 != 0
    return program
  }

  private init(_ seed: UInt64, _ cpus: Int, _ flavour: Flavour) {
    random = SplitMix64(seed &* 0x1_0001 &+ UInt64(cpus) &* 7 &+ (flavour == .mixed ? 3 : 0))
    self.flavour = flavour
    program = RandomProgram(cpus: cpus)
  }

  // MARK: Who there is

  enum Who: Hashable {
    case handler(Int)
    case callout(Int)
    case base(Int)
  }

  static let soft: [Level] = [.softClock, .softBio, .softNet, .softSerial]

  func entry(_ who: Who) -> Level {
    switch who {
    case .handler(let index): program.handlers[index].level
    case .callout(let index): program.callouts[index].level
    case .base: .none
    }
  }
  /// The gates that its steps begin with are accounted for up to here.
  func floor(_ who: Who) -> Level {
    switch who {
    case .handler(let index):
      program.handlers[index].way == .mpSafe
        ? program.handlers[index].level.below : program.handlers[index].level
    case .callout(let index):
      program.callouts[index].isExact ? program.callouts[index].level : program.callouts[index].guardLevel
    case .base: .none
    }
  }
  func ipl(_ who: Who) -> Level {
    if case .callout(let index) = who { return program.callouts[index].guardLevel }
    return entry(who)
  }
  func mayRaise(_ who: Who) -> Bool {
    if case .handler(let index) = who { return program.handlers[index].way != .disjoint }
    return true
  }
  func isBigLockBase(_ who: Who) -> Bool {
    if case .base(let index) = who { return program.bases[index].isBigLock }
    return false
  }
  func isVisitor(_ who: Who) -> Bool {
    if case .base(let index) = who { return program.bases[index].isVisitor }
    return false
  }
  func isExactCallout(_ who: Who) -> Bool {
    if case .callout(let index) = who { return program.callouts[index].isExact }
    return false
  }
  var everybody: [Who] {
    program.handlers.indices.map { .handler($0) } + program.callouts.indices.map { .callout($0) }
      + program.bases.indices.map { .base($0) }
  }

  mutating func way() -> WayIn {
    let ways: [WayIn] =
      flavour == .cumulative
      ? [.ordered, .ordered, .ordered, .bigLock, .disjoint]
      : [.ordered, .ordered, .bigLock, .disjoint, .mpSafe, .mpSafe]
    return random.pick(ways)
  }

  mutating func make() -> RandomProgram {
    let soft = Self.soft
    for _ in 0..<1 + random.below(3) {
      program.handlers.append(
        .init(level: random.pick(soft), way: way(), placement: random.chance(40) ? .anywhere : .bound))
    }
    if random.chance(30) {
      let level = soft[random.below(3)]
      let guardLevel = soft[soft.firstIndex(of: level)! + random.below(4 - soft.firstIndex(of: level)!)]
      var way = self.way()
      if way == .disjoint { way = .ordered }
      let isExact = flavour == .mixed && way != .mpSafe && guardLevel > level && random.chance(30)
      program.callouts.append(
        .init(
          level: level, guardLevel: guardLevel, way: way, isExact: isExact, cpu: random.below(program.cpus)))
    }
    for cpu in 0..<program.cpus where cpu < 2 || random.chance(50) {
      program.bases.append(.init(cpu: cpu, isBigLock: random.chance(50)))
    }
    if random.chance(40) {
      program.bases.append(.init(cpu: 0, isBigLock: random.chance(40), isVisitor: true))
    }
    addData()
    if flavour == .mixed { addCells() }
    addRequests()
    if flavour == .mixed {
      addLocks()
      addCondition()
    }
    return program
  }

  // MARK: What they touch

  mutating func addData() {
    let bigBases = program.bases.indices.filter { program.bases[$0].isBigLock }
    for datum in 0..<1 + random.below(3) {
      if bigBases.count >= 2 && random.chance(20) {
        program.data.append(.init(guardLevel: .none))
        for base in bigBases { touch(datum, .base(base)) }
        continue
      }
      // Its guard is where its highest accessor starts.
      let owners = everybody.filter { entry($0) != .none && canTouch(entry($0), $0) }
      guard let owner = owners.isEmpty ? nil : random.pick(owners) else { continue }
      let level = entry(owner)
      program.data.append(.init(guardLevel: level))
      touch(datum, owner)
      let others = everybody.filter { $0 != owner && entry($0) <= level && canTouch(level, $0) }
      for _ in 0..<1 + random.below(2) where !others.isEmpty { touch(datum, random.pick(others)) }
      if random.chance(30) { touch(datum, owner) }
    }
    if program.data.isEmpty { program.data.append(.init(guardLevel: .softSerial)) }
  }

  func canTouch(_ level: Level, _ who: Who) -> Bool {
    if isExactCallout(who), case .callout(let index) = who {
      // Between the two gates it holds none, and cannot raise cumulatively.
      return level == program.callouts[index].guardLevel || level == program.callouts[index].level
    }
    return mayRaise(who) || level == floor(who)
  }

  mutating func access(_ datum: Int) -> Step {
    constant += 1
    let level = program.data[datum].guardLevel
    let others = program.data.indices.filter { $0 != datum && program.data[$0].guardLevel == level }
    if !others.isEmpty && random.chance(25) { return .mix(datum, from: random.pick(others)) }
    return .update(datum, constant)
  }

  mutating func touch(_ datum: Int, _ who: Who) {
    let level = program.data[datum].guardLevel
    var steps = [access(datum)]
    if random.chance(20) { steps.append(access(datum)) }
    add(steps, level, who, mayBeExact: true)
  }

  /// Adds steps that need gate `level`, in a raise if the actor does not have it.
  mutating func add(_ steps: [Step], _ level: Level, _ who: Who, mayBeExact: Bool) {
    if level <= floor(who) || (isExactCallout(who) && level == ipl(who)) {
      append(steps, who)
      return
    }
    if flavour == .mixed && mayBeExact && random.chance(50) {
      append([.exactly(level, steps)], who)
      return
    }
    // Higher than needed now and then; and beside what is under such a raise already.
    let to = random.chance(80) ? level : random.pick(Self.soft.filter { $0 >= level })
    let mine = self.steps(of: who)
    if case .raise(let other, let inner)? = mine.last, other >= level, random.chance(40) {
      replaceLast(.raise(other, inner + steps), who)
      return
    }
    if case .raise(let other, let inner)? = mine.last, other < level, random.chance(30) {
      // Raises nest.
      replaceLast(.raise(other, inner + [.raise(to, steps)]), who)
      return
    }
    append([.raise(to, steps)], who)
  }

  func steps(of who: Who) -> [Step] {
    switch who {
    case .handler(let index): program.handlers[index].steps
    case .callout(let index): program.callouts[index].steps
    case .base(let index): program.bases[index].steps
    }
  }
  mutating func append(_ steps: [Step], _ who: Who) {
    switch who {
    case .handler(let index): program.handlers[index].steps += steps
    case .callout(let index): program.callouts[index].steps += steps
    case .base(let index): program.bases[index].steps += steps
    }
  }
  mutating func replaceLast(_ step: Step, _ who: Who) {
    switch who {
    case .handler(let index): program.handlers[index].steps[program.handlers[index].steps.count - 1] = step
    case .callout(let index): program.callouts[index].steps[program.callouts[index].steps.count - 1] = step
    case .base(let index): program.bases[index].steps[program.bases[index].steps.count - 1] = step
    }
  }
}
