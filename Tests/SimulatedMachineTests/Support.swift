// What the tests of the simulated machine share: a brute-force pilot, small enough to be right by reading it.

import SimulatedMachine
import SoftInterrupts

/// Takes every choice at every point, by running again and again: the reference that everything cleverer is held against.
final class EveryChoice: Pilot {
  /// At each point the choices that are left, the present one last.
  private var path: [[Int]] = []
  private var depth = 0

  override func next(_ machine: SimulatedMachine, _ last: Event, _ enabled: ProcessSet) -> Int {
    if depth == path.count {
      path.append((0..<machine.processCount).filter { enabled.has($0) }.reversed())
    }
    depth += 1
    return path[depth - 1].last!
  }

  /// Whether there is another schedule.
  func advance() -> Bool {
    depth = 0
    while let last = path.indices.last {
      path[last].removeLast()
      if !path[last].isEmpty { return true }
      path.removeLast()
    }
    return false
  }
}

/// A pilot with a given list of choices, and after it the lowest that can.
final class Given: Pilot {
  var choices: [Int]
  private(set) var events: [Event] = []
  init(_ choices: [Int]) { self.choices = choices.reversed() }
  override func next(_ machine: SimulatedMachine, _ last: Event, _ enabled: ProcessSet) -> Int {
    events.append(last)
    if let choice = choices.popLast() { return choice }
    return enabled.first
  }
}

/// A word of the machine that lives as long as this.
final class Place: @unchecked Sendable {
  let p: UnsafeMutablePointer<SimulatedWord>
  init(_ value: UInt = 0) {
    p = .allocate(capacity: 1)
    p.initialize(to: SimulatedWord(value))
  }
  deinit { p.deallocate() }
  func load(_ order: MemoryOrder = .sequentiallyConsistent) -> UInt { SimulatedWord.load(p, order) }
  func store(_ value: UInt, _ order: MemoryOrder = .sequentiallyConsistent) {
    SimulatedWord.store(p, value, order)
  }
  func add(_ value: UInt) -> UInt { SimulatedWord.fetchAdd(p, value, .sequentiallyConsistent) }
}

/// Runs a program of plain threads under every schedule; what it came to each time.
func everyOutcome(_ program: (SimulatedMachine) -> () -> String) -> (outcomes: Set<String>, runs: Int) {
  let machine = SimulatedMachine(cpus: 1)
  let pilot = EveryChoice()
  var outcomes: Set<String> = []
  var runs = 0
  repeat {
    machine.reset()
    let outcome = program(machine)
    let end = machine.run(pilot)
    outcomes.insert(end == .quiet ? outcome() : "\(end)")
    runs += 1
  } while pilot.advance()
  return (outcomes, runs)
}
