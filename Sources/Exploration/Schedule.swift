// A schedule as text: only where it does something unexpected.
//
// Law: the expected choice depends on who ran last and who can go on, so a schedule is its deviations from it. The same string
// gives the same run on every machine.

import SimulatedMachine

/// What would be chosen if nothing else were wanted: who runs goes on while it can; then the lowest, interrupts last.
enum Expected {
  @inline(__always)
  static func choice(_ machine: SimulatedMachine, running: Int, _ candidates: ProcessSet) -> Int {
    if running >= 0 && candidates.has(running) { return running }
    return lowest(machine, candidates)
  }

  @inline(__always) static func lowest(_ machine: SimulatedMachine, _ candidates: ProcessSet) -> Int {
    var candidates = candidates
    if machine.recognition == .anywhere {
      let cpus = machine.cpuCount
      let interrupts = ((ProcessSet(1) << ProcessSet(cpus)) - 1) << ProcessSet(cpus)
      if candidates & ~interrupts != 0 { candidates &= ~interrupts }
    }
    return candidates.first
  }

  /// Who would go on: who ran last, but nobody after a first step under weak memory, where first steps are done at once and are no
  /// beginning.
  @inline(__always) static func goingOn(_ machine: SimulatedMachine, _ last: Event) -> Int {
    machine.memory == .rc11 && last.kind == .start ? -1 : running(machine, last)
  }

  /// Who ran last: an interrupt counts as its CPU.
  @inline(__always) static func running(_ machine: SimulatedMachine, _ last: Event) -> Int {
    last.kind == .interrupt ? machine.cpu(Int(last.process)) : Int(last.process)
  }
}

/// The places where a schedule deviates, in order.
struct Schedule: Equatable {
  struct Deviation: Equatable {
    var step: Int
    var process: Int
  }
  var recognition: Recognition
  var spins: SpinPolicy
  var memory: MemoryModel
  var deviations: [Deviation] = []

  /// A letter for where interrupts are recognised and what a spin wait is (p and a: points and anywhere, waits that wake; q and b:
  /// the same, waits that stay), then for each deviation how many steps it is after the one before and which
  /// process it chooses, in base 36: "p3.1-14.0".
  var text: String {
    var previous = 0
    let list = deviations.map { deviation -> String in
      let gap = deviation.step - previous
      previous = deviation.step
      return "\(String(gap, radix: 36)).\(String(deviation.process, radix: 36))"
    }
    let letter =
      switch (recognition, spins) {
      case (.points, .wake): "p"
      case (.anywhere, .wake): "a"
      case (.points, .await): "q"
      case (.anywhere, .await): "b"
      }
    return (memory == .rc11 ? "w" : "") + letter + list.joined(separator: "-")
  }

  init(recognition: Recognition, spins: SpinPolicy, memory: MemoryModel) {
    self.memory = memory
    self.recognition = recognition
    self.spins = spins
  }

  init?(_ text: String) {
    memory = text.first == "w" ? .rc11 : .sequentiallyConsistent
    let text = text.first == "w" ? text.dropFirst() : text[...]
    switch text.first {
    case "p": (recognition, spins) = (.points, .wake)
    case "a": (recognition, spins) = (.anywhere, .wake)
    case "q": (recognition, spins) = (.points, .await)
    case "b": (recognition, spins) = (.anywhere, .await)
    default: return nil
    }
    var step = 0
    for item in text.dropFirst().split(separator: "-", omittingEmptySubsequences: true) {
      let parts = item.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 2, let gap = Int(parts[0], radix: 36), let process = Int(parts[1], radix: 36),
        gap >= 0, gap < 1 << 40, process >= 0, process < SimulatedMachine.processLimit,
        deviations.isEmpty || gap > 0
      else { return nil }
      step += gap
      deviations.append(Deviation(step: step, process: process))
    }
  }
}
