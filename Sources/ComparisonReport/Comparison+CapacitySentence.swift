// The sentence on capacity: the verdict in words, behind whatever limits it.
//
// Invariant: each case names what it compares; an interrupted or short run says so first.

extension Comparison {
  var capacitySentence: String {
    switch capacityVerdict {
    case .untrusted:
      return "The capacities are not compared, because the digests of the disciplines differ."
    case .nothing(someAreWrong: true):
      return "No discipline whose digest is right gave a capacity, so there is nothing to compare."
    case .nothing(someAreWrong: false):
      return interrupted
        ? "The run was interrupted before any capacity was measured."
        : "No capacity was measured, so there is nothing to compare."
    case .tooNoisy(let limit):
      let needed = NumberText.ratio(MachineFigures.quietShare * Double(machine.cpus))
      return sentence(
        "this machine is too noisy to compare, as \(machine.cpus) independent CPUs did only "
          + "\(NumberText.ratio(limit.median)) × the work of one, where \(needed) × are needed; "
          + "no ranking follows from these figures")
    case .single(let discipline):
      return sentence(
        "only \(discipline) gave a capacity that counts, \(rate(discipline)) frames/s, "
          + "and there is nothing to compare it with")
    case .noRatios:
      return sentence("no round gave two capacities whose ratio can be taken, so there is nothing to compare")
    case .costs(let reference, let costs):
      let remaining = costs.map { "\($0.discipline) \(NumberText.ratio($0.ratio.median)) ×" }
      return sentence(
        "on one CPU nothing runs in parallel and only costs can show, and of the frames/s of "
          + "\(reference == .oneCPU ? "plain spl" : "bigLock"), \(Comparison.list(remaining)) remain")
    case .noReference(let ranked):
      return sentence(withoutReference(ranked))
    case .referencesOnly(let ratio):
      return sentence(
        "bigLock on \(machine.cpus) CPUs does \(times(ratio)) the frames/s of oneCPU, "
          + "\(Comparison.judgement(ratio)), and no other discipline can be compared")
    case .gain(let best, over: let reference):
      return sentence(
        "the largest gain shown is that of \(best.discipline), \(times(best.ratio)) the frames/s of \(reference)"
          + oneCPUClause(best.discipline, reference) + orderedClause(best.discipline, reference))
    case .even(let best, with: let reference):
      return sentence(
        "no gain is shown, as the best of the others, \(best.discipline), does \(times(best.ratio)) the frames/s "
          + "of \(reference), \(Comparison.judgement(best.ratio))"
          + oneCPUClause(best.discipline, reference, after: "; it does"))
    case .loss(let best, to: let reference):
      return sentence(
        "\(reference == .bigLock ? "the big lock" : "one CPU") wins, as the best of the others, \(best.discipline), "
          + "does only \(times(best.ratio)) the frames/s of \(reference)"
          + oneCPUClause(best.discipline, reference))
    }
  }

  /// A sentence of a body that begins with a small letter, behind what limits it.
  private func sentence(_ body: String) -> String {
    if interrupted {
      return roundsDone == 0
        ? "Interrupted before the first of \(settings.rounds) rounds was complete: \(body)."
        : "Interrupted after \(roundsDone) of \(settings.rounds) rounds: \(body)."
    }
    if roundsDone < 6 {
      return
        "With only \(roundsDone) round\(roundsDone == 1 ? "" : "s"), where an interval takes six: \(body)."
    }
    // A name keeps its spelling, and no body begins with one, but for the big lock's.
    return body.hasPrefix("bigLock") ? "\(body)." : body.prefix(1).uppercased() + body.dropFirst() + "."
  }

  private func rate(_ discipline: Discipline) -> String {
    framesPerSecond(discipline).map { NumberText.compact($0.median) } ?? NumberText.missing
  }

  private func times(_ ratio: Interval) -> String {
    "\(NumberText.ratio(ratio.median)) × (\(NumberText.range(ratio, NumberText.ratio)))"
  }

  private func withoutReference(_ ranked: [Discipline]) -> String {
    guard let best = ranked.first, let worst = ranked.last else { return "no capacity was measured" }
    return "neither bigLock nor oneCPU gave a capacity that counts; the highest of the others is that of "
      + "\(best), \(rate(best)) frames/s, and the lowest that of \(worst), \(rate(worst))"
  }

  /// How the best stands against one CPU, and what this machine allows.
  private func oneCPUClause(
    _ best: Discipline, _ reference: Discipline, after joint: String = " and"
  ) -> String {
    var clause = ""
    if reference != .oneCPU, sound.contains(.oneCPU), let ratio = capacityRatio(best, to: .oneCPU) {
      clause +=
        ratio.high < 1
        ? "\(joint == " and" ? ", but" : joint) only \(times(ratio)) those of plain spl on one CPU"
        : "\(joint) \(NumberText.ratio(ratio.median)) × those of oneCPU"
    }
    if let limit = machine.parallelLimit {
      clause += ", where this machine allows \(NumberText.ratio(limit.median)) × one CPU"
    }
    return clause
  }

  /// The order has a bound of its own, the share of the busiest gate; it is said where S is not the lower.
  private func orderedClause(_ best: Discipline, _ reference: Discipline) -> String {
    guard sound.contains(.ordered), let ordered = capacityRatio(.ordered, to: reference) else { return "" }
    var clause = ""
    if best != .ordered {
      clause = "; ordered does \(NumberText.ratio(ordered.median)) × \(reference)"
      if reference != .oneCPU, sound.contains(.oneCPU), let ratio = capacityRatio(.ordered, to: .oneCPU) {
        clause += " and \(NumberText.ratio(ratio.median)) × oneCPU"
      }
    }
    guard let busiest = busiestGate, let bound = orderedBound, bound == 1 / busiest.share else {
      return clause
    }
    return clause + (best == .ordered ? "; gate \(busiest.level)" : ", where gate \(busiest.level)")
      + " with \(NumberText.percent(busiest.share)) of the work allows it "
      + "\(NumberText.ratio(bound)) × at most"
  }

  /// What an interval of a ratio allows to say.
  private static func judgement(_ ratio: Interval) -> String {
    if ratio.contains(1) { return "which cannot be told from no difference" }
    return ratio.low > 1 ? "which is a gain" : "which is a loss"
  }
}
