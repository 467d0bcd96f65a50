// `softint-net get`: a client of HTTP over the stack, as a task.
//
// Law: what came is on standard output, whole, or one line says why not. It does not trust what a server says: a head is bounded.

import ArgumentParser
import Dispatch
import Glibc
import LwIPStack
import NetworkServers

struct GetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Fetch a page by HTTP over lwIP at softNet.",
    discussion: """
      Over libslirp the host itself is 10.0.2.2. A name is resolved where lwIP was built with DNS.

      Example: softint-net get http://10.0.2.2:8000/
      """)

  @OptionGroup var options: StackOptions

  @Option(
    help: ArgumentHelp("The name server.", valueName: "address"), transform: GetCommand.address)
  var server: NetworkAddress?

  @Argument(help: ArgumentHelp("What to fetch.", valueName: "http://host[:port]/path")) var url: String

  func run() throws {
    guard let target = Target(url) else {
      throw CommandFailure.usage("give a URL as http://192.0.2.1:8000/path")
    }
    let stack = try options.start(listens: false)[0].stack
    defer { stack.shutdown() }
    let outcome = Outcome()
    let server = server
    Task {
      do { outcome.set(.success(try await Self.fetch(target, stack, server))) } catch {
        outcome.set(.failure(error))
      }
    }
    switch outcome.wait() {
    case .success(let body):
      body.withUnsafeBytes { bytes in
        var done = 0
        while done < bytes.count {
          let count = write(1, bytes.baseAddress! + done, bytes.count - done)
          if count <= 0 { break }
          done += count
        }
      }
    case .failure(let failure as CommandFailure): throw failure
    case .failure(let error): throw CommandFailure.system("\(url): \(error)")
    }
  }

  private static func fetch(
    _ target: Target, _ stack: NetworkStack, _ server: NetworkAddress?
  ) async throws -> [UInt8] {
    if let server { try stack.setNameServers([server]) }
    let address: NetworkAddress
    if let literal = NetworkAddress(target.host) {
      address = literal
    } else {
      address = try await stack.resolve(target.host)
    }
    let stream = try await TCPStream.connect(stack, to: address, port: target.port)
    defer { stream.close() }
    try await stream.write(
      Array("GET \(target.path) HTTP/1.0\r\nHost: \(target.host)\r\nUser-Agent: softint-net\r\n\r\n".utf8))
    var bytes: [UInt8] = []
    for try await chunk in stream { bytes += chunk }
    guard let end = bytes.prefix(65_536).firstRange(of: Array("\r\n\r\n".utf8)) else {
      throw CommandFailure.system("the server sent no head")
    }
    let status = String(decoding: bytes[..<end.lowerBound].prefix { $0 != 13 }, as: UTF8.self)
    guard status.split(separator: " ").dropFirst().first == "200" else {
      throw CommandFailure.system("the server says: \(status)")
    }
    return Array(bytes[end.upperBound...])
  }

  private static func address(_ text: String) throws -> NetworkAddress {
    guard let address = NetworkAddress(text) else { throw ValidationError("give an address, as 192.0.2.1") }
    return address
  }

  /// The parts of a URL that matter here.
  private struct Target: Sendable {
    var host: String
    var port: UInt16 = 80
    var path: String

    init?(_ url: String) {
      guard url.hasPrefix("http://") else { return nil }
      let rest = url.dropFirst(7)
      let place = rest.prefix { $0 != "/" }
      path = place.endIndex == rest.endIndex ? "/" : String(rest[place.endIndex...])
      // An IPv6 address stands in brackets.
      let end = place.hasPrefix("[") ? place.firstIndex(of: "]") : nil
      let after = end.map { place[place.index(after: $0)...] } ?? place.drop { $0 != ":" }
      host = String(
        end.map { place[place.index(after: place.startIndex)..<$0] } ?? place.prefix { $0 != ":" })
      if !after.isEmpty {
        guard after.hasPrefix(":"), let number = UInt16(after.dropFirst()) else { return nil }
        port = number
      }
      // A line's end in it would be another header.
      if host.isEmpty || url.utf8.contains(where: { $0 <= 32 }) { return nil }
    }
  }
}

/// What a task came to, for a thread that waits.
private final class Outcome: @unchecked Sendable {
  // Sendable: written once before the signal, read once behind it.
  private let semaphore = DispatchSemaphore(value: 0)
  private var result: Result<[UInt8], any Error>?
  func set(_ result: Result<[UInt8], any Error>) {
    self.result = result
    semaphore.signal()
  }
  func wait() -> Result<[UInt8], any Error> {
    semaphore.wait()
    return result!
  }
}
