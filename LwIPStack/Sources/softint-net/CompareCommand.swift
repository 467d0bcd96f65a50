// `softint-net compare`: disciplines, lwIP's own lock and numbers of stacks side by side under real load.
//
// Law: the rounds alternate, so that what else the machine does falls on all alike; medians are shown, and the least and the most. A goal is
// printed with what was found, met or missed.

import ArgumentParser
import Glibc
import LwIPStack
import NetworkServers

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare disciplines, and lwIP's own lock, under real load.",
    discussion: """
      Starts a server for each row in alternating rounds. wrk and iperf3 must be installed for their loads, and lwip-corelock, which \
      runs lwIP under its own core lock, has to be beside this program (swift build -c release builds all of it). \
      Client, device and stack share the machine.

      Example: softint-net compare --rounds 5 --seconds 3
      Example: softint-net compare --load stacks
      Example: softint-net compare --load all --rounds 5 --update README.md
      """)

  @Option(
    help: ArgumentHelp(
      "wrk, iperf, iperfReverse, slow, work, stacks, with commas between; or all.", valueName: "list"),
    transform: CompareCommand.loads)
  var load: [CompareLoad] = [.wrk]

  @Option(
    help: ArgumentHelp(
      "Compare only these, with commas between (default: what a load says something of).", valueName: "list"),
    transform: CompareCommand.disciplines)
  var disciplines: [StackDiscipline]?

  @Option(help: ArgumentHelp("Run on this many CPUs, 1 to 64.", valueName: "n")) var cpus: Int = 2
  @Option(help: ArgumentHelp("How many rounds, 1 to 99.", valueName: "n")) var rounds: Int = 3
  @Option(help: ArgumentHelp("How long each lasts, 1 to 60 s.", valueName: "seconds")) var seconds: Int = 2
  @Option(help: ArgumentHelp("How many connections, 1 to 1000.", valueName: "n")) var clients: Int = 32
  @Option(help: ArgumentHelp("How many of slow requests besides, 1 to 1000.", valueName: "n"))
  var slowClients: Int = 8
  @Option(help: ArgumentHelp("The first of the ports that are listened on.", valueName: "port")) var port:
    Int = 8080
  @Option(
    help: ArgumentHelp(
      "Write the tables between the marks of this file; those of other loads stay.", valueName: "file"))
  var update: String?
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    func check(_ value: Int, _ range: ClosedRange<Int>, _ name: String) throws {
      guard range.contains(value) else {
        throw ValidationError("\(name): give a whole number from \(range.lowerBound) to \(range.upperBound)")
      }
    }
    try check(cpus, 1...64, "--cpus")
    try check(rounds, 1...99, "--rounds")
    try check(seconds, 1...60, "--seconds")
    try check(clients, 1...1_000, "--clients")
    try check(slowClients, 1...1_000, "--slow-clients")
    try check(port, 1...65_000, "--port")
  }

  func run() throws {
    for program in Set(load.compactMap(\.client)).sorted() where !Child.isInstalled(program) {
      throw CommandFailure.system("\(program) cannot be run: install it (apt-get install \(program))")
    }
    if load.contains(where: { !$0.isMemory }), access("\(CompareRound.home)/lwip-corelock", X_OK) != 0 {
      throw CommandFailure.system("lwip-corelock is not beside this program: swift build -c release")
    }
    let (place, loadBefore) = (MeasuringPlace.now, MeasuringPlace.load)
    let tables = try load.map(measure)
    let report = CompareReport(
      command: CommandLine.arguments.dropFirst().joined(separator: " "), cpus: cpus, rounds: rounds,
      seconds: seconds,
      connections: clients, slowConnections: slowClients, tables: tables, place: place, loadBefore: loadBefore
    )
    if let update { try report.write(into: update) }
    announce(json ? report.json : report.text)
    let unended = tables.flatMap(\.unended)
    if !unended.isEmpty {
      throw CommandFailure(message: unended.joined(separator: "; "), status: 70)
    }
  }

  private func measure(_ load: CompareLoad) throws -> CompareTable {
    let contenders = load.contenders(
      disciplines ?? load.disciplines, cpus: cpus, hasNginx: Orientation.nginxPath != nil)
    let round = CompareRound(
      load: load, seconds: seconds, clients: clients, slowClients: slowClients, port: UInt16(port))
    var samples = [[Sample?]](repeating: [], count: contenders.count)
    for _ in 0..<rounds {
      for (index, row) in contenders.enumerated() { samples[index].append(try round.run(row)) }
    }
    return CompareTable(
      load: load, rows: zip(contenders, samples).map { CompareRow(name: $0.name, rounds: $1) })
  }

  private static func loads(_ text: String) throws -> [CompareLoad] {
    if text == "all" { return CompareLoad.allCases }
    return try text.split(separator: ",", omittingEmptySubsequences: false).map {
      guard let load = CompareLoad(rawValue: String($0)) else {
        throw ValidationError(
          "the loads are \(CompareLoad.allCases.map(\.rawValue).joined(separator: ", ")); or all")
      }
      return load
    }
  }

  private static func disciplines(_ text: String) throws -> [StackDiscipline] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map {
      guard let discipline = StackDiscipline(rawValue: String($0)) else {
        throw ValidationError(
          "the disciplines are \(StackDiscipline.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      return discipline
    }
  }
}
