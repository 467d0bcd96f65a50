// What all verbs take: the discipline, the CPUs and the device.

import ArgumentParser
import LwIPStack
import NetworkServers
import SoftInterrupts

struct StackOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How the stack is kept consistent: \(StackDiscipline.allCases.map(\.rawValue).joined(separator: ", ")) (default: ordered).",
      valueName: "name"),
    transform: StackOptions.discipline)
  var discipline: StackDiscipline = .ordered

  @Option(
    help: ArgumentHelp("Run on this many CPUs, 1 to 64 (default: 2).", valueName: "n"),
    transform: StackOptions.cpus)
  var cpus: Int = 2

  @Option(
    help: ArgumentHelp(
      "How many rounds an idle CPU polls at most before it sleeps (default: \(Configuration().idleRounds)).",
      valueName: "n"))
  var idleRounds: Int?

  @OptionGroup var device: DeviceOptions

  /// Makes the stacks and attaches their devices.
  func start(
    isUDPToo: Bool = false, listens: Bool = true, stacks: Int = 1
  ) throws(CommandFailure) -> [DeviceOptions.Served] {
    var configuration = StackConfiguration()
    configuration.discipline = discipline
    configuration.cpus = cpus
    configuration.idleRounds = idleRounds
    return try device.start(configuration, isUDPToo: isUDPToo, listens: listens, stacks: stacks)
  }

  func validate() throws {
    if let idleRounds, !(0...1_000_000_000).contains(idleRounds) {
      throw ValidationError("--idle-rounds: give a whole number from 0 to 1000000000")
    }
  }

  // MARK: What is accepted

  private static func discipline(_ text: String) throws -> StackDiscipline {
    guard let discipline = StackDiscipline(rawValue: text) else {
      throw ValidationError(
        "the disciplines are \(StackDiscipline.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return discipline
  }
  private static func cpus(_ text: String) throws -> Int {
    guard let count = Int(text), (1...64).contains(count) else {
      throw ValidationError("give a whole number from 1 to 64")
    }
    return count
  }
}
