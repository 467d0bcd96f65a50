// Putting the results of parts together: from JSON of softint.explore/1, back to a result.
//
// Law: only results of one scenario, searched in one way, are put together, each part once and none missing; else nothing is.

import ComparisonReport
import Exploration
import SimulatedMachine

extension ScenarioResult {
  /// The result of the whole search of which these are the parts.
  ///
  /// - Parameter parts: what each file is called, and its text.
  /// - Throws: ``ScenarioError`` if one is no result of a part; ``Exploration/MergeError`` if they are not the parts of one search.
  public static func merged(_ parts: [(file: String, text: [UInt8])]) throws -> ScenarioResult {
    var results: [ScenarioResult] = []
    var first: Identity?
    for part in parts {
      let (result, identity) = try ResultReader.read(part.text, file: part.file)
      if let first, let what = first.difference(identity) {
        throw ScenarioError(
          file: part.file, line: 0, path: "$.\(what)",
          problem: "differs from that of \(parts[0].file): they are not of one search")
      }
      first = first ?? identity
      results.append(result)
    }
    var merged = try Exploration.merged(results.map(\.exploration))
    // A part says with which limit it ended; the sum is of all of them.
    merged.checkpoint = nil
    var result = results[0]
    result.exploration = merged
    result.isInterrupted = results.contains { $0.isInterrupted }
    return result
  }

  /// What has to be the same in all parts.
  struct Identity: Equatable {
    var members: [(name: String, value: String)]
    /// The first member that differs.
    func difference(_ other: Identity) -> String? {
      zip(members, other.members).first { $0.value != $1.value }?.0.name
    }
    static func == (a: Identity, b: Identity) -> Bool { a.difference(b) == nil }
  }
}

private enum ResultReader {
  static func read(_ text: [UInt8], file: String) throws(ScenarioError) -> (
    ScenarioResult, ScenarioResult.Identity
  ) {
    let root: JSONNode
    do throws(JSONDefect) {
      root = try JSONText.read(text)
    } catch {
      throw ScenarioError(
        file: file, line: error.line, path: "", problem: "column \(error.column): \(error.problem)")
    }
    do throws(ScenarioError) {
      return try result(Value(node: root, path: "$"))
    } catch {
      var error = error
      error.file = file
      throw error
    }
  }

  private static func result(
    _ value: Value
  ) throws(ScenarioError) -> (ScenarioResult, ScenarioResult.Identity) {
    var fields = try value.fields()
    let schema = try fields.need("schema")
    guard try schema.string() == ScenarioResult.schema else {
      throw schema.wrong("\"\(ScenarioResult.schema)\" is wanted: the output of softint explore --json")
    }
    var members: [(String, String)] = []
    func same(_ name: String) throws(ScenarioError) -> Value {
      let value = try fields.need(name)
      members.append((name, value.node.canonical))
      return value
    }
    let name = try same("scenario").text(80)
    let digest = try same("digest").string()
    let file = try fields.need("file").string()
    let discipline = try optional(same("discipline")) { value throws(ScenarioError) in
      try value.choice(ScenarioDiscipline.allCases.map { ($0.rawValue, $0) })
    }
    let cpus = try same("cpus").integer(1...Scenario.Limit.cpus)
    let recognition = try same("recognition").choice([
      ("points", Recognition.points), ("anywhere", .anywhere),
    ])
    let memory = try same("memory").choice([
      ("sc", MemoryModel.sequentiallyConsistent), ("rc11", .rc11),
    ])
    let (strategy, limits) = try StrategyReader.read(
      stripped(same("strategy")), stripped(same("limits")), memory)
    let expectation = try optional(same("expected")) { value throws(ScenarioError) in
      try Self.expectation(value)
    }
    var exploration = Exploration(verdict: .holds, strategy: strategy, memory: memory)
    exploration.schedules = try fields.need("schedules").integer(0 ... .max)
    exploration.redundant = try fields.need("redundant").integer(0 ... .max)
    exploration.steps = try fields.need("steps").integer(0 ... .max)
    exploration.partition = try optional(fields.need("partition")) { value throws(ScenarioError) in
      try Self.partition(value, &exploration)
    }
    for outcome in try fields.need("outcomes").array(1_000_000) {
      var member = try outcome.fields()
      let text = try member.need("outcome").string()
      exploration.outcomes[text, default: 0] += try member.need("schedules").integer(1 ... .max)
      try member.end()
    }
    let verdict = try fields.need("verdict").choice([("holds", 0), ("bounded", 1), ("violation", 2)])
    let findings = try fields.need("violations").array(1)
    switch verdict {
    case 0: exploration.verdict = .holds
    case 1: exploration.verdict = .bounded
    default:
      guard let finding = findings.first else {
        throw value.wrong("a violation without one in \"violations\"")
      }
      exploration.verdict = .violation(try Self.finding(finding))
    }
    let isInterrupted = try fields.need("interrupted").bool()
    // Said for people and programs that read results; it follows from the rest.
    for name in ["complete", "meaning", "asExpected"] { _ = try fields.need(name) }
    try fields.end()
    var scenario = Scenario(
      name: name, history: [], cpus: cpus, recognition: recognition, memory: memory, strategy: strategy,
      limits: limits, configuration: .exploration, expectation: expectation, expectationsUnder: [:], data: [],
      cells: [], locks: [], conditions: [], handlers: [], callouts: [], base: [], visitors: [], devices: [],
      clocks: [], finally: Body(), outcome: [])
    scenario.discipline = discipline
    scenario.digest = digest
    return (
      ScenarioResult(scenario: scenario, file: file, exploration: exploration, isInterrupted: isInterrupted),
      ScenarioResult.Identity(members: members)
    )
  }

