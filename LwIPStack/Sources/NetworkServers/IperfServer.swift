// A server for iperf3's tests: TCP both ways, and UDP that it receives.
//
// The protocol as its client speaks it (learned from iperf3's own source and by trying): a control connection begins with a cookie of 37 bytes;
// states are single bytes; parameters and results are JSON behind a length of four bytes; each data connection begins with the same
// cookie.
// Law: one test at a time; everything is under the stack's guard.

import HostedMachine
import LwIPStack

/// Under the stack's guard.
package final class IperfServer: @unchecked Sendable {
  // Sendable: the guard.

  /// iperf3's states, as far as a server meets them.
  private enum State: UInt8 {
    case testStart = 1
    case testRunning = 2
    case testEnd = 4
    case parameters = 9
    case createStreams = 10
    case exchangeResults = 13
    case displayResults = 14
    case done = 16
    case accessDenied = 255
    case clientTerminate = 12
  }

  /// One data connection.
  private final class Stream {
    let connection: TCPConnection
    var bytes: UInt64 = 0
    init(_ connection: TCPConnection) { self.connection = connection }
  }

  /// What a connection has sent and nobody has read.
  private final class Inbox {
    var bytes: [UInt8] = []
    func pop(_ count: Int) -> [UInt8]? {
      guard bytes.count >= count else { return nil }
      defer { bytes.removeFirst(count) }
      return Array(bytes[..<count])
    }
  }

  private var control: TCPConnection?
  private let controlInbox = Inbox()
  private var cookie: [UInt8] = []
  private var streams: [Stream] = []
  private var datagrams: [IperfDatagrams] = []
  private var isUDP = false
  private var hasLongNumbers = false
  private var expected = 0
  private var isReverse = false
  private var state = State.done
  private var began: UInt64 = 0
  private var ended: UInt64 = 0
  private static let cookieLength = 37
  /// What is sent: made once, never freed, only read.
  nonisolated(unsafe) private static let block: UnsafeMutableRawBufferPointer = {
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 16_384, alignment: 64)
    block.initializeMemory(as: UInt8.self, repeating: 0x69)
    return block
  }()

  package init() {}

  package func accept(_ connection: TCPConnection) {
    // Nobody knows what it is until its cookie has come.
    let inbox = Inbox()
    connection.setNoDelay(true)
    connection.onReceive = { [self] connection, bytes in
      inbox.bytes.append(contentsOf: bytes)
      guard let cookie = inbox.pop(Self.cookieLength) else { return }
      if control == nil {
        begin(connection, cookie, inbox.bytes)
      } else if state == .createStreams && cookie == self.cookie {
        add(connection, inbox.bytes.count)
      } else {
        send([State.accessDenied.rawValue], connection)
        connection.close()
      }
    }
    connection.onEnd = { $0.close() }
  }

  private func begin(_ connection: TCPConnection, _ cookie: [UInt8], _ rest: [UInt8]) {
    control = connection
    self.cookie = cookie
    controlInbox.bytes = rest
    (streams, datagrams) = ([], [])
    connection.onReceive = { [self] _, bytes in
      controlInbox.bytes.append(contentsOf: bytes)
      advance()
    }
    connection.onEnd = { [self] _ in finish() }
    connection.onFailure = { [self] _, _ in finish() }
    enter(.parameters)
  }

  private func enter(_ next: State) {
    state = next
    if let control { send([next.rawValue], control) }
    advance()
  }

  /// Goes on with what the client has sent on the control connection.
  private func advance() {
    switch state {
    case .parameters:
      guard let text = message() else { return }
      isReverse = Self.value("reverse", text) == "true"
      expected = Self.value("parallel", text).flatMap { Int($0) } ?? 1
      isUDP = Self.value("udp", text) == "true"
      hasLongNumbers = Self.value("udp_counters_64bit", text) == "1"
      guard !(isUDP && isReverse), Self.value("bidirectional", text) != "true", (1...128).contains(expected)
      else {
        // Not ours: one way only, and UDP inwards only.
        if let control { send([State.accessDenied.rawValue], control) }
        return finish()
      }
      enter(.createStreams)
    case .testRunning:
      guard let byte = controlInbox.pop(1) else { return }
      if byte[0] == State.testEnd.rawValue {
        ended = HostedMachine.now()
        // A client that waits for the rest of a block hears that there is none.
        for stream in streams { stream.connection.close() }
        enter(.exchangeResults)
      } else if byte[0] == State.clientTerminate.rawValue {
        finish()
      }
    case .exchangeResults:
      // The client's come first; ours do not depend on them.
      guard message() != nil, let control else { return }
      let text = Array(results.utf8)
      send(Self.length(text.count) + text, control)
      enter(.displayResults)
    case .displayResults:
      if controlInbox.pop(1) != nil { finish() }
    default: break
    }
  }

  private func add(_ connection: TCPConnection, _ surplus: Int) {
    let stream = Stream(connection)
    stream.bytes = UInt64(surplus)
    streams.append(stream)
    // By address, or the connection's callbacks would keep the connection.
    connection.onReceive = { [unowned stream] _, bytes in stream.bytes &+= UInt64(bytes.count) }
    connection.onSent = { [unowned self, unowned stream] _, _ in
      if isReverse && state == .testRunning { fill(stream) }
    }
    if streams.count == expected { beginRunning() }
  }

  /// A datagram: a greeting, which makes a stream, or one of a stream.
  package func take(
    _ bytes: UnsafeRawBufferPointer, _ endpoint: UDPEndpoint, _ address: NetworkAddress, _ port: UInt16
  ) {
    guard isUDP else { return }
    if let index = datagrams.firstIndex(where: { $0.port == port }) {
      if state == .testRunning { datagrams[index].take(bytes, isLong: hasLongNumbers) }
    } else if state == .createStreams && bytes.elementsEqual(IperfDatagrams.greeting) {
      datagrams.append(IperfDatagrams(port: port))
      IperfDatagrams.answer.withUnsafeBytes { try? endpoint.send($0, to: address, port: port) }
      if datagrams.count == expected { beginRunning() }
    }
  }

  private func beginRunning() {
    enter(.testStart)
    began = HostedMachine.now()
    enter(.testRunning)
    if isReverse { for stream in streams { fill(stream) } }
  }

  /// Sends as much as there is room for.
  private func fill(_ stream: Stream) {
    while let count = try? stream.connection.write(UnsafeRawBufferPointer(Self.block)), count > 0 {
      stream.bytes &+= UInt64(count)
    }
    stream.connection.flush()
  }

  private func finish() {
    for stream in streams { stream.connection.close() }
    streams = []
    control?.close()
    control = nil
    state = .done
  }

  private func send(_ bytes: [UInt8], _ connection: TCPConnection) {
    // A few bytes on a connection on which little else is sent: there is room.
    _ = try? connection.write(bytes)
    connection.flush()
  }

  private var results: String {
    let seconds = Double(ended - began) / 1e9
    let counts =
      isUDP
      ? datagrams.map { ($0.bytes, $0.jitter, $0.lost, $0.packets) } : streams.map { ($0.bytes, 0, 0, 0) }
    let entries = counts.enumerated().map { index, count in
      let (bytes, jitter, lost, packets) = count
      // iperf3 numbers its streams 1, 3, 4, 5 …
      return
        "{\"id\":\(index == 0 ? 1 : index + 2),\"bytes\":\(bytes),\"retransmits\":-1,\"jitter\":\(jitter),\"errors\":\(lost),\"packets\":\(packets),\"start_time\":0,\"end_time\":\(seconds)}"
    }
    return
      "{\"cpu_util_total\":0,\"cpu_util_user\":0,\"cpu_util_system\":0,\"sender_has_retransmits\":0,\"streams\":[\(entries.joined(separator: ","))]}"
  }

  /// A message of the control connection, whole; nil if it has not come yet.
  private func message() -> String? {
    let bytes = controlInbox.bytes
    guard bytes.count >= 4 else { return nil }
    let length = bytes[..<4].reduce(0) { $0 << 8 | Int($1) }
    guard length <= 1 << 20 else {
      finish()
      return nil
    }
    guard bytes.count >= 4 + length else { return nil }
    controlInbox.bytes.removeFirst(4 + length)
    return String(decoding: bytes[4..<(4 + length)], as: UTF8.self)
  }

  private static func length(_ count: Int) -> [UInt8] {
    [UInt8(count >> 24 & 255), UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255)]
  }

  /// The text of a number or truth of a flat JSON object.
  private static func value(_ name: String, _ text: String) -> String? {
    guard let place = text.firstRange(of: "\"\(name)\":") else { return nil }
    return String(text[place.upperBound...].drop { $0 == " " || $0 == "\t" }.prefix { !",}\n".contains($0) })
  }
}
