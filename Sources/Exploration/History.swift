// Linearizability of a small history: whether some order of the operations explains their results.
//
// Law: an operation takes effect at one moment between its call and its return; so an order that explains a history never puts an
// operation before one that returned before it was called (Herlihy and Wing, TOPLAS 1990). The search is Wing and Gong's (JPDC
// 1993) with Lowe's memory (CPE 2017): what has been placed and the state that this led to are looked at once. Calls and returns are
// points of the history's own word: who returned before whom was called is part of what is explored.

import SimulatedMachine

/// What an object does when one operation comes after the other: a value, with its state.
public protocol SequentialSpecification: Hashable {
  /// What is asked of the object.
  associatedtype Operation
  /// What it answers.
  associatedtype Answer: Equatable
  /// Does an operation, and says what it answers.
  mutating func apply(_ operation: Operation) -> Answer
}

/// The calls of one object in one run.
public final class History<Specification: SequentialSpecification>: @unchecked Sendable {
  // Sendable: used on the machine's one thread.

  struct Entry {
    var who: String
    var operation: Specification.Operation
    var called: Int
    /// Nil while it has not returned.
    var returned: Int?
    var answer: Specification.Answer?
  }
  /// The most operations of a history.
  public static var limit: Int { 128 }

  let name: String
  let initial: Specification
  unowned let world: World
  var entries: [Entry] = []
  private var moments = 0
  let boundary = Boundary()

  init(_ world: World, _ name: String, _ initial: Specification) {
    (self.world, self.name, self.initial) = (world, name, initial)
  }

  /// Notes an operation: `body` does it, and its result is what it answered.
  @discardableResult
  public func call(
    _ operation: Specification.Operation, _ body: () throws -> Specification.Answer
  ) rethrows -> Specification.Answer {
    precondition(entries.count < Self.limit, "a history has \(Self.limit) operations at most")
    boundary.pass(isWrite: true)
    moments += 1
    let process = SimulatedMachine.runningProcess
    entries.append(
      Entry(who: process.map(world.machine.name) ?? "the program", operation: operation, called: moments))
    let index = entries.count - 1
    let answer = try body()
    boundary.pass(isWrite: false)
    moments += 1
    entries[index].returned = moments
    entries[index].answer = answer
    return answer
  }

  // MARK: The search

  /// Whether some order explains what had happened up to a moment: who had not returned by then may have taken effect or not.
  func isLinearizable(until moment: Int) -> Bool {
    let known = entries.filter { $0.called <= moment }.map { entry in
      var entry = entry
      if entry.returned ?? .max > moment {
        entry.returned = nil
        entry.answer = nil
      }
      return entry
    }
    var seen: Set<Placed> = []
    return search(known, Placed(done: 0, state: initial), &seen)
  }

  private struct Placed: Hashable {
    var done: UInt128
    var state: Specification
  }

  private func search(_ known: [Entry], _ placed: Placed, _ seen: inout Set<Placed>) -> Bool {
    // Who comes next was called before everybody who is left has returned.
    var earliest = Int.max
    for (index, entry) in known.enumerated() where placed.done & (1 << UInt128(index)) == 0 {
      earliest = min(earliest, entry.returned ?? .max)
    }
    // Only such are left as have not returned: they need not have taken effect.
    if earliest == .max { return true }
    for (index, entry) in known.enumerated()
    where placed.done & (1 << UInt128(index)) == 0 && entry.called < earliest {
      var next = placed
      next.done |= 1 << UInt128(index)
      let answer = next.state.apply(entry.operation)
      if let given = entry.answer, given != answer { continue }
      if seen.insert(next).inserted && search(known, next, &seen) { return true }
    }
    return false
  }

  /// Looks at the history; what is wrong with it: its shortest part that no order explains.
  func defect() -> String? {
    if isLinearizable(until: .max) { return nil }
    let ends = entries.compactMap(\.returned).sorted()
    let moment = ends.first { !isLinearizable(until: $0) } ?? .max
    var text = "no order of these operations on \(name) explains their answers:"
    for entry in entries where entry.called <= moment {
      let isOver = entry.returned ?? .max <= moment
      text += "\n  \(entry.called) to \(isOver ? "\(entry.returned!)" : "…") \(entry.who): \(entry.operation)"
      if isOver, let answer = entry.answer { text += " gives \(answer)" }
      if entry.returned == moment { text += "   ← up to here" }
    }
    return text
  }
}

extension World {
  /// Calls that are to be explained by a specification: at the end of each run some order of them has to.
  ///
  /// ```swift
  /// let history = world.history("queue", BoundedQueue(capacity: 2))
  /// history.call(.push(1)) { .pushed(queue.push(1)) }
  /// ```
  /// - Complexity: exponential in the calls that overlap; meant for a dozen or two.
  public func history<Specification: SequentialSpecification>(
    _ name: String, _ initial: Specification
  ) -> History<Specification> {
    let history = History(self, name, initial)
    boundaries.append(history.boundary)
    finally { [unowned self] in
      if let defect = history.defect() { self.fail(.notLinearizable, defect) }
    }
    return history
  }
}
