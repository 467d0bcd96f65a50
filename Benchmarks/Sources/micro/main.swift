import Dispatch
import Glibc
import HostedMachine
import SoftInterrupts

typealias System = InterruptSystem<HostedMachine>

@inline(never) func raisePair(_ system: System, _ n: Int, _ x: inout UInt64) {
  for _ in 0..<n { system.raise(to: .softNet) { _ in x &+= 1 } }
}
@inline(never) func exactPair(_ system: System, _ n: Int, _ x: inout UInt64) {
  for _ in 0..<n { system.raise(exactly: .softNet) { _ in x &+= 1 } }
}
@inline(never) func maskPair(_ system: System, _ n: Int, _ x: inout UInt64) {
  for _ in 0..<n { system.mask(to: .softNet) { _ in x &+= 1 } }
}
@inline(never) func scheduleRun(_ system: System, _ handler: Handler<HostedMachine>, _ n: Int) {
  for _ in 0..<n {
    handler.schedule()
    system.checkpoint()
  }
}
@inline(never) func coalesced(_ system: System, _ handler: Handler<HostedMachine>, _ n: Int) {
  for _ in 0..<n { handler.schedule() }
}
@inline(never) func loop(_ n: Int, _ x: inout UInt64) {
  for _ in 0..<n {
    x &+= 1
    barrier()
  }
}
@inline(never) func barrier() {}
@inline(never) func mutexPair(_ m: UnsafeMutablePointer<pthread_mutex_t>, _ n: Int, _ x: inout UInt64) {
  for _ in 0..<n {
    pthread_mutex_lock(m)
    x &+= 1
    pthread_mutex_unlock(m)
  }
}
func time(_ n: Int, _ body: () -> Void) -> Double {
  var best = [Double]()
  for _ in 0..<9 {
    var a = timespec()
    var b = timespec()
    clock_gettime(CLOCK_MONOTONIC, &a)
    body()
    clock_gettime(CLOCK_MONOTONIC, &b)
    best.append((Double(b.tv_sec - a.tv_sec) * 1e9 + Double(b.tv_nsec - a.tv_nsec)) / Double(n))
  }
  return best.sorted()[4]
}
var configuration = Configuration()
let system = try System(on: .hosted(cpus: 1), configuration)
let n = 2_000_000
nonisolated(unsafe) var x: UInt64 = 0
let handler = try system.establish("h", at: .softNet, as: .ordered) { _ in x &+= 1 }
let mp = try system.establish("m", at: .softNet, as: .mpSafe) { _ in x &+= 1 }
nonisolated(unsafe) var done = false
let lock = DispatchSemaphore(value: 0)
system.submit(on: 0) { here in
  let m = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  pthread_mutex_init(m, nil)
  print("loop", time(n) { loop(n, &x) })
  print("mutex", time(n) { mutexPair(m, n, &x) })
  print("raise", time(n) { raisePair(system, n, &x) })
  print("exact", time(n) { exactPair(system, n, &x) })
  print("mask", time(n) { maskPair(system, n, &x) })
  print("schedule+run ordered", time(n) { scheduleRun(system, handler, n) })
  print("schedule+run mpSafe", time(n) { scheduleRun(system, mp, n) })
  system.mask(to: .softNet) { _ in print("coalesced", time(n) { coalesced(system, handler, n) }) }
  lock.signal()
}
lock.wait()
let q = DispatchQueue(label: "q")
print(
  "dispatch async",
  time(200_000) {
    for _ in 0..<200_000 { q.async { x &+= 1 } }
    q.sync {}
  })
system.shutdown()
