// The flow meter, as `softint compare` runs it, against what the machine and the shares of the work allow.
//
// Law: one comparison is one session: its own rounds alternate between the disciplines, and ratios are within its rounds. A ratio
// to the big lock counts only where that is at least 0.95 of one CPU, so these are to one CPU.

import ComparisonReport
import Gauges
import Workloads

/// Ratios of a comparison's rounds.
private func ratios(_ comparison: Comparison, _ discipline: Discipline, to reference: Discipline) -> [Double]
{
  let ours = comparison.result(discipline)?.measurements?.framesPerSecond ?? []
  let theirs = comparison.result(reference)?.measurements?.framesPerSecond ?? []
  return zip(ours, theirs).map { $0 / $1 }
}

private func run(_ root: String, cpus: Int, _ disciplines: [Discipline], seconds: Double) throws -> Comparison
{
  let capture = try LoadedCapture(path: root + "/Sources/softint/Resources/bundled.pcapng")
  var options = ComparisonOptions()
  options.cpus = cpus
  options.disciplines = disciplines
  options.seconds = seconds
  options.idle = .poll
  options.captureName = "bundled capture"
  return try compare(capture, options, isInterrupted: { false }, progress: { _ in })
}

func meterExperiments(root: String) -> [Experiment] {
  let two = [
    Figure(
      name: "meter-ordered", title: "flow meter on 2 CPUs, ordered: capacity by that of one CPU", unit: "×"),
    Figure(
      name: "meter-best", title: "flow meter on 2 CPUs, the better of mixed and MP-safe: by one CPU's",
      unit: "×"),
  ]
  return [
    Experiment(two, roundLimit: 3) {
      // Each round is a comparison of its own; the bounds that were measured in it are the peer's figures of that round.
      nonisolated(unsafe) var bounds = [Double.nan, .nan]
      return Session(
        ours: {
          let comparison = try run(root, cpus: 2, [.oneCPU, .ordered, .mpSafe, .mixed], seconds: 6)
          let best = max(
            median(ratios(comparison, .mixed, to: .oneCPU)), median(ratios(comparison, .mpSafe, to: .oneCPU)))
          bounds = [
            comparison.orderedBound ?? .nan, comparison.machine.parallelLimit?.median ?? .nan,
          ]
          return [median(ratios(comparison, .ordered, to: .oneCPU)), best]
        },
        peers: [
          Contender(
            name: "what S and the shares allow",
            note:
              "S, what two independent instances achieve together in the same run; for ordered levels also 1 by the share of the work that is done under the busiest gate.",
            goals: ["meter-ordered": .atLeast(0.95), "meter-best": .atLeast(0.92)], round: { bounds })
        ], isOursFirst: true)
    },
    Experiment(
      [Figure(name: "meter-one-cpu", title: "flow meter on one CPU: ordered", unit: "M frames/s")],
      roundLimit: 3
    ) {
      nonisolated(unsafe) var plain = Double.nan
      return Session(
        ours: {
          let comparison = try run(root, cpus: 1, [.oneCPU, .ordered], seconds: 4)
          func capacity(_ discipline: Discipline) -> Double {
            (comparison.framesPerSecond(discipline)?.median ?? .nan) / 1e6
          }
          plain = capacity(.oneCPU)
          return [capacity(.ordered)]
        },
        peers: [
          Contender(
            name: "plain spl", note: "The same stages with masks alone, in the same comparison.",
            goals: ["meter-one-cpu": .atLeast(0.97)], round: { [plain] })
        ], isOursFirst: true)
    },
  ]
}
