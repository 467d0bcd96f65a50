// The limiter on dispatch queues: a serial queue for the table and its timers, one for the probe, one for the log.
import Dispatch
import Limiter
import Synchronization

final class Server: @unchecked Sendable {
  // Sendable: each property says which queue touches it; nothing looks whether that is so.
  private let tableQueue = DispatchQueue(label: "table")
  private let probeQueue = DispatchQueue(label: "probe", qos: .userInteractive)
  private let logQueue = DispatchQueue(label: "log", qos: .utility)
  private let requests = Socket()
  private let probes = Socket()
  /// Set before the first event; cancelled at the end.
  private var sources: [any DispatchSourceRead] = []
  /// Of the table's queue.
  private var sessions = Sessions()
  private var timers: [String: any DispatchSourceTimer] = [:]
  /// Of all.
  private let live = Atomic<Int>(0)
  private let probed = Atomic<Int>(0)

  func start() {
    sources = [
      source(requests, tableQueue) { [unowned self] in answer(Request($0.text)) },
      source(probes, probeQueue) { [unowned self] _ in
        probed.wrappingAdd(1, ordering: .relaxed)
        return "alive \(live.load(ordering: .relaxed))"
      },
    ]
    writeLog("ports \(requests.port) \(probes.port)")
    for source in sources { source.activate() }
  }

  private func source(
    _ socket: Socket, _ queue: DispatchQueue, _ answer: @escaping (Datagram) -> String
  ) -> any DispatchSourceRead {
    let source = DispatchSource.makeReadSource(fileDescriptor: socket.descriptor, queue: queue)
    source.setEventHandler {
      while let datagram = socket.receive() { socket.send(answer(datagram), to: datagram.peer) }
    }
    return source
  }

  private func answer(_ request: Request) -> String {
    dispatchPrecondition(condition: .onQueue(tableQueue))
    switch request {
    case .hit(let name, let ttl):
      let (reply, line) = sessions.hit(name)
      timer(of: name).schedule(deadline: .now() + .milliseconds(ttl))
      publish(line)
      return reply
    case .drop(let name):
      guard let line = sessions.drop(name) else { return "unknown" }
      // On the timer's own queue: its handler is not running, and will not.
      timers.removeValue(forKey: name)?.cancel()
      publish(line)
      return "dropped"
    case .busy:
      let before = probed.load(ordering: .relaxed)
      // Another thread has the probe's queue, if there is another thread.
      while probed.load(ordering: .relaxed) == before {}
      return "done"
    case .unknown: return "what?"
    }
  }

  private func timer(of name: String) -> any DispatchSourceTimer {
    if let timer = timers[name] { return timer }
    let timer = DispatchSource.makeTimerSource(queue: tableQueue)
    timer.setEventHandler { [unowned self] in
      timers.removeValue(forKey: name)?.cancel()
      publish(sessions.expire(name))
    }
    timer.activate()
    timers[name] = timer
    return timer
  }

  private func publish(_ line: String?) {
    live.store(sessions.count, ordering: .relaxed)
    if let line { logQueue.async { writeLog(line) } }
  }

  /// Ends what brings work, then each queue in the order in which work goes through them.
  func stop() {
    for source in sources { source.cancel() }
    probeQueue.sync {}
    tableQueue.sync {
      for timer in timers.values { timer.cancel() }
      timers = [:]
      for line in sessions.close() { publish(line) }
    }
    logQueue.sync { writeLog("bye") }
  }
}

let server = Server()
server.start()
waitForEnd()
server.stop()
