// The program: reads the command line, runs a server, the bots or both, and says what happened.
//
//     swift run -c release game-server --help

import Glibc
import HostedMachine
import SoftInterrupts

/// For the signal handler, which may schedule and nothing else. Written once, before the handler is installed.
nonisolated(unsafe) private var stop: HandlerAt<SoftNet, HostedMachine>?

@main
enum GameServer {
  static func main() {
    do {
      guard let options = try Options(Array(CommandLine.arguments.dropFirst())) else {
        say(Options.help)
        return
      }
      switch options.mode {
      case .serve: try serve(options)
      case .demo: try demo(options)
      case .connect: try connect(options)
      }
    } catch let failure as Failure {
      complain(failure.line)
      exit(failure.status)
    } catch {
      complain("\(error)")
      exit(71)
    }
  }

  static func complain(_ line: String) { say("game-server: \(line)", to: 2) }

  /// At once, also where somebody reads through a pipe.
  static func say(_ text: String, to descriptor: Int32 = 1) {
    let line = Array("\(text)\n".utf8)
    _ = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
  }

  // MARK: By the clock

  static func serve(_ options: Options) throws {
    let tick = UInt64(1_000_000_000 / options.tickRate)
    let pace = Pace(
      kind: .realTime(tick: tick, state: .nanoseconds(Int64(tick))), timeOut: .seconds(options.timeOut),
      mostClients: options.mostClients)
    let server = try Server(options, pace, World(side: 512, coins: 4_096, seed: 1))
    stop = server.stop
    listen(to: [SIGINT, SIGTERM])
    let endpoint = server.ports[0].socket.endpoint
    try server.start(reporting: options.report.map { .seconds($0) }) { tally, server in
      say("\(tally.players) players, tick \(tally.tick), \(traffic(tally, server))")
    }
    // Not before it can give somebody a place.
    say("listening on \(endpoint)")
    let began = HostedMachine.now()
    let end = options.seconds.map { began + UInt64($0) * 1_000_000_000 }
    if options.bots > 0 {
      guard let target = Endpoint(options.address == "0.0.0.0" ? "127.0.0.1" : options.address, port: 0)
      else { return }
      var swarm = try Swarm(
        options.bots, to: Endpoint(address: target.address, port: endpoint.port), play(options, until: end))
      swarm.run(isOver: { server.isOver.isSet })
      report(swarm, from: began)
      swarm.close()
    } else {
      if let seconds = options.seconds {
        let last = try server.system.callout("seconds", at: SoftClock.self) { _ in server.stop.schedule() }
        last.schedule(after: .seconds(seconds))
      }
      server.wait()
    }
    let latenesses = server.system.raise(to: SoftNet.self) { net in net.open(server.game) { $0.latenesses } }
    let (tally, shutdown, journal) = server.shutDown()
    say(
      """
      \(tally.joins) joined, \(tally.leaves) left, \(tally.timeOuts) timed out, \(tally.refused) refused; \(tally.moves) moves
      \(traffic(tally, server))
      \(tally.tick) ticks, \(tally.skippedTicks) skipped; late by \(Times(latenesses))
      everything ran: \(shutdown.isComplete)
      """)
    try look(journal, options)
  }

  /// A log that could not be written is said at the end: the game went on without.
  static func look(_ journal: Journal.End, _ options: Options) throws(Failure) {
    guard let failure = journal.failure else { return }
    throw Failure(status: 74, line: "\(options.log ?? "the log"): \(String(cString: strerror(failure)))")
  }

  /// Ends the server by a signal: the handler may schedule, and does nothing else.
  private static func listen(to signals: [Int32]) {
    var ours = sigset_t()
    sigemptyset(&ours)
    for number in signals {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { _ in stop?.schedule() }
      // Once: the next Ctrl-C ends a server that does not end.
      action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_RESTART
      sigaction(number, &action, nil)
      sigaddset(&ours, number)
    }
    // Who started us may have kept them from his own threads, and so from us.
    pthread_sigmask(SIG_UNBLOCK, &ours, nil)
  }

  static func traffic(_ tally: Tally, _ server: Server) -> String {
    var (received, malformed, dropped) = (0, 0, 0)
    for port in server.ports {
      received += port.received.load(ordering: .relaxed)
      malformed += port.malformed.load(ordering: .relaxed)
      dropped += port.dropped.load(ordering: .relaxed)
    }
    return
      "\(received) datagrams in (\(malformed) malformed, \(tally.strangers) of strangers, \(dropped) dropped), "
      + "\(tally.states) states out (\(tally.unsent) not sent)"
  }

