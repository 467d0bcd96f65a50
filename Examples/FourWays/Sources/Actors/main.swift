// The limiter on actors: the table and the log are actors, a timeout is a task, and threads that wait bring the datagrams.
import Dispatch
import Limiter
import Synchronization

/// What a probe reads without waiting for the table.
let live = Atomic<Int>(0)
let probed = Atomic<Int>(0)

actor Table {
  private var sessions = Sessions()
  private var timers: [String: (task: Task<Void, Never>, generation: Int)] = [:]
  private var generation = 0
  private let log: AsyncStream<String>.Continuation
  init(log: AsyncStream<String>.Continuation) { self.log = log }

  func answer(_ request: Request) async -> String {
    switch request {
    case .hit(let name, let ttl):
      let (reply, line) = sessions.hit(name)
      arm(name, .milliseconds(ttl))
      publish(line)
      return reply
    case .drop(let name):
      guard let line = sessions.drop(name) else { return "unknown" }
      timers.removeValue(forKey: name)?.task.cancel()
      publish(line)
      return "dropped"
    case .busy:
      let before = probed.load(ordering: .relaxed)
      // Lets other tasks of the pool run, but also other jobs of this actor.
      while probed.load(ordering: .relaxed) == before { await Task.yield() }
      return "done"
    case .unknown: return "what?"
    }
  }

  private func arm(_ name: String, _ delay: Duration) {
    timers[name]?.task.cancel()
    generation += 1
    let mine = generation
    let task = Task {
      guard (try? await Task.sleep(for: delay)) != nil else { return }
      expire(name, mine)
    }
    timers[name] = (task, mine)
  }

  /// A task that was cancelled too late, when it slept no more, is known by its generation.
  private func expire(_ name: String, _ mine: Int) {
    guard timers[name]?.generation == mine else { return }
    timers[name] = nil
    publish(sessions.expire(name))
  }

  /// A stream keeps the order of the lines; a task for each would not.
  private func publish(_ line: String?) {
    live.store(sessions.count, ordering: .relaxed)
    if let line { log.yield(line) }
  }

  func close() {
    for timer in timers.values { timer.task.cancel() }
    timers = [:]
    for line in sessions.close() { log.yield(line) }
    log.finish()
  }
}

/// The datagrams of a socket, from a thread that waits for them: the pool's may not.
func datagrams(of socket: Socket) -> AsyncStream<Datagram> {
  let (stream, continuation) = AsyncStream.makeStream(
    of: Datagram.self, bufferingPolicy: .bufferingOldest(256))
  onThread {
    while let datagram = socket.receive() { continuation.yield(datagram) }
    continuation.finish()
  }
  return stream
}

/// Runs what waits for the operating system on a thread that is not the pool's.
let slow = DispatchQueue(label: "log")
func onSlowThread(_ body: @escaping @Sendable () -> Void) async {
  await withCheckedContinuation { continuation in
    slow.async {
      body()
      continuation.resume()
    }
  }
}

let (requests, probes) = (Socket(blocking: true), Socket(blocking: true))
let (lines, log) = AsyncStream.makeStream(of: String.self)
let table = Table(log: log)
writeLog("ports \(requests.port) \(probes.port)")

let writer = Task.detached {
  for await line in lines { await onSlowThread { writeLog(line) } }
}
let server = Task.detached {
  // One after the other, so that answers keep the order of requests.
  for await datagram in datagrams(of: requests) {
    requests.send(await table.answer(Request(datagram.text)), to: datagram.peer)
  }
}
let prober = Task.detached(priority: .high) {
  for await datagram in datagrams(of: probes) {
    probed.wrappingAdd(1, ordering: .relaxed)
    probes.send("alive \(live.load(ordering: .relaxed))", to: datagram.peer)
  }
}
await withCheckedContinuation { continuation in
  onThread {
    waitForEnd()
    continuation.resume()
  }
}
requests.shutDown()
probes.shutDown()
await server.value
await prober.value
await table.close()
await writer.value
writeLog("bye")
