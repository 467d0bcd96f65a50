// A run as a text that a person can read: one column a CPU, what each did that matters, where it went wrong.
//
// Law: it tells what can be seen from outside (levels, gates, runs, waits, declared data), by comparing before and after each
// step; single words are named only in the last steps, where they may be the point.

import SimulatedMachine
import SoftInterrupts

final class StoryTeller: Follower {
  private struct Line {
    var step: Int
    var process: Int
    var text: String
    var isDetail: Bool
  }
  private struct Seen {
    var ipl = Level.none
    var owned: GateSet = []
    var runs: [String] = []
    var waits = 0
    var waitsFor: String?
  }
  private var lines: [Line] = []
  private var seen: [Seen] = []
  private var names: [String] = []
  private var kinds: [ProcessKind] = []
  /// Who changed each object last; and, for the words of LevelLocks, who took it last (by a compare-exchange) or was granted it.
  private var setters: [UInt32: Int] = [:]
  private var takers: [UInt32: Int] = [:]
  private weak var machine: SimulatedMachine?

  override func setter(of word: UnsafeMutablePointer<SimulatedWord>) -> Int? {
    machine.flatMap { setters[$0.objectNumber(word)] }
  }
  private var moments: [Timeline.Moment] = []

  override func lockOwner(of word: UnsafeMutablePointer<SimulatedWord>) -> Int? {
    machine.flatMap { takers[$0.objectNumber(word)] }
  }

  private func noteWrite(_ machine: SimulatedMachine, _ event: Event, _ process: Int) {
    setters[event.object] = process
    guard event.kind == .compareExchange else { return }
    takers[event.object] = process
    guard event.value == 2, let word = machine.word(event.object) else { return }
    // Perhaps a waiter's word: its lock is handed over.
    for other in 0..<machine.processCount {
      let waits = machine.current(other).flatMap { System.view(of: $0) }?.waits ?? []
      for wait in waits where wait.isLock && wait.state == word {
        takers[machine.objectNumber(wait.word)] = other
      }
    }
  }

  override func begin(_ machine: SimulatedMachine, _ system: System?) {
    super.begin(machine, system)
    lines = []
    seen = []
    names = []
    kinds = []
    setters = [:]
    takers = [:]
    self.machine = machine
    moments = []
    added = []
  }

  /// A line that the program adds. What it has just done is told with the next step only, and comes first.
  func add(_ text: String, _ process: Int, _ machine: SimulatedMachine) {
    added.append((text, process))
  }
  private var added: [(text: String, process: Int)] = []

  private func tellAdded(_ step: Int) {
    for (text, process) in added where process < seen.count {
      lines.append(Line(step: step, process: process, text: text, isDetail: false))
      noteMoment(step, process)
    }
    added.removeAll()
  }

  private func learn(_ machine: SimulatedMachine) {
    while names.count < machine.processCount {
      kinds.append(machine.kind(names.count))
      names.append(machine.name(names.count))
      seen.append(Seen())
    }
  }

  /// Keeps where a process stands, and what was noted of it at this step.
  private func noteMoment(_ step: Int, _ process: Int) {
    let notes = lines.reversed().prefix { $0.step == step && $0.process == process }.reversed()
    if let last = moments.last, last.step == step, last.lane == process { moments.removeLast() }
    let state = seen[process]
    moments.append(
      Timeline.Moment(
        step: step, lane: process, level: state.ipl, gates: state.owned, runs: state.runs,
        waitsFor: state.waitsFor, notes: notes.map { ($0.text, $0.isDetail) }))
  }

  /// What was seen, for drawing.
  var timeline: Timeline {
    tellAdded(observed)
    return Timeline(lanes: names, isCPU: kinds.map { $0 == .cpu }, moments: moments, steps: observed)
  }

