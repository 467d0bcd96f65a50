// Items that base code of the CPUs takes: a list for each CPU, and who sees to it that it is taken.
//
// Law: an item runs exactly once. Who pushes into a CPU's empty list gives that CPU base code that takes the list; who is refused takes
// the list himself and gives it to another CPU, or, when there is none left, to whoever runs what is late. Taking is one exchange, so any
// number may take: no item is taken twice, and whoever has taken items has to find them a place.
//
// A CPU that pushes to itself while its own base code is taking gives nothing: `isTaking` says that this code looks at the list once
// more. It is that CPU's own, written by its base code and read by whatever runs on top of it, so it needs no order but the program's.
// The code clears it, then looks: what came before the clearing is seen by the look, and what comes after it gives base code.
//
// Attacked and found to hold:
// - Interrupted between the take that found nothing and the clearing: the push gives nothing, and the look finds it.
// - Interrupted between the clearing and the look: the push gives base code and the look finds the item too; the base code finds nothing.
// - Another CPU pushes second, into a list that is no longer empty, and gives nothing: the same look finds both.
// - Levels have threads of their own (`Execution.threads`): those are the CPU too, and not on top of its base code. Nobody is told then.
// - The budget is used up: the code that is given instead will look, so the word stays; if the CPU takes none, this one goes on.
// - The shutdown drops the code that was given: its CPU has stopped, nobody is that CPU any more, and the promise takes what is there.
// - Who has pushed into the empty list is stopped before it gives base code, and base code that is under way takes the item: that may be the last
//   one, whose end lets go of the taker. It did, and with it of this object. So who pushes keeps the taker until it has given.

public import SoftInterrupts

/// Who runs items that CPUs took.
@usableFromInline package protocol ItemTaker<Item>: AnyObject, Sendable {
  associatedtype Item: Linked
  /// Runs one, as base code of a CPU.
  func perform(_ item: Item)
  /// Finds a place for items that no CPU will run, in their order.
  func performLate(_ items: [Item])
}

