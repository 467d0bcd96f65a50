// `softint-net iperf`: a server for iperf3's tests: TCP both ways, and UDP that it receives.
//
// Law: one test at a time.

import ArgumentParser
import LwIPStack
import NetworkServers

struct IperfCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "iperf",
    abstract: "Be the server of iperf3's tests: TCP both ways, and UDP that it receives.",
    discussion: "Example: softint-net iperf --port 5201, then iperf3 -c 127.0.0.1 (and -R, -P 4, -u)")

  @OptionGroup var options: StackOptions

  func run() throws {
    EndSignal.block()
    try ServiceRun.iperf(try options.start(isUDPToo: true)[0])
  }
}