  static func play(_ options: Options, until end: UInt64?) -> Swarm.Play {
    if let moves = options.moves { return .moves(moves) }
    return .every(UInt64(1_000_000_000 / options.tickRate), until: end)
  }

  static func connect(_ options: Options) throws {
    let began = HostedMachine.now()
    let end = options.seconds.map { began + UInt64($0) * 1_000_000_000 }
    var swarm = try Swarm(options.bots, to: options.endpoint, play(options, until: end))
    swarm.run(isOver: { end.map { HostedMachine.now() > $0 + 1_000_000_000 } ?? false })
    report(swarm, from: began)
  }

  static func report(_ swarm: Swarm, from began: UInt64) {
    let seconds = max(Double(HostedMachine.now() - began) / 1e9, 1e-9)
    say(
      """
      bots: \(Int(Double(swarm.sent) / seconds)) datagrams/s out, \(Int(Double(swarm.received) / seconds)) in; \
      move to state \(Times(swarm.roundTrips))
      """)
  }

  // MARK: By counts

  static let steps = 200

  /// Eight bots: seven play, one joins and says nothing more. The first also sends what no server should fall over.
  static func demo(_ options: Options) throws {
    let pace = Pace(
      kind: .lockstep(start: 7, patience: 20), timeOut: .seconds(5), mostClients: options.mostClients)
    let server = try Server(options, pace, World(side: 32, coins: 48, seed: 1))
    try server.start(reporting: nil) { _, _ in }
    var swarm = try Swarm(options.bots, to: server.ports[0].socket.endpoint, .moves(steps))
    swarm.run(script: { swarm, bot in
      guard let who = swarm.bots[bot].who else { return }
      if bot == 0 { for bytes in badDatagrams(who) { swarm.send(bot, bytes) } }
      if bot == 7 { return swarm.keepSilent(bot) }
      swarm.send(bot, Wire.bytes(of: .say(who, text: "hello from bot \(bot)")))
    })
    swarm.close()
    let (tally, shutdown, journal) = server.shutDown()
    let views = Set(swarm.bots.filter { $0.acked > 0 }.map { Digest($0.seen).value })
    let malformed = server.ports.reduce(0) { $0 + $1.malformed.load(ordering: .relaxed) }
    say(
      """
      \(tally.joins) joined, \(tally.leaves) left, \(tally.timeOuts) timed out, \(tally.refused) refused
      \(tally.tick) ticks, \(tally.moves) moves; \(tally.said) greetings
      \(malformed) datagrams were malformed, \(tally.strangers) of a stranger; \(journal.lines) lines for the log
      coins: \(swarm.bots[0].seen.map { String($0.score) }.joined(separator: " "))
      all see the same world: \(views.count == 1), \(Digest(swarm.bots[0].seen))
      everything ran: \(shutdown.isComplete)
      """)
    try look(journal, options)
  }

  static func badDatagrams(_ who: Credentials) -> [[UInt8]] {
    let move = Wire.bytes(of: .move(who, sequence: 1, dx: 0, dy: 0))
    return [
      [],  // empty
      Array("GET / HTTP/1.1".utf8),  // of another protocol
      Array(move.dropLast()),  // cut
      move + [0],  // too long for its kind
      [UInt8](repeating: 83, count: 2_000),  // longer than any
      move.prefix(3) + [99] + move.dropFirst(4),  // of no kind
      // Well-formed, and not his.
      Wire.bytes(of: .move(Credentials(id: who.id, token: who.token ^ 1), sequence: 1, dx: 0, dy: 0)),
    ]
  }
}

/// Some of many times, in microseconds.
struct Times: CustomStringConvertible {
  private let sorted: [UInt64]
  init(_ nanoseconds: [UInt64]) { sorted = nanoseconds.sorted() }
  private func at(_ share: Double) -> UInt64 { sorted[Int(Double(sorted.count - 1) * share)] / 1_000 }
  var description: String {
    sorted.isEmpty ? "nothing measured" : "p50 \(at(0.5)) µs, p99 \(at(0.99)) µs, at most \(at(1)) µs"
  }
}
