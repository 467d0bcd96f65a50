// The sentence on latency and base progress under the open loop.
//
// Invariant: polling and parked figures are never mixed in one statement; "less" and "more" are said only where
// the intervals of two medians are apart; dropped frames have no latency, so they are named beside it.

extension Comparison {
  /// The idle mode that the main table and the sentence speak of: polling if anybody measured it.
  var mainIdleMode: IdleMode? {
    [IdleMode.poll, .park].first { mode in results.contains { $0.openLoop(mode) != nil } }
  }

  var latencySentence: String {
    guard let mode = mainIdleMode else { return noLatency }
    let measured = sound.filter { discipline in
      Comparison.levels.contains { p99(discipline, mode, $0.series) != nil }
    }
    guard let first = measured.first else { return noLatency }
    let load = NumberText.plain(settings.loadPercent)
    let scene =
      "At \(load) % of the load of one CPU, idle CPUs \(mode == .poll ? "polling" : "parked"), "
    let reference = [Discipline.bigLock, .oneCPU].first(where: measured.contains)
    let others = measured.filter { $0 != reference }
    let body: String
    if let reference, let focus = focus(of: others, mode) {
      body = compare(focus, with: reference, mode)
    } else {
      let best = others.min { fasterFirst($0, $1, mode) } ?? first
      let rank = measured.count > 1 && reference == nil ? ", the fastest of those measured" : ""
      body = describe(best, mode) + rank + ", with no other reference to compare"
    }
    let caution = machine.tooNoisy ? "For what it is worth on this machine: at" : nil
    return (caution.map { $0 + scene.dropFirst(2) } ?? scene) + body + dropClause(measured, mode) + "."
  }

  /// Whom to speak of: ordered, the one that changes no handler; else whoever has the lowest p99; one CPU last.
  private func focus(of others: [Discipline], _ mode: IdleMode) -> Discipline? {
    if others.contains(.ordered) { return .ordered }
    let alternatives = others.filter(Comparison.alternatives.contains)
    return (alternatives.isEmpty ? others : alternatives).min { fasterFirst($0, $1, mode) }
  }

  private func fasterFirst(_ left: Discipline, _ right: Discipline, _ mode: IdleMode) -> Bool {
    func key(_ discipline: Discipline) -> Double { p99(discipline, mode, \.softNet)?.median ?? .infinity }
    return key(left) < key(right)
  }

  private var noLatency: String {
    if mainIdleMode != nil && sound.isEmpty {
      return "The latencies are not compared either, because no digest is known to be right."
    }
    return interrupted
      ? "The run was interrupted before any latency was measured."
      : "No latency was measured."
  }

  func p99(
    _ discipline: Discipline, _ mode: IdleMode, _ series: KeyPath<OpenLoop, LatencySeries>
  ) -> Interval? {
    result(discipline)?.openLoop(mode)?[keyPath: series].percentile(0.99)
  }

  private static let levels: [(name: String, series: KeyPath<OpenLoop, LatencySeries> & Sendable)] = [
    ("softNet", \.softNet), ("softSerial", \.softSerial),
  ]

  private func describe(_ discipline: Discipline, _ mode: IdleMode) -> String {
    let parts = Comparison.levels.compactMap { level in
      p99(discipline, mode, level.series).map { "\(level.name) within \(NumberText.duration($0.median))" }
    }
    return "\(discipline) completes 99 % of \(Comparison.list(parts))"
  }

  private func compare(_ focus: Discipline, with reference: Discipline, _ mode: IdleMode) -> String {
    let pairs = Comparison.levels.compactMap { level -> String? in
      guard let mine = p99(focus, mode, level.series),
        let theirs = p99(reference, mode, level.series)
      else { return nil }
      return
        "\(level.name) within \(NumberText.duration(mine.median)), \(Comparison.difference(mine, theirs)) "
        + "\(reference)'s \(NumberText.duration(theirs.median))"
    }
    guard !pairs.isEmpty else {
      return describe(focus, mode) + ", and \(reference) measured nothing to hold against that"
    }
    return "\(focus) completes 99 % of \(pairs.joined(separator: ", and of "))"
      + baseClause(focus, reference)
  }

  /// How two medians differ, as far as their intervals are apart.
  static func difference(_ mine: Interval, _ theirs: Interval) -> String {
    if mine.high < theirs.low {
      return mine.median > 0
        ? "\(NumberText.compact(theirs.median / mine.median)) × shorter than" : "shorter than"
    }
    if mine.low > theirs.high {
      return theirs.median > 0
        ? "\(NumberText.compact(mine.median / theirs.median)) × longer than" : "longer than"
    }
    return "not clearly different from"
  }

  private func baseClause(_ focus: Discipline, _ reference: Discipline) -> String {
    guard reference == .bigLock, let ratio = baseRatio(focus) else { return "" }
    let verdict = ratio.contains(1) ? ", no clear difference" : ""
    return "; base code gets \(NumberText.ratio(ratio.median)) × as much done as under \(reference)\(verdict)"
  }

  private func dropClause(_ measured: [Discipline], _ mode: IdleMode) -> String {
    let dropping = measured.compactMap { discipline -> String? in
      guard let drops = result(discipline)?.openLoop(mode)?.drops, drops > 0 else { return nil }
      return "\(discipline) (\(NumberText.count(drops)))"
    }
    guard !dropping.isEmpty else { return "" }
    return "; frames were dropped under \(Comparison.list(dropping)), and a dropped frame has no latency"
  }
}

extension DisciplineResult {
  /// What the open loop measured in one idle mode.
  func openLoop(_ mode: IdleMode) -> OpenLoop? {
    switch mode {
    case .poll: measurements?.polling
    case .park: measurements?.parked
    }
  }
}
