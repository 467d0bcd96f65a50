// The sentence on capacity: who handles more frames per second than the references, and by how much.
//
// Invariant: the cases are tried from the one that forbids a verdict to the one that allows it; each names what it
// compares, and "more" or "less" is said only where the interval of the ratio excludes 1.

extension Comparison {
  var capacitySentence: String {
    let measured = sound.filter { framesPerSecond($0) != nil }
    guard let first = measured.first else { return nothingToCompare }
    if machine.tooNoisy, let limit = machine.parallelLimit {
      let needed = MachineFigures.quietShare * Double(machine.cpus)
      return "\(preamble ?? "")\(inMidSentence("This machine is too noisy to compare")): "
        + "\(machine.cpus) independent CPUs did only \(NumberText.ratio(limit.median)) × the work of one, where "
        + "\(NumberText.ratio(needed)) × are needed, so no ranking follows from these figures."
    }
    if measured.count == 1 {
      return sentence(
        "only \(first) gave a capacity that counts, \(rate(first)) frames/s, "
          + "and there is nothing to compare it with"
      )
    }
    if machine.cpus == 1 { return onOneCPU(measured) }
    let others = measured.filter(Comparison.alternatives.contains)
    if measured.contains(.bigLock) { return sentence(against(.bigLock, others)) }
    if measured.contains(.oneCPU) { return sentence(against(.oneCPU, others)) }
    return sentence(withoutReference(measured))
  }

  /// What limits the whole statement, to stand before it.
  private var preamble: String? {
    if interrupted {
      return roundsDone == 0
        ? "Interrupted before the first of \(settings.rounds) rounds was complete: "
        : "Interrupted after \(roundsDone) of \(settings.rounds) rounds: "
    }
    guard roundsDone < 6 else { return nil }
    return "With only \(roundsDone) round\(roundsDone == 1 ? "" : "s"), where an interval takes six: "
  }

  private func inMidSentence(_ text: String) -> String {
    preamble == nil ? text : text.prefix(1).lowercased() + text.dropFirst()
  }

  /// A sentence of a body that begins with a small letter, behind what limits it.
  private func sentence(_ body: String) -> String {
    (preamble ?? "") + (preamble == nil ? body.prefix(1).uppercased() + body.dropFirst() : body) + "."
  }

  private var nothingToCompare: String {
    if referenceDigest == nil && !digestsAgree {
      return "The capacities are not compared, because the digests of the disciplines differ."
    }
    if results.contains(where: { !($0.measurements?.framesPerSecond.isEmpty ?? true) }) {
      return "No discipline whose digest is right gave a capacity, so there is nothing to compare."
    }
    return interrupted
      ? "The run was interrupted before any capacity was measured."
      : "No capacity was measured, so there is nothing to compare."
  }

  private func rate(_ discipline: Discipline) -> String {
    framesPerSecond(discipline).map { NumberText.compact($0.median) } ?? NumberText.missing
  }

  private func times(_ ratio: Interval) -> String {
    "\(NumberText.ratio(ratio.median)) × (\(NumberText.range(ratio, NumberText.ratio)))"
  }

  /// Nothing runs in parallel: only costs can be shown.
  private func onOneCPU(_ measured: [Discipline]) -> String {
    let reference: Discipline = measured.contains(.oneCPU) ? .oneCPU : .bigLock
    let costs = measured.filter { $0 != reference }.compactMap { discipline in
      capacityRatio(discipline, to: reference).map { "\(discipline) \(NumberText.ratio($0.median)) ×" }
    }
    guard !costs.isEmpty else {
      let hasReference = measured.contains(.oneCPU) || measured.contains(.bigLock)
      return sentence(hasReference ? Comparison.nothingInCommon : withoutReference(measured))
    }
    let name = reference == .oneCPU ? "plain spl" : "bigLock"
    return sentence(
      "on one CPU nothing runs in parallel and only costs can show: of the frames/s of \(name), "
        + "\(Comparison.list(costs)) remain")
  }

