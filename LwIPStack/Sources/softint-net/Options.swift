// What all verbs take: the discipline, the CPUs and the device.

import ArgumentParser
import LwIPStack
import NetworkServers

struct StackOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How the stack is kept consistent: \(StackDiscipline.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "name"),
    transform: StackOptions.discipline)
  var discipline: StackDiscipline = .ordered

  @Option(help: ArgumentHelp("Run on this many CPUs, 1 to 64.", valueName: "n"), transform: StackOptions.cpus)
  var cpus: Int = 2

  @OptionGroup var device: DeviceOptions

  var port: UInt16 { device.port }

  /// Makes the stack and attaches its device; the text says how to reach it.
  func start(isUDPToo: Bool) throws(CommandFailure) -> (stack: NetworkStack, host: String) {
    var configuration = StackConfiguration()
    configuration.discipline = discipline
    configuration.cpus = cpus
    return try device.start(configuration, isUDPToo: isUDPToo)
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
