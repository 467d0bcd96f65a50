// Simulated CPUs: the flow meter and a program of sections on many, and how far the model is from this machine on one and two.
//
// Law: every simulated figure is of the core's own source under the costs of the file in `Benchmarks/Models`; nothing of what is predicted is
// measured here but the figures that it is held against. The same file gives the same figures.

import ComparisonReport
import Foundation
import Gauges
import HostedMachine
import SimulatedMachine
import SoftInterrupts
import Workloads

/// The numbers of simulated CPUs.
let simulatedCounts = [1, 2, 4, 8, 16, 32, 64, 128, 256]

/// The file of the costs, below the repository.
let modelPath = "Benchmarks/Models/epyc-two-processors.json"

func readModel(_ setting: Setting) throws -> CostFile {
  guard let bytes = FileManager.default.contents(atPath: setting.root + "/" + modelPath) else {
    throw Failure("\(modelPath): cannot be read")
  }
  do throws(CostFileError) { return try CostFile(json: [UInt8](bytes)) } catch {
    throw Failure("\(modelPath): \(error.description)")
  }
}

private let disciplines = [Discipline.bigLock, .ordered, .mpSafe, .mixed]

/// The flow meter on simulated CPUs; less simulated time for more of them, as each costs as much to simulate.
func simulateMeter(
  _ setting: Setting, _ what: String, _ disciplines: [Discipline], cpus: [Int], lanes: Int? = nil
) throws -> [(times: Double, row: Simulation.Row)] {
  var options = SimulationOptions()
  options.model = try readModel(setting)
  options.modelName = modelPath
  options.disciplines = disciplines
  options.hasLoad = false
  options.lanes = lanes
  let capture = try setting.capture()
  var rows: [(Double, Simulation.Row)] = []
  // The simulated time by the number of CPUs: simulating takes as many times longer, and more.
  let times: [(cpus: ClosedRange<Int>, seconds: Double)] = [
    (1...16, 0.004), (17...64, 0.002), (65...128, 0.001), (129...256, 0.0005),
  ]
  for time in times {
    options.cpus = cpus.filter(time.cpus.contains)
    if options.cpus.isEmpty { continue }
    options.seconds = setting.isQuick ? 0.001 : time.seconds
    let result = try simulate(
      capture, options, isInterrupted: { false }, progress: { setting.progress("\(what): \($0.text)") })
    rows += result.rows.map { (result.ratio($0), $0) }
  }
  return rows
}

func simulatedCurves(_ setting: Setting) throws -> [Curve] {
  let counts = setting.isQuick ? [1, 2, 16] : simulatedCounts
  let rows = try simulateMeter(setting, "simulated", disciplines, cpus: counts)
  func series(_ value: ((times: Double, row: Simulation.Row)) -> Double) -> [Series] {
    disciplines.map { discipline in
      Series(
        discipline.rawValue,
        points: rows.filter { $0.row.discipline == discipline }.map {
          Point(x: Double($0.row.cpus), rounds: [value($0)])
        })
    }
  }
  let axis = Axis("simulated CPUs", isLogarithmic: true)
  let note =
    "The flow meter under the costs of \(modelPath), a closed loop; 4 ms up to 16 CPUs, 2 up to 64, 1 ms on 128 and half a millisecond on 256."
  let sections = try [(1_500.0, "a raise every 1.5 µs"), (15_000, "a raise every 15 µs")].map {
    outside, name in
    Series(
      name,
      points: try counts.map { cpus in
        setting.progress("simulated: \(name) on \(cpus)")
        let found = try simulateSections(
          readModel(setting), cpus: cpus, lanes: 4, inside: 0, outside: outside, hasOwnWords: false,
          nanoseconds: setting.isQuick ? 50_000 : 300_000)
        return Point(x: Double(cpus), rounds: [100 * found.gateLine])
      })
  }
  return try validation(setting, rows.filter { $0.row.cpus <= 2 }) + [
    Curve(
      "simulated-throughput", "Throughput against simulated CPUs", .simulated, x: axis,
      y: Axis("frames, times one CPU", isLogarithmic: true),
      series: series(\.times) + [
        Series(
          "as many as CPUs", isBound: true, points: counts.map { Point(x: Double($0), rounds: [Double($0)]) })
      ],
      rounds: 1, note: note),
    Curve(
      "simulated-waiting", "Waiting against simulated CPUs", .simulated, x: axis,
      y: Axis("time in which CPUs wait for a gate or lock", "%"), series: series { 100 * $0.row.gateWaiting },
      rounds: 1, note: note),
    Curve(
      "simulated-gates", "How busy the line of the gate word is", .simulated, x: axis,
      y: Axis("time in which the line is under way", "%"),
      series: series { min(100 * $0.row.gateLine, 100) } + sections, rounds: 1,
      note: note
        + " And a program whose CPUs raise to four levels, a quarter of the CPUs to each, for no time."),
  ]
}

/// What the model says of one and two CPUs, beside what this machine does.
private func validation(
  _ setting: Setting, _ predicted: [(times: Double, row: Simulation.Row)]
) throws -> [Curve] {
  struct Turn {
    var discipline: Discipline
    var cpus: Int
  }
  let gauge = try MeterGauge(setting.capture())
  var points = [Turn(discipline: .oneCPU, cpus: 1)]
  for cpus in [1, 2] { points += disciplines.map { Turn(discipline: $0, cpus: cpus) } }
  let rounds = 7
  let found = try turns(setting, "validation", points, rounds: rounds) { turn in
    [
      try gauge.capacity(turn.discipline, cpus: turn.cpus, .poll, nanoseconds: setting.nanoseconds(150))
        .framesPerSecond
    ]
  }
  let one = found[0].figure(0)
  var series: [Series] = []
  var errors: [Series] = []
  for discipline in disciplines {
    let measured = found.filter { $0.point.discipline == discipline }.map { point in
      // Within a round.
      Point(x: Double(point.point.cpus), rounds: zip(point.figure(0), one).map { $0 / $1 })
    }
    let model = predicted.filter { $0.row.discipline == discipline }.map {
      Point(x: Double($0.row.cpus), rounds: [$0.times])
    }
    series += [
      Series("\(discipline.rawValue), measured", points: measured),
      Series("\(discipline.rawValue), predicted", points: model),
    ]
    errors.append(
      Series(
        discipline.rawValue,
        points: zip(measured, model).map { measured, model in
          Point(x: measured.x, rounds: measured.rounds.map { 100 * (model.rounds[0] / $0 - 1) })
        }))
  }
  let axis = Axis("CPUs")
  let counted = setting.rounds(rounds)
  let note =
    "The flow meter, CPUs that poll, by one CPU's of the same round; predicted with \(modelPath), which was measured on another day."
  return [
    Curve(
      "simulated-validation", "The model beside this machine", .both, x: axis,
      y: Axis("frames, times one CPU"), series: series,
      rounds: counted, note: note),
    Curve(
      "simulated-error", "The model's error", .both, x: axis, y: Axis("predicted above measured", "%"),
      series: errors,
      rounds: counted, note: note),
  ]
}
