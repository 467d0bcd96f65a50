// What follows from the measured series: ratios by round, digests that agree, the bound of the order.
//
// Invariant: pure functions of the model. A ratio pairs values of the same round, because disciplines alternate
// within a round: what disturbed both cancels out.

extension Comparison {
  /// The result of one discipline; `nil` if it was not asked for.
  public func result(_ discipline: Discipline) -> DisciplineResult? {
    results.first { $0.discipline == discipline }
  }

  /// The capacity of a discipline, in frames per second.
  public func framesPerSecond(_ discipline: Discipline) -> Interval? {
    Interval(samples: result(discipline)?.measurements?.framesPerSecond ?? [])
  }

  /// The capacity of a discipline as a multiple of that of another, paired by round.
  public func capacityRatio(_ discipline: Discipline, to reference: Discipline) -> Interval? {
    ratio(discipline, to: reference, of: \.framesPerSecond)
  }

  /// The progress of base code under a discipline as a multiple of that under `bigLock`, paired by round.
  public func baseRatio(_ discipline: Discipline) -> Interval? {
    ratio(discipline, to: .bigLock, of: \.baseOperationsPerSecond)
  }

  private func ratio(
    _ discipline: Discipline, to reference: Discipline, of series: KeyPath<Measurements, [Double]>
  ) -> Interval? {
    guard let mine = result(discipline)?.measurements?[keyPath: series],
      let theirs = result(reference)?.measurements?[keyPath: series]
    else { return nil }
    // A division by zero gives no finite number, so it falls out of the interval.
    return Interval(samples: zip(mine, theirs).map { $0 / $1 })
  }

  /// How many rounds every discipline that was measured at all has finished.
  public var roundsDone: Int {
    results.compactMap { $0.measurements?.framesPerSecond.count }.min() ?? 0
  }

  /// The digest that the others are held against: that of the plain pass, or the first there is.
  public var expectedDigest: String? {
    referenceDigest ?? results.lazy.compactMap { $0.measurements?.digest }.first
  }

  /// Whether a discipline reproduced the expected digest; `nil` if it made none.
  public func digestAgrees(_ discipline: Discipline) -> Bool? {
    guard let digest = result(discipline)?.measurements?.digest else { return nil }
    return digest == expectedDigest
  }

  /// Whether no discipline's digest differs. A program that gets `false` exits with status 1.
  public var digestsAgree: Bool {
    results.allSatisfy { digestAgrees($0.discipline) != false }
  }

  /// The gate under which the largest share of the work is done, that of a soft level; `nil` if no share is known.
  ///
  /// The gate and not the level: a callout at `softClock` whose guard is `softNet` keeps `softNet` from running as its own handlers do.
  public var busiestGate: (level: LevelName, share: Double)? {
    var shares: [LevelName: Double] = [:]
    for stage in stages where stage.gate.isSoft && stage.share.isFinite && stage.share > 0 {
      shares[stage.gate, default: 0] += stage.share
    }
    return shares.max { ($0.value, $0.key) < ($1.value, $1.key) }.map { ($0.key, $0.value) }
  }

  /// How many times the capacity of one CPU ordered levels can reach at best here: S, and 1 / the busiest
  /// gate's share, whichever is less. `nil` if neither is known.
  public var orderedBound: Double? {
    let bounds = [machine.parallelLimit?.median, busiestGate.map { 1 / $0.share }].compactMap { $0 }
    return bounds.min()
  }
}
