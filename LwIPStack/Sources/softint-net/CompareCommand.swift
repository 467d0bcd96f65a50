// `softint-net compare`: the disciplines side by side under wrk, over libslirp.
//
// Law: the rounds alternate, so that what else the machine does falls on all alike; medians are shown, and the least and the most. Nothing but
// the discipline differs: device, batches and HTTP are the same code.

import ArgumentParser
import Glibc
import LwIPStack
import NetworkServers

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare disciplines under wrk, over libslirp.",
    discussion: """
      Runs the HTTP server under each discipline in alternating rounds, with wrk as its client; wrk must be installed. Client, \
      device and stack share the machine.

      With --slow a second wrk asks for 2 ms of work on one connection meanwhile: below softNet, or at softNet, where it holds \
      the stack up. The figures are those of the fast requests.

      Example: softint-net compare --rounds 5 --seconds 2
      Example: softint-net compare --disciplines ordered --slow softBio
      """)

  @Option(
    help: ArgumentHelp("Compare only these, with commas between (default: all).", valueName: "list"),
    transform: CompareCommand.disciplines)
  var disciplines: [StackDiscipline] = StackDiscipline.allCases

  @Option(help: ArgumentHelp("Run on this many CPUs, 1 to 64.", valueName: "n")) var cpus: Int = 2
  @Option(help: ArgumentHelp("How many rounds, 1 to 99.", valueName: "n")) var rounds: Int = 3
  @Option(help: ArgumentHelp("How long each lasts, 1 to 60 s.", valueName: "seconds")) var seconds: Int = 2
  @Option(help: ArgumentHelp("How many connections, 1 to 1000.", valueName: "n")) var clients: Int = 32
  @Option(help: ArgumentHelp("Slow requests besides: softBio or softNet.", valueName: "level")) var slow:
    String?
  @Option(help: ArgumentHelp("The first of the ports that are listened on.", valueName: "port")) var port:
    Int = 8080
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
    try check(port, 1...65_000, "--port")
    if let slow, slow != "softBio", slow != "softNet" {
      throw ValidationError("--slow: give softBio or softNet")
    }
  }

  func run() throws {
    guard Child.output(["wrk", "--version"]) != nil || Child.output(["which", "wrk"]) != nil else {
      throw CommandFailure.system("wrk cannot be run: install it (apt-get install wrk)")
    }
    var results: [StackDiscipline: [WrkResult]] = [:]
    var refuted: [StackDiscipline: String] = [:]
    for _ in 0..<rounds {
      for discipline in disciplines {
        let (result, violation) = try round(discipline)
        results[discipline, default: []].append(result)
        if let violation { refuted[discipline] = violation }
      }
    }
    let rows = disciplines.map { Row($0, results[$0]!, refuted[$0]) }
    announce(json ? Self.json(rows, self) : Self.table(rows, self))
  }

  /// One discipline, once.
  private func round(_ discipline: StackDiscipline) throws -> (WrkResult, violation: String?) {
    var configuration = StackConfiguration()
    configuration.discipline = discipline
    configuration.cpus = cpus
    let stack: NetworkStack
    do { stack = try NetworkStack(configuration) } catch { throw CommandFailure.system(error.description) }
    defer { stack.shutdown() }
    let server = HTTPServer(stack, .bundled)
    let port = UInt16(port)
    try server.start(port: port)
    defer { server.stop() }
    do {
      try stack.attach(SlirpDevice(forwarding: [.init(port: port)]), ipv4: SlirpDevice.ipv4)
    } catch { throw CommandFailure.system(error.description) }
    let place = "http://127.0.0.1:\(port)"
    let companion = slow.map { level in
      Companion([
        "wrk", "-t1", "-c1", "-d\(seconds)s", "\(place)/slow\(level == "softNet" ? "?at=softNet" : "")",
      ])
    }
    let text = Child.output(["wrk", "--latency", "-t1", "-c\(clients)", "-d\(seconds)s", "\(place)/"])
    companion?.join()
    guard let text, let result = WrkResult(text) else {
      throw CommandFailure.system("wrk failed under \(discipline)")
    }
    let counts = stack.counts
    guard counts.failures == 0, counts.assertions > 0 else {
      throw CommandFailure.system("lwIP's assertions failed \(counts.failures) times under \(discipline)")
    }
    let violation = stack.system.violations.first { $0.context.contains("tcp_tmr") }
    return (result, violation.map { "\($0.context) at \($0.from) asked for \($0.to)" })
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

/// Another client beside the one that is measured, in a thread of its own.
private final class Companion {
  private var thread = pthread_t()
  private final class Work: Sendable {
    let arguments: [String]
    init(_ arguments: [String]) { self.arguments = arguments }
  }
  init(_ arguments: [String]) {
    let work = Unmanaged.passRetained(Work(arguments))
    let error = pthread_create(
      &thread, nil,
      { argument in
        _ = Child.output(Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue().arguments)
        return nil
      }, work.toOpaque())
    precondition(error == 0, "no thread could be made")
  }
  func join() { pthread_join(thread, nil) }
}

extension CompareCommand {
  /// One discipline's rounds.
  struct Row {
    var discipline: StackDiscipline
    var rate, least, most, p50, p99: Double
    var errors: Int
    var refutation: String?

    init(_ discipline: StackDiscipline, _ rounds: [WrkResult], _ refutation: String?) {
      self.discipline = discipline
      self.refutation = refutation
      let rates = rounds.map(\.requestsPerSecond).sorted()
      (rate, least, most) = (Self.median(rates), rates.first!, rates.last!)
      p50 = Self.median(rounds.map(\.p50).sorted())
      p99 = Self.median(rounds.map(\.p99).sorted())
      errors = rounds.reduce(0) { $0 + $1.errors }
    }

    private static func median(_ sorted: [Double]) -> Double {
      let middle = sorted.count / 2
      return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
  }

  private static func pad(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  static func table(_ rows: [Row], _ command: CompareCommand) -> String {
    let load = command.slow.map { ", with 2 ms requests at \($0) besides" } ?? ""
    var lines = [
      "\(command.rounds) rounds of \(command.seconds) s, \(command.clients) connections, \(command.cpus) CPUs, libslirp\(load)",
      "",
      pad("", 9) + pad("requests/s", 11) + pad("interval", 18) + pad("p50 µs", 10) + pad("p99 µs", 10)
        + pad("errors", 8),
    ]
    for row in rows {
      let name = row.discipline.rawValue
      lines.append(
        name + String(repeating: " ", count: max(0, 9 - name.count)) + pad("\(Int(row.rate))", 11)
          + pad("\(Int(row.least))–\(Int(row.most))", 18) + pad("\(Int(row.p50))", 10)
          + pad("\(Int(row.p99))", 10) + pad("\(row.errors)", 8))
    }
    for row in rows {
      if let why = row.refutation { lines.append("\(row.discipline.rawValue) is refuted: \(why)") }
    }
    return lines.joined(separator: "\n")
  }

  static func json(_ rows: [Row], _ command: CompareCommand) -> String {
    let results = rows.map { row in
      // The names and the witness's words hold quotation marks at most.
      let why =
        row.refutation.map {
          "\"" + $0.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"") + "\""
        } ?? "null"
      return
        "{\"discipline\":\"\(row.discipline.rawValue)\",\"requestsPerSecond\":\(row.rate),\"least\":\(row.least),\"most\":\(row.most),\"p50Microseconds\":\(row.p50),\"p99Microseconds\":\(row.p99),\"errors\":\(row.errors),\"refutation\":\(why)}"
    }
    let slow = command.slow.map { "\"\($0)\"" } ?? "null"
    return
      "{\"schema\":\"softint-net.compare/1\",\"rounds\":\(command.rounds),\"seconds\":\(command.seconds),\"connections\":\(command.clients),\"cpus\":\(command.cpus),\"slow\":\(slow),\"results\":[\(results.joined(separator: ","))]}"
  }
}
