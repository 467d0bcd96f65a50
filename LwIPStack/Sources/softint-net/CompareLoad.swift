// What is compared under which load: the rows of each table.
//
// Law: rows of one load differ in one thing: the discipline, the lock, where the slow work is done, or how many stacks there are. Everything else,
// device, batches, servers and clients, is the same code.

import ArgumentParser
import LwIPStack

/// A load that the servers are put under.
enum CompareLoad: String, CaseIterable, ExpressibleByArgument {
  /// HTTP by wrk.
  case wrk
  /// iperf3 sends; and receives.
  case iperf
  case iperfReverse
  /// wrk, and slow requests besides.
  case slow
  /// HTTP from clients in memory, with an access log, its analysis and a probe at other levels.
  case work
  /// HTTP from clients in memory, to one stack and to two.
  case stacks

  var title: String {
    switch self {
    case .wrk: "HTTP by wrk, over libslirp"
    case .iperf: "iperf3 sends, over libslirp"
    case .iperfReverse: "iperf3 receives, over libslirp"
    case .slow: "HTTP by wrk, and slow requests besides (2 ms each), over libslirp"
    case .work: "HTTP in memory, with work at other levels"
    case .stacks: "HTTP in memory, one stack and two"
    }
  }
  var unit: String { isIperf ? "Gbit/s" : "requests/s" }
  var isIperf: Bool { self == .iperf || self == .iperfReverse }
  var isMemory: Bool { self == .work || self == .stacks }
  /// The program that has to be installed.
  var client: String? { isMemory ? nil : isIperf ? "iperf3" : "wrk" }
}

/// One row: a server that is started anew in each round.
struct Contender: Sendable {
  enum Program: Sendable { case own, coreLock, nginx, readyMade }
  var name: String
  var program: Program
  var arguments: [String]
  /// The path of slow requests, if there are any.
  var slowPath: String?
}

extension CompareLoad {
  func contenders(_ disciplines: [StackDiscipline], cpus: Int, hasNginx: Bool) -> [Contender] {
    let verb = isIperf ? "iperf" : "serve"
    func own(_ discipline: StackDiscipline, _ name: String? = nil, _ more: [String] = []) -> Contender {
      Contender(
        name: name ?? discipline.rawValue, program: .own,
        arguments: [verb, "--discipline", discipline.rawValue, "--cpus", "\(cpus)"] + more)
    }
    func coreLock(_ mode: CoreLockMode) -> Contender {
      Contender(
        name: "coreLock.\(mode.rawValue)", program: .coreLock,
        arguments: ["--mode", mode.rawValue, "--serve", isIperf ? "iperf" : "http"])
    }
    /// The same, with the stack on the CPU after the device's.
    func pipelined(_ name: String = "ordered", _ more: [String] = []) -> [Contender] {
      disciplines.contains(.ordered) ? [own(.ordered, "\(name).pipelined", ["--pipelined"] + more)] : []
    }
    let baseline = CoreLockMode.allCases.map(coreLock)
    switch self {
    case .wrk:
      return disciplines.map { own($0) } + pipelined() + baseline
        + (hasNginx ? [Contender(name: "kernel.nginx", program: .nginx, arguments: [])] : [])
        + [Contender(name: "kernel.readyMade", program: .readyMade, arguments: [])]
    case .iperf, .iperfReverse: return disciplines.map { own($0) } + baseline
    case .slow:
      return disciplines.flatMap { discipline in
        ["softNet", "softBio"].map { level in
          var row = own(discipline, "\(discipline.rawValue).slowAt.\(level)")
          row.slowPath = level == "softNet" ? "/slow?at=softNet" : "/slow"
          return row
        }
      }
        + baseline.map { row in
          var row = row
          // In a worker's thread, which takes the lock for the answer.
          row.slowPath = "/slow"
          row.name += ".slowAt.worker"
          return row
        }
    case .work: return disciplines.map { own($0, nil, ["--device", "memory", "--work"]) }
    case .stacks:
      let memory = ["--device", "memory"]
      return disciplines.flatMap { discipline in
        [1, 2].map { own(discipline, "\(discipline.rawValue).stacks\($0)", memory + ["--stacks", "\($0)"]) }
      } + pipelined("ordered.stacks1", memory)
    }
  }

  /// The disciplines of which a load says something.
  var disciplines: [StackDiscipline] {
    switch self {
    case .wrk: StackDiscipline.allCases
    case .iperf, .iperfReverse, .work: [.oneCPU, .bigLock, .ordered]
    case .slow: [.ordered]
    case .stacks: [.bigLock, .ordered]
    }
  }
}