  override func happened(_ machine: SimulatedMachine, _ event: Event, _ index: Int) {
    let process = Expected.running(machine, event)
    learn(machine)
    let before = lines.count
    defer {
      if lines.count > before { noteMoment(index, process) }
      tellAdded(index)
    }
    func note(_ text: String, isDetail: Bool = false) {
      lines.append(Line(step: index, process: process, text: text, isDetail: isDetail))
    }
    if event.access == .write { noteWrite(machine, event, process) }
    let object = name(machine, event)
    switch event.kind {
    case .interrupt: note("is interrupted")
    case .start: if kinds[process] != .cpu { note("begins") }
    case .end: note("ends")
    case .read: note("reads \(object)")
    case .write: note("writes \(object)")
    case .park: note("sleeps, wakes", isDetail: true)
    case .unpark: note("rings \(object)", isDetail: true)
    case .heavyFence: note("heavy fence", isDetail: true)
    case .pause, .point, .lightFence, .localFence, .join: break
    case .load where object.isEmpty, .store where object.isEmpty: break
    case .load: note("\(object) is \(Self.shown(event.value, object))", isDetail: true)
    case .store, .exchange, .fetchAdd, .fetchOr, .fetchAnd:
      note("\(object) = \(Self.shown(event.value, object))", isDetail: true)
    case .compareExchange:
      note(
        event.access == .write
          ? "\(object) = \(Self.shown(event.value, object))" : "\(object) is not as expected",
        isDetail: true)
    }
    guard let current = machine.current(process), let view = System.view(of: current) else { return }
    let earlier = seen[process]
    var after = Seen()
    after.ipl = view.ipl.pointee
    after.owned = gates(of: process)
    after.runs = view.runs
    after.waits = view.waits.count
    after.waitsFor = view.waits.last.map { $0.isLock ? "a LevelLock at \($0.level)" : "gate \($0.level)" }
    let taken = after.owned.subtracting(earlier.owned)
    let freed = earlier.owned.subtracting(after.owned)
    if !taken.isEmpty { note("takes \(taken)") }
    if !freed.isEmpty { note("frees \(freed)") }
    if after.runs.count > earlier.runs.count {
      for run in after.runs[earlier.runs.count...] { note("\"\(run)\" starts") }
    } else if after.runs.count < earlier.runs.count {
      for run in earlier.runs[after.runs.count...].reversed() { note("\"\(run)\" ends") }
    }
    if after.waits > earlier.waits, let wait = view.waits.last {
      note("waits for \(wait.isLock ? "a LevelLock at " : "")\(wait.level)")
    }
    if after.ipl != earlier.ipl && after.ipl != .high && earlier.ipl != .high {
      note("IPL \(after.ipl)", isDetail: after.owned != earlier.owned)
    }
    if after.ipl == .high { after.ipl = earlier.ipl }
    seen[process] = after
  }

  /// A word's value. Addresses differ from run to run and are not told; what is pending is bits, many of them high.
  private static func shown(_ value: UInt, _ object: String) -> String {
    value >> 40 == 0 || object.hasPrefix("pending") ? String(value, radix: 16) : "an address"
  }

  // MARK: Text

  /// The story, ending with the rule that was broken.
  func story(_ rule: Rule, _ message: String) -> String {
    tellAdded(observed)
    let detailFrom = (lines.last?.step ?? 0) - 8
    var told = lines.filter { !$0.isDetail || $0.step >= detailFrom }
    // Of a long run the beginning, which says who is who, and the end, where it goes wrong.
    let (first, last) = (16, 84)
    var gap: (at: Int, count: Int)?
    if told.count > first + last + 1 {
      gap = (first, told.count - first - last)
      told.removeSubrange(first..<told.count - last)
    }
    func skipped(_ index: Int) -> String {
      guard let gap, gap.at == index else { return "" }
      return "   … \(gap.count) lines of the middle are left out …\n"
    }
    var text = ""
    let columns = names.indices.filter { index in
      kinds[index] == .cpu || told.contains { $0.process == index }
    }
    let width = columns.isEmpty ? 0 : (80 - 5) / columns.count
    if width >= 18 {
      text += Self.row("", columns.map { names[$0] }, width)
      for (index, line) in told.enumerated() {
        text += skipped(index)
        let column = columns.firstIndex(of: line.process) ?? 0
        for (part, piece) in Self.wrapped(line.text, width - 2).enumerated() {
          var cells = Array(repeating: "", count: columns.count)
          cells[column] = piece
          text += Self.row(part == 0 ? String(line.step) : "", cells, width)
        }
      }
    } else {
      for (index, line) in told.enumerated() {
        text += skipped(index)
        for (part, piece) in Self.wrapped("\(names[line.process]): \(line.text)", 74).enumerated() {
          text += Self.row(part == 0 ? String(line.step) : "", [piece], 75)
        }
      }
    }
    text += "=> \(rule)\n"
    for line in message.split(separator: "\n") {
      for piece in Self.wrapped(String(line), 76) { text += "   \(piece)\n" }
    }
    // The witness's message ends with its rule already.
    if case .witness = rule { return text }
    for (part, piece) in Self.wrapped(rule.explanation, 71).enumerated() {
      text += (part == 0 ? "   Rule: " : "         ") + piece + "\n"
    }
    return text
  }

  private static func row(_ step: String, _ cells: [String], _ width: Int) -> String {
    var line = String(repeating: " ", count: max(0, 4 - step.count)) + step + " "
    for cell in cells { line += cell + String(repeating: " ", count: max(0, width - cell.count)) }
    while line.last == " " { line.removeLast() }
    return line + "\n"
  }

  /// Broken at spaces, hard where there are none.
  private static func wrapped(_ text: String, _ width: Int) -> [String] {
    let indent = text.prefix { $0 == " " }
    var lines: [String] = []
    var line = String(indent)
    for word in text.split(separator: " ") {
      var word = String(word)
      if !line.allSatisfy({ $0 == " " }) && line.count + 1 + word.count > width {
        lines.append(line)
        line = String(indent)
      }
      while word.count > width {
        lines.append(String(word.prefix(width)))
        word.removeFirst(width)
      }
      line += (line.allSatisfy { $0 == " " } ? "" : " ") + word
    }
    lines.append(line)
    return lines
  }
}
