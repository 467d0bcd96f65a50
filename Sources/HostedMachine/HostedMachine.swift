// Linux threads as CPUs.
//
// Law: one pinned thread is one CPU; its agent is in thread-local storage. Recognition points are calls of the core; a signal
// handler may only schedule. A CPU sleeps on its seat: on a futex, or in epoll when it has devices.

public import CHosted
import Glibc
public import SoftInterrupts
import Synchronization

/// A machine whose CPUs are pinned threads of this process.
///
/// Use it as `try InterruptSystem(on: .hosted(cpus: 2))`. There may be fewer or more CPUs than processors; with more, they share.
/// After `fork` the child has no CPUs: it may `exec` or exit, nothing else. Linux only.
public final class HostedMachine: Machine, @unchecked Sendable {
  // Sendable: `devices`, `threads` and `idleSeats` are under `lock`; the rest is constant.

  public typealias Word = AtomicWord

  /// Where a thread sleeps. The memory is kept for the life of the process, and so is the doorbell of a CPU's seat that has had devices: a late
  /// wake-up meets neither freed memory nor somebody else's descriptor. It wakes the seat's next owner once too often.
  public struct Seat: @unchecked Sendable {
    @usableFromInline let memory: UnsafeMutablePointer<softint_seat>
    let cpu: Int
  }

  public let cpuCount: Int
  /// The processors that the CPUs are pinned to, round robin.
  public let processors: [Int]
  let seats: [Seat]
  /// Each entry belongs to the thread that is that CPU.
  let sources: UnsafeMutablePointer<PolledSource?>
  let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  var threads: [pthread_t?]
  var devices: [UInt64: Device] = [:]
  var idleSeats: [Seat] = []
  var nextToken: UInt64 = 1
  /// Why a thread did not get its real-time priority; 0 if none failed. Kept for ever: threads may outlive the machine.
  let realtimeFailure = UnsafeMutablePointer<Int32>.allocate(capacity: 1)

  /// - Parameters:
  ///   - cpus: how many CPUs, 1 to 64; nil for as many as the affinity mask and the cgroup's quota allow.
  ///   - chosen: the processors to pin them to, round robin; nil for those of the affinity mask.
  public init(cpus: Int? = nil, processors chosen: [Int]? = nil) {
    let allowed = chosen ?? Self.allowedProcessors()
    precondition(!allowed.isEmpty, "HostedMachine: no processors")
    let count = cpus ?? Self.recommendedCPUs(allowed.count)
    precondition(count >= 1 && count <= 64, "HostedMachine: 1 to 64 CPUs, not \(count)")
    cpuCount = count
    processors = (0..<count).map { allowed[$0 % allowed.count] }
    seats = (0..<count).map { Self.takeSeat(cpu: $0) }
    threads = Array(repeating: nil, count: count)
    sources = .allocate(capacity: count)
    sources.initialize(repeating: nil, count: count)
    pthread_mutex_init(lock, nil)
    realtimeFailure.initialize(to: 0)
    softint_register_membarrier()
    softint_set_thread_end { pointer in
      if let pointer { InterruptSystem<HostedMachine>.threadEnded(pointer) }
    }
  }

  deinit {
    // Timers that nobody has detached.
    for device in devices.values where device.ownsDescriptor { close(device.descriptor) }
    for seat in seats where seat.memory.pointee.epoll >= 0 { softint_seat_close(seat.memory) }
    Self.keptSeats.withLock { $0 += seats }
    sources.deinitialize(count: cpuCount)
    sources.deallocate()
    pthread_mutex_destroy(lock)
    lock.deallocate()
  }

  /// The CPUs' seats of machines that are gone, for the next ones: so there are no more doorbells than CPUs were there at once.
  private static let keptSeats = Mutex<[Seat]>([])

  private static func takeSeat(cpu: Int) -> Seat {
    // Its word is left as it is: who rings late may be writing it, and 1 is a sleep that ends at once.
    let kept = keptSeats.withLock { $0.popLast() }
    return kept.map { Seat(memory: $0.memory, cpu: cpu) } ?? makeSeat(cpu: cpu)
  }

  static func makeSeat(cpu: Int) -> Seat {
    // Kept for ever: see Seat. A line of its own: a seat is written by everybody who rings it.
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
      .bindMemory(to: softint_seat.self, capacity: 1)
    memory.initialize(to: softint_seat(word: 0, epoll: -1, event: -1, devices: 0))
    return Seat(memory: memory, cpu: cpu)
  }

  // MARK: The hot requirements

  @inlinable @inline(__always) public static var current: UnsafeMutableRawPointer? { softint_current() }
  public static func setCurrent(_ pointer: UnsafeMutableRawPointer?) { softint_set_current(pointer) }
  /// Nothing: recognition points are calls. Of the core's plain fields a signal handler on a CPU's thread reads the IPL and what is noted beside
  /// it, and changes the own mark, if there is none: `AgentRef+OwnMark.swift` says why it may come at any instruction.
  @inlinable @inline(__always) public static func localFence() {}
  @inlinable @inline(__always) public static func lightFence() { softint_light_fence() }
  public static func heavyFence() { softint_heavy_fence() }

  @inlinable public static func pause(_ round: Int) {
    if round & 63 == 63 { yieldProcessor(round) } else { softint_relax() }
  }
  /// The processor's own pause takes some 25 ns here, two line transfers: most of a wait is spent looking.
  @inlinable @inline(__always) public static func pause(_ round: Int, unless isOver: () -> Bool) {
    for _ in 0..<64 where isOver() { return }
    pause(round)
  }
  /// Gives the processor to whoever may hold what is waited for; after a while really sleeps, or a holder of lower priority on
  /// this processor would never run.
  @usableFromInline static func yieldProcessor(_ round: Int) {
    if round > 4_096 {
      var time = timespec(tv_sec: 0, tv_nsec: 50_000)
      nanosleep(&time, nil)
    } else {
      sched_yield()
    }
  }

