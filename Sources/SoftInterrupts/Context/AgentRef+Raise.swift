// Raising, masking and lowering: the hot paths.
//
// Law: the IPL rises before gates are taken and falls after they are freed; floor, own and IPL are restored to what they were
// (scope is the stack; there is no splx with a value).

/// What a raise changed, to be put back.
@frozen @usableFromInline struct Raised {
  /// The gates to leave.
  @usableFromInline var gates: GateSet
  @usableFromInline var ipl: Level
  @usableFromInline var floor: Level
  /// The raise was from where nothing is held: see `enter`. What is put back is known then, and nothing else is looked at.
  @usableFromInline var isFirst = false
  @inlinable init(gates: GateSet, ipl: Level, floor: Level) {
    self.gates = gates
    self.ipl = ipl
    self.floor = floor
  }
  @inlinable init(first gates: GateSet) {
    self.gates = gates
    ipl = .none
    floor = .none
    isFirst = true
  }
}

extension AgentRef {
  /// Takes what a verdict says, waiting in order if need be, and lifts the IPL; a cumulative raise lifts the floor too. Where a token
  /// is handed out for it, a violation traps also where they are collected: without the gate the token would lie.
  ///
  /// The *first* raise, of base code or a visitor that holds nothing, is tried first. Where nothing is held, at IPL and floor
  /// `none`, the context's own frames hold nothing either, no LevelLock is held (it would have lifted the IPL) and the kind is not
  /// `disjoint` (a handler's IPL is its level), so the verdict of `GateOrder` is to take all that is asked for: constants, and the
  /// locked instruction waits for no chain of loads. What is written is not read again (Documentation/Decisions/0017).
  @inlinable @inline(__always)
  func enter(
    to level: Level, cumulative: Bool, forToken: Bool = false, _ site: @autoclosure () -> Violation.Site
  ) -> Raised {
    let c = context
    guard level != .none && held.rawValue | UInt(ipl.rawValue | c.pointee.floor.rawValue) == 0 else {
      return enterFurther(to: level, cumulative: cumulative, forToken: forToken, site())
    }
    let gates: GateSet = cumulative ? .above(.none, through: level) : level.gate
    // Raise, note, then acquire.
    ipl = level
    held = gates
    if !p.pointee.gateWord.takeGuessing(gates) { takeAscending(gates, from: .none) }
    c.pointee.own = gates
    if cumulative { c.pointee.floor = level }
    account(for: gates, to: level, cumulative: cumulative, site())
    return Raised(first: gates)
  }

  /// As `enter`, from wherever the context stands.
  @inlinable @inline(__always)
  func enterFurther(
    to level: Level, cumulative: Bool, forToken: Bool, _ site: @autoclosure () -> Violation.Site
  ) -> Raised {
    let c = context
    var raised = Raised(gates: [], ipl: ipl, floor: c.pointee.floor)
    var standing = self.standing
    if Mutant.isOn(.countFromIPL) { standing.floor = max(standing.floor, standing.ipl) }
    if Mutant.isOn(.countInterrupted) { standing.own = standing.held }
    let verdict =
      cumulative ? GateOrder.cumulative(standing, to: level) : GateOrder.exact(standing, to: level)
    switch verdict {
    case .nothing:
      if level < c.pointee.entry { counters(level).pointee.suspect &+= 1 }
      return raised
    case .violation(let rule):
      #if Witness
        system.report(rule, self, level, "", site(), mustTrap: forToken && rule != .disjointRaises)
      #endif
      // Collected, or not looked for: a disjoint handler goes on as an ordered one; anything else without the gates.
      guard rule == .disjointRaises else { return raised }
      let wanted = cumulative ? GateSet.above(standing.floor, through: level) : level.gate
      raised.gates = wanted.subtracting(standing.own)
    case .take(let gates): raised.gates = gates
    }
    let gates = raised.gates
    // Raise, note, then acquire.
    ipl = max(raised.ipl, level)
    if !gates.isEmpty {
      note(gates)
      // On return from either the IPL is the level's: it is the highest of the gates.
      if !p.pointee.gateWord.take(gates) { takeAscending(gates, from: raised.ipl) }
      c.pointee.own.formUnion(gates)
      account(for: gates, to: level, cumulative: cumulative, site())
    }
    if cumulative { c.pointee.floor = max(raised.floor, level) }
    return raised
  }

  /// Counts a raise that took gates, and notes where.
  @inlinable @inline(__always)
  func account(
    for gates: GateSet, to level: Level, cumulative: Bool, _ site: @autoclosure () -> Violation.Site
  ) {
    if cumulative {
      counters(level).pointee.raisedThrough &+= 1
    } else {
      counters(level).pointee.taken &+= 1
    }
    #if Witness
      p.pointee.takings[Int(gates.lowest.rawValue)] = Taking(gates, site())
    #endif
  }

  /// Runs `body`, and exits, also where it throws. A typed raise says once more what a *first* one has done, all of it constants there:
  /// `first` are the gates that it took, and if it is not `cumulative` the floor is as it was. What `raised` has of that may have come by
  /// either way in, so it is no constant (Documentation/Decisions/0017 has what each gave, and why untyped raises do not). Not by `defer`: what is deferred is a function of its own, which the compiler may leave
  /// as one (which took 40 instructions more).
  @inlinable @inline(__always) func exiting<R: ~Copyable, E: Error>(
    _ raised: Raised, first: GateSet? = nil, cumulative: Bool = true, _ body: () throws(E) -> R
  ) throws(E) -> R {
    do throws(E) {
      let result = try body()
      exit(raised, first: first, cumulative: cumulative)
      return result
    } catch {
      exit(raised, first: first, cumulative: cumulative)
      throw error
    }
  }

