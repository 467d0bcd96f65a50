// What a system costs that has nothing to do: CPU time and voluntary switches of the whole process.
//
// Law: nothing but the system lives in the process; the measuring thread sleeps once. Handlers are established and a callout is
// armed for later, so that what is measured is a system in use, not an empty one.

import Gauges
import Glibc
import HostedMachine
import HotPaths
import SoftInterrupts

/// Prints what `cpus` idle CPUs that park cost in `seconds`; whether it is within 10 ms and 20 switches for ten seconds.
func measureIdle(cpus: Int, seconds: Int) throws -> Bool {
  var configuration = Configuration()
  configuration.idleRounds = 0
  let system = try System(on: .hosted(cpus: cpus), configuration)
  nonisolated(unsafe) let runs = UnsafeMutablePointer<Int>.allocate(capacity: 1)
  runs.initialize(to: 0)
  let handler = try system.establish("idle", at: .softNet, as: .ordered) { _ in runs.pointee += 1 }
  let callout = try system.callout("later", at: .softClock, guard: .softNet) { _ in }
  callout.schedule(after: .seconds(3_600))
  // Each CPU has worked before it is idle.
  for cpu in 0..<cpus { handler.schedule(on: cpu) }
  usleep(200_000)
  let before = usage()
  sleep(UInt32(seconds))
  let after = usage()
  system.shutdown()
  let (time, switches) = (after.milliseconds - before.milliseconds, after.switches - before.switches)
  let (most, mostSwitches) = (Double(seconds), 2 * seconds)
  let met = time <= most && switches <= mostSwitches && runs.pointee == cpus
  print(
    "\(cpus) CPUs idle for \(seconds) s, parked: \(fixed(time, 2)) ms CPU (at most \(fixed(most, 0))), "
      + "\(switches) voluntary switches (at most \(mostSwitches))\(met ? "" : ": missed")")
  return met
}

/// CPU time and voluntary switches of all threads of the process so far.
private func usage() -> (milliseconds: Double, switches: Int) {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  func milliseconds(_ time: timeval) -> Double { Double(time.tv_sec) * 1e3 + Double(time.tv_usec) / 1e3 }
  return (milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime), usage.ru_nvcsw)
}
