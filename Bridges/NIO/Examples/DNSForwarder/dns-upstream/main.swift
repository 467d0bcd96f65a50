// A name server of one made-up zone, `test.`, for the forwarder's check and its measurement. Not for anything else: it reads a question
// and believes it.
//
//     dns-upstream [PORT]
//
// Answers: any name with an address made from its letters, for an hour; `short…` for one second; `none…` with NXDOMAIN; `silent…` not at
// all; `long…` with more than 512 octets; `count.…` with how many questions there were for the name behind it, and for no time.

import NIOCore
import NIOPosix

final class Zone: ChannelInboundHandler {
  typealias InboundIn = AddressedEnvelope<ByteBuffer>
  typealias OutboundOut = AddressedEnvelope<ByteBuffer>
  private var asked: [[UInt8]: Int] = [:]

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let datagram = unwrapInboundIn(data)
    let bytes = Array(datagram.data.readableBytesView)
    guard let reply = reply(bytes) else { return }
    context.write(
      wrapOutboundOut(
        AddressedEnvelope(remoteAddress: datagram.remoteAddress, data: ByteBuffer(bytes: reply))),
      promise: nil)
  }
  func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

  private func reply(_ bytes: [UInt8]) -> [UInt8]? {
    guard bytes.count > 17 else { return nil }
    var at = 12
    while at < bytes.count, bytes[at] != 0 { at += Int(bytes[at]) + 1 }
    guard at + 5 <= bytes.count else { return nil }
    let question = Array(bytes[12..<at + 5])
    let name = question[..<(at - 12)].map { $0 >= 65 && $0 <= 90 ? $0 | 32 : $0 }
    let first = name.dropFirst().prefix(Int(name.first ?? 0))
    func begins(_ text: String) -> Bool { first.starts(with: text.utf8) }
    if begins("silent") { return nil }
    if !begins("count") { asked[name, default: 0] += 1 }
    var answers: [[UInt8]] = []
    var authority: [[UInt8]] = []
    var code: UInt8 = 0
    if begins("none") {
      code = 3
      // The zone's SOA at its root, for 30 seconds: the last of five numbers.
      authority = [[0, 0, 6, 0, 1, 0, 0, 0, 30, 0, 22, 0, 0] + Array(repeating: 0, count: 19) + [30]]
    } else if begins("count") {
      let text = Array("\(asked[Array(name.dropFirst(Int(name.first ?? 0) + 1)), default: 0])".utf8)
      answers = [record(type: 16, ttl: 0, [UInt8(text.count)] + text)]
    } else {
      let ttl: UInt16 = begins("short") ? 1 : 3_600
      let host = UInt8(name.reduce(0) { ($0 &* 31 &+ Int($1)) % 254 } + 1)
      for copy in 0..<(begins("long") ? 40 : 1) {
        answers.append(record(type: 1, ttl: ttl, [192, 0, 2, UInt8((Int(host) + copy) % 256)]))
      }
    }
    return [
      bytes[0], bytes[1], 0x84 | bytes[2] & 1, 0x80 | code, 0, 1, 0, UInt8(answers.count), 0,
      UInt8(authority.count), 0, 0,
    ]
      + question + answers.joined() + authority.joined()
  }

  /// A record for the question's name, by a pointer to it.
  private func record(type: UInt8, ttl: UInt16, _ data: [UInt8]) -> [UInt8] {
    [0xC0, 12, 0, type, 0, 1, 0, 0, UInt8(ttl >> 8), UInt8(ttl & 255), 0, UInt8(data.count)] + data
  }
}

let port = CommandLine.arguments.count > 1 ? Int(CommandLine.arguments[1]) ?? 0 : 0
let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
  .channelOption(.datagramVectorReadMessageCount, value: 32)
  .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 32 * 2_048))
  .channelInitializer { channel in
    channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Zone()) }
  }
  .bind(host: "127.0.0.1", port: port).get()
print("listening on 127.0.0.1:\(channel.localAddress?.port ?? 0)")
flush()
try await channel.closeFuture.get()