  /// Puts back what `enter` changed, and recognises what became possible.
  @inlinable @inline(__always) func exit(_ raised: Raised, first: GateSet? = nil, cumulative: Bool = true) {
    guard raised.isFirst else { return exitFurther(raised) }
    let c = context
    leave(first ?? raised.gates, keeping: [], returningTo: .none)
    c.pointee.own = []
    if cumulative { c.pointee.floor = .none }
    ipl = .none
    recognise()
  }

  @inlinable @inline(__always) func exitFurther(_ raised: Raised) {
    let c = context
    if !raised.gates.isEmpty {
      leave(raised.gates, keeping: held.subtracting(raised.gates), returningTo: raised.ipl)
      c.pointee.own.subtract(raised.gates)
    }
    c.pointee.floor = raised.floor
    ipl = raised.ipl
    recognise()
  }

  /// Takes gates of which some are busy, waiting in order: all in one step once the lowest busy one has come free, or one after the
  /// other. Each is waited for at the level below it (or at the IPL before the raise, if higher).
  @inlinable @inline(never) func takeAscending(_ gates: GateSet, from saved: Level) {
    var left = gates
    // Not noted while they are waited for: each is noted again when it is tried.
    strike(gates)
    if takeTogether(gates, from: saved) { return }
    while !left.isEmpty {
      let level = Mutant.isOn(.takeDescending) ? left.highest : left.lowest
      left.remove(level.gate)
      acquire(level, at: Mutant.isOn(.takeDescending) ? gates.highest : max(saved, level.below))
      context.pointee.own.insert(level.gate)
    }
  }

  /// Waits for the lowest busy gate, leaves it, and tries all in one step; whether that took them. So none is held while it is waited
  /// for, and what wants a lower one, its handlers above all, does not wait with this raise (Documentation/Decisions/0019).
  ///
  /// Once: others could take one of them in between each time. In order a raise waits once for each gate, so in all once more.
  @inlinable func takeTogether(_ gates: GateSet, from saved: Level) -> Bool {
    if gates == gates.lowest.gate || Mutant.isOn(.holdLowerGates) || Mutant.isOn(.takeDescending) {
      return false
    }
    let word = p.pointee.gateWord
    repeat {
      let busy = word.busy(gates)
      // In order none is held while the first is waited for.
      if busy.isEmpty || busy.lowest == gates.lowest { return false }
      let level = busy.lowest
      let waitLevel = max(saved, level.below)
      acquire(level, at: waitLevel)
      leave(level.gate, keeping: held.subtracting(level.gate), returningTo: waitLevel)
      ipl = gates.highest
      note(gates)
      if word.take(gates) { return true }
      strike(gates)
      ipl = waitLevel
    } while Mutant.isOn(.waitForAllAgain)
    return false
  }

  /// Takes one gate of a raise, waiting at `waitLevel`.
  @inlinable func acquire(_ level: Level, at waitLevel: Level) {
    ipl = waitLevel
    acquire(
      system.queue(level), waitingAt: waitLevel, noting: level.gate, forBase: context.pointee.kind == .base)
  }

  /// One try of all gates; nil if one is busy, and then nothing was taken. Waits for nothing, respects reservations.
  @inlinable func tryEnter(to level: Level, _ site: Violation.Site) -> Raised? {
    let raised = Raised(gates: [], ipl: ipl, floor: context.pointee.floor)
    switch GateOrder.cumulative(standing, to: level) {
    case .nothing: return raised
    case .violation(let rule):
      system.report(rule, self, level, "", site)
      return nil
    case .take(let gates):
      ipl = max(raised.ipl, level)
      note(gates)
      guard gates.isEmpty || system.gateWord.take(gates) else {
        strike(gates)
        ipl = raised.ipl
        recognise()
        return nil
      }
      context.pointee.own.formUnion(gates)
      context.pointee.floor = max(raised.floor, level)
      if !gates.isEmpty {
        counters(level).pointee.raisedThrough &+= 1
        #if Witness
          p.pointee.takings[Int(gates.lowest.rawValue)] = Taking(gates, site)
        #endif
      }
      return Raised(gates: gates, ipl: raised.ipl, floor: raised.floor)
    }
  }

  /// Lifts the IPL, takes no gate; the IPL before.
  @inlinable @inline(__always)
  func mask(to level: Level, _ site: @autoclosure () -> Violation.Site) -> Level {
    let saved = ipl
    #if Witness
      if !isCPU {
        system.report(.maskByVisitor, self, level, "", site())
        return saved
      }
    #endif
    if level > saved { ipl = level }
    context.pointee.pins &+= 1
    // Keeps the store before the body's accesses on machines where any instruction is a recognition point.
    M.localFence()
    return saved
  }

  @inlinable @inline(__always) func unmask(_ saved: Level) {
    M.localFence()
    #if Witness
      if !isCPU { return }
    #endif
    context.pointee.pins &-= 1
    ipl = saved
    recognise()
  }
}
