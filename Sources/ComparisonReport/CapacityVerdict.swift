// What the capacities of a comparison allow to say, as a value: the headline and the sentence are words for it.
//
// Invariant: the cases are tried from the one that forbids a verdict to the one that allows it, and a gain or a loss
// is found only where the interval of the ratio excludes 1.

/// What the capacities allow to say.
enum CapacityVerdict: Equatable {
  /// One discipline's capacity as a multiple of the reference's.
  struct Gain: Equatable {
    let discipline: Discipline
    let ratio: Interval
  }

  /// Digests differ and none is known to be right.
  case untrusted
  /// No discipline gave a capacity; or only ones whose digest is wrong did.
  case nothing(someAreWrong: Bool)
  /// The parallel limit is below what a comparison needs.
  case tooNoisy(limit: Interval)
  /// One discipline alone.
  case single(Discipline)
  /// Of all pairs, no round gave a ratio.
  case noRatios
  /// On one CPU: what remains of the reference's capacity.
  case costs(reference: Discipline, [Gain])
  /// Neither `bigLock` nor `oneCPU` is there; the others, highest first.
  case noReference([Discipline])
  /// Only `bigLock` and `oneCPU` are there; the ratio of the first to the second.
  case referencesOnly(Interval)
  /// The best alternative is ahead of the reference.
  case gain(Gain, over: Discipline)
  /// The best alternative cannot be told from the reference.
  case even(Gain, with: Discipline)
  /// All alternatives are behind the reference.
  case loss(Gain, to: Discipline)
}

extension Comparison {
  var capacityVerdict: CapacityVerdict {
    let measured = sound.filter { framesPerSecond($0) != nil }
    guard let first = measured.first else {
      if referenceDigest == nil && !digestsAgree { return .untrusted }
      return .nothing(someAreWrong: results.contains { framesPerSecond($0.discipline) != nil })
    }
    if machine.tooNoisy, let limit = machine.parallelLimit { return .tooNoisy(limit: limit) }
    if measured.count == 1 { return .single(first) }
    guard
      let reference = [machine.cpus == 1 ? .oneCPU : .bigLock, .bigLock, .oneCPU].first(
        where: measured.contains)
    else {
      return .noReference(
        measured.sorted { (framesPerSecond($0)?.median ?? 0) > (framesPerSecond($1)?.median ?? 0) })
    }
    if machine.cpus == 1 {
      let costs = gains(of: measured.filter { $0 != reference }, over: reference)
      return costs.isEmpty ? .noRatios : .costs(reference: reference, costs)
    }
    let gains = gains(of: measured.filter(Comparison.alternatives.contains), over: reference)
    // Who shows a gain comes before who has a larger median that may be chance.
    let shown = gains.filter { $0.ratio.low > 1 }
    guard let best = (shown.isEmpty ? gains : shown).max(by: { $0.ratio.median < $1.ratio.median }) else {
      guard measured.contains(.oneCPU), let ratio = capacityRatio(.bigLock, to: .oneCPU) else {
        return .noRatios
      }
      return .referencesOnly(ratio)
    }
    if !shown.isEmpty { return .gain(best, over: reference) }
    return best.ratio.contains(1) ? .even(best, with: reference) : .loss(best, to: reference)
  }

  func gains(of disciplines: [Discipline], over reference: Discipline) -> [CapacityVerdict.Gain] {
    disciplines.compactMap { discipline in
      capacityRatio(discipline, to: reference).map { CapacityVerdict.Gain(discipline: discipline, ratio: $0) }
    }
  }

  /// The verdict in a few words, for the top of a page.
  var headline: String {
    if !digestsAgree { return "The digests differ" }
    let name = { (reference: Discipline) in reference == .bigLock ? "the big lock" : "one CPU" }
    switch capacityVerdict {
    case .untrusted: return "The digests differ"
    case .nothing: return "No capacity was measured"
    case .tooNoisy: return "This machine is too noisy to compare"
    case .single(let discipline): return "\(discipline) alone: nothing to compare"
    case .noRatios: return "Nothing to compare"
    case .costs: return "What each discipline costs on one CPU"
    case .noReference: return "Disciplines without a reference"
    case .referencesOnly(let ratio):
      return "The big lock: \(NumberText.ratio(ratio.median)) × the capacity of one CPU"
    case .gain(let best, over: let reference):
      return "\(best.discipline): \(NumberText.ratio(best.ratio.median)) × the capacity of \(name(reference))"
    case .even(_, with: let reference): return "No gain over \(name(reference)) is shown"
    case .loss(_, to: let reference): return reference == .bigLock ? "The big lock wins" : "One CPU wins"
    }
  }
}
