// Putting the parts of a search together.
//
// Law: the sum of parts is said to be the whole only if each part is there once, they are of one search, and they agree on how many
// prefixes there are.

/// Why parts could not be put together.
public enum MergeError: Error, Sendable, Equatable, CustomStringConvertible {
  /// There is no result to be put together.
  case nothing
  /// A result that says nothing of a part: its place in the list, from 0.
  case noPart(Int)
  /// A result of another search than the first: its place, and what differs.
  case another(Int, String)
  /// Parts that are not there.
  case missing([Int], of: Int)
  /// Parts that are there more than once.
  case doubled([Int])
  /// Complete parts that disagree on how many prefixes there are: the program was not the same.
  case differentPrefixes([Int])

  public var description: String {
    func list(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: ", ") }
    switch self {
    case .nothing: return "there is nothing to put together"
    case .noPart(let place): return "result \(place) is not of a part of a search"
    case .another(let place, let what): return "result \(place) is of another search: its \(what) differs"
    case .missing(let parts, let count):
      return "not all is there: of \(count) parts \(list(parts)) \(parts.count == 1 ? "is" : "are") missing"
    case .doubled(let parts):
      return "there twice: part\(parts.count == 1 ? "" : "s") \(list(parts))"
    case .differentPrefixes(let counts):
      return "the parts are not of one program: they have \(list(counts)) prefixes"
    }
  }
}

extension Exploration {
  /// The whole of which these are the parts, in any order. That they are of one program is the caller's matter, as far as the numbers
  /// do not show it.
  ///
  /// A part with a violation makes it one; else a part that is not complete makes it bounded.
  public static func merged(_ parts: [Exploration]) throws(MergeError) -> Exploration {
    guard let first = parts.first else { throw .nothing }
    var seen: [Int: Int] = [:]
    for (place, part) in parts.enumerated() {
      guard let own = part.partition, let one = first.partition, own.isValid else { throw .noPart(place) }
      if part.strategy != first.strategy { throw .another(place, "strategy") }
      if part.memory != first.memory { throw .another(place, "memory") }
      if own.depth != one.depth { throw .another(place, "depth") }
      if own.count != one.count { throw .another(place, "count of parts") }
      seen[own.index, default: 0] += 1
    }
    let doubled = seen.filter { $0.value > 1 }.keys.sorted()
    if !doubled.isEmpty { throw .doubled(doubled) }
    let count = first.partition!.count
    if seen.count < count { throw .missing((0..<count).filter { seen[$0] == nil }, of: count) }
    let prefixes = Set(parts.filter { if case .holds = $0.verdict { true } else { false } }.map(\.prefixes))
    if prefixes.count > 1 { throw .differentPrefixes(prefixes.sorted()) }
    var sum = sum(parts)
    sum.partition = Partition(depth: first.partition!.depth)
    sum.passed = 0
    sum.checkpoint = nil
    return sum
  }

  /// The sums, and the verdict of all. Not empty.
  static func sum(_ parts: [Exploration]) -> Exploration {
    var sum = parts[0]
    for part in parts.dropFirst() {
      switch (sum.verdict, part.verdict) {
      case (.violation, _), (_, .holds): break
      case (_, .violation), (_, .bounded): sum.verdict = part.verdict
      }
      sum.schedules += part.schedules
      sum.redundant += part.redundant
      sum.steps += part.steps
      sum.passed += part.passed
      sum.prefixes = max(sum.prefixes, part.prefixes)
      sum.outcomes.merge(part.outcomes, uniquingKeysWith: +)
    }
    return sum
  }
}
