// The three sentences that say what a comparison means: capacity, latency, correctness.
//
// Invariant: always exactly three, each true of the figures at hand, whatever was measured. A verdict is given
// only where the intervals are apart, and a discipline whose digest differs is never praised.

extension Comparison {
  /// What the comparison means, in three sentences: on capacity, on latency and base progress, and on
  /// whether all disciplines computed the same.
  public var sentences: [String] {
    [capacitySentence, latencySentence, correctnessSentence]
  }

  /// The disciplines whose figures count: their digest does not differ, as far as there is one. Without a
  /// reference nobody can say which of differing digests is right, so then none counts.
  var sound: [Discipline] {
    if referenceDigest == nil && !digestsAgree { return [] }
    return results.filter { $0.measurements != nil }.map(\.discipline).filter { digestAgrees($0) != false }
  }

  /// The disciplines that stand against the references.
  static let alternatives: [Discipline] = [.ordered, .disjoint, .mpSafe, .threads, .mixed]

  /// "a", "a and b", "a, b and c".
  static func list(_ names: [String]) -> String {
    guard let last = names.last else { return "" }
    if names.count == 1 { return last }
    return names.dropLast().joined(separator: ", ") + " and " + last
  }

  static func list(_ disciplines: [Discipline]) -> String { list(disciplines.map(\.rawValue)) }

  /// Says whether the same flow table came out everywhere, and what the witness thought of it.
  var correctnessSentence: String {
    let parts = [digestClause, violationClause, infeasibleClause].compactMap { $0 }
    return parts.joined(separator: "; ") + "."
  }

  private var digestClause: String {
    let measured = results.filter { $0.measurements != nil }.map(\.discipline)
    let made = measured.filter { digestAgrees($0) != nil }
    let differing = measured.filter { digestAgrees($0) == false }
    let absent = measured.filter { digestAgrees($0) == nil }
    if !differing.isEmpty {
      if referenceDigest == nil {
        return "The digests differ between disciplines and no plain pass says which is right, "
          + "so no figure here counts"
      }
      return "The digests differ: \(Comparison.list(differing)) computed another flow table than the "
        + "plain pass, so \(differing.count == 1 ? "its" : "their") figures do not count"
    }
    if made.isEmpty {
      return "No discipline made a digest, so nothing shows that the flow tables are equal"
    }
    let same = referenceDigest == nil ? "the same flow table" : "the same flow table as the plain pass"
    var clause: String
    if made.count == 1 {
      clause =
        referenceDigest == nil
        ? "Only \(made[0]) made a digest, which there is nothing to hold against"
        : "Only \(made[0]) made a digest, and it is that of the plain pass"
    } else if absent.isEmpty {
      clause = "All \(made.count) disciplines that ran computed \(same)"
    } else {
      clause = "The \(made.count) disciplines \(Comparison.list(made)) computed \(same)"
    }
    if !absent.isEmpty { clause += "; \(Comparison.list(absent)) made no digest" }
    return clause
  }

  private var violationClause: String? {
    let ran = results.filter { $0.measurements != nil }
    guard !ran.isEmpty else { return nil }
    let broken = ran.filter { $0.violationCount > 0 }
    if !broken.isEmpty {
      let names = broken.map { "\($0.discipline) (\(NumberText.count($0.violationCount)))" }
      return "the witness saw the order violated under \(Comparison.list(names))"
    }
    return settings.witness
      ? "the witness saw no violation" : "the witness was off, so the order was not checked"
  }

  private var infeasibleClause: String? {
    let infeasible = results.filter { $0.reason != nil }.map(\.discipline)
    guard !infeasible.isEmpty else { return nil }
    return
      "\(Comparison.list(infeasible)) \(infeasible.count == 1 ? "is" : "are") infeasible for this workload"
  }
}
