// Curves of the flow meter over the bundled capture: against CPUs, and against load.
//
// Law: every figure is `MeterGauge`'s, which is the comparison's own meter.

import ComparisonReport
import Gauges
import HostedMachine
import Workloads

/// Throughput and waiting against CPUs.
func cpuCurves(_ setting: Setting) throws -> [Curve] {
  struct Turn {
    var discipline: Discipline
    var cpus: Int
    var waits: MeterGauge.Waits
  }
  let gauge = try MeterGauge(setting.capture())
  let counts = setting.points([1, 2, 3, 4, 8, 16, 32])
  let processors = HostedMachine.allowedProcessors().count
  var points = [Turn(discipline: .oneCPU, cpus: 1, waits: .byDefault)]
  for discipline in [Discipline.bigLock, .ordered, .mpSafe, .mixed] {
    points += counts.map { Turn(discipline: discipline, cpus: $0, waits: .byDefault) }
  }
  // What becomes of those who never sleep.
  points += counts.map { Turn(discipline: .ordered, cpus: $0, waits: .poll) }
  let rounds = 7
  let found = try turns(setting, "cpus", points, rounds: rounds) { turn in
    let capacity = try gauge.capacity(
      turn.discipline, cpus: turn.cpus, turn.waits, nanoseconds: setting.nanoseconds(150))
    return [capacity.framesPerSecond, capacity.waiting]
  }
  func series(_ figure: Int, _ factor: Double) -> [Series] {
    var series: [Series] = []
    for discipline in [Discipline.oneCPU, .bigLock, .ordered, .mpSafe, .mixed] {
      let of = found.filter { $0.point.discipline == discipline && $0.point.waits == .byDefault }
      series.append(Series(discipline.rawValue, of, { Double($0.cpus) }, figure, times: factor))
    }
    series.append(
      Series(
        "ordered, never asleep", found.filter { $0.point.waits == .poll }, { Double($0.cpus) }, figure,
        times: factor))
    return series
  }
  let throughput = series(0, 1e-6)
  let verdicts = throughput.filter { $0.points.count > 1 && $0.name != "ordered, never asleep" }.map { line in
    let far = line.points.filter { $0.x > Double(processors) }.compactMap(\.median).min() ?? .nan
    return Verdict(
      "\(line.name): the least beyond \(processors) CPUs, by its peak", value: far / (line.peak ?? .nan),
      goal: .atLeast(0.7))
  }
  let axis = Axis("CPUs of the system (processors: \(processors))", isLogarithmic: true)
  return [
    Curve(
      "cpus-throughput", "Throughput against CPUs, on \(processors) processors", .measured, x: axis,
      y: Axis("frames", "M/s"), series: throughput, rounds: setting.rounds(rounds),
      note:
        "The flow meter over the bundled capture, a closed loop. Waits as they are by default; \"never asleep\" has CPUs that poll and spin without end.",
      verdicts: verdicts),
    Curve(
      "cpus-waiting", "Waiting against CPUs, on \(processors) processors", .measured, x: axis,
      y: Axis("time in which CPUs wait for a gate or lock", "%"), series: series(1, 100),
      rounds: setting.rounds(rounds),
      note:
        "Of the same runs: the time that CPUs waited, by the time of all CPUs. Beyond the processors it has the time in it for which a waiting CPU had no processor."
    ),
  ]
}

/// Latency and loss against load.
func loadCurves(_ setting: Setting) throws -> [Curve] {
  struct Turn {
    var discipline: Discipline
    var percent: Double
  }
  let gauge = try MeterGauge(setting.capture())
  let disciplines = [Discipline.oneCPU, .bigLock, .ordered, .mpSafe]
  let loads = setting.points(stride(from: 10.0, through: 120, by: 10).map { $0 })
  let points = disciplines.flatMap { discipline in loads.map { Turn(discipline: discipline, percent: $0) } }
  let rounds = 5
  let found = try turns(setting, "load", points, rounds: rounds) { turn in
    let load = try gauge.load(
      turn.discipline, cpus: 2, .byDefault,
      framesPerSecond: gauge.sustainedFramesPerSecond * turn.percent / 100,
      nanoseconds: setting.nanoseconds(120))
    func microseconds(_ part: Double) -> Double {
      load.softNet.percentile(part).map { Double($0) / 1e3 } ?? .nan
    }
    return [microseconds(0.5), microseconds(0.99), 100 * Double(load.dropped) / Double(max(load.due, 1))]
  }
  func series(_ figure: Int, _ suffix: String) -> [Series] {
    disciplines.map { discipline in
      Series(
        discipline.rawValue + suffix, found.filter { $0.point.discipline == discipline }, { $0.percent },
        figure)
    }
  }
  let axis = Axis("load, by what one CPU sustains", "%")
  let note =
    "The flow meter on 2 CPUs (oneCPU: on one), waits as they are by default, with base code beside; frames come when they are due at that part of "
    + "\(fixed(gauge.sustainedFramesPerSecond / 1e6, 1)) M frames/s."
  let counted = setting.rounds(rounds)
  return [
    Curve(
      "load-p50", "Median latency of softNet against load", .measured, x: axis,
      y: Axis("from due to counted, p50", "µs", isLogarithmic: true), series: series(0, ""), rounds: counted,
      note: note),
    Curve(
      "load-p99", "p99 latency of softNet against load", .measured, x: axis,
      y: Axis("from due to counted, p99", "µs", isLogarithmic: true), series: series(1, ""), rounds: counted,
      note: note + " Frames that are dropped have no latency."),
    Curve(
      "load-dropped", "Frames that find no room, against load", .measured, x: axis, y: Axis("dropped", "%"),
      series: series(2, ""), rounds: counted, note: note),
  ]
}
