// The server: which work is done at which level.
//
// Law: data is touched at one level, which its type says.
//
//     vm          a datagram has come: parse it, hand it over          MP-safe, one socket and ring a CPU
//     softSerial  send what is to be sent                              ordered
//     softNet     apply requests; the game is guarded here             ordered
//     softBio     write the log, report                                ordered; a report raises to softNet
//     softClock   steps, states, time-outs                             callouts whose guard is softNet

import HostedMachine
import SoftInterrupts
import Synchronization

/// One CPU's socket, and what its device handler has counted.
final class Port: Sendable {
  let socket: Socket
  /// From the device handler to whoever holds the gate of softNet.
  let ring = Ring<Incoming, HostedMachine>(capacity: 4_096)
  // Relaxed all of them: counts.
  let received = Atomic<Int>(0)
  let malformed = Atomic<Int>(0)
  let dropped = Atomic<Int>(0)
  init(_ socket: Socket) { self.socket = socket }

  /// Takes some of what has come; true if something is for the game.
  func take(_ buffer: inout [UInt8]) -> Bool {
    var isWanted = false
    for _ in 0..<64 {
      guard let (count, from) = socket.receive(&buffer) else { break }
      received.add(1, ordering: .relaxed)
      guard count <= Wire.longestRequest, let request = Wire.parse(buffer[0..<count]) else {
        malformed.add(1, ordering: .relaxed)
        continue
      }
      isWanted = true
      if !ring.push(Incoming(from: from, request: request)) { dropped.add(1, ordering: .relaxed) }
    }
    return isWanted
  }
}

/// A word that says that something is over, and nothing of other data: so it is read and written relaxed.
final class Flag: Sendable {
  private let word = Atomic<Bool>(false)
  var isSet: Bool { word.load(ordering: .relaxed) }
  func set() { word.store(true, ordering: .relaxed) }
}

final class Server: Sendable {
  let system: InterruptSystem<HostedMachine>
  let game: Guarded<Game, SoftNet>
  let journal: Guarded<Journal, SoftBio>
  let ports: [Port]
  private let lines: Ring<Line, HostedMachine>
  private let timers: Links.Timers
  private let devices: [Attachment]
  private let over: Guarded<Bool, SoftNet>
  private let changed: Condition<HostedMachine>
  /// Ends the server, from any thread, level or signal handler.
  let stop: HandlerAt<SoftNet, HostedMachine>
  /// For who would rather look than wait.
  let isOver: Flag

