// What it would give to split a level into lanes, simulated.
//
// Law: a lane is stood for by what there is: the meter's by a table and lock of its own for each, a program's sections by levels, whose gates are
// bits of one word, or by locks, which are words of their own.

import ComparisonReport
import Workloads

func laneCurves(_ setting: Setting) throws -> [Curve] {
  let model = try readModel(setting)
  let lanes = setting.isQuick ? [1, 4, 16] : [1, 2, 4, 8, 16, 32, 64]
  let many = setting.isQuick ? [8] : [16, 64]
  var meter: [Series] = []
  for cpus in many {
    meter.append(
      Series(
        "\(cpus) CPUs",
        points: try lanes.map { lanes in
          let rows = try simulateMeter(setting, "\(lanes) lanes", [.mpSafe], cpus: [cpus], lanes: lanes)
          return Point(x: Double(lanes), rounds: [rows[0].times])
        }))
  }
  let cpus = setting.isQuick ? 8 : 64
  let inside = 1_000.0
  func work(_ name: String, _ lanes: [Int], _ hasOwnWords: Bool) throws -> Series {
    Series(
      name,
      points: try lanes.map { lanes in
        setting.progress("lanes: \(name), \(lanes)")
        let found = try simulateSections(
          model, cpus: cpus, lanes: lanes, inside: inside, outside: 200, hasOwnWords: hasOwnWords,
          nanoseconds: setting.isQuick ? 100_000 : 1_000_000)
        return Point(x: Double(lanes), rounds: [found.work])
      })
  }
  let axis = Axis("lanes", isLogarithmic: true)
  return [
    Curve(
      "lanes-meter", "The flow meter's busiest level in lanes", .simulated, x: axis,
      y: Axis("frames, times one CPU", isLogarithmic: true),
      series: meter, rounds: 1,
      note:
        "MP-safe input with so many tables, each under a lock of its own, costs of \(modelPath). One table is what one gate gives."
    ),
    Curve(
      "lanes-sections", "Sections of 1 µs on \(cpus) simulated CPUs, in lanes", .simulated, x: axis,
      y: Axis("work done in sections, in CPUs", isLogarithmic: true),
      series: [
        try work("gates of one word (levels)", lanes.filter { $0 <= 4 }, false),
        try work("a word each (locks)", lanes, true),
        Series(
          "as many as lanes", isBound: true,
          points: lanes.map { Point(x: Double($0), rounds: [min(Double($0), Double(cpus) / 1.2)]) }),
      ], rounds: 1,
      note:
        "Each CPU goes through sections of its lane, 0.2 µs between them. Levels stand for lanes in one word; there are four soft ones."
    ),
  ]
}
