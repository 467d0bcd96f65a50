// What the scheduler may choose: a CPU, its interrupt, a visitor, a device.
//
// Law: a process has one announced operation at a time and is deterministic: what it does next depends on what it has read. A
// CPU's interrupt is a process of its own, of one step that repeats: its step puts the core's recognition on top of the CPU's
// coroutine. So "take the interrupt" and "go on" are two processes' steps that do not commute, and reduction stays right.

import CSimulated
import SoftInterrupts

/// What a process stands for.
public enum ProcessKind: UInt8, Sendable {
  /// A CPU of the machine.
  case cpu
  /// The interrupt of a CPU (``Recognition/anywhere``).
  case interrupt
  /// A thread that is no CPU.
  case visitor
  /// A device: its first step may come at any point, and schedules from outside.
  case device
  /// A thread that stands in for a CPU whose base code has left it, or that serves one level of a CPU.
  case substitute, levelThread
}

/// When a CPU recognises what is pending.
public enum Recognition: UInt8, Sendable {
  /// At the calls of the core's that are recognition points, as on the hosted machine.
  case points
  /// At any operation at which its IPL admits it, as on bare metal.
  case anywhere
}

enum ProcessState: UInt8 {
  /// Its announced operation can be done.
  case ready
  /// It sleeps on its seat, spins, or waits for a process to end.
  case parked, spinning, joining
  /// It waits for the run to begin.
  case held
  case ended
}

/// A value that a spinning process has read, and where.
struct SeenValue {
  var at: UnsafeMutablePointer<SimulatedWord>
  var value: UInt
}

struct Process {
  var kind: ProcessKind = .cpu
  var state: ProcessState = .ended
  /// An interrupt is to be taken when it is resumed.
  var takesInterrupt = false
  /// It has changed a word since its last pause.
  var hasChanged = false
  /// How many interrupts are on top of each other.
  var interruptDepth: Int32 = 0
  /// The CPU it is, or is the interrupt of; else -1.
  var cpu: Int32 = -1
  var pending = Operation()
  /// `Machine/current`.
  var current: UnsafeMutableRawPointer?
  var coroutine: UnsafeMutablePointer<softint_coroutine>?
  var deadline: UInt64 = .max
  var parkedOn: UnsafeMutablePointer<SeatMemory>?
  var joins: Int32 = -1
  /// Who made it during the run; -1 if it was made before.
  var maker: Int32 = -1
  /// 1 when it has ended: what `join` reads.
  var end = SimulatedWord(0)
  /// What it has read since it last changed a word or paused: what a spin wait watches.
  var seen: UnsafeMutablePointer<SeenValue>?
  var seenCount = 0
  var seenCapacity = 0
  /// A CPU's: where its IPL and summary are.
  var interrupts: InterruptState<SimulatedMachine>?
  /// An interrupt that changed nothing is not taken again before its CPU has gone on: the summary that it saw, and the CPU's
  /// steps by then.
  var lastSummary: UInt = 0
  var lastSteps: UInt = .max
  var steps: UInt = 0
  /// The IPL at which the topmost interrupt was taken, and how often the CPU had been rung by then.
  var interruptedIPL: UInt8 = 0
  var interruptedRings: UInt = 0
}

/// The memory of a seat: a ring that has not been taken yet, and who sleeps on it.
struct SeatMemory {
  var ring = SimulatedWord(0)
  var sleeper: Int32 = -1
  /// How often it was rung in this run.
  var rings: UInt = 0
}
