// iperf3's UDP test, as far as a server that receives meets it.
//
// Each stream is a source port: its first datagram is a greeting that is answered; the others begin with the time they were sent at and their
// number. Law: under the stack's guard.

import HostedMachine
import LwIPStack

/// What came from one source port.
struct IperfDatagrams {
  let port: UInt16
  private(set) var bytes: UInt64 = 0
  /// The highest number that came.
  private(set) var packets: UInt64 = 0
  private var received: UInt64 = 0
  /// Seconds, as RFC 3550 smooths it.
  private(set) var jitter = 0.0
  private var lastTransit: Double?

  init(port: UInt16) { self.port = port }

  /// What a client sends first, and what it waits for: a number each, in the order of bytes of x86 and ARM.
  static let greeting: [UInt8] = [0x39, 0x38, 0x37, 0x36]
  static let answer: [UInt8] = [0x36, 0x37, 0x38, 0x39]

  /// How many of those that were sent have not come. A duplicate makes it one less.
  var lost: UInt64 { packets > received ? packets - received : 0 }

  mutating func take(_ datagram: UnsafeRawBufferPointer, isLong: Bool) {
    let header = isLong ? 16 : 12
    guard datagram.count >= header else { return }
    func number(_ range: Range<Int>) -> UInt64 { datagram[range].reduce(0) { $0 << 8 | UInt64($1) } }
    bytes &+= UInt64(datagram.count)
    received += 1
    packets = max(packets, number(8..<header))
    // Only differences count, so the two clocks need not agree.
    let transit = Double(HostedMachine.now()) / 1e9 - Double(number(0..<4)) - Double(number(4..<8)) / 1e6
    if let last = lastTransit { jitter += (abs(transit - last) - jitter) / 16 }
    lastTransit = transit
  }
}
