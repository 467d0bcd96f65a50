// Per-CPU data and plain locks of a program, so that their accesses are points of the exploration.
//
// Law: who may open a cell is the core's to say; that nobody else touches it meanwhile is checked, as for all declared data.

import SimulatedMachine
public import SoftInterrupts

extension World {
  /// Declares a value for each CPU, guarded by a level.
  public func cells<Value>(_ name: String, at level: Level, _ value: Value) -> SharedCells<Value> {
    let values = (0..<system.cpuCount).map { shared("\(name) of CPU \($0)", value) }
    return SharedCells(values, system.perCPU(at: level) { $0 })
  }

  /// A lock that knows no levels, as every program has them: who waits for it spins, and serves nothing.
  public func plainLock(_ name: String) -> PlainLock {
    let lock = PlainLock()
    data.append((lock.word, name))
    return lock
  }

  /// Ends the run here if the core's witness has reported a violation: so that the story ends where it happened.
  public func checkWitness() {
    guard let made, made.collectedCount > 0, let violation = made.collectedViolations.first else { return }
    fail(.witness(violation.rule), violation.description)
  }
}

/// A value for each CPU. Its accesses are watched.
public final class SharedCells<Value>: @unchecked Sendable {
  // Sendable: used on the machine's one thread.
  /// The values, by CPU: outside of ``open(file:line:_:)`` for checks at the end.
  public let values: [Shared<Value>]
  private let cells: PerCPU<Int, SimulatedMachine>

  init(_ values: [Shared<Value>], _ cells: PerCPU<Int, SimulatedMachine>) {
    (self.values, self.cells) = (values, cells)
  }

  /// See `PerCPU/open(file:line:_:)`.
  @discardableResult public func open<R>(
    file: StaticString = #fileID, line: UInt = #line, _ body: (Shared<Value>) -> R
  ) -> R? {
    cells.open(file: file, line: line) { cpu in body(values[cpu]) }
  }
}

/// A plain lock.
public final class PlainLock: @unchecked Sendable {
  // Sendable: used on the machine's one thread.
  let word: UnsafeMutablePointer<SimulatedWord>

  init() {
    word = .allocate(capacity: 1)
    word.initialize(to: SimulatedWord(0))
  }

  deinit { word.deallocate() }

  /// Runs `body` under the lock: a lock without a place in the order.
  public func withLock<R>(_ body: () -> R) -> R {
    var round = 0
    // Acquire: pairs with the release below.
    while SimulatedWord.load(word, .relaxed) != 0 || !SimulatedWord.compareExchange(word, 0, 1, .acquire) {
      SimulatedMachine.pause(round)
      round += 1
    }
    defer { SimulatedWord.store(word, 0, .release) }
    return body()
  }
}
