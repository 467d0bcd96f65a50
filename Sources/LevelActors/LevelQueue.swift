// Items that run at a level one after another: a list, a handler, and what is left of the last batch.
//
// Law: an item that was pushed runs exactly once, in the order of the pushes, under the gate of the level. Two rings keep that
// promise, and no third is needed: who pushes into the empty list schedules the handler, and a run that ends before it has seen both lists
// empty schedules itself. So whenever something is there and no run is under way, somebody has scheduled, or is between its push and
// its schedule. That last one is a thread that goes on by itself: nothing here waits for it, and nothing is lost if it is slow.
//
// Attacked and found to hold:
// - Push, then take, then schedule: the run finds nothing and ends. It cost a run; nothing waits.
// - Take, then push: the push finds the list empty, whatever the run still has in hand, and schedules. The claim that comes before a run
//   clears the handler's bit, so this schedule is followed by another run.
// - Run 1 leaves something and schedules; a push finds the list empty and schedules too, so both are one bit, which run 2 claims; run 2
//   uses its budget up on what run 1 left, and the push is in nobody's hand. That was lost in the first version, which asked again
//   only if something of its batch was left. A run that stops for its budget has not looked, so it looks, and asks.
// - Two CPUs with the handler pending: gate X admits one after the other; `rest` is touched under it only, and the later one finds
//   what the first one left, older first.
// - The CPU goes offline: the handler is `.anywhere`, so the core moves its mark.
// - Shutdown: marks accepted before run within the grace. A schedule that comes later is refused, and the pusher is told; a mark that
//   was dropped tells nobody, so the end of the handler's body tells (`HandlerEnd`). Either is enough to look at both lists.

public import SoftInterrupts

/// Items that run under the gate of a level.
@usableFromInline package final class LevelQueue<M: Machine, Item: Linked>: @unchecked Sendable {
  // Sendable: `incoming` is a word; `rest` is touched under the gate; `handler` is set before the queue is shared.
  @usableFromInline package let system: InterruptSystem<M>
  @usableFromInline let level: Level
  @usableFromInline let home: Int
  @usableFromInline let budget: Int
  @usableFromInline let incoming = Incoming<M, Item>()
  /// What was taken and has not run, first pushed first. Under the gate.
  @usableFromInline var rest: UInt = 0
  @usableFromInline package var handler: Handler<M>?

  /// - Parameters:
  ///   - home: the CPU on which pushes of threads that are no CPU make the handler pending.
  ///   - budget: how many items one run of the handler takes.
  @inlinable package init(_ system: InterruptSystem<M>, at level: Level, home: Int, budget: Int) {
    precondition(home >= 0 && home < system.cpuCount, "there is no CPU \(home)")
    precondition(budget >= 1, "a run takes at least one item")
    self.system = system
    self.level = level
    self.home = home
    self.budget = budget
  }

  deinit { incoming.deallocate() }

  /// Adds an item. Any thread, any level; waits for nothing. False if the handler has ended: then somebody must ``runLate(_:)``.
  @inlinable package func push(_ item: Item) -> Bool {
    if !incoming.push(item) { return true }
    return ring()
  }

  /// Schedules the handler; whether a run is promised.
  @inlinable func ring() -> Bool {
    guard let handler else { return false }
    switch home == 0 || system.isCPU ? handler.schedule() : handler.schedule(on: home) {
    case .scheduled, .coalesced, .offline: return true
    case .notEstablished: return false
    }
  }

  /// The body of the handler: the gate is held. False if what it left will not be asked for again, as the handler has ended.
  ///
  /// Between two items it is a recognition point, so a flood here keeps nothing above waiting; the budget ends the run, and so lets the
  /// core's own bounds (`Configuration`: dispatch budget, level budget, lower share) give what is below its turn.
  @inlinable package func run(_ here: borrowing Here<M>, _ perform: (Item) -> Void) -> Bool {
    var left = budget
    while let item = next() {
      left -= 1
      perform(item)
      here.checkpoint()
      if left == 0 { break }
    }
    #if Mutants
      if ActorMutant.isOn(.forgottenRest) { return true }
      if ActorMutant.isOn(.forgottenPush) { return rest == 0 || ring() }
    #endif
    // The claim of this run acquired what was pushed before the mark that it took, so the look sees that.
    return left > 0 || isEmpty || ring()
  }

  /// Runs what there is, and then `last`, without a handler, on a thread that is no CPU: only once the handler has ended. Waits for
  /// nothing: false, and nothing done, if the gate is not free now.
  @inlinable package func runLate(_ perform: (Item) -> Void, last: () -> Void = {}) -> Bool {
    let done: Void? = system.tryRaise(to: level) { _ in
      while let item = next() { perform(item) }
      last()
    }
    return done != nil
  }

  /// The next item. Under the gate.
  @inlinable func next() -> Item? {
    if rest == 0 { rest = incoming.takeAll() }
    if rest == 0 { return nil }
    let item = Item(bits: rest)
    // Read before the item runs: then the link is its owner's again.
    rest = item.link.pointee
    return item
  }

  /// Whether nothing is there to be run; a later push rings. Under the gate.
  @inlinable package var isEmpty: Bool { rest == 0 && incoming.isEmpty }
}