  private static func optional<T>(
    _ value: Value, _ read: (Value) throws(ScenarioError) -> T
  ) throws(ScenarioError) -> T? {
    if case .null = value.node.value { return nil }
    return try read(value)
  }

  /// An object without its nulls, which stand for "none" in a result and are left out in a scenario.
  private static func stripped(_ value: Value) -> Value {
    guard case .object(let members) = value.node.value else { return value }
    var value = value
    value.node.value = .object(
      members.filter { member in if case .null = member.value.value { false } else { true } })
    return value
  }

  private static func partition(
    _ value: Value, _ exploration: inout Exploration
  ) throws(ScenarioError) -> Partition {
    var fields = try value.fields()
    let count = try fields.need("count").integer(1 ... .max)
    let part = Partition(
      depth: try fields.need("depth").integer(0...100_000),
      index: try fields.need("index").integer(0...(count - 1)), count: count)
    exploration.prefixes = try fields.need("prefixes").integer(0 ... .max)
    exploration.passed = try fields.need("passed").integer(0 ... .max)
    try fields.end()
    return part
  }

  private static func expectation(_ value: Value) throws(ScenarioError) -> Expectation {
    var fields = try value.fields()
    let isViolation = try fields.need("verdict").choice([("holds", false), ("violation", true)])
    let rule = try optional(fields.need("rule")) { value throws(ScenarioError) in try value.string() }
    try fields.end()
    return Expectation(isViolation: isViolation, rule: rule)
  }

  private static func finding(_ value: Value) throws(ScenarioError) -> Finding {
    var fields = try value.fields()
    let place = try fields.need("rule")
    guard let rule = Rule.named(try place.string()) else { throw place.wrong("there is no such rule") }
    let message = try fields.need("message").string()
    let replay = try fields.need("replay").string()
    let preemptions = try fields.need("preemptions").integer(0 ... .max)
    let steps = try fields.need("steps").integer(0 ... .max)
    var story: [String] = []
    for line in try fields.need("story").array(100_000) { story.append(try line.string()) }
    try fields.end()
    return Finding(
      rule: rule, message: message, replay: replay, story: story.joined(separator: "\n"),
      preemptions: preemptions, steps: steps)
  }
}

extension JSONNode {
  /// The value as one text: the same for equal values.
  fileprivate var canonical: String {
    switch value {
    case .null: "null"
    case .bool(let bool): "\(bool)"
    case .integer(let number): "\(number)"
    case .fraction(let number): "\(number)"
    case .string(let text): "\"\(text)\""
    case .array(let elements): "[" + elements.map(\.canonical).joined(separator: ",") + "]"
    case .object(let members):
      "{" + members.map { "\"\($0.name)\":\($0.value.canonical)" }.sorted().joined(separator: ",") + "}"
    }
  }
}
