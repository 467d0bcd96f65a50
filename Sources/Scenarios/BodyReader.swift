// The steps of one body: handlers, callouts, base code, visitors, devices, and the check at the end.
//
// Law: a step is an object with one verb and what that verb takes. A name of the body's own is known from the step that gives it a
// value on; a cell is touched inside of its opening only; what only some bodies may do is refused elsewhere.

import SoftInterrupts

/// Who does the steps.
enum BodyKind: String {
  case handler, callout, base, visitor, device, call, finally

  /// Whether the steps may take gates, wait and change handlers.
  var isAgent: Bool { self != .device && self != .finally }
}

struct BodyReader {
  let scenario: ScenarioReader
  let kind: BodyKind
  private var locals: [String: Int] = [:]
  private var openCells: [Int] = []
  private var nesting = 0
  /// Inside of a raise, a mask or the like.
  private var pins = 0
  /// How many steps there are, repetitions multiplied out, and by how much the next counts.
  private var count = 0
  private var factor = 1

  init(_ scenario: ScenarioReader, _ kind: BodyKind) {
    self.scenario = scenario
    self.kind = kind
  }

  var names: Names { scenario.names }

  mutating func body(_ value: Value) throws(ScenarioError) -> Body {
    let steps = try self.steps(value)
    return Body(steps: steps, locals: locals.count)
  }

  private mutating func steps(_ value: Value, isPinned: Bool = false) throws(ScenarioError) -> [Step] {
    nesting += 1
    if isPinned { pins += 1 }
    defer {
      nesting -= 1
      if isPinned { pins -= 1 }
    }
    if nesting > Scenario.Limit.nesting {
      throw value.wrong("steps are nested deeper than \(Scenario.Limit.nesting)")
    }
    var steps: [Step] = []
    let elements = try value.array(Scenario.Limit.steps)
    for (index, element) in elements.enumerated() {
      count += factor
      if count > Scenario.Limit.steps {
        throw element.wrong("more than \(Scenario.Limit.steps) steps, repetitions multiplied out")
      }
      steps.append(try step(element, isLast: index == elements.count - 1))
    }
    return steps
  }

  // MARK: One step

  private mutating func step(_ value: Value, isLast: Bool) throws(ScenarioError) -> Step {
    var fields = try value.fields()
    let verbs = Verb.allCases.map(\.rawValue)
    guard let name = fields.first(of: verbs), let verb = Verb(rawValue: name) else {
      throw value.wrong("a step has one of the keys \(verbs.joined(separator: ", "))")
    }
    let object = try fields.need(name)
    guard verb.isAllowed(in: kind) else { throw object.wrong("not in the steps of a \(kind)") }
    let action = try self.action(verb, object, &fields, isLast: isLast)
    try fields.end()
    return Step(line: UInt(value.node.line), action: action)
  }

