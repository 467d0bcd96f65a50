// What a system costs that has little to do: processor time and wake-ups, and what polling before sleeping buys.
//
// Law: processor time is what the operating system accounts for. Idle: that of the whole process, in which nothing but the system and a
// sleeping thread lives. Poll or park: that of the CPU's own thread, which another CPU rings at times that are drawn beforehand.

import ComparisonReport
import Gauges
import Glibc
import HostedMachine
import HotPaths
import SoftInterrupts

/// Linux's RUSAGE_THREAD, which is no constant to Swift.
private let ofThread = __rusage_who_t(1)
private let ofProcess = __rusage_who_t(RUSAGE_SELF.rawValue)

private struct Usage {
  var nanoseconds: Double
  var switches: Int
  /// Of the process, or of the calling thread.
  init(_ who: __rusage_who_t) {
    var usage = rusage()
    getrusage(who, &usage)
    func nanoseconds(_ time: timeval) -> Double { Double(time.tv_sec) * 1e9 + Double(time.tv_usec) * 1e3 }
    self.nanoseconds = nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime)
    switches = usage.ru_nvcsw
  }
}

/// Two CPUs of which one has a callout so many times a second: per cent of one CPU, and voluntary switches a second.
private func lightLoad(eventsPerSecond: Int, idleRounds: Int, nanoseconds: UInt64) throws -> [Double] {
  var configuration = Configuration()
  configuration.idleRounds = idleRounds
  let system = try System(on: .hosted(cpus: 2), configuration)
  nonisolated(unsafe) var callout: Callout<HostedMachine>?
  nonisolated(unsafe) var runs = 0
  let interval = eventsPerSecond > 0 ? 1_000_000_000 / UInt64(eventsPerSecond) : 0
  let made = try system.callout("tick", at: .softClock, guard: .softNet, cpu: 1) { _ in
    runs += 1
    callout!.schedule(afterNanoseconds: interval)
  }
  callout = made
  if interval > 0 { made.schedule(afterNanoseconds: interval) }
  // Both CPUs have settled.
  usleep(50_000)
  let (before, start) = (Usage(ofProcess), HostedMachine.now())
  pause(nanoseconds)
  let (after, end) = (Usage(ofProcess), HostedMachine.now())
  system.shutdown()
  let seconds = Double(end - start) / 1e9
  return [
    100 * (after.nanoseconds - before.nanoseconds) / Double(end - start),
    Double(after.switches - before.switches) / seconds,
  ]
}

func idleCurves(_ setting: Setting) throws -> [Curve] {
  struct Turn {
    var rate: Int
    var idleRounds: Int
  }
  let policies = [("sleeps at once", 0), ("default", Configuration().idleRounds)]
  let rates = setting.points([0, 10, 100, 1_000, 10_000])
  let rounds = 5
  let found = try turns(
    setting, "idle", policies.flatMap { policy in rates.map { Turn(rate: $0, idleRounds: policy.1) } },
    rounds: rounds
  ) { turn in
    try lightLoad(
      eventsPerSecond: turn.rate, idleRounds: turn.idleRounds, nanoseconds: setting.nanoseconds(700))
  }
  func series(_ figure: Int) -> [Series] {
    policies.map { policy in
      Series(policy.0, found.filter { $0.point.idleRounds == policy.1 }, { Double($0.rate) }, figure)
    }
  }
  let axis = Axis("events", "/s", isLogarithmic: true)
  let note = "Two CPUs, one of which has a callout so many times a second; the whole process, by getrusage."
  let time = series(0)
  let idle = time[0].median(at: 0) ?? .nan
  let counted = setting.rounds(rounds)
  return [
    Curve(
      "idle-time", "Processor time, idle and under light load", .measured, x: axis,
      y: Axis("processor time, by one CPU's", "%"), series: time,
      rounds: counted, note: note,
      verdicts: [Verdict("per cent of a CPU, idle, sleeping at once", value: idle, goal: .atMost(0.1))]),
    Curve(
      "idle-wakeups", "Wake-ups, idle and under light load", .measured, x: axis,
      y: Axis("voluntary switches", "/s", isLogarithmic: true),
      series: series(1) + [
        Series(
          "one for each event", isBound: true,
          points: rates.map { Point(x: Double($0), rounds: [Double($0)]) })
      ],
      rounds: counted, note: note + " The measuring thread's own one is among them."),
  ]
}

