// `prove theorem`.

import ArgumentParser
import CoreProofs

struct TheoremCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "theorem", abstract: "…")
  @Option var seed: UInt64 = 1
  @Option var programs = 100
  @Option var cpus = 2
  @Option var flavour = "cumulative"
  @Flag var show = false

  func run() throws {
    var schedules = 0, steps = 0, compared = 0
    var extents: [Extent: Int] = [:]
    var bad = 0, trivial = 0, possible = 0, reached = 0
    let clock = ContinuousClock()
    let start = clock.now
    for s in seed..<seed + UInt64(programs) {
      let p = ProgramGenerator.program(seed: s, cpus: cpus, Flavour(rawValue: flavour)!)
      if show { print("seed \(s)\n\(p)") }
      let r = try TheoremCheck.check(p, TheoremSetting(seed: s), seed: s)
      schedules += r.schedules; steps += r.steps
      extents[r.extent, default: 0] += 1
      if let n = r.possible { compared += 1; possible += n; reached += r.reached; if n == 1 { trivial += 1 } }
      if show { print(r.extent, r.schedules, r.steps, r.reached, r.possible ?? -1) }
      if let f = r.finding { bad += 1; print("seed \(s)\n\(p)\n\(f)") ; if bad > 5 { break } }
    }
    print(programs, extents, schedules, steps, "compared", compared, "trivial", trivial, "outcomes", reached, possible, "bad", bad, clock.now - start)
  }
}
