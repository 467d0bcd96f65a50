// Who owns which gate, from the changes of the gates' word and the grants alone.
//
// Law: nothing that the core notes or judges is believed here. A gate belongs to whoever set its bit, until that process clears it
// or grants it to a waiter; so "one owner", "ascending" and "at or below the IPL" are checked against what happened, and a core
// whose own verdicts are wrong is found.

import SimulatedMachine
import SoftInterrupts

extension Watcher {
  /// Some gates' bits have changed, by a step of a process.
  @inline(never)
  final func gatesChanged(_ machine: SimulatedMachine, _ process: Int, taken new: UInt8, freed: UInt8) {
    if freed != 0 {
      if freed & ~owned[process] != 0 {
        let level = Level.allCases[(freed & ~owned[process]).trailingZeroBitCount]
        fail(
          .twoHolders, "\(machine.name(process)) frees gate \(level), which \(ownerName(machine, level)) owns"
        )
      }
      each(freed) { level in
        let owner = Int(owners[level])
        if owner >= 0 { disown(owner, 1 << UInt8(level)) }
        owners[level] = -1
      }
    }
    if new != 0 {
      checkAscending(machine, process, new, "takes")
      each(new) { owners[$0] = Int32(truncatingIfNeeded: process) }
      owned[process] |= new
      taken[process] |= new
      if overtakes.limit != .max { countOvertakes(machine, process, new) }
      if let tenure { begins(tenure, new, process) }
    }
  }

  /// A gate's owner has granted it to a waiter.
  final func granted(_ machine: SimulatedMachine, by process: Int, to waiter: Int, _ gate: GateSet) {
    let level = gate.rawValue.trailingZeroBitCount
    if Int(owners[level]) != process {
      let level = Level.allCases[level]
      fail(
        .twoHolders,
        "\(machine.name(process)) hands over gate \(level), which \(ownerName(machine, level)) owns")
    }
    disown(process, UInt8(truncatingIfNeeded: gate.rawValue))
    checkAscending(machine, waiter, UInt8(truncatingIfNeeded: gate.rawValue), "is handed")
    owners[level] = Int32(truncatingIfNeeded: waiter)
    owned[waiter] |= UInt8(truncatingIfNeeded: gate.rawValue)
    if overtakes.limit != .max { countOvertakes(machine, waiter, UInt8(truncatingIfNeeded: gate.rawValue)) }
    if let tenure { begins(tenure, UInt8(truncatingIfNeeded: gate.rawValue), waiter) }
  }

  @inline(never)
  private func begins(_ tenure: (Level, Int, Bool) -> Void, _ new: UInt8, _ process: Int) {
    each(new) { level in
      let level = Level.allCases[level]
      tenure(level, process, gates & System.attentionBit(of: level) != 0)
    }
  }

  /// Who takes a gate owns none at or above it.
  private func checkAscending(_ machine: SimulatedMachine, _ process: Int, _ new: UInt8, _ what: String) {
    if owned[process] >> UInt8(new.trailingZeroBitCount) == 0 { return }
    fail(
      .descending,
      "\(machine.name(process)) \(what) gate \(Level.allCases[new.trailingZeroBitCount]) while it owns \(gates(of: process))"
    )
  }

  private func disown(_ process: Int, _ gates: UInt8) {
    owned[process] &= ~gates
    taken[process] &= ~gates
  }

  @inline(__always) private func each(_ gates: UInt8, _ body: (Int) -> Void) {
    var left = gates
    while left != 0 {
      body(left.trailingZeroBitCount)
      left &= left &- 1
    }
  }

  private func ownerName(_ machine: SimulatedMachine, _ level: Level) -> String {
    let owner = Int(owners[Int(level.rawValue)])
    return owner < 0 ? "nobody" : machine.name(owner)
  }

  /// Inside of a body: every gate that its context says it holds is this process's. (What its interrupted contexts say is as of
  /// some step in the middle of a taking or leaving.)
  final func checkOwnership(_ machine: SimulatedMachine, _ process: Int) {
    guard broken == nil, let current = machine.current(process), let view = System.view(of: current) else {
      return
    }
    let missing = view.topOwned.rawValue & ~UInt(owned[process])
    if missing == 0 { return }
    let level = Level.allCases[missing.trailingZeroBitCount]
    let owner = Int(owners[Int(level.rawValue)])
    fail(
      .twoHolders,
      "\(machine.name(process)) is inside gate \(level), which \(owner < 0 ? "nobody has" : "\(machine.name(owner)) has")"
    )
  }

  /// The gates that a process owns now.
  final func gates(of process: Int) -> GateSet { GateSet(rawValue: UInt(owned[process])) }
  /// The process that owns a gate; nil for none.
  final func owner(of level: Level) -> Int? {
    let owner = Int(owners[Int(level.rawValue)])
    return owner < 0 ? nil : owner
  }
}
