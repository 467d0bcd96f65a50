// Who decides which process goes on: the strategy of an exploration, or of a plain run.

public import SoftInterrupts

/// Decides at each scheduling point. Subclasses are strategies; this one lets the running process go on as long as it can, and
/// then the lowest that can.
open class Pilot {
  /// For subclasses.
  public init() {}

  /// Chooses the process whose announced operation is done next.
  ///
  /// - Parameters:
  ///   - machine: to ask for announced operations; nothing in it may be changed.
  ///   - last: what was done since the last call, and by whom.
  ///   - enabled: who can go on; never empty.
  /// - Returns: a member of `enabled`, or -1 to end the run here.
  open func next(_ machine: SimulatedMachine, _ last: Event, _ enabled: ProcessSet) -> Int {
    let running = Int(last.process)
    return running >= 0 && enabled.has(running) ? running : enabled.first
  }

  /// Chooses one of `count` things that the running process's operation may do (``MemoryModel/rc11``): which write is read, where in
  /// modification order one goes. 0 is the newest.
  open func option(_ machine: SimulatedMachine, _ count: Int) -> Int { 0 }

  /// The running process has accessed plain memory of the core's, after its last operation (builds with the `Mutants` trait only).
  open func accessed(_ at: UInt, _ access: PlainAccess) {}

  /// Under weak memory: the running process is about to make another. What it did last, and its accesses since, are before that.
  open func willMake(_ machine: SimulatedMachine, _ last: Event) {}

  /// Nobody can go on, and time or a spinning process's patience moves: everything done so far comes before what is woken now.
  open func idled(_ machine: SimulatedMachine, _ last: Event, woken: ProcessSet) {}

  /// A spinning process could go on although it was left where it is (``SpinPolicy/await``): another schedule, in which it looks
  /// after the change, reaches the same states. The run goes on to its end, but nothing new is to be learnt from it.
  open func isRedundant(_ machine: SimulatedMachine, _ last: Event) {}
}

/// What a spin wait is to the scheduler.
public enum SpinPolicy: Sendable {
  /// It can go on when a word that it looked at since its last change has another value.
  case wake
  /// It stays where it is: who looks too early need not look at all, since the schedule that has it look after the change is
  /// explored as well. Exhaustive reduction uses this; see ``SimulatedMachine/pause(_:)``.
  case await
}
