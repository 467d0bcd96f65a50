// Splitting a search into parts that need not talk to each other.
//
// Law: which prefixes there are, and in which order, depends on the program and the depth alone. Above the depth every choice that
// can go on and does not sleep is taken, so no race of one part asks for anything in another; below it a prefix's subtree is
// explored as if it were alone. So the sums over all parts are the same for every number of parts of one depth.

import Synchronization

/// One of several parts of a search.
///
/// A tree of choices is cut at `depth`: the prefixes of so many choices (and the schedules that end before) are numbered in
/// depth-first order, and a part explores those whose number has the remainder `index` when divided by `count`. Every part walks the
/// prefixes of the others too, without looking at what comes after them: a depth at which there are ten to a hundred prefixes for
/// each part shares the work well and wastes little.
///
/// Of a sample (``Strategy/random(seed:schedules:)``, ``Strategy/priorities(seed:schedules:depth:)``) a part takes the schedules whose
/// number has that remainder; there `depth` says nothing.
public struct Partition: Sendable, Equatable, CustomStringConvertible {
  /// Choices, counted from the first of a schedule.
  public var depth: Int
  /// Below `count`.
  public var index: Int
  /// How many parts there are.
  public var count: Int

  /// The whole, as one part, unless more is said.
  public init(depth: Int, index: Int = 0, count: Int = 1) {
    (self.depth, self.index, self.count) = (depth, index, count)
  }

  /// Whether it is one: a depth and an index that can be.
  public var isValid: Bool { depth >= 0 && count >= 1 && index >= 0 && index < count }

  public var description: String { "part \(index) of \(count), split at \(depth)" }
}

/// Hands out a part's prefixes to several threads: the first, the second, …
final class PrefixCounter: Sendable {
  private let next = Atomic<Int>(0)
  /// Relaxed: a number is all that is handed over.
  func take() -> Int { next.wrappingAdd(1, ordering: .relaxed).oldValue }
}

/// Whose the prefixes are that a search comes to.
struct Split {
  let depth: Int
  private let index: Int
  private let count: Int
  private let counter: PrefixCounter?
  /// The prefix that this search explores next.
  private var wanted: Int
  /// How many prefixes have been come to.
  private(set) var prefixes = 0
  /// The prefixes are handed out to several.
  var isShared: Bool { counter != nil }
  /// The prefix that the search is in has a number, and is this search's own.
  private(set) var isNumbered = false
  private(set) var isOwn = true

  init(_ partition: Partition, _ counter: PrefixCounter? = nil, prefixes: Int = 0, isInside: Bool = false) {
    (depth, index, count) = (partition.depth, partition.index, partition.count)
    self.counter = counter
    wanted = index
    self.prefixes = prefixes
    isNumbered = isInside
    if let counter { wanted = index + count * counter.take() }
    while counter == nil && wanted < prefixes { wanted += count }
  }

  /// Gives the prefix that the search has come to its number.
  mutating func number() {
    if isNumbered { return }
    isNumbered = true
    isOwn = prefixes == wanted
    if isOwn { wanted = index + count * (counter?.take() ?? (prefixes / count + 1)) }
    prefixes += 1
  }

  /// The next schedule has so many choices in common with the last.
  mutating func advance(_ given: Int) {
    if given <= depth { isNumbered = false }
  }
}
