// A DNS forwarder over UDP with one shared cache, in four steps off one lock.
//
//     dns-forwarder --upstream 9.9.9.9 --listen 127.0.0.1:5300
//     dig @127.0.0.1 -p 5300 swift.org

import ArgumentParser
import Dispatch
import Glibc
import HostedMachine
import NIOCore
import NIOPosix
import SoftInterrupts

/// Which step of the way is run.
enum Step: String, CaseIterable, ExpressibleByArgument {
  case oneMutex = "1"
  case bigLock = "2"
  case ordered = "3"
  case mpSafe = "4"
}

/// An address and a port.
struct Endpoint: ExpressibleByArgument, Sendable {
  let text: String
  let address: SocketAddress

  init?(argument: String) {
    self.init(argument, defaultPort: 53)
  }
  /// As it is typed.
  var defaultValueDescription: String { text }

  init?(_ text: String, defaultPort: Int) {
    var (host, port) = (text[...], defaultPort)
    if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
      host = text[text.index(after: text.startIndex)..<end]
      let rest = text[text.index(after: end)...]
      if !rest.isEmpty {
        guard rest.hasPrefix(":"), let number = Int(rest.dropFirst()) else { return nil }
        port = number
      }
    } else if let colon = text.firstIndex(of: ":"), text.lastIndex(of: ":") == colon {
      guard let number = Int(text[text.index(after: colon)...]) else { return nil }
      (host, port) = (text[..<colon], number)
    }
    guard (0...65_535).contains(port), let address = try? SocketAddress(ipAddress: String(host), port: port)
    else { return nil }
    self.text = text
    self.address = address
  }
}

struct Options: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where clients ask: ADDRESS[:PORT] or [ADDRESS]:PORT; port 0 is any.", valueName: "endpoint"))
  var listen: Endpoint = Endpoint("127.0.0.1:5300", defaultPort: 53)!
  @Option(
    help: ArgumentHelp(
      "Who is asked what the cache does not know; port 53 if none is given.", valueName: "endpoint"))
  var upstream: Endpoint
  @Option(
    help:
      "1: one mutex around everything; 2: everything under the big lock; 3: ordered at softNet; 4: parsing and encoding MP-safe besides."
  )
  var step: Step = .mpSafe
  @Option(help: "Event loops, each with its sockets.") var loops = 2
  @Option(help: "CPUs of the system of soft interrupts (steps 2 to 4).") var cpus = 2
  @Option(help: "Answers that are kept at most.") var cache = 10_000
  @Option(help: "Milliseconds for one of two tries to get an answer.") var timeout = 2_000

  func validate() throws {
    guard (1...64).contains(loops) else { throw ValidationError("--loops is 1 to 64, not \(loops)") }
    guard (1...64).contains(cpus) else { throw ValidationError("--cpus is 1 to 64, not \(cpus)") }
    guard (1...10_000_000).contains(cache) else {
      throw ValidationError("--cache is 1 to 10000000 answers, not \(cache)")
    }
    guard (1...60_000).contains(timeout) else {
      throw ValidationError("--timeout is 1 to 60000 milliseconds, not \(timeout)")
    }
  }
}

@main struct Command: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dns-forwarder",
    abstract: "Forwards DNS queries over UDP to one upstream, with one cache for all clients.",
    usage: "dns-forwarder --upstream <endpoint> [--listen <endpoint>] [--step <step>] …",
    discussion:
      "Ends on SIGINT (Ctrl-C) or SIGTERM, and says what it has done. Answers that do not fit into a datagram are marked as truncated; it does not serve TCP."
  )
  @OptionGroup var options: Options

  func run() async throws {
    let stopped = Stop()
    let group = MultiThreadedEventLoopGroup(numberOfThreads: options.loops)
    do {
      let serving = try serving(group)
      let sockets: Sockets
      do { sockets = try await Sockets.open(group, options, for: serving) } catch {
        _ = await serving.stop()
        throw error
      }
      let address = sockets.listeners[0].localAddress
      print("step \(options.step.rawValue): listening on \(address?.ipAddress ?? "?"):\(address?.port ?? 0)")
      fflush(nil)
      await stopped.wait()
      await sockets.close()
      let counts = await serving.stop()
      print(
        """
        \(counts.queries) queries: \(counts.hits) from the cache, \(counts.joined) joined another's, \(counts.forwarded) forwarded \
        (\(counts.retried) again), \(counts.failed) failed; \(counts.strays) stray answers; \(counts.expired) expired, \
        \(counts.evicted) made room
        """)
    } catch {
      try? await group.shutdownGracefully()
      throw error
    }
    try await group.shutdownGracefully()
  }

  private func serving(_ group: any EventLoopGroup) throws -> any Serving {
    if options.step == .oneMutex { return OneMutex(options, group) }
    let system = try System(on: .hosted(cpus: options.cpus))
    return switch options.step {
    case .bigLock: try AllUnderTheBigLock(options, group, system)
    case .ordered: try OrderedAtSoftNet(options, group, system)
    default: try ParsingMPSafe(options, group, system)
    }
  }
}

/// SIGINT or SIGTERM, once.
final class Stop: @unchecked Sendable {
  // Sendable: the sources are only kept.
  private let sources: [any DispatchSourceSignal]
  private let stream: AsyncStream<Void>

  init() {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    self.stream = stream
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number)
      source.setEventHandler { continuation.finish() }
      source.resume()
      return source
    }
  }

  func wait() async { for await _ in stream {} }
}
