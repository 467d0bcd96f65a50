// The witness: turns a rule's verdict into a report, and traps or collects it.

extension InterruptSystem {
  /// The violations collected so far (with ``ViolationPolicy/collect``), oldest first; at most 1,000.
  public var violations: [Violation] {
    var copy: [Violation] = []
    lockedVisitors { copy = collected }
    return copy
  }

  /// Reports a violation of the calling context.
  @inline(never) @usableFromInline func report(
    _ rule: Violation.Rule, _ agent: AgentRef<M>, _ to: Level, _ other: String, _ site: Violation.Site,
    mustTrap: Bool = false
  ) {
    let context = agent.context.pointee
    var held: [Violation.HeldGate] = []
    for level in Level.allCases where agent.held.contains(level.gate) {
      held.append(.init(level: level, takenAt: agent.taking(of: level)))
    }
    let name: String =
      switch context.kind {
      case .base: "base code on CPU \(agent.cpu)"
      case .bigLockBase:
        agent.isCPU ? "big-lock base code on CPU \(agent.cpu)" : "a visitor under the big lock"
      case .visitor: "a visitor"
      case .ordered, .bigLock, .disjoint, .mpSafe, .thread:
        "handler \"\(context.slot?.pointee.name ?? "")\" (\(context.kind), CPU \(agent.cpu))"
      }
    var other = other
    if rule == .cumulativeInsideExact {
      // Which gate would have had to be taken below one that is held: the one that the exact raise went past.
      let skipped = GateSet.above(context.floor, through: to).subtracting(context.own).lowest
      let exact = GateSet.above(skipped, through: .high).intersection(context.own).lowest
      other = "gate \(skipped) was skipped by the exact raise to \(exact)"
      if let site = agent.taking(of: exact) { other += " at \(site)" }
    }
    let violation = Violation(
      rule: rule, from: agent.ipl, to: to, context: name, other: other, held: held, site: site)
    if configuration.onViolation == .trap || mustTrap { M.fatal(violation.description) }
    lockedVisitors { if collected.count < 1_000 { collected.append(violation) } }
  }
}

extension AgentRef {
  /// Where a raise took a gate that is held; nil if a dispatch did.
  ///
  /// A raise leaves its entry behind, so an entry counts only if its lowest gate is held *as the lowest of a raise or dispatch*: the
  /// lowest gate held is one; its entry says which others came with it; the lowest of those left is the next one.
  func taking(of level: Level) -> String? {
    var left = p.pointee.held
    while !left.isEmpty {
      let lowest = left.lowest
      let taking = p.pointee.takings[Int(lowest.rawValue)]
      left.subtract(taking.gates.union(lowest.gate))
      if !left.contains(level.gate) {
        // The name is a literal of the program: NUL-terminated, and there for ever.
        return taking.gates.isEmpty ? nil : "\(String(cString: taking.file)):\(taking.line)"
      }
    }
    return nil
  }

  /// Whether one of this thread's contexts is a run of the handler.
  @inlinable func isRunning(_ slot: UnsafeMutablePointer<HandlerSlot<M>>) -> Bool {
    var at: UnsafeMutablePointer<Context<M>>? = context
    while let here = at {
      if here.pointee.slot == slot { return true }
      at = here.pointee.parent
    }
    return false
  }
}

extension InterruptSystem {
  /// Whether the order is checked at run time: the package trait `Witness`.
  public static var hasWitness: Bool {
    #if Witness
      true
    #else
      false
    #endif
  }
}