  init(_ options: Options, _ pace: Pace, _ world: World) throws {
    let journal = Guarded<Journal, SoftBio>(try Journal(file: options.log))
    var ports: [Port] = []
    // Sockets that share a port would share it with another server of this user as well; one that does not share finds him.
    let alone = try Socket(bound: options.endpoint)
    let endpoint = alone.endpoint
    if options.cpus == 1 {
      ports.append(Port(alone))
    } else {
      alone.close()
      for _ in 0..<options.cpus { ports.append(Port(try Socket(bound: endpoint, isShared: true))) }
    }
    let system = try InterruptSystem(on: .hosted(cpus: options.cpus))
    var links = Links()
    let (lines, outgoing, socket) = (links.lines, links.outgoing, ports[0].socket)
    let everyPort = ports

    let log = try system.establish("log", at: SoftBio.self, as: .ordered) { bio in
      bio.open(journal) { journal in
        while let line = lines.pop() { journal.add(line) }
        journal.write()
      }
    }
    let sender = try system.establish("send", at: SoftSerial.self, as: .ordered) { _ in
      // What is pushed meanwhile is followed by a schedule of its own.
      for number in 0..<outgoing.count {
        guard let datagram = outgoing.pop() else { break }
        socket.send(datagram.head, datagram.body, to: datagram.to)
        // What has come to this CPU's socket need not wait for all of it.
        if number % 64 == 63 { system.checkpoint() }
      }
    }
    (links.log, links.sender, links.senderCPU) = (log, sender, options.cpus - 1)

    let game = Guarded<Game, SoftNet>(Game(world, pace, links))
    let input = try system.establish("input", at: SoftNet.self, as: .ordered) { net in
      net.open(game) { game in
        // Not more than there is now, so that a flood leaves time for what is below; what comes meanwhile schedules us anew.
        for port in everyPort {
          for _ in 0..<port.ring.count { if let incoming = port.ring.pop() { game.handle(incoming) } }
        }
      }
    }
    timers = Links.Timers(
      tick: try system.callout("tick", at: SoftClock.self, guard: SoftNet.self) { net in
        net.open(game) { $0.tick(now: HostedMachine.now()) }
      },
      state: try system.callout("state", at: SoftClock.self, guard: SoftNet.self) { net in
        net.open(game) { $0.sendStates() }
      })

    let (over, changed) = (Guarded<Bool, SoftNet>(false), system.condition(guardedBy: .softNet))
    let flag = Flag()
    stop = try system.establish("stop", at: SoftNet.self, as: .ordered) { net in
      net[over] = true
      flag.set()
      changed.broadcast()
    }

    var devices: [Attachment] = []
    for (cpu, port) in ports.enumerated() {
      var buffer = [UInt8](repeating: 0, count: Wire.longestRequest)
      devices.append(
        try system.attach(port.socket.descriptor, on: cpu, name: "socket") { _ in
          if port.take(&buffer) { input.schedule() }
        })
    }
    (self.system, self.game, self.journal, self.ports) = (system, game, journal, ports)
    (self.lines, self.devices, self.over, self.changed, isOver) = (lines, devices, over, changed, flag)
  }

  /// Starts the clocks, and says so to the log.
  func start(reporting period: Duration?, to report: @escaping @Sendable (Tally, Server) -> Void) throws {
    let (system, game, timers, endpoint) = (system, game, timers, ports[0].socket.endpoint)
    system.raise(to: SoftNet.self) { net in
      net.open(game) { state in
        state.links.timers = timers
        state.links.makeTimeOut = { id in
          try? system.callout("time-out", at: SoftClock.self, guard: SoftNet.self) { net in
            net.open(game) { $0.expire(id) }
          }
        }
        state.begin(endpoint, now: HostedMachine.now())
      }
    }
    if let period {
      let reporter = try system.establish("report", at: SoftBio.self, as: .ordered) { bio in
        // Upward from softBio: a copy, and printed down here.
        let tally = bio.raise(to: SoftNet.self) { net in net.open(game) { $0.summary } }
        report(tally, self)
      }
      _ = try system.attachTimer(every: period, name: "report") { _ in reporter.schedule() }
    }
  }

  /// Waits until somebody has ended the server.
  func wait() {
    system.raise(to: SoftNet.self) { net in _ = changed.wait { net[over] } }
  }

  /// The end, in the order in which work flows: nothing comes in, what came in is done, the clocks stand, everybody is told, what was
  /// to be sent and written is.
  func shutDown() -> (Tally, ShutdownReport, Journal.End) {
    for device in devices { system.detach(device) }
    let timeOuts = system.base { base in
      timers.tick.retire(from: &base)
      timers.state.retire(from: &base)
      return base.raise(to: SoftNet.self) { net in
        net.open(game) { game in
          for port in ports { while let incoming = port.ring.pop() { game.handle(incoming) } }
          return game.close()
        }
      }
    }
    system.base { base in for timeOut in timeOuts { timeOut.retire(from: &base) } }
    let tally = system.raise(to: SoftNet.self) { net in net.open(game) { $0.summary } }
    // Raised to, so that the last lines are here whether or not the handler has been yet.
    let end = system.raise(to: SoftBio.self) { bio in
      bio.open(journal) { journal in
        while let line = lines.pop() { journal.add(line) }
        return journal.end()
      }
    }
    let report = system.shutdown()
    for port in ports { port.socket.close() }
    return (tally, report, end)
  }
}
