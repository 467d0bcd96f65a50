// What a document declares: data, locks, conditions, handlers, callouts, base code, visitors and devices.

import SoftInterrupts

extension ScenarioReader {
  private static var numbers: ClosedRange<Int> { -Scenario.Limit.number...Scenario.Limit.number }
  static var softLevels: ClosedRange<Level> { .softClock ... .softSerial }
  /// Handlers run at these.
  static var handlerLevels: ClosedRange<Level> { .softClock ... .high }

  mutating func data(_ fields: inout Fields) throws(ScenarioError) -> [Datum] {
    var data: [Datum] = []
    for value in try fields.list("data", Scenario.Limit.things) {
      var fields = try value.fields()
      let name = try fields.need("name")
      let initial = try fields.take("value")?.integer(Self.numbers) ?? 0
      if let level = fields.take("perCPU") {
        let name = try names.declare(name, .cell(cells.count))
        cells.append(Cell(name: name, level: try level.level(Self.handlerLevels), value: initial))
      } else {
        let name = try names.declare(name, .datum(data.count))
        data.append(Datum(name: name, guardLevel: try fields.take("guard")?.level(), value: initial))
      }
      try fields.end()
    }
    return data
  }

  mutating func locks(_ fields: inout Fields) throws(ScenarioError) -> [Lock] {
    var locks: [Lock] = []
    for value in try fields.list("locks", Scenario.Limit.things) {
      var fields = try value.fields()
      let name = try names.declare(fields.need("name"), .lock(locks.count))
      let level = try fields.take("level")?.level(Self.handlerLevels)
      let rank = try level == nil ? nil : fields.take("rank")?.integer(0...1_000)
      try fields.end()
      locks.append(Lock(name: name, level: level, rank: Int32(rank ?? 0)))
    }
    return locks
  }

  mutating func conditions(_ fields: inout Fields) throws(ScenarioError) -> [Signal] {
    var conditions: [Signal] = []
    for value in try fields.list("conditions", Scenario.Limit.things) {
      var fields = try value.fields()
      let name = try names.declare(fields.need("name"), .condition(conditions.count))
      conditions.append(Signal(name: name, guardLevel: try fields.need("guard").level()))
      try fields.end()
    }
    return conditions
  }

  private static let ways: [(String, WayIn)] = WayIn.allCases.map { ($0.description, $0) }

  mutating func declareHandlers(_ fields: inout Fields) throws(ScenarioError) -> [(
    fields: Fields, name: String
  )] {
    var handlers: [(fields: Fields, name: String)] = []
    for value in try fields.list("handlers", Scenario.Limit.things) {
      var fields = try value.fields()
      let name = try names.declare(fields.need("name"), .handler(handlers.count))
      handlers.append((fields, name))
    }
    return handlers
  }

  mutating func declareCallouts(_ fields: inout Fields) throws(ScenarioError) -> [(
    fields: Fields, name: String
  )] {
    var callouts: [(fields: Fields, name: String)] = []
    for value in try fields.list("callouts", Scenario.Limit.things) {
      var fields = try value.fields()
      let name = try names.declare(fields.need("name"), .callout(callouts.count))
      callouts.append((fields, name))
    }
    return callouts
  }

  func handler(_ declared: inout (fields: Fields, name: String)) throws(ScenarioError) -> HandlerPlan {
    let level = try declared.fields.need("level").level(Self.handlerLevels)
    let way = try declared.fields.take("way")?.choice(Self.ways)
    let placement = try declared.fields.take("placement")?.choice([
      ("bound", Placement.bound), ("anywhere", .anywhere),
    ])
    let steps = try declared.fields.need("steps")
    try declared.fields.end()
    return HandlerPlan(
      name: declared.name, level: level, way: way ?? .ordered, placement: placement ?? .bound,
      body: try body(steps, .handler))
  }

  func callout(_ declared: inout (fields: Fields, name: String)) throws(ScenarioError) -> CalloutPlan {
    let level = try declared.fields.need("level").level(Self.softLevels)
    let guardLevel = try declared.fields.take("guard")?.level(level ... .high)
    let way = try declared.fields.take("way")?.choice(Self.ways)
    let isExact = try declared.fields.take("exactly")?.bool()
    let cpu = try declared.fields.take("cpu")?.integer(0...cpus - 1)
    let steps = try declared.fields.need("steps")
    try declared.fields.end()
    return CalloutPlan(
      name: declared.name, level: level, guardLevel: guardLevel, way: way ?? .ordered,
      isExact: isExact ?? false, cpu: cpu ?? 0, body: try body(steps, .callout))
  }

  func base(_ value: Value) throws(ScenarioError) -> BasePlan {
    var fields = try value.fields()
    let cpu = try fields.need("cpu").integer(0...cpus - 1)
    let way = try fields.take("way")?.choice([("mpSafe", BaseWay.mpSafe), ("bigLock", .bigLock)])
    let steps = try fields.need("steps")
    try fields.end()
    return BasePlan(cpu: cpu, way: way ?? .mpSafe, body: try body(steps, .base))
  }

  func named(_ value: Value, _ kind: BodyKind) throws(ScenarioError) -> NamedBody {
    var fields = try value.fields()
    let name = try Names.name(fields.need("name"))
    let steps = try fields.need("steps")
    try fields.end()
    return NamedBody(name: name, body: try body(steps, kind))
  }

  func body(_ steps: Value, _ kind: BodyKind) throws(ScenarioError) -> Body {
    var reader = BodyReader(self, kind)
    return try reader.body(steps)
  }
}
