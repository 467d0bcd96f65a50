// HTTP/1.1 with keep-alive and pipelining, whole at softNet but for what is slow.
//
// Law: sessions and counts are under the stack's guard. Slow work is done at softBio by a handler that enters the guard for the answer
// alone: meanwhile the stack goes on. Exclusivity is not checked for what each request touches: see HTTPSession.

import Glibc
import HostedMachine
import LwIPStack
import SoftInterrupts

package final class HTTPServer: @unchecked Sendable {
  // Sendable: constant, or under the guard, or the ring's own affair.
  let stack: NetworkStack
  let site: Site
  @exclusivity(unchecked) package private(set) var requests: UInt64 = 0
  @exclusivity(unchecked) private(set) var sessions = 0
  private var listener: TCPListener?
  private var slow: Handler<HostedMachine>!
  /// Filled under the guard, emptied by the one handler, which is bound.
  private let slowJobs = Ring<SlowJob, HostedMachine>(capacity: 4_096)
  /// Work at other levels for each request, if there is any.
  @exclusivity(unchecked) package var others: OtherLevels? {
    didSet { others?.resume = { [unowned self] in resume() } }
  }
  /// Sessions with requests for which the log has no room.
  private var waiting: [(session: HTTPSession, connection: TCPConnection)] = []
  private var date: (second: Int, text: String) = (0, "")

  struct SlowJob: @unchecked Sendable {
    // Sendable: touched under the guard only.
    var connection: TCPConnection
    var session: HTTPSession
    var request: HTTPRequest
  }

  package init(_ stack: NetworkStack, _ site: Site) {
    self.stack = stack
    self.site = site
  }

  package func start(port: UInt16) throws(CommandFailure) {
    let me = Unmanaged.passUnretained(self)  // it outlives the stack's CPUs
    do {
      slow = try stack.establishHelper("slow requests", at: .softBio) { _ in
        me._withUnsafeGuaranteedRef { $0.runSlow() }
      }
      listener = try TCPListener(stack, port: port) { connection in
        me._withUnsafeGuaranteedRef { server in
          server.sessions += 1
          HTTPSession(server).begin(connection)
        }
        return true
      }
    } catch { throw .system("\(error)") }
  }

  package func stop() { listener?.close() }

  // MARK: Under the guard

  /// One more request is answered, with so many bytes or so.
  func count(_ length: Int) {
    requests &+= 1
    others?.note(length, requests, at: HostedMachine.now())
  }

  /// Whether a request may be answered now; if not, the session is told to go on later.
  func mayAnswer(_ session: HTTPSession, _ connection: TCPConnection) -> Bool {
    guard let others, !others.hasRoom() else { return true }
    if !session.isWaiting {
      session.isWaiting = true
      waiting.append((session, connection))
    }
    return false
  }

  private func resume() {
    let sessions = waiting
    waiting.removeAll(keepingCapacity: true)
    for (session, connection) in sessions {
      session.isWaiting = false
      session.process(connection)
      connection.flush()
    }
  }

  /// Whole seconds: how long an answer stays the same.
  var second: Int { time(nil) }

  /// Whether the same request within the same second has the same answer.
  func answer(_ request: HTTPRequest, _ connection: TCPConnection, _ session: HTTPSession) -> Bool {
    count(request.path.utf8.count)
    guard request.method == "GET" || request.isHead else {
      session.reply(
        head("405 Method Not Allowed", "text/plain", 0, request, "Allow: GET, HEAD\r\n"), nil, request)
      return false
    }
    switch request.path {
    case "/stats":
      let text = Array(stats().utf8)
      session.reply(head("200 OK", "application/json", text.count, request), text, request)
    case "/slow":
      if request.query == "at=softNet" {
        work()
        replySlow(request, session)
      } else if slowJobs.push(SlowJob(connection: connection, session: session, request: request)) {
        session.isBusy = true
        slow.schedule(on: stack.system.cpuCount - 1)
      } else {
        session.reply(head("503 Service Unavailable", "text/plain", 0, request), nil, request)
      }
    default:
      if let file = site.file(request.path) {
        session.reply(head("200 OK", file.type, file.bytes.count, request), file.bytes, request)
        return true
      } else {
        let text = Array("no such file\n".utf8)
        session.reply(head("404 Not Found", "text/plain", text.count, request), text, request)
      }
    }
    return false
  }

  func head(
    _ status: String, _ type: String, _ length: Int, _ request: HTTPRequest?, _ more: String = ""
  ) -> String {
    let keepsAlive = request?.keepsAlive ?? false
    let connection =
      !keepsAlive ? "Connection: close\r\n" : request!.isVersion10 ? "Connection: keep-alive\r\n" : ""
    return
      "HTTP/1.1 \(status)\r\nServer: softint-net\r\nDate: \(now())\r\nContent-Type: \(type)\r\nContent-Length: \(length)\r\n\(connection)\(more)\r\n"
  }

  func sessionEnded() { sessions -= 1 }

  private func replySlow(_ request: HTTPRequest, _ session: HTTPSession) {
    let text = Array("that took 2 ms\n".utf8)
    session.reply(head("200 OK", "text/plain", text.count, request), text, request)
  }

  private func now() -> String {
    var seconds = time(nil)
    if date.second != seconds {
      var fields = tm()
      gmtime_r(&seconds, &fields)
      var text = [CChar](repeating: 0, count: 64)
      strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S GMT", &fields)
      date = (seconds, text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) })
    }
    return date.text
  }

  private func stats() -> String {
    let counts = stack.counts
    let timers = counts.timerRuns.map { "\"\($0.name)\":\($0.runs)" }.joined(separator: ",")
    return """
      {"requests":\(requests),"sessions":\(sessions),"discipline":"\(stack.disciplineName)","cpus":\(stack.system.cpuCount),\
      "assertions":\(counts.assertions),"assertionFailures":\(counts.failures),"protectedSections":\(counts.protections),\
      "connections":\(counts.connections),"segments":\(counts.segments),"buffers":\(counts.buffers),"refused":\(counts.refused),\
      "framesIn":\(counts.framesIn),"framesOut":\(counts.framesOut),"droppedIn":\(counts.droppedIn),\
      "droppedOut":\(counts.droppedOut),"droppedByKernel":\(counts.droppedByKernel.map(String.init) ?? "null"),\
      "timers":{\(timers)},"violations":\(stack.system.violations.count)}

      """
  }

  // MARK: Below softNet

  /// At softBio, on one CPU.
  private func runSlow() {
    guard let job = slowJobs.pop() else { return }
    work()
    stack.enter {
      if job.connection.isOpen {
        job.session.isBusy = false
        replySlow(job.request, job.session)
        job.session.pump(job.connection)
        job.session.process(job.connection)
        job.connection.flush()
      }
    }
    if slowJobs.count > 0 { slow.schedule(on: stack.system.cpuCount - 1) }
  }

  /// 2 ms of work that is no waiting: the processor is busy with it. As long code does, it lets what is above run now and then.
  private func work() {
    for _ in 0..<100 {
      let end = HostedMachine.now() + 20_000
      while HostedMachine.now() < end {}
      stack.system.checkpoint()
    }
  }
}
