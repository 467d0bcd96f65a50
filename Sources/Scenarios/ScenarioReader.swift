// From JSON to a scenario: what the document declares, and the first error in it.
//
// Law: what has been read needs no further check. Numbers are within the machine's bounds, names are resolved, and what the core
// would answer with a trap instead of a report is refused with the place in the document.

import ComparisonReport
import Exploration
import SimulatedMachine
import SoftInterrupts

extension Scenario {
  /// How much a scenario may hold.
  enum Limit {
    static let cpus = 16
    /// Data, handlers and the like, of each kind.
    static let things = 32
    static let visitors = 8
    /// Steps of one body, repetitions multiplied out.
    static let steps = 2_000
    /// Steps inside of steps: each takes some of a stack of 256 KiB.
    static let nesting = 12
    static let number = 1 << 53
  }

  /// The name and version of the format.
  public static let schema = "softint.scenario/1"

  /// Reads a scenario.
  ///
  /// - Parameter file: what errors call the text.
  public init(_ text: [UInt8], file: String) throws(ScenarioError) {
    let root: JSONNode
    do throws(JSONDefect) {
      root = try JSONText.read(text)
    } catch {
      throw ScenarioError(
        file: file, line: error.line, path: "", problem: "column \(error.column): \(error.problem)")
    }
    var reader = ScenarioReader()
    do throws(ScenarioError) {
      self = try reader.scenario(Value(node: root, path: "$"))
    } catch {
      var error = error
      error.file = file
      throw error
    }
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    digest = String(hash, radix: 16)
  }
}

struct ScenarioReader {
  var names = Names()
  var cpus = 1
  var cells: [Cell] = []

  mutating func scenario(_ value: Value) throws(ScenarioError) -> Scenario {
    var fields = try value.fields()
    _ = try fields.take("$schema")?.string()
    let schema = try fields.need("scenario")
    guard try schema.string() == Scenario.schema else {
      throw schema.wrong("\"\(Scenario.schema)\" is wanted")
    }
    let name = try fields.need("name").text(80)
    var history: [String] = []
    for line in try fields.list("history", 40) { history.append(try line.text(200)) }
    cpus = try fields.need("cpus").integer(1...Scenario.Limit.cpus)
    let recognition = try fields.take("recognition")?.choice([
      ("points", Recognition.points), ("anywhere", .anywhere),
    ])
    let memory = try fields.take("memory")?.choice([
      ("sc", MemoryModel.sequentiallyConsistent), ("rc11", .rc11),
    ])
    let configuration = try self.configuration(fields.take("configuration"))
    let data = try self.data(&fields)
    let locks = try self.locks(&fields)
    let conditions = try self.conditions(&fields)
    // Bodies name each other's handlers and callouts, so all are declared before a body is read.
    let handlers = try declareHandlers(&fields)
    let callouts = try declareCallouts(&fields)
    var scenario = Scenario(
      name: name, history: history, cpus: cpus, recognition: recognition ?? .points,
      memory: memory ?? .sequentiallyConsistent, strategy: .exhaustive(), limits: Limits(),
      configuration: configuration, expectationsUnder: [:], data: data, cells: cells, locks: locks,
      conditions: conditions, handlers: [], callouts: [], base: [], visitors: [], devices: [], clocks: [],
      finally: Body(), outcome: [])
    for var handler in handlers { scenario.handlers.append(try self.handler(&handler)) }
    for var callout in callouts { scenario.callouts.append(try self.callout(&callout)) }
    for base in try fields.list("base", Scenario.Limit.things) { scenario.base.append(try self.base(base)) }
    for visitor in try fields.list("visitors", Scenario.Limit.visitors) {
      scenario.visitors.append(try named(visitor, .visitor))
    }
    for device in try fields.list("devices", Scenario.Limit.visitors) {
      scenario.devices.append(try named(device, .device))
    }
    for clock in try fields.list("clocks", Scenario.Limit.visitors) {
      scenario.clocks.append(UInt64(try clock.integer(1...1_000_000_000_000)))
    }
    if let steps = fields.take("finally") { scenario.finally = try body(steps, .finally) }
    for value in try fields.list("outcome", Scenario.Limit.things) {
      let place = BodyReader(self, .finally)
      scenario.outcome.append((try value.string(), try place.operand(value)))
    }
    (scenario.strategy, scenario.limits) = try StrategyReader.read(
      fields.take("strategy"), fields.take("limits"), scenario.memory)
    if let expect = fields.take("expect") { scenario.expectation = try expectation(expect) }
    if let under = fields.take("expectUnder") {
      var under = try under.fields()
      for discipline in ScenarioDiscipline.allCases {
        guard let value = under.take(discipline.rawValue) else { continue }
        scenario.expectationsUnder[discipline] = try expectation(value)
      }
      try under.end()
    }
    try fields.end()
    return scenario
  }

  private func expectation(_ value: Value) throws(ScenarioError) -> Expectation {
    var fields = try value.fields()
    let isViolation = try fields.need("verdict").choice([("holds", false), ("violation", true)])
    var rule: String?
    if let value = fields.take("rule") {
      guard isViolation else { throw value.wrong("a rule is broken by a violation only") }
      let found = try value.string()
      guard Rule.named(found) != nil else {
        throw value.wrong("there is no rule of this name: see softint explore --explain all")
      }
      rule = found
    }
    try fields.end()
    return Expectation(isViolation: isViolation, rule: rule)
  }

  private func configuration(_ value: Value?) throws(ScenarioError) -> Configuration {
    var configuration = Configuration.exploration
    guard let value else { return configuration }
    var fields = try value.fields()
    let time = 0...1_000_000_000_000
    let counts: [(String, ClosedRange<Int>, WritableKeyPath<Configuration, Int>)] = [
      ("patience", 1...1_000, \.patience), ("drainBudget", 1...1_000, \.drainBudget),
      ("dispatchBudget", 1...1_000, \.dispatchBudget), ("lowerShare", 0...1_000, \.lowerShare),
      ("spinRounds", 0...100, \.spinRounds), ("idleRounds", 0...100, \.idleRounds),
    ]
    for (name, range, path) in counts {
      if let count = fields.take(name) { configuration[keyPath: path] = try count.integer(range) }
    }
    let times: [(String, WritableKeyPath<Configuration, UInt64>)] = [
      ("handOffAfter", \.handOffAfter), ("turn", \.turn), ("reservationLapse", \.reservationLapse),
      ("levelBudget", \.levelBudget), ("pollInterval", \.pollInterval),
    ]
    for (name, path) in times {
      if let count = fields.take(name) { configuration[keyPath: path] = UInt64(try count.integer(time)) }
    }
    try fields.end()
    return configuration
  }
}
