// The limiter on levels: the table at softNet, the log's lines and the probe at softSerial, above it.
import HostedMachine
import Limiter
import SoftInterrupts

typealias M = HostedMachine
typealias Net = Held<SoftNet, M>

/// What is written, and whether that was all.
struct Outbox {
  var lines: [String] = []
  var isClosed = false
}

/// What the program knows. Each value names the level at which it is touched.
enum World {
  static let sessions = Guarded<Sessions, SoftNet>(Sessions())
  static let timers = Guarded<[String: CalloutAt<SoftNet, M>], SoftNet>([:])
  static let outbox = Guarded<Outbox, SoftSerial>(Outbox())
  static let live = Guarded<Int, SoftSerial>(0)
  static let probed = Guarded<Int, SoftSerial>(0)
}

struct Server: Sendable {
  let system: InterruptSystem<M>
  let hasLines: ConditionAt<SoftSerial, M>

  /// What the softNet part of a request tells the levels above.
  func publish(_ line: String?, from net: inout Net) {
    net.raise(to: SoftSerial.self) { serial, net in
      serial[World.live] = net[World.sessions].count
      guard let line else { return }
      serial.open(World.outbox) { $0.lines.append(line) }
      hasLines.broadcast(under: serial)
    }
  }

  func answer(_ request: Request, _ net: inout Net) -> String {
    switch request {
    case .hit(let name, let ttl):
      let (reply, line) = net[World.sessions].hit(name)
      timer(of: name, net).schedule(after: .milliseconds(ttl))
      publish(line, from: &net)
      return reply
    case .drop(let name):
      guard let line = net[World.sessions].drop(name) else { return "unknown" }
      // Under the guard: the timeout is not running, and will not.
      net[World.timers].removeValue(forKey: name)?.retire(under: net)
      publish(line, from: &net)
      return "dropped"
    case .busy:
      let before = net.raise(to: SoftSerial.self) { serial in serial[World.probed] }
      // Each raise lets what is above run, on this CPU too.
      while net.raise(to: SoftSerial.self, { serial in serial[World.probed] == before }) {
        system.checkpoint()
      }
      return "done"
    case .unknown: return "what?"
    }
  }

  func timer(of name: String, _ net: borrowing Net) -> CalloutAt<SoftNet, M> {
    if let timer = net[World.timers][name] { return timer }
    let timer = try! system.callout("expiry", at: SoftClock.self, guard: SoftNet.self) { [self] net in
      net[World.timers].removeValue(forKey: name)?.retire(under: net)
      publish(net[World.sessions].expire(name), from: &net)
    }
    net[World.timers][name] = timer
    return timer
  }
}

func run() throws {
  let (requests, probes) = (Socket(), Socket())
  let system = try InterruptSystem(on: .hosted(cpus: CommandLine.arguments.count > 1 ? 1 : 2))
  let server = Server(system: system, hasLines: system.condition(guardedBy: SoftSerial.self))
  // From the devices to the handlers. A full ring drops, as the socket would.
  let (received, asked) = (Ring<Datagram, M>(capacity: 256), Ring<Datagram, M>(capacity: 16))

  let table = try system.establish("table", at: SoftNet.self, as: .ordered) { net in
    while let datagram = received.pop() {
      requests.send(server.answer(Request(datagram.text), &net), to: datagram.peer)
    }
  }
  let probe = try system.establish("probe", at: SoftSerial.self, as: .ordered) { serial in
    while let datagram = asked.pop() {
      serial[World.probed] += 1
      probes.send("alive \(serial[World.live])", to: datagram.peer)
    }
  }
  let stop = try system.establish("stop", at: SoftNet.self, as: .ordered) { net in
    for line in net.open(World.sessions, { $0.close() }) { server.publish(line, from: &net) }
    for timer in net[World.timers].values { timer.cancel() }
    net.raise(to: SoftSerial.self) { serial in
      serial.open(World.outbox) { $0.isClosed = true }
      server.hasLines.broadcast(under: serial)
    }
  }
  _ = try system.attach(requests.descriptor) { _ in
    while let datagram = requests.receive() { _ = received.push(datagram) }
    table.schedule()
  }
  _ = try system.attach(probes.descriptor) { _ in
    while let datagram = probes.receive() { _ = asked.push(datagram) }
    probe.schedule()
  }
  writeLog("ports \(requests.port) \(probes.port)")

  // This thread writes the log, with nothing held; another waits for the order to stop.
  onThread {
    waitForEnd()
    stop.schedule()
  }
  var isOver = false
  while !isOver {
    let batch = system.base { base in
      base.raise(to: SoftSerial.self, when: server.hasLines) { serial in
        serial.open(World.outbox) { !$0.lines.isEmpty || $0.isClosed }
      } then: { serial in
        serial.open(World.outbox) { outbox in
          defer { outbox.lines = [] }
          return outbox
        }
      }
    }
    for line in batch.lines { writeLog(line) }
    isOver = batch.isClosed
  }
  writeLog(system.shutdown().isComplete ? "bye" : "something was left")
}

try run()
