// Which events of a schedule race, and who is to be chosen where so that they come the other way round.
//
// Law: see TreePilot.swift. Every event is numbered as the node at which it was chosen.

import SimulatedMachine

extension TreePilot {
  /// What an interrupt comes after: what its CPU did (joined by `append`), and who asked for it.
  func interrupted(_ machine: SimulatedMachine, _ cpu: Int) {
    guard let summary = machine.summary(ofCPU: cpu), let interrupt = machine.interrupt(ofCPU: cpu) else {
      return
    }
    let object = Int(machine.objectNumber(summary))
    if object == 0 { return }
    trace.touch(object)
    let write = trace.writes[object]
    if write != 0 { trace.join(trace.clock(interrupt), trace.row(Int(write) - 1)) }
  }

  /// Finds the races that an event ends, and joins what it comes after.
  @inline(__always)
  func order(
    _ machine: SimulatedMachine, _ event: Event, _ k: Int, _ process: Int, _ object: Int, _ isNew: Bool
  ) {
    let clock = trace.clock(process)
    let write = Int(trace.writes[object])
    if event.access == .write {
      let readers = trace.readers(object)
      if isNew {
        var latest = 0
        for reader in 0..<trace.stride where reader != process {
          let number = Int(readers[reader])
          if number == 0 { continue }
          latest = max(latest, number)
          if clock[reader] < readers[reader] && !isCovered(number, readers, process) {
            reverse(number - 1, k, blockedBy: number - 1 < 0 ? 0 : laterReader(number, readers, process))
          }
        }
        if latest == 0 && write != 0 { raceWithWrite(write, k, process, clock) }
      }
      for reader in 0..<trace.stride where readers[reader] != 0 {
        trace.join(clock, trace.row(Int(readers[reader]) - 1))
      }
    } else if isNew && write != 0 {
      raceWithWrite(write, k, process, clock)
    }
    if write != 0 { trace.join(clock, trace.row(write - 1)) }
  }

  @inline(__always)
  func raceWithWrite(_ write: Int, _ k: Int, _ process: Int, _ clock: UnsafeMutablePointer<UInt32>) {
    let writer = Int(trace.processes[write - 1])
    if writer != process && clock[writer] < UInt32(truncatingIfNeeded: write) {
      reverse(write - 1, k, blockedBy: 0)
    }
  }

  /// Whether a read comes before another reader's read: then it is not next to the write.
  func isCovered(_ number: Int, _ readers: UnsafeMutablePointer<UInt32>, _ process: Int) -> Bool {
    for other in 0..<trace.stride where other != process {
      let later = Int(readers[other])
      if later > number && trace.isBefore(number - 1, later - 1) { return true }
    }
    return false
  }

  /// Another read, after this one, that the write comes after too; a number, 0 for none.
  func laterReader(_ number: Int, _ readers: UnsafeMutablePointer<UInt32>, _ process: Int) -> Int {
    var found = 0
    for other in 0..<trace.stride where other != process && Int(readers[other]) > number {
      found = max(found, Int(readers[other]))
    }
    return found
  }

  @inline(__always)
  func remember(_ event: Event, _ k: Int, _ process: Int, _ object: Int) {
    if event.access == .write {
      trace.writes[object] = UInt32(truncatingIfNeeded: k + 1)
      trace.readers(object).update(repeating: 0, count: trace.stride)
    } else if event.access == .read {
      trace.readers(object)[process] = UInt32(truncatingIfNeeded: k + 1)
    }
  }

  /// Somebody has asked a CPU for something: the last step of the CPU's, not ordered with this, at which it would have been
  /// interrupted for it. That this comes before the step is explored; the interrupt is then possible there.
  /// (Inside of an interrupt that is a ring; see ``EngineRef/admittedInterrupts()``.)
  func askedTooLate(_ machine: SimulatedMachine, _ event: Event, _ k: Int) {
    let isRing = event.kind == .unpark
    // What is asked for counts when the CPU did its step or now: the ring is for both.
    for cpu in 0..<machine.cpuCount where cpu != Int(event.process) {
      guard let summary = machine.summary(ofCPU: cpu),
        machine.objectNumber(isRing ? machine.seat(ofCPU: cpu).word : summary) == event.object
      else { continue }
      let asked = isRing ? summary.value : event.value
      let row = trace.row(k)
      var at = k - 1
      while at >= 0 && row[cpu] < UInt32(truncatingIfNeeded: at + 1) {
        let ipl = trace.ipls[at] & 0xff & ~Self.isNested
        let asked = isRing ? asked | UInt(trace.ipls[at] >> Self.admission) : asked
        if Int(trace.processes[at]) == cpu && ipl < 8 && (asked >> 1) >> UInt(ipl) != 0
          && (!isRing || trace.ipls[at] & Self.isNested != 0)
        {
          reverse(at, k, blockedBy: 0)
          return
        }
        at -= 1
      }
    }
  }

