// The two shapes of an exported record: which information elements, in which order, how long.
// Invariant: the encoder in `IPFIXExporter` writes exactly these fields; the tests decode by the templates
// alone.

/// An information element of a template (RFC 7011, section 3.2).
struct IPFIXField {
  /// The number in the registry of IANA.
  var element: UInt16
  var length: UInt16
  /// Whether it is the element's reverse direction: PEN 29305 (RFC 5103, section 6.1).
  var isReverse = false

  /// Bytes in a template.
  var templateSize: Int { isReverse ? 8 : 4 }
}

/// The template of records of one IP version.
struct IPFIXTemplate {
  /// The template's number, which data sets bear.
  var id: UInt16
  var fields: [IPFIXField]

  static let ipv4 = IPFIXTemplate(
    id: 256,
    fields: [
      IPFIXField(element: 8, length: 4),  // sourceIPv4Address
      IPFIXField(element: 12, length: 4),  // destinationIPv4Address
    ] + common)

  static let ipv6 = IPFIXTemplate(
    id: 257,
    fields: [
      IPFIXField(element: 27, length: 16),  // sourceIPv6Address
      IPFIXField(element: 28, length: 16),  // destinationIPv6Address
    ] + common)

  private static let common = [
    IPFIXField(element: 7, length: 2),  // sourceTransportPort
    IPFIXField(element: 11, length: 2),  // destinationTransportPort
    IPFIXField(element: 4, length: 1),  // protocolIdentifier
    IPFIXField(element: 136, length: 1),  // flowEndReason
    IPFIXField(element: 239, length: 1),  // biflowDirection
    IPFIXField(element: 156, length: 8),  // flowStartNanoseconds
    IPFIXField(element: 157, length: 8),  // flowEndNanoseconds
    IPFIXField(element: 2, length: 8),  // packetDeltaCount
    IPFIXField(element: 2, length: 8, isReverse: true),
    IPFIXField(element: 1, length: 8),  // octetDeltaCount: IP packets
    IPFIXField(element: 1, length: 8, isReverse: true),
    IPFIXField(element: 352, length: 8),  // layer2OctetDeltaCount: frames
    IPFIXField(element: 352, length: 8, isReverse: true),
    IPFIXField(element: 6, length: 2),  // tcpControlBits
    IPFIXField(element: 6, length: 2, isReverse: true),
  ]

  /// The bytes of a data record.
  let recordSize: Int
  /// The bytes in a template set.
  let templateSize: Int

  private init(id: UInt16, fields: [IPFIXField]) {
    self.id = id
    self.fields = fields
    recordSize = fields.reduce(0) { $0 + Int($1.length) }
    templateSize = fields.reduce(4) { $0 + $1.templateSize }
  }
}