/// The items of each CPU.
@usableFromInline package final class CPULists<M: Machine, Taker: ItemTaker>: @unchecked Sendable {
  // Sendable: `incoming` are words; a state is touched by its CPU only.
  @usableFromInline package typealias Item = Taker.Item

  /// What a CPU notes of its own.
  @usableFromInline struct State {
    /// What was taken and has not run, first pushed first. Touched by base code only, which runs one after the other.
    @usableFromInline var rest: UInt = 0
    @usableFromInline var isTaking = false
    /// How many came back from levels while something waited.
    @usableFromInline var comeBack: UInt8 = 0
    @inlinable init() {}
  }

  @usableFromInline let system: InterruptSystem<M>
  @usableFromInline let budget: Int
  /// Where each CPU's list is: only read, so that who pushes to another CPU has it at hand.
  @usableFromInline let incoming: UnsafeMutablePointer<Incoming<M, Item>>
  /// Two lines for each: a CPU writes its state for each item, and processors fetch lines in pairs.
  @usableFromInline let states: UnsafeMutableRawPointer
  /// Whether what is on a CPU and not its base code is on top of it.
  @usableFromInline let isInline: Bool
  /// Whose turn it is. Relaxed: any CPU is right.
  @usableFromInline let turn: UnsafeMutablePointer<M.Word>

  @inlinable package init(_ system: InterruptSystem<M>, budget: Int) {
    self.system = system
    self.budget = budget
    #if Mutants
      isInline = system.configuration.execution == .inline || ActorMutant.isOn(.takingForThreads)
    #else
      isInline = system.configuration.execution == .inline
    #endif
    incoming = .allocate(capacity: system.cpuCount)
    states = .allocate(byteCount: Self.stride * system.cpuCount, alignment: Self.stride)
    for cpu in 0..<system.cpuCount {
      (incoming + cpu).initialize(to: Incoming())
      (states + cpu * Self.stride).bindMemory(to: State.self, capacity: 1).initialize(to: State())
    }
    turn = .allocate(capacity: 1)
    turn.initialize(to: M.Word(0))
  }

  deinit {
    for cpu in 0..<system.cpuCount { incoming[cpu].deallocate() }
    incoming.deallocate()
    states.deallocate()
    turn.deallocate()
  }

  @inlinable static var stride: Int { 128 }

  @inlinable func state(_ cpu: Int) -> UnsafeMutablePointer<State> {
    // Bound in `init`; a state is smaller than the stride.
    (states + cpu * Self.stride).assumingMemoryBound(to: State.self)
  }

  /// Adds an item: to the calling CPU's if nothing waits there, or else to each CPU's in turn. Any thread and level.
  ///
  /// What comes back from a level, whose gate is held then, stays with the CPU on which the level ran: there its data are, and both CPUs
  /// would be at the gate otherwise. One in sixteen goes in turn all the same where something waits, so a CPU that has more gives away more.
  @inlinable package func push(_ item: Item, for taker: Taker) {
    if let cpu = system.currentCPU {
      let isFree = incoming[cpu].isEmpty
      if isInline && state(cpu).pointee.isTaking
        && (isFree || !system.gates.isEmpty && stays(cpu))
      {
        // Whatever it finds there: the base code below this looks again.
        _ = incoming[cpu].push(item)
        return
      }
      if isFree {
        push(item, on: cpu, taker)
        return
      }
    }
    push(item, on: Int(M.Word.fetchAdd(turn, 1, .relaxed) % UInt(system.cpuCount)), taker)
  }

  @inlinable func stays(_ cpu: Int) -> Bool {
    state(cpu).pointee.comeBack &+= 1
    return state(cpu).pointee.comeBack & 15 != 0
  }

  @inlinable func push(_ item: Item, on first: Int, _ taker: Taker) {
    #if Mutants
      if ActorMutant.isOn(.letGo) { return pushKept(item, on: first, taker) }
    #endif
    let kept = keep(taker)
    pushKept(item, on: first, taker)
    // Perhaps of this object too: the end.
    kept.release()
  }

  @inlinable func pushKept(_ item: Item, on first: Int, _ taker: Taker) {
    guard incoming[first].push(item) else { return }
    #if Mutants
      // A moment for others: where there is no operation the exploration has none.
      _ = incoming[first].isEmpty
    #endif
    var cpu = first
    for _ in 0..<system.cpuCount {
      if give(cpu, taker) { return }
      // Refused: the CPU is offline, or all is over. What is in its list is ours to move, with what came meanwhile.
      let next = (cpu + 1) % system.cpuCount
      var isNew = false
      take(incoming[cpu].takeAll()) {
        if incoming[next].push($0) { isNew = true }
      }
      // Somebody else has given that CPU its base code, or taken everything.
      if !isNew { return }
      cpu = next
    }
    runLate(incoming[cpu].takeAll(), taker)
  }

  @inlinable func runLate(_ batch: UInt, _ taker: Taker) {
    var left: [Item] = []
    take(batch) { left.append($0) }
    if !left.isEmpty { taker.performLate(left) }
  }

  /// Gives a CPU its base code. If a shutdown drops that, which is after the CPUs have stopped, what it was for runs late.
  @inlinable func give(_ cpu: Int, _ taker: Taker) -> Bool {
    let promise = Promise(self, cpu, taker)
    let isAccepted = system.submit(on: cpu) { promise.keep($0) }
    if !isAccepted { promise.isKept = true }
    return isAccepted
  }

  /// Base code that was accepted: it runs, or is dropped, and then sees to what it was for.
  @usableFromInline final class Promise: @unchecked Sendable {
    // Sendable: `isKept` is written by the one who runs it, or was refused, and read when nobody holds it any more.
    @usableFromInline var isKept = false
    @usableFromInline let lists: CPULists
    @usableFromInline let cpu: Int
    @usableFromInline let taker: Taker

    @inlinable init(_ lists: CPULists, _ cpu: Int, _ taker: Taker) {
      self.lists = lists
      self.cpu = cpu
      self.taker = taker
    }

    deinit {
      if isKept { return }
      // The CPU has stopped: nobody else touches its rest.
      let state = lists.state(cpu)
      let mine = state.pointee.rest
      state.pointee.rest = 0
      lists.runLate(mine, taker)
      lists.runLate(lists.incoming[cpu].takeAll(), taker)
    }

    @inlinable func keep(_ here: borrowing Here<M>) {
      isKept = true
      lists.run(here, cpu, taker)
    }
  }

  /// A CPU's base code.
  @inlinable func run(_ here: borrowing Here<M>, _ cpu: Int, _ taker: Taker) {
    let (list, state) = (incoming[cpu], state(cpu))
    state.pointee.isTaking = true
    var left = budget
    while true {
      if state.pointee.rest == 0 { state.pointee.rest = list.takeAll() }
      if state.pointee.rest == 0 {
        // Clear, then look: see above.
        #if Mutants
          if ActorMutant.isOn(.stillTaking) { return }
          if ActorMutant.isOn(.lookThenClear) {
            if !list.isEmpty { continue }
            // A moment for what interrupts: where there is no operation the exploration has none.
            M.localFence()
            state.pointee.isTaking = false
            return
          }
        #endif
        state.pointee.isTaking = false
        M.localFence()
        if list.isEmpty { return }
        state.pointee.isTaking = true
        continue
      }
      if left == 0 {
        // The CPU takes no more base code: it is about to leave, and this is the last that looks.
        if give(cpu, taker) { return }
        left = budget
      }
      left -= 1
      let item = Item(bits: state.pointee.rest)
      // Read before the item runs: then the link is its owner's again.
      state.pointee.rest = item.link.pointee
      taker.perform(item)
      here.checkpoint()
    }
  }

  /// Hands out a batch.
  @inlinable func take(_ batch: UInt, _ body: (Item) -> Void) {
    var next = batch
    while next != 0 {
      let item = Item(bits: next)
      next = item.link.pointee
      body(item)
    }
  }
}

/// Counts an object once more. A function of its own, for a count that is taken and given back in one function is left out by the compiler where the
/// caller is promised to hold one: and who calls `enqueue` holds none once the job has run.
@usableFromInline @inline(never) func keep<Object: AnyObject>(_ object: Object) -> Unmanaged<Object> {
  .passRetained(object)
}