  // MARK: Time

  /// The end of a sleep where somebody moves the clock. If its time had come it is after that; if it was rung before a deadline, the
  /// rings are noted. Before `remember`, which forgets them.
  @inline(never) func parked(_ event: Event, _ k: Int, _ process: Int, _ clock: Int) {
    if event.value == 0 {
      trace.touch(clock)
      let write = Int(trace.writes[clock])
      if write != 0 { trace.join(trace.clock(process), trace.row(write - 1)) }
    } else if event.value != UInt.max {
      let rings = trace.readers(Int(event.object))
      for other in 0..<trace.stride where rings[other] != 0 {
        rungSleeps.append((Int(rings[other]) - 1, UInt64(event.value)))
      }
    }
  }

  /// The clock was moved: the rings, not ordered with this, that woke somebody whose time has come now. The two commute, but time that
  /// comes before a ring *enables* what the sleeper does before it; plain race detection would miss it.
  @inline(never) func timeCameTooLate(_ machine: SimulatedMachine, _ k: Int) {
    for (ring, deadline) in rungSleeps where deadline <= machine.time {
      if trace.row(k)[Int(trace.processes[ring])] < UInt32(truncatingIfNeeded: ring + 1) {
        reverse(ring, k, blockedBy: 0)
      }
    }
  }

  // MARK: Backtrack points

  /// Event `k` races with event `e`: somebody is to be chosen at e's node so that k, or what leads to it, comes first.
  func reverse(_ e: Int, _ k: Int, blockedBy later: Int) {
    // Above the split everybody is chosen who can go on.
    if e < splitDepth { return }
    let node = tree.nodes + e
    let process = Int(trace.processes[k])
    if reduction == .persistentSets {
      if node.pointee.enabled.has(process) {
        node.pointee.backtrack.insert(process)
      } else {
        node.pointee.backtrack |= node.pointee.enabled
      }
      if bound != nil { addConservatively(process, e) }
      return
    }
    // The events after e that do not come after it, then k: v. Its initials are those whose first event in v has nothing of v
    // before it. If one of them is explored at this node (or sleeps there), so is a schedule with the race reversed.
    let known = node.pointee.backtrack | node.pointee.done
    var seen: ProcessSet = 0
    var initials: ProcessSet = 0
    let before = UInt32(truncatingIfNeeded: e + 1)
    let owner = Int(trace.processes[e])
    for at in (e + 1)..<k {
      let row = trace.row(at)
      if row[owner] >= before { continue }
      let other = Int(trace.processes[at])
      if seen.has(other) { continue }
      seen.insert(other)
      if isInitial(row, other, before) {
        if known.has(other) { return }
        initials.insert(other)
      }
    }
    if !seen.has(process) && later == 0 && isInitial(trace.clock(process), process, before, except: owner) {
      if known.has(process) { return }
      initials.insert(process)
    }
    initials &= node.pointee.enabled
    if initials == 0 { return }
    node.pointee.backtrack.insert(initials.has(process) ? process : initials.first)
  }

  /// Whether everything before an event with this clock, of other processes, is at or before the node's event.
  @inline(__always)
  func isInitial(
    _ row: UnsafeMutablePointer<UInt32>, _ process: Int, _ before: UInt32, except owner: Int = -1
  ) -> Bool {
    for other in 0..<trace.stride
    where other != process && other != owner && row[other] > before {
      return false
    }
    return true
  }

  /// Under a bound a switch may be affordable only where the run of steps that it interrupts began: the point is added there too. A
  /// CPU's interrupts belong to its run; as each of them is a switch, the points at which they came are added as well.
  func addConservatively(_ process: Int, _ e: Int) {
    var at = e
    while at > 0 {
      let (mine, before) = (Int(tree.nodes[at].chosen), Int(tree.nodes[at - 1].chosen))
      if mine != before {
        if who(mine) != who(before) { break }
        insert(process, at)
      }
      at -= 1
    }
    insert(process, at)
  }

  private func insert(_ process: Int, _ at: Int) {
    let node = tree.nodes + at
    if node.pointee.enabled.has(process) {
      node.pointee.backtrack.insert(process)
    } else {
      node.pointee.backtrack |= node.pointee.enabled
    }
  }

  /// A process, or the CPU whose interrupt it is.
  private func who(_ process: Int) -> Int {
    process >= firstInterrupt && process < firstInterrupt + interrupts ? process - firstInterrupt : process
  }
}