  private mutating func action(
    _ verb: Verb, _ object: Value, _ fields: inout Fields, isLast: Bool
  ) throws(ScenarioError) -> Action {
    switch verb {
    case .read:
      let place = try place(object)
      return .read(.place(place), into: try answer(&fields))
    case .write: return .write(try place(object), try operand(fields.need("value")))
    case .add: return .add(try place(object), try operand(fields.take("value")) ?? .constant(.number(1)))
    case .set:
      let value = try operand(fields.need("value"))
      return .set(try local(object), value)
    case .raise:
      let level = try object.level()
      let isExact = try fields.take("exactly")?.bool() ?? false
      return .raise(level, isExact: isExact, try steps(fields.need("steps"), isPinned: true))
    case .tryRaise:
      let level = try object.level()
      let inside = try steps(fields.need("steps"), isPinned: true)
      return .tryRaise(level, inside, otherwise: try optionalSteps(&fields, "else"))
    case .mask: return .mask(try object.level(), try steps(fields.need("steps"), isPinned: true))
    case .bigLock:
      try object.flag()
      return .bigLock(try steps(fields.need("steps"), isPinned: true))
    case .lock: return .lock(try names.lock(object), try steps(fields.need("steps"), isPinned: true))
    case .open:
      let cell = try names.cell(object)
      openCells.append(cell)
      defer { openCells.removeLast() }
      return .open(cell, try steps(fields.need("steps"), isPinned: true))
    case .leaveCPU:
      try object.flag()
      guard nesting == 1 else { throw object.wrong("base code leaves its CPU outside of all other steps") }
      return .leaveCPU(try steps(fields.need("steps")))
    case .wait:
      let condition = try names.condition(object)
      return .wait(condition, try test(try fields.need("until"), &fields), into: try answer(&fields))
    case .spin:
      try object.flag()
      return .spin(try test(try fields.need("until"), &fields))
    case .branch:
      let test = try test(object, &fields)
      let inside = try steps(fields.need("then"))
      return .branch(test, inside, otherwise: try optionalSteps(&fields, "else"))
    case .times:
      let times = try object.integer(1...Scenario.Limit.steps)
      factor *= times
      defer { factor /= times }
      if factor > Scenario.Limit.steps {
        throw object.wrong("more than \(Scenario.Limit.steps) steps in all")
      }
      return .times(times, try steps(fields.need("steps")))
    case .expect:
      let test = try test(object, &fields)
      return .expect(test, try fields.take("message")?.text() ?? "")
    case .call: return try call(object, &fields)
    default: return try simple(verb, object, &fields, isLast: isLast)
    }
  }

  /// The verbs without steps of their own.
  private mutating func simple(
    _ verb: Verb, _ object: Value, _ fields: inout Fields, isLast: Bool
  ) throws(ScenarioError) -> Action {
    switch verb {
    case .schedule:
      let handler = try names.handler(object)
      let cpu = try fields.take("on").map { (value) throws(ScenarioError) in try self.cpu(value) }
      return .schedule(handler, on: cpu, into: try answer(&fields))
    case .disestablish: return .disestablish(try names.handler(object), into: try answer(&fields))
    case .suspend: return .suspend(try names.handler(object), into: try answer(&fields))
    case .resume: return .resume(try names.handler(object), into: try answer(&fields))
    case .setWay:
      let handler = try names.handler(object)
      let way = try fields.need("to").choice(WayIn.allCases.map { ($0.description, $0) })
      return .setWay(handler, way, into: try answer(&fields))
    case .arm:
      let callout = try names.callout(object)
      let after = try fields.need("after").integer(0...1_000_000_000_000)
      return .arm(callout, after: UInt64(after), into: try answer(&fields))
    case .cancel: return .cancel(try names.callout(object), into: try answer(&fields))
    case .halt: return .halt(try names.callout(object), into: try answer(&fields))
    case .retire:
      if case .string("self") = object.node.value, names.find("self") == nil {
        guard kind == .handler, nesting == 1, isLast else {
          throw object.wrong("a handler retires itself by its last step; a callout is retired by its name")
        }
        return .retireSelf
      }
      return .retire(try names.callout(object), into: try answer(&fields))
    case .broadcast: return .broadcast(try names.condition(object))
    case .barrier:
      return .barrier(try object.level(ScenarioReader.handlerLevels), into: try answer(&fields))
    case .offline, .online:
      guard pins == 0 else { throw object.wrong("a CPU is put on and off by a visitor that holds nothing") }
      let cpu = try cpu(object)
      return verb == .offline
        ? .offline(cpu, into: try answer(&fields)) : .online(cpu, into: try answer(&fields))
    case .checkpoint, .yield, .point:
      try object.flag()
      return verb == .checkpoint ? .checkpoint : verb == .yield ? .yield : .point
    default: throw object.wrong("no such step")
    }
  }

