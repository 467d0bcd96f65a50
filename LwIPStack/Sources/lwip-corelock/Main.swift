// `lwip-corelock`: the servers of softint-net on lwIP as it comes, under its own core lock. The baseline that `softint-net compare` measures
// itself against.
//
// Law: nothing of lwIP is replaced in this program: device code, batches and servers are those of softint-net, the discipline is lwIP's.

import ArgumentParser
import Glibc
import LwIPStack
import NetworkServers

@main
struct LwIPCoreLock: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lwip-corelock",
    abstract: "The servers of softint-net on lwIP under its own core lock.",
    discussion: """
      mailbox: the device's thread sends each frame to lwIP's thread (tcpip_inpkt). lock: the device's thread takes the lock \
      (LOCK_TCPIP_CORE) for a batch and calls ethernet_input; lwIP's thread has the timers.

      Example: lwip-corelock --mode lock --port 8080
      Example: lwip-corelock --serve iperf --device packet:far --address 192.0.2.2/24 --port 5201
      """)

  @Option(help: "mailbox or lock.") var mode: CoreLockMode = .lock
  @Option(help: "http or iperf.") var serve: Service = .http
  @OptionGroup var device: DeviceOptions
  @Option(help: ArgumentHelp("Look so often at the device before sleeping.", valueName: "n")) var idlePolls:
    Int?

  enum Service: String, ExpressibleByArgument { case http, iperf }

  func run() throws {
    EndSignal.block()
    var configuration = StackConfiguration()
    configuration.coreLock = mode
    if let idlePolls { configuration.idlePolls = idlePolls }
    let served = try device.start(configuration, isUDPToo: serve == .iperf)
    switch serve {
    case .http: try ServiceRun.http(served, .bundled)
    case .iperf: try ServiceRun.iperf(served[0])
    }
  }

  static func main() {
    signal(SIGPIPE, SIG_IGN)
    Glibc.exit(programStatus(Self.self, "lwip-corelock", Array(CommandLine.arguments.dropFirst())))
  }
}

extension CoreLockMode: ExpressibleByArgument {}
