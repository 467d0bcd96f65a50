// The page's snippets: what stands between the marks below is what README.md prints, word for word, and it runs.

import Foundation
import HostedMachine
import NIOCore
import NIOPosix
import SoftInterrupts
import SoftInterruptsNIO
import Testing

@Suite(.serialized) struct ManualTests {
  @Test func theSnippetsRun() async throws {
    // snippet: port
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    let system = try InterruptSystem(on: .hosted(cpus: 2))
    let served = Guarded<[Int: Int], SoftNet>([:])

    let port = try LevelPort<ByteBuffer, ByteBuffer>(
      system, "echo", at: SoftNet.self, as: .ordered, on: group
    ) { arrival, net in
      let connection = arrival.connection
      switch arrival.event {
      case .opened: net.open(served) { $0[connection.number] = 0 }
      case .message(let bytes):
        net.open(served) { $0[connection.number, default: 0] += 1 }
        connection.write(bytes)
      case .writable(let isWritable): connection.setReading(isWritable)
      case .failed: connection.close()
      case .closed: net.open(served) { $0[connection.number] = nil }
      }
    }
    // end
    // snippet: server
    let server = try await ServerBootstrap(group: group)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try port.attach(channel) }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    // end
    let sent = ByteBuffer(repeating: 5, count: 300_000)
    let number = try #require(server.localAddress?.port)
    #expect(try await exchange(number, sent, expecting: sent.readableBytes, group) == sent)
    let loop = group.next()
    // snippet: future
    let count: EventLoopFuture<Int> = system.future(on: loop, raisedTo: SoftNet.self) { net in
      net.open(served) { $0.count }
    }
    // end
    #expect(try await count.get() <= 1)
    // snippet: end
    try await server.close()
    await onThread { _ = system.shutdown() }  // it waits: a thread of its own
    await port.waitForEnd()
    try await group.shutdownGracefully()
    // end
    #expect(port.statistics.undelivered == 0)
  }

  @Test func thePagePrintsWhatIsCompiled() throws {
    let here = URL(fileURLWithPath: #filePath)
    let page = here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("README.md")
    let printed = snippets(
      try String(contentsOf: page, encoding: .utf8), from: "<!-- snippet: ", until: "```", skipping: 1)
    let compiled = snippets(
      try String(contentsOf: here, encoding: .utf8), from: "// snippet: ", until: "// end", skipping: 0)
    #expect(printed.count >= 4)
    #expect(printed == compiled)
  }

  /// The text of each snippet by its name, without the indentation of its first line.
  private func snippets(_ text: String, from begin: String, until end: String, skipping: Int) -> [String:
    String]
  {
    var found: [String: String] = [:]
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var index = 0
    while index < lines.count {
      let line = lines[index].drop { $0 == " " }
      index += 1
      guard line.hasPrefix(begin) else { continue }
      let name = line.dropFirst(begin.count).prefix { $0 != " " }
      index += skipping
      let indent = index < lines.count ? lines[index].prefix { $0 == " " }.count : 0
      var body: [Substring] = []
      while index < lines.count, !lines[index].drop(while: { $0 == " " }).hasPrefix(end) {
        body.append(lines[index].dropFirst(min(indent, lines[index].prefix { $0 == " " }.count)))
        index += 1
      }
      found[String(name)] = body.joined(separator: "\n")
    }
    return found
  }
}