/// One CPU rings another at drawn times, `interval` nanoseconds apart in the mean: the latency's median and p99 in microseconds, and the rung
/// CPU's processor time for an event in microseconds.
private func ring(idleRounds: Int, interval: Double, nanoseconds: UInt64) throws -> [Double] {
  var configuration = Configuration()
  configuration.idleRounds = idleRounds
  let system = try System(on: .hosted(cpus: 2), configuration)
  defer { system.shutdown() }
  let stamps = Ring<UInt64, HostedMachine>(capacity: 1_024)
  nonisolated(unsafe) var waits = LatencyHistogram()
  let handler = try system.establish("rung", at: .softNet, as: .ordered) { _ in
    let now = HostedMachine.now()
    while let stamp = stamps.pop() { waits.record(now &- stamp) }
  }
  func usage() -> Usage {
    nonisolated(unsafe) var usage: Usage!
    let done = OneEnd()
    system.submit(on: 1) { _ in
      usage = Usage(ofThread)
      done.signal()
    }
    done.wait()
    return usage
  }
  let before = usage()
  nonisolated(unsafe) var events = 0
  let done = OneEnd()
  system.submit(on: 0) { _ in
    var random: UInt64 = 1
    let end = HostedMachine.now() + nanoseconds
    var due = Double(HostedMachine.now())
    while true {
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      // Exponential gaps: what comes does not wait for what polls.
      due -= interval * log(max(Double(random >> 11) / Double(1 << 53), 1e-9))
      var now = HostedMachine.now()
      while Double(now) < due && now < end { now = HostedMachine.now() }
      if now >= end { break }
      if stamps.push(now) { events += 1 }
      handler.schedule(on: 1)
    }
    done.signal()
  }
  done.wait()
  let after = usage()
  return [
    waits.percentile(0.5).map { Double($0) / 1e3 } ?? .nan,
    waits.percentile(0.99).map { Double($0) / 1e3 } ?? .nan,
    (after.nanoseconds - before.nanoseconds) / Double(max(events, 1)) / 1e3,
  ]
}

func parkCurves(_ setting: Setting) throws -> [Curve] {
  struct Turn {
    var idleRounds: Int
    var interval: Double
  }
  let choices = setting.points([0, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144])
  let rounds = 5
  let (often, seldom) = (200_000.0, 10_000_000.0)
  let found = try turns(
    setting, "park",
    choices.map { Turn(idleRounds: $0, interval: often) }
      + choices.map { Turn(idleRounds: $0, interval: seldom) }, rounds: rounds
  ) { turn in
    try ring(
      idleRounds: turn.idleRounds, interval: turn.interval,
      nanoseconds: setting.nanoseconds(turn.interval == often ? 200 : 500))
  }
  let main = found.filter { $0.point.interval == often }
  let rare = found.filter { $0.point.interval == seldom }
  let x = { (turn: Turn) in Double(turn.idleRounds) }
  let axis = Axis("rounds that an idle CPU polls before it sleeps (idleRounds)", isLogarithmic: true)
  let note =
    "One CPU rings another every \(fixed(often / 1_000, 0)) µs in the mean, with exponential gaps. What an event takes more when events are \(fixed(seldom / 1e6, 0)) ms apart is what was polled in vain."
  let counted = setting.rounds(rounds)
  return [
    Curve(
      "park-latency", "Polling before sleeping: latency", .measured, x: axis,
      y: Axis("from schedule to run", "µs", isLogarithmic: true),
      series: [Series("p50", main, x, 0), Series("p99", main, x, 1)], rounds: counted, note: note),
    Curve(
      "park-time", "Polling before sleeping: processor time", .measured, x: axis,
      y: Axis("processor time of an event", "µs", isLogarithmic: true),
      series: [
        Series("every \(fixed(often / 1_000, 0)) µs", main, x, 2),
        Series("every \(fixed(seldom / 1e6, 0)) ms", rare, x, 2),
        Series(
          "all of the time, every \(fixed(often / 1_000, 0)) µs", isBound: true,
          points: choices.map { Point(x: Double($0), rounds: [often / 1_000]) }),
      ], rounds: counted, note: note),
  ]
}