  private mutating func call(_ object: Value, _ fields: inout Fields) throws(ScenarioError) -> Action {
    let cpu = try cpu(object)
    let level = try fields.need("at").level(ScenarioReader.handlerLevels)
    let isWaited = try fields.take("andWait")?.bool() ?? false
    let steps = try fields.need("steps")
    // Another CPU does them, at another time: names of its own.
    var inside = BodyReader(scenario, .call)
    inside.nesting = nesting
    (inside.count, inside.factor) = (count, factor)
    let body = try inside.body(steps)
    count = inside.count
    return .crossCall(cpu, at: level, isWaited: isWaited, body, into: try answer(&fields))
  }

  private mutating func optionalSteps(
    _ fields: inout Fields, _ name: String
  ) throws(ScenarioError) -> [Step] {
    guard let value = fields.take(name) else { return [] }
    return try steps(value)
  }

  private func cpu(_ value: Value) throws(ScenarioError) -> Int { try value.integer(0...scenario.cpus - 1) }

  // MARK: Values

  private mutating func answer(_ fields: inout Fields) throws(ScenarioError) -> Int? {
    guard let value = fields.take("into") else { return nil }
    return try local(value)
  }

  /// A name of this body, known from here on.
  private mutating func local(_ value: Value) throws(ScenarioError) -> Int {
    let name = try Names.name(value)
    if let what = names.find(name) {
      throw value.wrong("\"\(name)\" is \(what.kind) already: choose another name")
    }
    if Answer(rawValue: name) != nil { throw value.wrong("\"\(name)\" is an answer: choose another name") }
    if let index = locals[name] { return index }
    locals[name] = locals.count
    return locals.count - 1
  }

  private func place(_ value: Value) throws(ScenarioError) -> Place {
    let name = try value.string()
    switch names.find(name) {
    case .datum(let index)?: return .datum(index)
    case .cell(let index)?:
      guard openCells.contains(index) else { throw value.wrong("a cell is touched inside of its \"open\"") }
      return .cell(index)
    default: throw value.wrong("there is no data of this name: declare it under \"data\"")
    }
  }

  private func operand(_ value: Value?) throws(ScenarioError) -> Operand? {
    guard let value else { return nil }
    return try operand(value)
  }

  func operand(_ value: Value) throws(ScenarioError) -> Operand {
    if case .integer(let number) = value.node.value { return .constant(.number(number)) }
    guard case .string(let text) = value.node.value else {
      throw value.wrong("a whole number or a name is wanted")
    }
    if let index = locals[text] { return .local(index) }
    switch names.find(text) {
    case .cell(let index)? where kind == .finally: return .sum(index)
    case .datum?, .cell?: return .place(try place(value))
    default: break
    }
    if text.hasSuffix(".runs") {
      switch names.find(String(text.dropLast(5))) {
      case .handler(let index)?: return .handlerRuns(index)
      case .callout(let index)?: return .calloutRuns(index)
      default: break
      }
    }
    if let answer = Answer(rawValue: text) { return .constant(.answer(answer)) }
    throw value.wrong(
      "no data, no name that an earlier step of this body has given a value, no NAME.runs and no answer")
  }

  private func test(_ left: Value, _ fields: inout Fields) throws(ScenarioError) -> Test {
    let relations = Test.Relation.allCases.map(\.rawValue)
    guard let name = fields.first(of: relations), let relation = Test.Relation(rawValue: name) else {
      throw left.wrong("compared by one of the keys \(relations.joined(separator: ", "))")
    }
    let right = try fields.need(name)
    return Test(
      left: try operand(left), relation: relation, right: try operand(right),
      text: "\(Self.shown(left)) \(Self.words(relation)) \(Self.shown(right))")
  }

  private static func shown(_ value: Value) -> String {
    switch value.node.value {
    case .integer(let number): String(number)
    case .string(let text): text
    default: "?"
    }
  }

  private static func words(_ relation: Test.Relation) -> String {
    switch relation {
    case .equal: "is"
    case .unequal: "is not"
    case .below: "is below"
    case .above: "is above"
    }
  }
}
