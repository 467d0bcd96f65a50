// The same scenario under one discipline: every handler let in the same way.

import SoftInterrupts

extension ScenarioDiscipline {
  /// The way in that each handler and callout has.
  ///
  /// On one CPU gates are never busy, and the order of the levels is what spl was: so `oneCPU` is `ordered` there.
  var way: WayIn {
    switch self {
    case .oneCPU, .ordered: .ordered
    case .bigLock: .bigLock
    case .disjoint: .disjoint
    case .mpSafe: .mpSafe
    }
  }
}

extension Scenario {
  /// This scenario under a discipline: every way in is replaced, those of `setWay` too; under `bigLock` base code runs under the big
  /// lock, under `oneCPU` everything is on CPU 0, base code one after the other. Visitors, devices and steps stay as they are.
  /// What is expected is what the scenario says of that discipline.
  public func under(_ discipline: ScenarioDiscipline) -> Scenario {
    var scenario = self
    scenario.discipline = discipline
    scenario.expectation = expectationsUnder[discipline]
    if discipline == .oneCPU { scenario.cpus = 1 }
    return scenario
  }

  func way(_ own: WayIn) -> WayIn { discipline?.way ?? own }
  func cpu(_ own: Int) -> Int { discipline == .oneCPU ? 0 : own }
}
