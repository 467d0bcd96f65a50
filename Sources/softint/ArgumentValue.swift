// Values of options: what is accepted, and the words that refuse the rest.

import ArgumentParser
import ComparisonReport
import Workloads

enum ArgumentValue {
  /// A whole number in a range.
  static func count(_ range: ClosedRange<Int>) -> @Sendable (String) throws -> Int {
    { text in
      guard let value = Int(text), range.contains(value) else {
        throw ValidationError("give a whole number from \(range.lowerBound) to \(range.upperBound)")
      }
      return value
    }
  }

  /// Whole numbers in a range, with commas between, each once.
  static func counts(_ range: ClosedRange<Int>) -> @Sendable (String) throws -> [Int] {
    { text in
      var counts: [Int] = []
      for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        guard let value = Int(part), range.contains(value) else {
          throw ValidationError(
            "give whole numbers from \(range.lowerBound) to \(range.upperBound) with commas between")
        }
        guard !counts.contains(value) else { throw ValidationError("\(value) is there twice") }
        counts.append(value)
      }
      return counts
    }
  }

  /// A number in a range. Not-a-number lies in none.
  static func number(_ range: ClosedRange<Double>, unit: String) -> @Sendable (String) throws -> Double {
    { text in
      guard let value = Double(text), range.contains(value) else {
        let (low, high) = (plain(range.lowerBound), plain(range.upperBound))
        throw ValidationError("give a number of \(unit) from \(low) to \(high)")
      }
      return value
    }
  }

  /// A discipline by its name.
  static func discipline(_ text: String) throws -> Discipline {
    guard let discipline = Discipline(rawValue: text) else {
      let known = Discipline.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("the disciplines are \(known)")
    }
    return discipline
  }

  /// Disciplines by their names, with commas between, each once.
  static func disciplines(_ text: String) throws -> [Discipline] {
    var disciplines: [Discipline] = []
    for name in text.split(separator: ",", omittingEmptySubsequences: false) {
      let discipline = try discipline(String(name))
      guard !disciplines.contains(discipline) else { throw ValidationError("\(name) is there twice") }
      disciplines.append(discipline)
    }
    return disciplines
  }

  /// What idle CPUs do.
  static func idle(_ text: String) throws -> ComparisonOptions.Idle {
    switch text {
    case "poll": .poll
    case "park": .park
    default: throw ValidationError("give poll or park")
    }
  }

  /// A seed.
  static func seed(_ text: String) throws -> UInt64 {
    guard let seed = UInt64(text) else {
      throw ValidationError("give a whole number from 0 to \(UInt64.max)")
    }
    return seed
  }

  private static func plain(_ value: Double) -> String {
    value == value.rounded() ? String(Int(value)) : String(value)
  }
}
