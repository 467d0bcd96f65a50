// Making a violation's schedule as small as can be had for a given number of runs: fewest preemptions, then fewest steps.

import SimulatedMachine

struct Shrinker {
  let explorer: Explorer
  let runner: Runner
  let spins: SpinPolicy

  /// Runs a schedule.
  func follow(
    _ deviations: [Schedule.Deviation], _ program: (World) throws -> Void, as follower: Follower = Follower()
  ) throws -> (run: RunResult, isLost: Bool) {
    follower.schedule = deviations
    let run = try runner.run(follower, spins: spins, program)
    return (run, follower.isLost)
  }

  /// The smallest run found that breaks the same rule, and its story.
  func finding(_ run: RunResult, _ rule: Rule, _ program: (World) throws -> Void) throws -> Finding {
    var budget = explorer.limits.shrinking
    var best = run
    var policy = spins
    // Few preemptions first: by a search with a bound that grows.
    // (Not with weak memory, where that search would not be complete.)
    var bound = explorer.memory == .rc11 ? best.preemptions : 0
    while bound < best.preemptions && budget > 0 {
      let pilot = TreePilot(.persistentSets, bound: bound)
      var found = false
      var left = budget / 2
      while left > 0 {
        left -= 1
        budget -= 1
        let run = try runner.run(pilot, spins: .wake, program)
        if run.broken?.rule == rule {
          best = run
          policy = .wake
          found = true
          break
        }
        if run.broken != nil { break }
        if case .different = pilot.ended() { break }
        if !pilot.advance(runner.machine) { break }
      }
      if found { break }
      bound += 1
    }
    let shrinker = Shrinker(explorer: explorer, runner: runner, spins: policy)
    best = try shrinker.removing(best, rule, &budget, program)
    return try shrinker.told(best, rule, program)
  }

  /// Leaves out deviations, many and then few at once, while the same rule is broken (as delta debugging does: Zeller and
  /// Hildebrandt 2002).
  private func removing(
    _ run: RunResult, _ rule: Rule, _ budget: inout Int, _ program: (World) throws -> Void
  ) throws -> RunResult {
    var best = run
    var size = max(1, best.deviations.count / 2)
    while budget > 0 && !best.deviations.isEmpty {
      var isSmaller = false
      var start = 0
      while start < best.deviations.count && budget > 0 {
        var deviations = best.deviations
        deviations.removeSubrange(start..<min(start + size, deviations.count))
        budget -= 1
        let (run, _) = try follow(deviations, program)
        if run.broken?.rule == rule, (run.preemptions, run.steps) <= (best.preemptions, best.steps),
          run.deviations.count < best.deviations.count || run.steps < best.steps
        {
          best = run
          isSmaller = true
        } else {
          start += size
        }
      }
      if size == 1 && !isSmaller { break }
      if !isSmaller { size = max(1, size / 2) }
    }
    return best
  }

  /// The story of a run, by running it once more.
  func told(_ run: RunResult, _ rule: Rule, _ program: (World) throws -> Void) throws -> Finding {
    let teller = StoryTeller()
    let (again, _) = try follow(run.deviations, program, as: teller)
    var schedule = Schedule(
      recognition: runner.machine.recognition, spins: spins, memory: runner.machine.memory)
    schedule.deviations = run.deviations
    let broken = again.broken ?? run.broken ?? (rule, "")
    return Finding(
      rule: broken.rule, message: broken.message, replay: schedule.text,
      story: teller.story(broken.rule, broken.message), timeline: teller.timeline,
      preemptions: again.preemptions, steps: again.steps)
  }
}