  public static func now() -> UInt64 { softint_now() }

  @inlinable public static func ticks() -> UInt64 { softint_ticks() }

  // MARK: Sleeping

  public func seat(ofCPU cpu: Int) -> Seat { seats[cpu] }

  public func makeVisitorSeat() -> Seat {
    var seat: Seat?
    locked { seat = idleSeats.popLast() }
    return seat ?? Self.makeSeat(cpu: -1)
  }
  public func releaseSeat(_ seat: Seat) { locked { idleSeats.append(seat) } }
  public static func isSame(_ a: Seat, _ b: Seat) -> Bool { a.memory == b.memory }

  public func park(_ seat: Seat, until deadline: UInt64) {
    var timeout = UInt64.max
    var deadline = deadline
    if seat.cpu >= 0, let source = sources[seat.cpu] { deadline = min(deadline, source.nextDue()) }
    if deadline != .max {
      let now = Self.now()
      if deadline <= now { return }
      timeout = deadline - now
    }
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 32) { ready in
      let count = softint_park(seat.memory, timeout, ready.baseAddress, 32)
      for index in 0..<Int(count) { deliver(ready[index]) }
    }
  }

  @inlinable public static func unpark(_ seat: Seat) { softint_unpark(seat.memory) }
  /// Recognition points are calls.
  @inlinable @inline(__always) public static var interruptsByRinging: Bool { false }
  @inlinable @inline(__always) public static func willWrite(_ at: UnsafeRawPointer) {
    softint_will_write(at)
  }
  @inlinable @inline(__always) public static func willRead(_ at: UnsafeRawPointer) { softint_will_read(at) }

  public func pollDevices(cpu: Int) {
    let seat = seats[cpu]
    sources[cpu]?.look(Self.now())
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 32) { ready in
      let count = softint_poll(seat.memory, ready.baseAddress, 32)
      for index in 0..<Int(count) { deliver(ready[index]) }
    }
  }

  // MARK: Threads

  public func start(cpu: Int, _ main: @escaping @Sendable () -> Void) throws(MachineError) {
    // A second system's CPU would sleep on the same seat, and take the rings that were for the first one's.
    if locked({ threads[cpu] != nil }) {
      throw MachineError("CPU \(cpu) runs already: a machine has one system at a time; make another machine")
    }
    let thread = try spawn(cpu, detached: false, main)
    locked { threads[cpu] = thread }
  }

  public func join(cpu: Int) {
    var thread: pthread_t?
    locked {
      thread = threads[cpu]
      threads[cpu] = nil
    }
    if let thread { pthread_join(thread, nil) }
  }

  public func startSubstitute(
    forCPU cpu: Int, _ main: @escaping @Sendable () -> Void
  ) throws(MachineError) {
    _ = try spawn(cpu, detached: true, main)
  }

  public func startLevelThread(
    cpu: Int, level: Level, _ main: @escaping @Sendable () -> Void
  ) throws(MachineError) -> (seat: Seat, join: () -> Void) {
    let seat = Self.makeSeat(cpu: -1)
    let thread = try spawn(cpu, detached: false, priority: Int32(level.rawValue), main)
    return (seat, { pthread_join(thread, nil) })
  }

  public var schedulingNote: String? {
    let code = softint_load(realtimeFailure)
    if code == 0 { return nil }
    return
      "level threads run without real-time priority (\(String(cString: strerror(code)))): priority between levels is not promised"
  }

  private final class Start {
    let main: @Sendable () -> Void
    let processor: Int32
    /// Real-time priority; 0 for none.
    let priority: Int32
    let failure: UnsafeMutablePointer<Int32>
    init(
      _ main: @escaping @Sendable () -> Void, _ processor: Int, _ priority: Int32,
      _ failure: UnsafeMutablePointer<Int32>
    ) {
      self.main = main
      self.processor = Int32(processor)
      self.priority = priority
      self.failure = failure
    }
  }

  private func spawn(
    _ cpu: Int, detached: Bool, priority: Int32 = 0, _ main: @escaping @Sendable () -> Void
  ) throws(MachineError) -> pthread_t {
    var thread = pthread_t()
    let start = Unmanaged.passRetained(Start(main, processors[cpu], priority, realtimeFailure))
    let error = pthread_create(
      &thread, nil,
      { argument in
        let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
        // A processor that has gone since is no reason not to run.
        _ = softint_pin(start.processor)
        if start.priority > 0 {
          let failure = softint_realtime(start.priority)
          // One of several threads' failures, all alike, is enough to tell.
          if failure != 0 { softint_store(start.failure, failure) }
        }
        start.main()
        return nil
      }, start.toOpaque())
    if error != 0 {
      start.release()
      throw MachineError(
        "CPU \(cpu): the thread could not be made (\(String(cString: strerror(error)))): raise the limit on threads, or ask for fewer CPUs"
      )
    }
    if detached { pthread_detach(thread) }
    return thread
  }

  public static func fatal(_ message: String) -> Never {
    let line = "softint: \(message)\n"
    _ = line.utf8.withContiguousStorageIfAvailable { write(2, $0.baseAddress, $0.count) }
    abort()
  }

  func locked<R>(_ body: () -> R) -> R {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    return body()
  }
}

extension Machine where Self == HostedMachine {
  /// CPUs as pinned threads of this process; see ``HostedMachine``.
  public static func hosted(cpus: Int? = nil, processors: [Int]? = nil) -> HostedMachine {
    HostedMachine(cpus: cpus, processors: processors)
  }
}