  private func withoutReference(_ measured: [Discipline]) -> String {
    let ranked = measured.sorted {
      (framesPerSecond($0)?.median ?? 0) > (framesPerSecond($1)?.median ?? 0)
    }
    guard let best = ranked.first, let worst = ranked.last else { return "no capacity was measured" }
    return "neither bigLock nor oneCPU gave a capacity that counts; the highest of the others is that of "
      + "\(best), \(rate(best)) frames/s, and the lowest that of \(worst), \(rate(worst))"
  }

  private typealias Gain = (discipline: Discipline, ratio: Interval)

  private func against(_ reference: Discipline, _ others: [Discipline]) -> String {
    let gains: [Gain] = others.compactMap { discipline in
      capacityRatio(discipline, to: reference).map { (discipline, $0) }
    }
    // Who shows a gain comes before who has a larger median that may be chance.
    let shown = gains.filter { $0.ratio.low > 1 }
    let candidates = shown.isEmpty ? gains : shown
    guard let best = candidates.max(by: { $0.ratio.median < $1.ratio.median }) else {
      guard reference == .bigLock, let ratio = capacityRatio(.bigLock, to: .oneCPU) else {
        return Comparison.nothingInCommon
      }
      return "bigLock on \(machine.cpus) CPUs does \(times(ratio)) the frames/s of oneCPU, "
        + "\(Comparison.verdict(ratio)), and no other discipline can be compared"
    }
    let figures = "\(times(best.ratio)) the frames/s of \(reference)"
    if !shown.isEmpty {
      return "the largest gain shown is that of \(best.discipline), \(figures)"
        + oneCPUClause(best.discipline, reference) + orderedClause(gains, best.discipline, reference)
    }
    if best.ratio.contains(1) {
      return "no gain is shown: the best of the others, \(best.discipline), does \(figures), "
        + "which cannot be told from no difference" + oneCPUClause(best.discipline, reference)
    }
    let winner = reference == .bigLock ? "the big lock wins" : "one CPU wins"
    return "\(winner): the best of the others, \(best.discipline), does only \(figures)"
      + oneCPUClause(best.discipline, reference)
  }

  private static let nothingInCommon =
    "no round gave two capacities of which one is a multiple of the other, so there is nothing to compare"

  /// How the best stands against one CPU, and what this machine allows.
  private func oneCPUClause(_ best: Discipline, _ reference: Discipline) -> String {
    var clause = ""
    if reference != .oneCPU, sound.contains(.oneCPU), let ratio = capacityRatio(best, to: .oneCPU) {
      clause +=
        ratio.high < 1
        ? ", but only \(times(ratio)) those of plain spl on one CPU"
        : " and \(NumberText.ratio(ratio.median)) × those of oneCPU"
    }
    if let limit = machine.parallelLimit {
      clause += ", where this machine allows \(NumberText.ratio(limit.median)) × one CPU"
    }
    return clause
  }

  /// The order has a bound of its own, the share of the busiest level; it is said where S is not the lower.
  private func orderedClause(_ gains: [Gain], _ best: Discipline, _ reference: Discipline) -> String {
    guard let ordered = gains.first(where: { $0.discipline == .ordered }) else { return "" }
    var clause = ""
    if best != .ordered {
      clause = "; ordered does \(NumberText.ratio(ordered.ratio.median)) × \(reference)"
      if reference != .oneCPU, sound.contains(.oneCPU), let ratio = capacityRatio(.ordered, to: .oneCPU) {
        clause += " and \(NumberText.ratio(ratio.median)) × oneCPU"
      }
    }
    guard let busiest = busiestLevel, let bound = orderedBound, bound == 1 / busiest.share else {
      return clause
    }
    return clause + (best == .ordered ? "; \(busiest.level)" : ", where \(busiest.level)")
      + " with \(NumberText.percent(busiest.share)) of the work allows it \(NumberText.ratio(bound)) × at most"
  }

  /// What an interval of a ratio allows to say.
  static func verdict(_ ratio: Interval) -> String {
    if ratio.contains(1) { return "which cannot be told from no difference" }
    return ratio.low > 1 ? "which is a gain" : "which is a loss"
  }
}
