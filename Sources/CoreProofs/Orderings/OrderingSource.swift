// The orders that the core states, read from its sources, and the table that says of each what finds it when it is weaker.
//
// Law: a line of the table names an order by what does not move when lines do: file, function, operation, and which of that function's
// stated orders of that operation it is. Both are text, so a build without the trait Mutants can compare them.

/// A half of an order that the core states.
public struct StatedOrder: Hashable, Comparable, Sendable, CustomStringConvertible {
  public var file: String
  public var function: String
  public var operation: String
  /// From 1.
  public var ordinal: Int
  /// `acquire`, `release`, `consistency` or `fence`: what is gone when it is weaker.
  public var half: String

  /// As the table writes it.
  public var description: String {
    "\(file) `\(function)` \(operation)\(ordinal == 1 ? "" : " \(ordinal)"), \(half)"
  }
  public static func < (a: Self, b: Self) -> Bool {
    (a.file, a.function, a.operation, a.ordinal, a.half) < (
      b.file, b.function, b.operation, b.ordinal, b.half
    )
  }
}

/// The orders that one file of the core states.
public struct OrderingSource: Sendable {
  /// In the order of the file, with the line (from 1) that states each.
  public private(set) var orders: [(line: Int, order: StatedOrder)] = []

  /// - Parameters:
  ///   - file: its name, without folders.
  ///   - text: its text.
  public init(file: String, text: String) {
    var declarations: [(indent: Int, name: String)] = []
    var counts: [String: Int] = [:]
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let code = line.prefix(upTo: Self.comment(in: line))
      guard let first = code.firstIndex(where: { $0 != " " }) else { continue }
      let indent = code.distance(from: code.startIndex, to: first)
      declarations.removeAll { $0.indent >= indent && code[first] != "}" && code[first] != ")" }
      if let name = Self.declared(in: code) { declarations.append((indent, name)) }
      for match in code.matches(of: /([A-Za-z]+)\(|M\.(light|heavy)\(\)/) {
        let operation: String
        let halves: [String]
        if let fence = match.output.2 {
          (operation, halves) = (String(fence), ["fence"])
        } else if let name = match.output.1, Self.operations.contains(String(name)),
          let order = Self.order(inArgumentsAt: match.range.upperBound, of: code)
        {
          (operation, halves) = (String(name), order)
        } else {
          continue
        }
        let function = declarations.last?.name ?? ""
        let key = "\(function) \(operation)"
        counts[key, default: 0] += 1
        for half in halves {
          orders.append(
            (
              number + 1,
              StatedOrder(
                file: file, function: function, operation: operation, ordinal: counts[key]!, half: half)
            ))
        }
      }
    }
  }

  private static let operations: Set = [
    "load", "store", "exchange", "fetchAdd", "fetchOr", "fetchAnd", "rewrite", "compareExchange",
  ]

  private static func comment(in line: Substring) -> Substring.Index {
    line.firstRange(of: "//")?.lowerBound ?? line.endIndex
  }

  /// The name of the function or property that a line declares. (A property with a body opens it in its line.)
  private static func declared(in code: Substring) -> String? {
    if let match = code.firstMatch(of: /\bfunc ([A-Za-z]+)/) { return String(match.output.1) }
    if let match = code.firstMatch(of: /\bvar ([A-Za-z]+): .*\{/) { return String(match.output.1) }
    if code.contains(/\bsubscript\(/) { return "subscript" }
    if code.contains(/\binit[(?<]/) { return "init" }
    return nil
  }

  /// The halves of the order that ends an operation's arguments; nil if it is relaxed, or no order.
  private static func order(inArgumentsAt start: Substring.Index, of code: Substring) -> [String]? {
    var depth = 1
    var end = start
    while end < code.endIndex {
      if code[end] == "(" { depth += 1 }
      if code[end] == ")" { depth -= 1 }
      if depth == 0 { break }
      end = code.index(after: end)
    }
    let arguments = code[start..<end]
    if arguments.hasSuffix(".acquire") { return ["acquire"] }
    if arguments.hasSuffix(".release") { return ["release"] }
    if arguments.hasSuffix(".acquireRelease") { return ["acquire", "release"] }
    if arguments.hasSuffix(".sequentiallyConsistent") { return ["consistency", "acquire", "release"] }
    return nil
  }
}

/// A line of the table.
public struct OrderingEntry: Sendable {
  /// The order, as ``StatedOrder/description`` writes it.
  public var order: String
  /// The program that finds it; nil if it is excused.
  public var program: String?
}

extension OrderingEntry {
  /// The lines of a page's tables: between `<!-- found:begin -->` and `<!-- found:end -->`, and the same with `excused`.
  public static func entries(of page: String) -> [Self] {
    func rows(_ name: String) -> [[String]] {
      guard let begin = page.firstRange(of: "<!-- \(name):begin -->"),
        let end = page[begin.upperBound...].firstRange(of: "<!-- \(name):end -->")
      else { return [] }
      return page[begin.upperBound..<end.lowerBound].split(separator: "\n").dropFirst(2).map { row in
        row.split(separator: "|").map {
          String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
      }
    }
    return rows("found").map { Self(order: $0[0], program: $0[1]) }
      + rows("excused").map { Self(order: $0[0], program: nil) }
  }
}
