// All that the core asks of a machine. A port is written from this page alone.
//
// The core never blocks, allocates or takes a lock of the machine's on a hot path; what it asks there is `current`,
// the word and `lightFence`. Everything else is asked on slow paths only.

/// A multiprocessor that runs an ``InterruptSystem``.
///
/// The core is generic over the machine and its hot paths are inlinable, so each port gets code of its own, without
/// witness tables.
public protocol Machine: AnyObject, Sendable {
  /// The atomic word of the machine; see ``MachineWord``.
  associatedtype Word: MachineWord
  /// Where one thread of execution (a CPU or a visitor) sleeps and is woken; a handle that may be copied to any thread.
  associatedtype Seat: Sendable

  /// How many CPUs there are, 1 to 256.
  var cpuCount: Int { get }

  /// What the core stored for the calling thread of execution, or nil. Read at each entry: one load where possible.
  /// In a signal or interrupt handler it answers for the interrupted thread.
  static var current: UnsafeMutableRawPointer? { get }
  /// Stores the core's pointer for the calling thread of execution.
  static func setCurrent(_ pointer: UnsafeMutableRawPointer?)

  /// Orders the caller's accesses for what interrupts it on its own CPU: a compiler barrier where any instruction is a
  /// recognition point, nothing where recognition points are calls.
  static func localFence()
  /// Half of an asymmetric pair: orders the caller's earlier stores before its later loads *as seen by whoever calls
  /// ``heavyFence()``*. It is at least a compiler barrier.
  static func lightFence()
  /// The other half: every other thread of execution performs a sequentially consistent fence at some point of its own
  /// between this call and its return. It is one of the caller's own as well.
  static func heavyFence()
  /// One step of a spin wait; `round` counts from 0. May give the processor away when `round` is large.
  static func pause(_ round: Int)
  /// The same for who waits for another CPU: may look in between, whether it is over. If nothing is said it does not.
  static func pause(_ round: Int, unless isOver: () -> Bool)

  /// Nanoseconds of a clock that never goes back and is common to all CPUs.
  static func now() -> UInt64

  /// A counter that never goes back on one CPU, as cheap as may be and in any unit: only ratios of its differences are used.
  static func ticks() -> UInt64

  /// The seat of a CPU.
  func seat(ofCPU cpu: Int) -> Seat
  /// A seat for a thread that is no CPU. Made once for each visitor; given back with ``releaseSeat(_:)``.
  func makeVisitorSeat() -> Seat
  /// Takes a visitor's seat back. Its memory stays: a late ``unpark(_:)`` may still come and then does nothing, or makes the next
  /// owner's `park` return early.
  func releaseSeat(_ seat: Seat)
  /// Whether two handles are of one seat.
  static func isSame(_ a: Seat, _ b: Seat) -> Bool
  /// Sleeps until ``unpark(_:)`` is called on this seat, unless that has happened since `park` last returned, or until
  /// `deadline` (nanoseconds of ``now()``; `UInt64.max` is never). May return early. On a CPU's seat devices are polled.
  func park(_ seat: Seat, until deadline: UInt64)
  /// Wakes whoever parks on the seat, or lets its next `park` return at once. From any thread; async-signal-safe. What
  /// the caller wrote before is visible to the woken. On bare metal this is also the interrupt to that CPU: the doorbell.
  static func unpark(_ seat: Seat)
  /// Whether ``unpark(_:)`` makes a CPU that is awake look at what was asked of it: true if nothing is said. Where recognition points are calls it
  /// does not, and the core rings only who sleeps.
  static var interruptsByRinging: Bool { get }
  /// A hint, which may do nothing (and does if nothing is said): the caller is about to write to the cache line at this address, which another CPU
  /// has written.
  static func willWrite(_ at: UnsafeRawPointer)
  /// A hint of the same kind: the caller is about to read there. Any address may be named.
  static func willRead(_ at: UnsafeRawPointer)

  /// Looks at the devices of the calling CPU without waiting. Called at recognition points, not more often than
  /// ``Configuration/pollInterval``, and after each sleep.
  func pollDevices(cpu: Int)

  /// Starts a CPU: calls `main` on it, once, on a thread of execution of its own. Returns when it has been started.
  func start(cpu: Int, _ main: @escaping @Sendable () -> Void) throws(MachineError)
  /// Waits until `main` of this CPU has returned.
  func join(cpu: Int)
  /// Runs `main` once on another thread of execution that stands in for a CPU, whose own thread is busy elsewhere until
  /// `main` has returned. Machines without such threads refuse.
  func startSubstitute(forCPU cpu: Int, _ main: @escaping @Sendable () -> Void) throws(MachineError)
  /// Starts the thread of one level of a CPU (`Execution.threads`), with a priority by its level where the system permits; its
  /// seat, and a way to wait for its end. Machines without threads refuse.
  func startLevelThread(
    cpu: Int, level: Level, _ main: @escaping @Sendable () -> Void
  ) throws(MachineError) -> (seat: Seat, join: () -> Void)
  /// What is to be said of the threads' priorities, in one line; nil if they are as promised.
  var schedulingNote: String? { get }

