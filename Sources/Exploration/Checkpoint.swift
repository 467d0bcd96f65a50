// The state of a search between two runs, as one line of text.
//
// Law: the text says everything that later runs depend on, so a search that is gone on with gives the same totals as one that was
// not interrupted. Reading is strict: a text is taken as it was written or not at all. That the program is the same is the
// caller's matter; one that does not do what the path says is noticed when it is run (``SearchError/different(step:)``).

import SimulatedMachine

/// Why a search could not be gone on with.
public enum CheckpointError: Error, Sendable, Equatable, CustomStringConvertible {
  /// It is no checkpoint, or not one of this version.
  case foreign
  /// It was cut or changed.
  case damaged(String)
  /// It is one of another search: what differs.
  case another(String)

  public var description: String {
    switch self {
    case .foreign: "this is no checkpoint of a search: it does not begin with \"\(Checkpoint.version)\""
    case .damaged(let part): "the checkpoint was cut or changed: its \(part) cannot be"
    case .another(let part): "the checkpoint is of another search: its \(part) differs"
    }
  }
}

struct Checkpoint {
  static let version = "softint-search/1"

  /// What must be the same: strategy, machine, limits of a run, part.
  var search: [(name: String, value: String)] = []
  /// Schedules, redundant, steps, passed, prefixes, the longest run.
  var numbers: [Int] = []
  var outcomes: [String: Int] = [:]
  var nodes: [Node] = []

  static let numberCount = 6

  /// Compares with another search's.
  func expect(_ other: [(name: String, value: String)]) throws(CheckpointError) {
    guard search.count == other.count else { throw .damaged("search") }
    for (mine, other) in zip(search, other) {
      if mine.name != other.name { throw .damaged("search") }
      if mine.value != other.value { throw .another(mine.name) }
    }
  }

  // MARK: Writing

  var text: String {
    var line = Self.version
    for (name, value) in search { line += " \(name)=\(value)" }
    line += " numbers=" + numbers.map(String.init).joined(separator: ",")
    line += " outcomes="
    line += outcomes.sorted { $0.key < $1.key }.map { "\($0.value)*\(Self.escaped($0.key))" }.joined(
      separator: ",")
    line += " path="
    for (index, node) in nodes.enumerated() {
      if index > 0 { line += "," }
      let sets = [node.enabled, node.done, node.backtrack].map { String($0, radix: 16) }
      let rest = [Int(node.chosen), Int(node.running), Int(node.preemptions)].map { String($0, radix: 16) }
      line += (sets + rest).joined(separator: ".")
    }
    return line + " sum=" + String(Self.sum(line), radix: 16)
  }

  /// FNV-1a: finds what was cut or changed by accident.
  private static func sum(_ text: some StringProtocol) -> UInt64 {
    var sum: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return sum
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
    default: false
    }
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      if isPlain(byte) {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        result += "%" + String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
      }
    }
    return result
  }

  // MARK: Reading

  init() {}

  init(_ text: String) throws(CheckpointError) {
    var line = text[...]
    while line.last == "\n" || line.last == "\r\n" { line.removeLast() }
    var fields = line.split(separator: " ", omittingEmptySubsequences: false)
    guard fields.first.map(String.init) == Self.version else { throw .foreign }
    guard let last = fields.last, last.hasPrefix("sum="), let sum = UInt64(last.dropFirst(4), radix: 16),
      Self.sum(line.dropLast(last.count + 1)) == sum, fields.count >= 5
    else { throw .damaged("sum") }
    fields.removeFirst()
    fields.removeLast()
    let path = try Self.value("path", &fields)
    let outcomes = try Self.value("outcomes", &fields)
    let numbers = try Self.value("numbers", &fields)
    for field in fields {
      guard let sign = field.firstIndex(of: "=") else { throw .damaged("search") }
      search.append((String(field[..<sign]), String(field[field.index(after: sign)...])))
    }
    for number in numbers.split(separator: ",", omittingEmptySubsequences: false) {
      guard let number = Int(number), number >= 0 else { throw .damaged("numbers") }
      self.numbers.append(number)
    }
    if self.numbers.count != Self.numberCount { throw .damaged("numbers") }
    for item in outcomes.split(separator: ",") {
      guard let star = item.firstIndex(of: "*"), let count = Int(item[..<star]), count > 0,
        let name = Self.plain(item[item.index(after: star)...]),
        self.outcomes.updateValue(count, forKey: name) == nil
      else { throw .damaged("outcomes") }
    }
    for item in path.split(separator: ",") { nodes.append(try Self.node(item)) }
  }

  private static func value(_ name: String, _ fields: inout [Substring]) throws(CheckpointError) -> Substring
  {
    guard let field = fields.popLast(), field.hasPrefix(name + "=") else { throw .damaged(name) }
    return field.dropFirst(name.count + 1)
  }

  private static func node(_ text: Substring) throws(CheckpointError) -> Node {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 6, let enabled = ProcessSet(parts[0], radix: 16),
      let done = ProcessSet(parts[1], radix: 16),
      let backtrack = ProcessSet(parts[2], radix: 16), let chosen = UInt8(parts[3], radix: 16),
      let running = UInt8(parts[4], radix: 16), let preemptions = UInt16(parts[5], radix: 16),
      chosen < SimulatedMachine.processLimit, enabled.has(Int(chosen)), !done.has(Int(chosen)),
      backtrack & ~enabled == 0,
      running < SimulatedMachine.processLimit || running == Node.nobody || running == Node.option
    else { throw .damaged("path") }
    return Node(
      enabled: enabled, done: done, backtrack: backtrack, chosen: chosen, running: running,
      preemptions: preemptions)
  }

  private static func plain(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var left = Array(text.utf8)[...]
    while let byte = left.popFirst() {
      if byte == 0x25 {
        guard left.count >= 2, let value = UInt8(String(decoding: left.prefix(2), as: UTF8.self), radix: 16),
          !isPlain(value)
        else { return nil }
        bytes.append(value)
        left = left.dropFirst(2)
      } else if isPlain(byte) {
        bytes.append(byte)
      } else {
        return nil
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }
}

extension Explorer {
  /// What a search is, for its checkpoints.
  var identity: [(name: String, value: String)] {
    let kind =
      switch strategy {
      case .exhaustive(let bound): "exhaustive" + (bound.map { ".\($0)" } ?? "")
      case .everyChoice(let bound): "everyChoice" + (bound.map { ".\($0)" } ?? "")
      case .random(let seed, let schedules): "random.\(seed).\(schedules)"
      case .priorities(let seed, let schedules, let depth): "priorities.\(seed).\(schedules).\(depth)"
      }
    return [
      ("strategy", kind), ("memory", "\(memory)"), ("recognition", "\(recognition)"), ("cpus", "\(cpus)"),
      ("steps", "\(limits.steps)"), ("time", "\(limits.time)"),
      ("part", partition.map { "\($0.depth).\($0.index).\($0.count)" } ?? "all"),
    ]
  }
}
