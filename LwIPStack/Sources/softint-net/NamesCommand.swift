// `softint-net names`: a name server for a few names, by UDP.
//
// Law: it answers one question a datagram, for records that it was given; what it does not understand it refuses, or drops if it has no head.

import ArgumentParser
import LwIPStack
import NetworkServers

struct NamesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "names", abstract: "Answer questions for names.",
    discussion:
      "Example: softint-net names --port 5300 --record a.example=192.0.2.7, then dig -p 5300 @127.0.0.1 a.example"
  )

  @OptionGroup var options: StackOptions

  @Option(
    name: .customLong("record"),
    help: ArgumentHelp(
      "A name and its address, IPv4 or IPv6; may be given more than once.", valueName: "name=address"),
    transform: NamesCommand.record)
  var records: [NameRecord] = []

  func run() throws {
    EndSignal.block()
    let served = try options.start(isUDPToo: true)[0]
    let (stack, host, port) = (served.stack, served.host, served.port)
    let zone = NameZone(records)
    do throws(NetworkError) {
      let endpoint = try UDPEndpoint(stack, port: port) { endpoint, bytes, address, port in
        guard let answer = zone.answer(bytes) else { return }
        answer.withUnsafeBytes { try? endpoint.send($0, to: address, port: port) }
      }
      announce("listening, try: dig -p \(port) @\(host) \(records.first?.name ?? "a.example")")
      EndSignal.wait()
      endpoint.close()
    } catch {
      stack.shutdown()
      throw CommandFailure.system(error.description)
    }
    stack.shutdown()
  }

  private static func record(_ text: String) throws -> NameRecord {
    let parts = text.split(separator: "=").map(String.init)
    guard parts.count == 2, let address = NetworkAddress(parts[1]) else {
      throw ValidationError("give a name and its address, as a.example=192.0.2.7")
    }
    return NameRecord(name: parts[0].lowercased(), address: address)
  }
}

struct NameRecord: Sendable {
  var name: String
  var address: NetworkAddress
}

/// The names of a server, and its answers (RFC 1035, section 4).
struct NameZone: Sendable {
  private let records: [NameRecord]
  init(_ records: [NameRecord]) { self.records = records }

  func answer(_ datagram: UnsafeRawBufferPointer) -> [UInt8]? {
    // A head, and a question and not an answer.
    guard datagram.count >= 12, datagram[2] & 0x80 == 0 else { return nil }
    func reply(_ code: UInt8, _ question: ArraySlice<UInt8> = [], _ answers: [[UInt8]] = []) -> [UInt8] {
      // Authoritative; whether recursion is wanted is given back, and it is not to be had.
      let flags: [UInt8] = [0x84 | datagram[2] & 0x79, code]
      let counts: [UInt8] = [0, question.isEmpty ? 0 : 1, 0, UInt8(answers.count), 0, 0, 0, 0]
      return Array(datagram[..<2]) + flags + counts + question + answers.joined()
    }
    guard datagram[2] & 0x78 == 0 else { return reply(4) }
    guard datagram[4] == 0, datagram[5] == 1 else { return reply(1) }
    var labels: [String] = []
    var at = 12
    while at < datagram.count, datagram[at] != 0 {
      let length = Int(datagram[at])
      guard length < 64, at + 1 + length < datagram.count else { return reply(1) }
      labels.append(String(decoding: datagram[(at + 1)..<(at + 1 + length)], as: UTF8.self).lowercased())
      at += 1 + length
    }
    guard at + 5 <= datagram.count else { return reply(1) }
    let question = ArraySlice(datagram[12..<(at + 5)])
    let type = Int(datagram[at + 1]) << 8 | Int(datagram[at + 2])
    let known = records.filter { $0.name == labels.joined(separator: ".") }
    if known.isEmpty { return reply(3, question) }
    let answers: [[UInt8]] = known.filter { type == ($0.address.isIPv6 ? 28 : 1) }.prefix(16).map {
      // The name of the question; type and class; a minute; the address.
      [0xc0, 12, 0, UInt8(type), 0, 1, 0, 0, 0, 60, 0, UInt8($0.address.bytes.count)] + $0.address.bytes
    }
    return reply(0, question, answers)
  }
}
