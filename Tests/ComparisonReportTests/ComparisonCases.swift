// The states in which a run can end, each with what its sentences must and must not say.
//
// Every rendering is tested against all of them: a report must be well-formed and true also when little was measured.

import Testing

@testable import ComparisonReport

struct ComparisonCase: CustomTestStringConvertible, Sendable {
  let name: String
  let comparison: Comparison
  var says: [String] = []
  var avoids: [String] = []
  var testDescription: String { name }

  /// The page of the comparison, rendered once for all tests.
  var html: String { ComparisonCases.pages[name] ?? comparison.html }
}

enum ComparisonCases {
  static let all = complete + limited + wrong + odd
  static let pages = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0.comparison.html) })

  private static func bending(
    _ comparison: Comparison = .sample(), _ change: (inout Comparison) -> Void
  ) -> Comparison {
    var copy = comparison
    change(&copy)
    return copy
  }

  /// Every alternative at a multiple of the big lock's capacity.
  private static func alternatives(_ factor: Double, spread: Double = 0) -> Comparison {
    Comparison.alternatives.reduce(.sample()) { comparison, discipline in
      comparison.changing(discipline) { figures in
        figures.framesPerSecond = rounds(2.47e6).enumerated().map { index, value in
          value * factor * (1 + spread * (index % 2 == 0 ? 1 : -1))
        }
      }
    }
  }

  /// Whole runs, whoever wins.
  private static let complete: [ComparisonCase] = [
    ComparisonCase(
      name: "the order gains", comparison: .sample(),
      says: [
        "largest gain shown is that of mixed, 1.91 ×", "1.80 × those of oneCPU", "allows 1.92 × one CPU",
        "ordered does 1.56 × bigLock and 1.48 × oneCPU",
        "gate softNet with 64 % of the work allows it 1.56 ×",
        "11.0 × shorter than bigLock's", "base code gets 2.42 × as much done as under bigLock",
        "All 6 disciplines that ran computed the same flow table as the plain pass", "saw no violation",
        "disjoint is infeasible",
      ], avoids: ["noisy", "nterrupted", "dropped"]),
    ComparisonCase(
      name: "ordered gains most", comparison: Comparison.sample().keeping(.oneCPU, .bigLock, .ordered),
      says: ["that of ordered, 1.56 ×", "; gate softNet with 64 % of the work allows it 1.56 × at most"]),
    ComparisonCase(
      name: "the machine, not the busiest gate, is the limit",
      comparison: bending { $0.stages = [Stage(name: "parse", level: .softNet, share: 0.3)] },
      says: ["ordered does 1.56 × bigLock"], avoids: ["of the work allows"]),
    ComparisonCase(
      name: "the big lock wins", comparison: alternatives(0.8),
      says: ["The big lock wins", "does only 0.80 × (0.80–0.80) the frames/s of bigLock"],
      avoids: ["gain shown is"]),
    ComparisonCase(
      name: "the big lock wins, and one CPU beats all", comparison: alternatives(0.5),
      says: ["The big lock wins", "but only 0.47 ×"], avoids: ["gain shown is"]),
    ComparisonCase(
      name: "nothing can be told apart", comparison: alternatives(1, spread: 0.05),
      says: ["No gain is shown", "cannot be told from no difference; it does"],
      avoids: ["wins", "largest gain"]),
    ComparisonCase(
      name: "a clear gain is preferred to a larger one that may be chance",
      comparison: alternatives(1.2).changing(.threads) {
        $0.framesPerSecond = rounds(2.47e6).enumerated().map { $1 * ($0 % 3 == 0 ? 0.7 : 1.5) }
      }, says: ["largest gain shown is that of"], avoids: ["that of threads"]),
    ComparisonCase(
      name: "one CPU wins without a big lock",
      comparison: alternatives(0.5).keeping(.oneCPU, .ordered, .mixed),
      says: ["One CPU wins", "of oneCPU"], avoids: ["big lock wins", "base code gets"]),
    ComparisonCase(
      name: "latency is worse",
      comparison: Comparison.sample().changing(.ordered) {
        $0.polling?.softNet = series(200_000, 700_000)
      }, says: ["× longer than bigLock's"], avoids: ["softNet within 8"]),
    ComparisonCase(
      name: "latencies overlap",
      comparison: Comparison.sample().changing(.ordered) {
        $0.polling?.softNet = series(322_000 / 6, 322_000)
      }, says: ["not clearly different from bigLock's"]),
  ]

  /// Runs that measured less.
  private static let limited: [ComparisonCase] = [
    ComparisonCase(
      name: "interrupted after four rounds",
      comparison: bending(.sample(rounds: 4)) { $0.interrupted = true },
      says: ["Interrupted after 4 of 9 rounds: the largest gain"]),
    ComparisonCase(
      name: "interrupted in the first round",
      comparison: bending(.sample(rounds: 1)) {
        $0.interrupted = true
        $0 = $0.changing(.mixed) { $0 = Measurements() }.changing(.threads) { $0 = Measurements() }
      },
      says: [
        "Interrupted before the first of 9 rounds was complete", "largest gain shown is that of mpSafe",
        "mixed made no digest",
      ]),
    ComparisonCase(
      name: "interrupted before anything",
      comparison: bending(.sample(rounds: 0)) {
        $0.interrupted = true
        for discipline in Discipline.allCases { $0 = $0.changing(discipline) { $0 = Measurements() } }
      },
      says: [
        "interrupted before any capacity was measured", "interrupted before any latency was measured",
        "No discipline made a digest",
      ], avoids: ["gain", "computed the same"]),
    ComparisonCase(
      name: "one round", comparison: bending(.sample(rounds: 1)) { $0.settings.rounds = 1 },
      says: ["With only 1 round, where an interval takes six: the largest gain"]),
    ComparisonCase(
      name: "one CPU",
      comparison: bending {
        $0.machine.cpus = 1
        $0.machine.parallelLimits = []
      }, says: ["On one CPU nothing runs in parallel", "of plain spl, bigLock 0.95 ×", "remain"],
      avoids: ["gain"]),
    ComparisonCase(
      name: "one CPU without its reference",
      comparison: bending(Comparison.sample().keeping(.bigLock, .ordered)) { $0.machine.cpus = 1 },
      says: ["of the frames/s of bigLock, ordered 1.56 × remain"]),
    ComparisonCase(
      name: "too noisy", comparison: bending { $0.machine.parallelLimits = rounds(1.31) },
      says: [
        "This machine is too noisy to compare", "only 1.31 × the work of one, where 1.60 × are needed",
        "no ranking", "For what it is worth on this machine: at 60 %",
      ], avoids: ["gain shown", "wins"]),
    ComparisonCase(
      name: "S not measured", comparison: bending { $0.machine.parallelLimits = [] },
      says: ["largest gain shown is that of mixed"], avoids: ["this machine allows"]),
    ComparisonCase(
      name: "one discipline", comparison: Comparison.sample().keeping(.ordered),
      says: [
        "Only ordered gave a capacity", "nothing to compare it with", "no other reference",
        "Only ordered made a digest, and it is that of the plain pass",
      ], avoids: ["1.56", "fastest of"]),
    ComparisonCase(
      name: "the two references", comparison: Comparison.sample().keeping(.oneCPU, .bigLock),
      says: ["bigLock on 2 CPUs does 0.95 ×", "which is a loss", "no other discipline can be compared"]),
    ComparisonCase(
      name: "no reference", comparison: Comparison.sample().keeping(.ordered, .mixed, .threads),
      says: [
        "Neither bigLock nor oneCPU gave a capacity", "that of mixed, 4.71M", "lowest that of threads",
        "mixed completes", "fastest of those measured",
      ]),
    ComparisonCase(
      name: "only infeasible ones", comparison: Comparison.sample().keeping(.disjoint),
      says: ["No capacity was measured", "No latency was measured", "disjoint is infeasible"],
      avoids: ["witness saw no"]),
    ComparisonCase(
      name: "no disciplines", comparison: bending { $0.results = [] },
      says: ["No capacity was measured", "No discipline made a digest"]),
    ComparisonCase(
      name: "parked only",
      comparison: bending {
        $0.settings.idle = [.park]
        for discipline in Discipline.allCases { $0 = $0.changing(discipline) { $0.polling = nil } }
      }, says: ["idle CPUs parked"], avoids: ["polling"]),
    ComparisonCase(
      name: "no latencies",
      comparison: bending {
        for discipline in Discipline.allCases {
          $0 = $0.changing(discipline) {
            $0.polling = nil
            $0.parked = nil
          }
        }
      }, says: ["No latency was measured."]),
    ComparisonCase(
      name: "only softSerial has latencies",
      comparison: bending {
        for discipline in Discipline.allCases {
          $0 = $0.changing(discipline) { $0.polling?.softNet = LatencySeries() }
        }
      }, says: ["completes 99 % of softSerial"], avoids: ["99 % of softNet"]),
    ComparisonCase(
      name: "witness off", comparison: bending { $0.settings.witness = false },
      says: ["the witness was off, so the order was not checked"], avoids: ["saw no violation"]),
  ]

  /// Runs in which something went wrong.
  private static let wrong: [ComparisonCase] = [
    ComparisonCase(
      name: "the best has a wrong digest",
      comparison: Comparison.sample().changing(.mixed) { $0.digest = "bad" },
      says: [
        "that of mpSafe, 1.87 ×",
        "The digests differ: mixed computed another flow table than the plain pass, "
          + "so its figures do not count",
      ], avoids: ["that of mixed", "the same flow table"]),
    ComparisonCase(
      name: "all digests are wrong", comparison: bending { $0.referenceDigest = "another" },
      says: ["No discipline whose digest is right", "latencies are not compared either", "their figures"],
      avoids: ["gain"]),
    ComparisonCase(
      name: "digests differ and nobody knows which is right",
      comparison: bending(Comparison.sample().changing(.ordered) { $0.digest = "bad" }) {
        $0.referenceDigest = nil
      },
      says: ["capacities are not compared", "no plain pass says which is right"], avoids: ["gain"]),
    ComparisonCase(
      name: "equal digests without a plain pass", comparison: bending { $0.referenceDigest = nil },
      says: ["All 6 disciplines that ran computed the same flow table;"], avoids: ["plain pass"]),
    ComparisonCase(
      name: "one digest and nothing to hold it against",
      comparison: bending(Comparison.sample().keeping(.bigLock)) { $0.referenceDigest = nil },
      says: ["Only bigLock made a digest, which there is nothing to hold against"]),
    ComparisonCase(
      name: "violations",
      comparison: bending {
        for index in $0.results.indices where $0.results[index].discipline == .ordered {
          $0.results[index].violations = (0..<11).map {
            ViolationReport(
              rule: "order \($0)", text: String(repeating: "raised from softNet to ", count: 12), count: 2)
          }
        }
      }, says: ["the witness saw the order violated under ordered (22)"], avoids: ["saw no violation"]),
    ComparisonCase(
      name: "frames were dropped",
      comparison: Comparison.sample().changing(.bigLock) { $0.polling?.drops = 1234 },
      says: ["frames were dropped under bigLock (1234), and a dropped frame has no latency"]),
  ]

  /// Figures that no sane run gives.
  private static let odd: [ComparisonCase] = [
    ComparisonCase(
      name: "enormous figures",
      comparison: bending {
        $0.capture = CaptureFigures(
          file: String(repeating: "a-long-name-without-any-blank/", count: 9), frames: .max, bytes: .max)
        for discipline in Discipline.allCases {
          $0 = $0.changing(discipline) {
            $0.framesPerSecond = [1e9, 1e12, 1e300]
            $0.baseOperationsPerSecond = [1e18, 1e18, 1e18]
            var slow = LatencyHistogram()
            for _ in 0..<20 { slow.record(.max) }
            $0.polling = OpenLoop(
              softNet: LatencySeries(rounds: [slow]), softSerial: LatencySeries(rounds: [slow]),
              framesDue: .max,
              drops: .max)
            $0.parked = $0.polling
            $0.gates = [GateFigures(level: .softNet, taken: .max, contended: .max, waitNanoseconds: .max)]
          }
        }
      }),
    ComparisonCase(
      name: "zeros and no numbers",
      comparison: bending {
        $0.offeredFramesPerSecond = .nan
        $0.settings.seconds = 0.001
        for discipline in Discipline.allCases {
          $0 = $0.changing(discipline) {
            $0.framesPerSecond = [0, .nan, 0, -.infinity, 0, 0, 0, 0]
            $0.baseOperationsPerSecond = [.nan]
            var zero = LatencyHistogram()
            zero.record(0)
            $0.polling = OpenLoop(
              softNet: LatencySeries(rounds: [zero]), softSerial: LatencySeries(rounds: [zero]))
          }
        }
      }, says: ["nothing to compare"], avoids: ["gain"]),
    ComparisonCase(
      name: "hostile text",
      comparison: bending {
        let hostile = "</title><script>alert(1)</script>\u{1B}[2J\u{202E}\"' onload=x\n&amp; 漢字漢字\u{0301}"
        $0.capture.file = hostile
        $0.commandLine = [hostile, hostile]
        $0.machine.cpu = hostile
        $0.machine.os = hostile
        $0.version = hostile
        $0.notes = [hostile]
        $0.stages = [Stage(name: hostile, level: .softNet, share: 0.5)]
        for index in $0.results.indices {
          $0.results[index].violations = [ViolationReport(rule: hostile, text: hostile)]
        }
        $0 = $0.changing(.ordered) {
          $0.digest = hostile
          $0.handlers = [
            HandlerFigures(name: hostile, level: .softNet, wayIn: .ordered, scheduled: 1, run: 1)
          ]
        }
      }),
  ]
}
