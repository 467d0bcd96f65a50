// A program that fails, made small: steps, actors and devices are left out as long as it fails in the same way.
//
// Law: leaving something out keeps a program spl-correct, because no raise is taken from around what stays, and no wait loses who
// ends it.

public import Exploration
import SimulatedMachine
import SoftInterrupts

extension RandomProgram {
  /// The programs that have one thing less.
  var smaller: [RandomProgram] {
    var list: [RandomProgram] = []
    for index in devices.indices {
      var program = self
      program.devices.remove(at: index)
      list.append(program)
    }
    for actor in actors where !self[steps: actor].isEmpty {
      var program = self
      program[steps: actor] = []
      list.append(program)
    }
    for site in sites { list.append(replacing(site, with: [])) }
    for index in bases.indices where bases[index].steps.isEmpty {
      var program = self
      program.bases.remove(at: index)
      list.append(program)
    }
    for index in handlers.indices where handlers[index].placement == .anywhere {
      var program = self
      program.handlers[index].placement = .bound
      list.append(program)
    }
    return list.filter(\.endsItsWaits)
  }

  /// Whether somebody who runs whatever others do makes each condition true that is waited for.
  private var endsItsWaits: Bool {
    func signals(_ condition: Int) -> Bool {
      sites.contains { site in
        guard site.step == .signal(condition) else { return false }
        if case .handler(let index) = site.actor { return devices.contains { $0.handler == index } }
        return true
      }
    }
    return sites.allSatisfy { if case .wait(let condition) = $0.step { signals(condition) } else { true } }
  }

  /// The smallest program found that fails by the same rule under the same setting, and its finding.
  public func shrunk(
    _ finding: Finding, _ setting: TheoremSetting, seed: UInt64, _ effort: TheoremEffort = TheoremEffort()
  ) throws -> (program: RandomProgram, finding: Finding) {
    var best = (program: self, finding: finding)
    var isSmaller = true
    while isSmaller {
      isSmaller = false
      for candidate in best.program.smaller {
        let report = try TheoremCheck.check(candidate, setting, seed: seed, effort)
        if let found = report.finding, found.rule == finding.rule {
          best = (candidate, found)
          isSmaller = true
          break
        }
      }
    }
    return best
  }
}
