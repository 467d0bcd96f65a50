// The fuzzer of scenarios: any bytes are a scenario or an error with a place, and a scenario that was read can be explored to a
// verdict, whatever its program does: never a trap, an endless loop or a load past the end. Explorations are tiny here.

import Exploration
import Scenarios

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzScenario(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  let bytes = [UInt8](UnsafeBufferPointer(start: data, count: size))
  let scenario: Scenario
  do throws(ScenarioError) {
    scenario = try Scenario(bytes, file: "input")
  } catch {
    precondition(error.file == "input" && error.line >= 1, "an error without a place")
    precondition(error.path.isEmpty || error.path.hasPrefix("$"), "a path that begins nowhere")
    precondition(!error.problem.isEmpty, "an error that says nothing")
    return 0
  }
  explore(scenario)
  for discipline in ScenarioDiscipline.allCases { explore(scenario.under(discipline)) }
  return 0
}

private func explore(_ scenario: Scenario) {
  var scenario = scenario
  scenario.limits = Limits(schedules: 3, steps: 400, time: 1_000_000_000, shrinking: 4)
  scenario.strategy =
    scenario.memory == .rc11 ? .random(seed: 1, schedules: 3) : .exhaustive(preemptions: 1)
  // Many CPUs are slow to make, and nothing else.
  if scenario.cpus > 3 { return }
  do {
    let result = try scenario.explore(file: "input")
    precondition(result.exploration.schedules + result.exploration.redundant <= 4, "more than the limit")
    _ = result.json
    _ = result.html
    _ = result.text()
    if let finding = result.exploration.finding {
      let again = try scenario.replay(finding.replay, file: "input")
      precondition(again?.rule == finding.rule, "a replay string that does not replay")
    }
  } catch is ScenarioError {
    // What only the core can know: too many handlers of a level.
  } catch { preconditionFailure("\(error)") }
}
