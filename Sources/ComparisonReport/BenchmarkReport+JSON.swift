// The benchmarks as JSON, schema softint.benchmarks/1, and back: what is written is read again for `--compare` and for pages.
//
// Invariant: reading what was written gives the same report, but for figures beyond six significant digits; what is not such a file is
// refused in one line with its place.

/// What is wrong with a file of benchmarks, in one line.
public struct BenchmarkFileError: Error, Sendable, CustomStringConvertible {
  public var description: String
}

extension BenchmarkReport {
  /// The report as JSON, ended by a line feed.
  public var json: String {
    JSONValue.object([
      ("schema", .string(Self.schema)),
      (
        "machine",
        .object([
          ("cpu", .string(machine.cpu)), ("os", .string(machine.os)),
          ("processors", .integer(machine.processors)), ("load", .number(machine.load)),
        ])
      ),
      ("date", .string(date)), ("commit", .string(commit)), ("command", .string(command)),
      ("rounds", .integer(rounds)), ("rows", .array(rows.map(\.jsonValue))),
    ]).text
  }

  /// Reads what ``json`` wrote.
  ///
  /// - Throws: ``BenchmarkFileError`` with one line that says where the file is wrong.
  public init(json bytes: [UInt8]) throws(BenchmarkFileError) {
    let document: JSONNode
    do throws(JSONDefect) { document = try JSONText.read(bytes) } catch {
      throw BenchmarkFileError(
        description: "no JSON: line \(error.line), column \(error.column): \(error.problem)")
    }
    guard document["schema"]?.string == Self.schema else {
      throw BenchmarkFileError(
        description: "/schema is not \"\(Self.schema)\"; make the file with Benchmarks/run --json")
    }
    func text(_ node: JSONNode?, _ place: String) throws(BenchmarkFileError) -> String {
      guard let text = node?.string else { throw BenchmarkFileError(description: "\(place) is not a string") }
      return text
    }
    func number(_ node: JSONNode?, _ place: String) throws(BenchmarkFileError) -> Double {
      guard let number = node?.double else {
        throw BenchmarkFileError(description: "\(place) is not a number")
      }
      return number
    }
    let machine = document["machine"]
    self.machine = Machine(
      cpu: try text(machine?["cpu"], "/machine/cpu"), os: try text(machine?["os"], "/machine/os"),
      processors: Int(try number(machine?["processors"], "/machine/processors")),
      load: try number(machine?["load"], "/machine/load"))
    date = try text(document["date"], "/date")
    commit = try text(document["commit"], "/commit")
    command = try text(document["command"], "/command")
    rounds = Int(try number(document["rounds"], "/rounds"))
    guard case .array(let nodes)? = document["rows"]?.value else {
      throw BenchmarkFileError(description: "/rows is not an array")
    }
    rows = []
    for (index, node) in nodes.enumerated() { rows.append(try Row(node, "/rows/\(index)")) }
  }
}

extension BenchmarkReport.Goal {
  fileprivate var jsonValue: JSONValue {
    switch self {
    case .atMost(let most): .object([("atMost", .number(most))])
    case .atLeast(let least): .object([("atLeast", .number(least))])
    }
  }
}

extension BenchmarkReport.Row {
  fileprivate var jsonValue: JSONValue {
    func short(_ value: Double) -> JSONValue { .number(NumberText.sixDigits(value)) }
    func quartiles(_ values: [Double]) -> JSONValue {
      values.contains(where: \.isFinite)
        ? .array([0.25, 0.75].map { short(Bootstrap.quantile(of: values, $0)) }) : .null
    }
    func distribution(_ value: BenchmarkReport.Distribution?) -> JSONValue {
      guard let value else { return .null }
      return .object([
        ("samples", .integer(value.samples)),
        ("points", .array(value.points.map { .array([short($0.share), short($0.value)]) })),
      ])
    }
    return .object([
      ("name", .string(name)), ("title", .string(title)), ("unit", .string(unit)),
      ("ours", oursMedian.map(short) ?? .null), ("peer", peerMedian.map(short) ?? .null),
      ("peerName", .string(peerName)), ("missing", .bool(isMissing)), ("ratio", ratio.map(short) ?? .null),
      ("interval", interval.map { .array([short($0.low), short($0.high)]) } ?? .null),
      ("goal", goal?.jsonValue ?? .null), ("met", met.map(JSONValue.bool) ?? .null),
      ("spread", .object([("ours", quartiles(ours)), ("peer", quartiles(peer))])),
      ("note", .string(note)),
      (
        "rounds",
        .object([("ours", .array(ours.map(short))), ("peer", .array(peer.map(short)))])
      ),
      (
        "distributions",
        .object([("ours", distribution(oursDistribution)), ("peer", distribution(peerDistribution))])
      ),
    ])
  }

  fileprivate init(_ node: JSONNode, _ place: String) throws(BenchmarkFileError) {
    func text(_ name: String) throws(BenchmarkFileError) -> String {
      guard let text = node[name]?.string else {
        throw BenchmarkFileError(description: "\(place)/\(name) is not a string")
      }
      return text
    }
    func figures(_ node: JSONNode?, _ name: String) throws(BenchmarkFileError) -> [Double] {
      guard case .array(let values)? = node?.value else {
        throw BenchmarkFileError(description: "\(place)/\(name) is not an array")
      }
      var figures: [Double] = []
      // What was no number when it was written is null.
      for value in values { figures.append(value.double ?? .nan) }
      return figures
    }
    func distribution(_ side: String) throws(BenchmarkFileError) -> BenchmarkReport.Distribution? {
      guard let node = node["distributions"]?[side], let samples = node["samples"]?.double else { return nil }
      guard case .array(let pairs)? = node["points"]?.value else {
        throw BenchmarkFileError(description: "\(place)/distributions/\(side)/points is not an array")
      }
      var points: [BenchmarkReport.Distribution.Point] = []
      for pair in pairs {
        let pair = try figures(pair, "distributions/\(side)/points")
        guard pair.count == 2 else {
          throw BenchmarkFileError(description: "\(place)/distributions/\(side)/points are not pairs")
        }
        points.append(.init(share: pair[0], value: pair[1]))
      }
      return .init(samples: Int(samples), points: points)
    }
    var goal: BenchmarkReport.Goal?
    if let most = node["goal"]?["atMost"]?.double { goal = .atMost(most) }
    if let least = node["goal"]?["atLeast"]?.double { goal = .atLeast(least) }
    var isMissing = false
    if case .bool(true)? = node["missing"]?.value { isMissing = true }
    self.init(
      name: try text("name"), title: try text("title"), unit: try text("unit"),
      peerName: try text("peerName"),
      ours: try figures(node["rounds"]?["ours"], "rounds/ours"),
      peer: try figures(node["rounds"]?["peer"], "rounds/peer"), goal: goal, note: try text("note"),
      isMissing: isMissing, oursDistribution: try distribution("ours"),
      peerDistribution: try distribution("peer"))
  }
}
