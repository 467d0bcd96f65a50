// Flow records as IPFIX messages (RFC 7011), both directions in one record (RFC 5103).
//
// A message is built in place in one preallocated buffer and handed to the sink when the next record does
// not fit, so exporting a record allocates nothing. The first message carries the templates; in a file,
// which loses nothing, once is enough (RFC 5655). Invariant: between calls the buffer is empty, or
// holds a message whose lengths are filled in when it is closed, and at most one open data set.

import PacketCapture

/// Writes flow records as IPFIX. Not thread-safe.
///
/// The forward direction is that of the flow's first packet. `octetDeltaCount` counts IP packets and
/// `layer2OctetDeltaCount` frames on the wire; times are in nanoseconds.
public final class IPFIXExporter {
  /// The enterprise number under which RFC 5103 registers reverse elements.
  static let reverseEnterprise: UInt32 = 29_305
  private static let headerSize = 16
  private static let setHeaderSize = 4
  /// The smallest message size: one that holds the templates, or any record.
  public static let minimumMessageSize =
    headerSize + setHeaderSize + IPFIXTemplate.ipv4.templateSize + IPFIXTemplate.ipv6.templateSize

  private let sink: OutputSink
  private let observationDomain: UInt32
  private let ipv4 = IPFIXTemplate.ipv4
  private let ipv6 = IPFIXTemplate.ipv6
  private var buffer: ByteBuffer
  /// Where the open data set begins, and the template it is of.
  private var openSet: (start: Int, template: UInt16)?
  private var recordsInMessage: UInt32 = 0
  private var messageTime: UInt32 = 0
  private var templatesSent = false

  /// Data records in the messages handed to the sink, modulo 2³²: the next message's sequence number.
  private var sequence: UInt32 = 0
  /// Records exported, those of the open message included.
  public private(set) var records: UInt64 = 0
  /// Messages handed to the sink.
  public private(set) var messages: UInt64 = 0

  /// Makes an exporter that writes to `sink`.
  ///
  /// - Parameters:
  ///   - sink: where the messages go.
  ///   - messageSize: the greatest size of a message in bytes, ``minimumMessageSize``…65535.
  ///   - observationDomain: the number of the meter in the message headers.
  public init(to sink: OutputSink, messageSize: Int = 1_400, observationDomain: UInt32 = 1) {
    precondition(
      messageSize >= Self.minimumMessageSize && messageSize <= 65_535,
      "an IPFIX message has \(Self.minimumMessageSize) to 65535 bytes")
    self.sink = sink
    self.observationDomain = observationDomain
    buffer = ByteBuffer(capacity: messageSize)
  }

  /// Adds a record to the open message, and sends the message first if the record does not fit.
  ///
  /// - Parameters:
  ///   - record: the flow.
  ///   - reason: why it has ended.
  ///   - now: the time of export in nanoseconds since 1970-01-01 UTC, which the message header bears in seconds: capture time, so that the same capture makes the same file.
  /// - Complexity: O(1), no allocation; every few records one write to the sink.
  public func export(_ record: FlowRecord, reason: FlowEndReason, now: Int64) throws(OutputError) {
    let isV6 = record.key.a.address.isV6
    let template = isV6 ? ipv6.id : ipv4.id
    let size = isV6 ? ipv6.recordSize : ipv4.recordSize
    if !templatesSent { beginWithTemplates() }
    let opensSet = openSet?.template != template
    if buffer.count > 0, buffer.room < size + (opensSet ? Self.setHeaderSize : 0) { try send() }
    if buffer.count == 0 { beginMessage() }
    if openSet?.template != template {
      closeSet()
      openSet = (buffer.count, template)
      buffer.append(template)
      buffer.append(UInt16(0))
    }
    append(record, reason: reason)
    messageTime = UInt32(truncatingIfNeeded: CaptureTime.split(now).seconds)
    recordsInMessage += 1
    records &+= 1
  }

  /// Sends the open message. A file without any record still gets its templates.
  public func flush() throws(OutputError) {
    if !templatesSent { beginWithTemplates() }
    try send()
  }

  private func beginWithTemplates() {
    templatesSent = true
    beginMessage()
    let start = buffer.count
    buffer.append(UInt16(2))
    buffer.append(UInt16(0))
    for template in [ipv4, ipv6] {
      buffer.append(template.id)
      buffer.append(UInt16(template.fields.count))
      for field in template.fields {
        buffer.append(field.isReverse ? field.element | 0x8000 : field.element)
        buffer.append(field.length)
        if field.isReverse { buffer.append(Self.reverseEnterprise) }
      }
    }
    buffer.replace(at: start + 2, with: UInt16(buffer.count - start))
  }

  private func beginMessage() {
    buffer.append(UInt16(10))
    buffer.append(UInt16(0))  // length
    buffer.append(UInt32(0))  // export time
    buffer.append(UInt32(0))  // sequence number
    buffer.append(observationDomain)
  }

  private func closeSet() {
    guard let set = openSet else { return }
    buffer.replace(at: set.start + 2, with: UInt16(buffer.count - set.start))
    openSet = nil
  }

  private func send() throws(OutputError) {
    guard buffer.count > 0 else { return }
    closeSet()
    buffer.replace(at: 2, with: UInt16(buffer.count))
    buffer.replace(at: 4, with: messageTime)
    buffer.replace(at: 8, with: sequence)
    sequence &+= recordsInMessage
    recordsInMessage = 0
    messages &+= 1
    try buffer.flush(to: sink)
  }

  /// Writes the fields of the template, in its order.
  private func append(_ record: FlowRecord, reason: FlowEndReason) {
    let forward = record.initiatedByA
    let (source, destination) =
      forward ? (record.key.a, record.key.b) : (record.key.b, record.key.a)
    append(source.address)
    append(destination.address)
    buffer.append(source.port)
    buffer.append(destination.port)
    buffer.append(record.key.proto)
    buffer.append(reason.rawValue)
    buffer.append(UInt8(1))  // the source is the initiator, judged by the first packet
    buffer.append(Self.ntpTime(record.first))
    buffer.append(Self.ntpTime(record.last))
    buffer.append(forward ? record.packetsAToB : record.packetsBToA)
    buffer.append(forward ? record.packetsBToA : record.packetsAToB)
    buffer.append(forward ? record.ipBytesAToB : record.ipBytesBToA)
    buffer.append(forward ? record.ipBytesBToA : record.ipBytesAToB)
    buffer.append(forward ? record.bytesAToB : record.bytesBToA)
    buffer.append(forward ? record.bytesBToA : record.bytesAToB)
    buffer.append(UInt16(forward ? record.tcpFlagsAToB : record.tcpFlagsBToA))
    buffer.append(UInt16(forward ? record.tcpFlagsBToA : record.tcpFlagsAToB))
  }

  private func append(_ address: IPAddress) {
    if address.isV6 {
      buffer.append(address.hi)
      buffer.append(address.lo)
    } else {
      buffer.append(UInt32(truncatingIfNeeded: address.lo))
    }
  }

  /// The NTP timestamp of RFC 7011, section 6.1.10: seconds since 1900 modulo 2³², and a fraction in units
  /// of 2⁻³² s, rounded up, so that a decoder gets the same nanosecond whether it rounds or truncates.
  static func ntpTime(_ time: Int64) -> UInt64 {
    let (seconds, nanoseconds) = CaptureTime.split(time)
    let fraction = ((UInt64(nanoseconds) << 32) + 999_999_999) / 1_000_000_000
    return UInt64(UInt32(truncatingIfNeeded: seconds + 2_208_988_800)) << 32 | fraction
  }
}
