// The HTTP server as clients see it, byte by byte.

import Glibc
import Testing

@testable import LwIPStack
@testable import NetworkServers
@testable import softint_net

extension StackTests {
  @Suite("HTTP")
  struct HTTPTests {
    /// What a request is answered by: its status line, and how often a blank line ends a head.
    struct Case: Sendable, CustomTestStringConvertible {
      var request: String
      var status: String
      var closes: Bool
      var testDescription: String { String(request.prefix(60)).replacing("\r\n", with: "⏎") }
    }

    static let cases = [
      Case(request: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", status: "200 OK", closes: false),
      Case(request: "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", status: "200 OK", closes: false),
      Case(request: "GET / HTTP/1.1\nHost: a\n\n", status: "200 OK", closes: false),
      Case(request: "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", status: "200 OK", closes: false),
      Case(request: "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", status: "200 OK", closes: true),
      Case(request: "GET / HTTP/1.0\r\n\r\n", status: "200 OK", closes: true),
      Case(request: "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", status: "200 OK", closes: false),
      Case(request: "GET /index.html?q HTTP/1.1\r\nHost: a\r\n\r\n", status: "200 OK", closes: false),
      Case(
        request: "GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", status: "404 Not Found", closes: false),
      Case(
        request: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        status: "405 Method Not Allowed",
        closes: false),
      Case(
        request: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        status: "501 Not Implemented",
        closes: true),
      Case(
        request: "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        status: "431 Request Header Fields Too Large",
        closes: true),
      Case(request: "GET / HTTP/3.0\r\n\r\n", status: "505 HTTP Version Not Supported", closes: true),
      Case(request: "GET / HTTP/1.1\r\n\r\n", status: "400 Bad Request", closes: true),
      Case(request: "GET /\r\n\r\n", status: "400 Bad Request", closes: true),
      Case(request: "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", status: "400 Bad Request", closes: true),
      Case(request: "\u{0}\u{1}\r\n\r\n", status: "400 Bad Request", closes: true),
      Case(request: "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", status: "400 Bad Request", closes: true),
      Case(
        request: "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 20_000) + "\r\n\r\n",
        status: "431 Request Header Fields Too Large", closes: true),
    ]

    @Test("each request has its answer, and whether the connection stays is said and done", arguments: cases)
    func answers(_ each: Case) throws {
      try withServer { _, port in
        let client = try HostSocket(port)
        client.send(each.request)
        let head = client.head()
        #expect(head.hasPrefix("HTTP/1.1 \(each.status)\r\n"))
        #expect(head.contains("Connection: close\r\n") == each.closes)
        if each.closes {
          _ = client.receive(1 << 20)
          #expect(client.receive(1).isEmpty)
        } else {
          if !each.request.hasPrefix("HEAD") { _ = client.receive(length(head)) }
          client.send("GET /again HTTP/1.1\r\nHost: a\r\n\r\n")
          #expect(client.head().hasPrefix("HTTP/1.1 404"))
        }
      }
    }

    @Test("a request that comes byte by byte is one request")
    func bytes() throws {
      try withServer { server, port in
        let client = try HostSocket(port)
        client.setNoDelay()
        for byte in "GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8 { client.send([byte]) }
        let head = client.head()
        #expect(head.hasPrefix("HTTP/1.1 200 OK"))
        #expect(client.receive(length(head)).count == length(head))
        #expect(server.stack.enter { server.requests } == 1)
      }
    }

    @Test("pipelined answers come in the order of the requests, also behind a slow one")
    func pipelining() throws {
      try withServer { _, port in
        let client = try HostSocket(port)
        client.send(
          "GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /none HTTP/1.1\r\nHost: a\r\n\r\nGET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
        )
        for (status, word) in [("200", "2 ms"), ("404", "no such"), ("200", "2 ms"), ("200", "lwIP")] {
          let head = client.head()
          #expect(head.hasPrefix("HTTP/1.1 \(status)"))
          #expect(String(decoding: client.receive(length(head)), as: UTF8.self).contains(word))
        }
      }
    }

    @Test("the same request again has the same answer, also beside others; and anew in the next second")
    func again() throws {
      try withServer { server, port in
        let client = try HostSocket(port)
        let page = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        let last = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        let second = server.second
        var dates: Set<String> = []
        repeat {
          // A head that begins like the one before is another one.
          let others = "GET /none HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
          client.send(page + page + others + page)
          for (status, hasBody) in [
            ("200", true), ("200", true), ("404", true), ("200", false), ("200", true),
          ] {
            let head = client.head()
            #expect(head.hasPrefix("HTTP/1.1 \(status)"))
            if hasBody { #expect(client.receive(length(head)).count == length(head)) }
            dates.insert(
              head.split(separator: "\r\n").first { $0.hasPrefix("Date: ") }.map(String.init) ?? "")
          }
        } while server.second < second + 2
        #expect(dates.count >= 2)
        client.send(last)
        #expect(client.head().contains("Connection: close"))
      }
    }

    @Test("a client that goes away while its slow request is worked on leaves nothing")
    func vanishing() throws {
      try withServer { server, port in
        for _ in 0..<20 {
          let client = try HostSocket(port)
          client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        }
        #expect(eventually { server.stack.enter { server.requests } == 20 })
        #expect(eventually { server.stack.enter { server.sessions } == 0 })
        #expect(eventually { server.stack.counts.connections == 0 && server.stack.counts.buffers == 0 })
      }
    }

    @Test("a client that sends requests and reads no answers is stopped by its window")
    func noReader() throws {
      try withServer { server, port in
        let client = try HostSocket(port)
        let request = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        // Until everything on the way is full: the host's buffers, libslirp's, lwIP's and the session's bound.
        client.setBlocking(false)
        let many = Array(repeating: request, count: 1_000).flatMap { $0 }
        var isStopped = false
        for _ in 0..<2_000 where !isStopped { isStopped = client.sendSome(many) == nil && client.staysFull() }
        #expect(isStopped)
        // Others are served.
        let other = try HostSocket(port)
        other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(other.head().hasPrefix("HTTP/1.1 200"))
        #expect(server.stack.counts.failures == 0)
      }
    }

    private func length(_ head: String) -> Int {
      let line = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
      return line.flatMap { Int($0.dropFirst(16)) } ?? 0
    }
  }
}

private func withServer(_ body: (HTTPServer, UInt16) throws -> Void) throws {
  let port = try freePort()
  var kept: HTTPServer?
  try withStack(forwarding: port) { stack in
    let server = HTTPServer(stack, .bundled)
    kept = server
    try server.start(port: port)
    try body(server, port)
    server.stop()
  }
  // Until the CPUs have stopped.
  withExtendedLifetime(kept) {}
}

extension HostSocket {
  /// What comes up to the end of a head.
  fileprivate func head() -> String {
    var bytes: [UInt8] = []
    while !bytes.suffix(4).elementsEqual([13, 10, 13, 10]) {
      let byte = receive(1)
      if byte.isEmpty { break }
      bytes += byte
    }
    return String(decoding: bytes, as: UTF8.self)
  }
  fileprivate func setNoDelay() {
    var on: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
  }
  fileprivate func setBlocking(_ on: Bool) {
    let flags = fcntl(descriptor, F_GETFL)
    _ = fcntl(descriptor, F_SETFL, on ? flags & ~O_NONBLOCK : flags | O_NONBLOCK)
  }
  /// Sends what fits; nil if nothing did.
  fileprivate func sendSome(_ bytes: [UInt8]) -> Int? {
    let count = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    return count > 0 ? count : nil
  }
  /// Whether nothing fits during a fifth of a second: how long is no matter of right or wrong, only of how full it really is.
  fileprivate func staysFull() -> Bool {
    var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return poll(&wait, 1, 200) == 0
  }
}
