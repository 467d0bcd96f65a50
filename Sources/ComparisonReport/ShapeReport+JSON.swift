// The curves as JSON, schema softint.shape/1, and back: a page can be made again from a file.
//
// Invariant: reading what was written gives the same report, but for figures beyond six significant digits; what is not such a file is
// refused in one line with its place.

extension ShapeReport {
  /// The report as JSON, ended by a line feed.
  public var json: String {
    JSONValue.object([
      ("schema", .string(Self.schema)), ("machine", machine.jsonValue),
      ("date", .string(date)), ("commit", .string(commit)), ("command", .string(command)),
      ("quick", .bool(isQuick)), ("curves", .array(curves.map(\.jsonValue))),
    ]).text
  }

  /// Reads what ``json`` wrote.
  ///
  /// - Throws: ``BenchmarkFileError`` with one line that says where the file is wrong.
  public init(json bytes: [UInt8]) throws(BenchmarkFileError) {
    let node = try Place(json: bytes, schema: Self.schema, by: "Benchmarks/shape")
    machine = try BenchmarkReport.Machine(node.member("machine"))
    date = try node.text("date")
    commit = try node.text("commit")
    command = try node.text("command")
    isQuick = try node.flag("quick")
    curves = []
    for curve in try node.list("curves") { curves.append(try Curve(curve)) }
  }
}

extension ShapeReport.Axis {
  fileprivate var jsonValue: JSONValue {
    .object([
      ("label", .string(label)), ("unit", .string(unit)), ("logarithmic", .bool(isLogarithmic)),
    ])
  }
  fileprivate init(_ place: Place) throws(BenchmarkFileError) {
    self.init(
      try place.text("label"), try place.text("unit"), isLogarithmic: try place.flag("logarithmic"))
  }
}

extension ShapeReport.Curve {
  fileprivate var jsonValue: JSONValue {
    func short(_ value: Double) -> JSONValue { .number(NumberText.sixDigits(value)) }
    return .object([
      ("name", .string(name)), ("title", .string(title)), ("origin", .string(origin.rawValue)),
      ("x", x.jsonValue), ("y", y.jsonValue), ("rounds", .integer(rounds)), ("note", .string(note)),
      (
        "verdicts",
        .array(
          verdicts.map { verdict in
            let (kind, bound) =
              switch verdict.goal {
              case .atMost(let most): ("atMost", most)
              case .atLeast(let least): ("atLeast", least)
              }
            return .object([
              ("text", .string(verdict.text)), ("value", short(verdict.value)),
              ("goal", .object([(kind, .number(bound))])), ("met", .bool(verdict.met)),
            ])
          })
      ),
      (
        "series",
        .array(
          series.map { line in
            .object([
              ("name", .string(line.name)), ("bound", .bool(line.isBound)),
              (
                "points",
                .array(
                  line.points.map { point in
                    .object([
                      ("x", short(point.x)), ("median", point.median.map(short) ?? .null),
                      (
                        "interval",
                        point.interval.map { .array([short($0.low), short($0.high)]) } ?? .null
                      ),
                      ("rounds", .array(point.rounds.map(short))),
                    ])
                  })
              ),
            ])
          })
      ),
    ])
  }

  fileprivate init(_ place: Place) throws(BenchmarkFileError) {
    guard let origin = ShapeReport.Origin(rawValue: try place.text("origin")) else {
      throw BenchmarkFileError(description: "\(place.path)/origin is none that there is")
    }
    self.init(
      try place.text("name"), try place.text("title"), origin, x: try .init(place.member("x")),
      y: try .init(place.member("y")), series: [], rounds: Int(try place.number("rounds")),
      note: try place.text("note"))
    for verdict in try place.list("verdicts") {
      let goal = verdict.member("goal")
      let bound: BenchmarkReport.Goal =
        goal.node["atMost"] != nil
        ? .atMost(try goal.number("atMost")) : .atLeast(try goal.number("atLeast"))
      verdicts.append(.init(try verdict.text("text"), value: try verdict.number("value"), goal: bound))
    }
    for line in try place.list("series") {
      var points: [ShapeReport.Point] = []
      for point in try line.list("points") {
        // What was no number when it was written is null.
        points.append(
          .init(x: try point.number("x"), rounds: try point.list("rounds").map { $0.node.double ?? .nan }))
      }
      series.append(.init(try line.text("name"), isBound: try line.flag("bound"), points: points))
    }
  }
}
