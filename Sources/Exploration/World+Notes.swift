// What a program says of itself, for the story of a run.
//
// Law: a note changes nothing of the run; where no story is told it costs a test.

import SimulatedMachine

extension World {
  /// A line of the story, in the column of whoever runs: what a step means that cannot be seen from outside.
  public func note(_ text: @autoclosure () -> String) {
    guard let teller = watcher as? StoryTeller, let process = SimulatedMachine.runningProcess else { return }
    teller.add(text(), process, machine)
  }
}
