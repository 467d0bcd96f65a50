// The benchmarks as JSON, schema softint.benchmarks/1, and back: what is written is read again for `--compare` and for pages.
//
// Invariant: reading what was written gives the same report, but for figures beyond six significant digits; what is not such a file is
// refused in one line with its place.

extension BenchmarkReport {
  /// The report as JSON, ended by a line feed.
  public var json: String {
    JSONValue.object([
      ("schema", .string(Self.schema)), ("machine", machine.jsonValue),
      ("date", .string(date)), ("commit", .string(commit)), ("command", .string(command)),
      ("rounds", .integer(rounds)), ("rows", .array(rows.map(\.jsonValue))),
    ]).text
  }

  /// Reads what ``json`` wrote.
  ///
  /// - Throws: ``BenchmarkFileError`` with one line that says where the file is wrong.
  public init(json bytes: [UInt8]) throws(BenchmarkFileError) {
    let node = try Place(json: bytes, schema: Self.schema, by: "Benchmarks/run")
    machine = try Machine(node.member("machine"))
    date = try node.text("date")
    commit = try node.text("commit")
    command = try node.text("command")
    rounds = Int(try node.number("rounds"))
    rows = []
    for row in try node.list("rows") { rows.append(try Row(row.node, row.path)) }
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
      ("note", .string(note)), ("remark", .string(remark)),
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
      remark: node["remark"]?.string ?? "", isMissing: isMissing, oursDistribution: try distribution("ours"),
      peerDistribution: try distribution("peer"))
  }
}
