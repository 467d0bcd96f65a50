// The end of a machine.
//
// Law: stacks that were left in the middle of a run hold systems and worlds, and through them the machine, for ever: its end does not
// come by itself then, and what it has allocated is given back by whoever made it.

import CSimulated

extension SimulatedMachine {
  /// Gives back the stacks and everything else that the machine has allocated. Nothing of it may be used any more: for who made it, and
  /// has left runs in the middle; otherwise the machine's end does it.
  package func giveBack() {
    if isGivenBack { return }
    isGivenBack = true
    if softint_simulation() == UnsafeMutableRawPointer(engine.p) { softint_set_simulation(nil) }
    for stack in stacks {
      softint_coroutine_free(stack)
      stack.deallocate()
    }
    for seat in seats { seat.deallocate() }
    (stacks, seats, bodies, names, sources, marked) = ([], [], [], [], [], [])
    for index in 0..<Self.processLimit { engine.process(index).pointee.seen?.deallocate() }
    objectWords.deallocate()
    clock.deallocate()
    engine.p.pointee.processes.deallocate()
    engine.p.pointee.host.deallocate()
    engine.p.deallocate()
  }
}
