// A level that two CPUs want all the time, held for longer and longer.
//
// Law: both sides run the same loop on the same two processors: as long outside as inside, so the level could always be held. A wait is
// the time from asking to being in.

import ComparisonReport
import Gauges
import Glibc
import HostedMachine
import HotPaths
import SoftInterrupts

/// Sections of `hold` nanoseconds on two CPUs: the part of the time in which one was in, and the wait's median and p99 in microseconds.
private func contend(hold: Double, nanoseconds: UInt64, isMutex: Bool) throws -> [Double] {
  let system = try System(on: .hosted(cpus: 2))
  let over = hostedWords(8)
  nonisolated(unsafe) let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  pthread_mutex_init(mutex, nil)
  nonisolated(unsafe) let isOver = over
  nonisolated(unsafe) let counts = UnsafeMutablePointer<UInt64>.allocate(capacity: 16)
  counts.initialize(repeating: 0, count: 16)
  nonisolated(unsafe) var waits = [LatencyHistogram(), LatencyHistogram()]
  let done = OneEnd()
  for cpu in 0..<2 {
    system.submit(on: cpu) { here in
      var mine = LatencyHistogram()
      var count: UInt64 = 0
      while HostedMachine.Word.load(isOver, .relaxed) == 0 {
        let start = HostedMachine.now()
        var inside: UInt64 = 0
        if isMutex {
          pthread_mutex_lock(mutex)
          inside = HostedMachine.now()
          Work.take(hold)
          pthread_mutex_unlock(mutex)
        } else {
          here.raise(exactly: .softNet) { _ in
            inside = HostedMachine.now()
            Work.take(hold)
          }
        }
        mine.record(inside &- start)
        count += 1
        Work.take(hold)
      }
      counts[cpu * 8] = count
      waits[cpu] = mine
      done.signal()
    }
  }
  let start = HostedMachine.now()
  pause(nanoseconds)
  HostedMachine.Word.store(over, 1, .relaxed)
  let end = HostedMachine.now()
  done.wait()
  done.wait()
  system.shutdown()
  var all = waits[0]
  all.merge(waits[1])
  let held = Double(counts[0] + counts[8]) * hold / Double(end - start)
  pthread_mutex_destroy(mutex)
  mutex.deallocate()
  counts.deallocate()
  over.deallocate()
  func microseconds(_ part: Double) -> Double { all.percentile(part).map { Double($0) / 1e3 } ?? .nan }
  return [100 * held, microseconds(0.5), microseconds(0.99)]
}

func holdCurves(_ setting: Setting) throws -> [Curve] {
  struct Turn {
    var hold: Double
    var isMutex: Bool
  }
  let holds = setting.points([100.0, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000])
  let rounds = 7
  _ = Work.stepsPerNanosecond
  let found = try turns(
    setting, "hold", holds.flatMap { [Turn(hold: $0, isMutex: false), Turn(hold: $0, isMutex: true)] },
    rounds: rounds
  ) { turn in
    try contend(hold: turn.hold, nanoseconds: setting.nanoseconds(100), isMutex: turn.isMutex)
  }
  func series(_ name: String, _ isMutex: Bool, _ figure: Int) -> Series {
    Series(name, found.filter { $0.point.isMutex == isMutex }, { $0.hold / 1_000 }, figure)
  }
  let axis = Axis("how long it is held each time", "µs", isLogarithmic: true)
  let note =
    "Two CPUs ask for one level over and over, as long outside as inside; pthread_mutex on the same threads. With a clock around each wait."
  let counted = setting.rounds(rounds)
  return [
    Curve(
      "hold-share", "How much of the time a wanted level is held", .measured, x: axis,
      y: Axis("time in which it is held", "%"),
      series: [
        series("exact raise", false, 0), series("pthread_mutex", true, 0),
        Series("always", isBound: true, points: holds.map { Point(x: $0 / 1_000, rounds: [100]) }),
      ], rounds: counted, note: note),
    Curve(
      "hold-wait", "Waiting for a level that another CPU holds", .measured, x: axis,
      y: Axis("wait", "µs", isLogarithmic: true),
      series: [
        series("exact raise, p50", false, 1), series("exact raise, p99", false, 2),
        series("pthread_mutex, p50", true, 1), series("pthread_mutex, p99", true, 2),
        Series(
          "the other's section", isBound: true,
          points: holds.map { Point(x: $0 / 1_000, rounds: [$0 / 1_000]) }),
      ], rounds: counted, note: note),
  ]
}