  /// Reports a defect that cannot be survived, and does not return.
  static func fatal(_ message: String) -> Never

  #if Mutants
    /// The core accesses plain memory of its own; has a default, which does nothing.
    static func accessed(_ at: UnsafeRawPointer, _ access: PlainAccess)
  #endif
}

extension Machine {
  /// One step without looks of its own.
  @inlinable @inline(__always) public static func pause(_ round: Int, unless isOver: () -> Bool) {
    pause(round)
  }
  /// A ring is an interrupt.
  @inlinable @inline(__always) public static var interruptsByRinging: Bool { true }
  /// Nothing.
  @inlinable @inline(__always) public static func willWrite(_ at: UnsafeRawPointer) {}
  /// Nothing.
  @inlinable @inline(__always) public static func willRead(_ at: UnsafeRawPointer) {}
}

/// Why a machine could not do what was asked; the text says what to do.
public struct MachineError: Error, Sendable, CustomStringConvertible {
  public var description: String
  /// An error whose text says what to do.
  public init(_ description: String) { self.description = description }
}

/// How an access to a word is ordered, as in C++20.
public enum MemoryOrder: Sendable {
  /// As C++20 has them.
  case relaxed, acquire, release, acquireRelease, sequentiallyConsistent
}

/// One word of memory that several CPUs access.
///
/// A word lives in memory that the core allocates and never moves; all access is through its address, so that a
/// simulated machine can make each operation a scheduling point of its own. `load` takes `relaxed`, `acquire` or
/// `sequentiallyConsistent`; `store` takes `relaxed`, `release` or `sequentiallyConsistent`; the read-modify-writes take any and are wait-free where
/// the processor has them.
public protocol MachineWord: BitwiseCopyable {
  /// A word with a value, before anybody else knows it.
  init(_ value: UInt)
  /// The value: relaxed, acquire or sequentially consistent.
  static func load(_ at: UnsafeMutablePointer<Self>, _ order: MemoryOrder) -> UInt
  /// Writes the value: relaxed, release or sequentially consistent.
  static func store(_ at: UnsafeMutablePointer<Self>, _ value: UInt, _ order: MemoryOrder)
  /// Writes the value; the one before.
  static func exchange(_ at: UnsafeMutablePointer<Self>, _ value: UInt, _ order: MemoryOrder) -> UInt
  /// Adds, and wraps; the value before.
  static func fetchAdd(_ at: UnsafeMutablePointer<Self>, _ value: UInt, _ order: MemoryOrder) -> UInt
  /// Sets bits; the value before.
  static func fetchOr(_ at: UnsafeMutablePointer<Self>, _ bits: UInt, _ order: MemoryOrder) -> UInt
  /// Keeps these bits only; the value before.
  static func fetchAnd(_ at: UnsafeMutablePointer<Self>, _ bits: UInt, _ order: MemoryOrder) -> UInt
  /// Writes what is there: a read-modify-write that changes nothing but has its place in the order of the word's changes, also if the
  /// caller does not use the value. Has a default, which tries again while others change the word.
  static func rewrite(_ at: UnsafeMutablePointer<Self>, _ order: MemoryOrder) -> UInt
  /// Replaces `expected` by `desired`; on failure the order is the acquire part of `order`.
  static func compareExchange(
    _ at: UnsafeMutablePointer<Self>, _ expected: UInt, _ desired: UInt, _ order: MemoryOrder
  ) -> Bool
}

extension MachineWord {
  /// Not `fetchOr(at, 0, order)`: where nobody uses the value of a change that changes nothing, compilers keep its order among the thread's
  /// own accesses and drop the change itself. LLVM does so on x86-64 (`lowerAtomicArith`), where `acquireRelease` is then no
  /// instruction at all: the store before is seen after the load that follows, and a sleeper that said so is not rung. Replacing a value by itself
  /// is left alone, by LLVM as it is now: `Benchmarks/check-assembly` looks.
  @inlinable @inline(__always)
  public static func rewrite(_ at: UnsafeMutablePointer<Self>, _ order: MemoryOrder) -> UInt {
    var seen = load(at, .relaxed)
    while !compareExchange(at, seen, seen, order) { seen = load(at, .relaxed) }
    return seen
  }
}
