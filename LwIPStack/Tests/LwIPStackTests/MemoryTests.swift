// The wire in memory: between two stacks, and with clients that are no stack; and the work at other levels.

import HostedMachine
import SoftInterrupts
import Testing

@testable import LwIPStack
@testable import NetworkServers
@testable import softint_net

extension StackTests {
  @Suite("A wire in memory")
  struct MemoryTests {
    @Test(
      "two stacks exchange data over it, each under its own guard", .enabled(if: canLoadAnother),
      arguments: [true, false])
    func pair(onOneSystem: Bool) async throws {
      let first = try NetworkStack()
      var configuration = StackConfiguration()
      configuration.level = .softSerial
      let second = try NetworkStack(configuration, beside: onOneSystem ? first : nil)
      defer {
        second.shutdown()
        first.shutdown()
      }
      let ends = MemoryDevice.pair()
      let mask = NetworkAddress("255.255.255.0")!
      let none = NetworkAddress("0.0.0.0")!
      let address = NetworkAddress("10.9.0.2")!
      try first.attach(
        ends.0, ipv4: IPv4Configuration(address: NetworkAddress("10.9.0.1")!, mask: mask, gateway: none))
      try second.attach(ends.1, ipv4: IPv4Configuration(address: address, mask: mask, gateway: none), cpu: 1)
      let listener = try echo(second, 7)
      let bytes = pattern(200_000)
      let stream = try await TCPStream.connect(first, to: address, port: 7)
      async let sent: Void = stream.write(bytes)
      var got: [UInt8] = []
      while got.count < bytes.count, let part = try await stream.read() { got += part }
      try await sent
      #expect(got == bytes)
      stream.close()
      for stack in [first, second] {
        let counts = stack.counts
        #expect(counts.assertions > 0 && counts.failures == 0)
        #expect(counts.droppedIn == 0 && counts.droppedOut == 0)
      }
      listener.close()
    }

    /// Serves `clients` until each has had some answers.
    private func serve(
      _ discipline: StackDiscipline, path: String = "/", work: Bool = false
    ) throws -> (MemoryClientCounts, HTTPServer, OtherLevels.Report?) {
      var configuration = StackConfiguration()
      configuration.discipline = discipline
      let stack = try NetworkStack(configuration)
      let server = HTTPServer(stack, .bundled)
      var others: OtherLevels?
      let clients = MemoryClients(count: 16, port: 80, path: path)
      do {
        defer { stack.shutdown() }
        if work { others = try OtherLevels(stack) }
        server.others = others
        try server.start(port: 80)
        try stack.attach(MemoryDevice(clients), ipv4: MemoryDevice.ipv4)
        // Pages of the log are turned meanwhile.
        #expect(eventually { stack.enter { server.requests } > (work ? 5_000 : 500) })
        clients.stop()
        server.stop()
        others?.stop()
        let counts = stack.counts
        #expect(counts.assertions > 0 && counts.failures == 0)
        #expect(stack.system.violations.isEmpty)
      }
      return withExtendedLifetime((server, others)) { (clients.counts, server, others?.report) }
    }

    @Test("clients in memory are answered", arguments: [StackDiscipline.oneCPU, .bigLock, .ordered, .mpSafe])
    func clients(_ discipline: StackDiscipline) throws {
      let (counts, server, _) = try serve(discipline)
      #expect(counts.requests > 400 && counts.errors == 0 && counts.resets == 0)
      #expect(counts.requests <= server.requests)
      #expect(counts.times.total == counts.requests)
      #expect(counts.times.quantile(0.5) > 0 && counts.times.quantile(0.5) <= counts.times.quantile(0.99))
    }

    @Test("what is not the page is an error, and the clients come again")
    func errors() throws {
      let (counts, _, _) = try serve(.ordered, path: "/nothing")
      #expect(counts.errors > 400 && counts.requests == 0)
    }

    @Test(
      "with work at other levels each request has its line, and the lines are read",
      arguments: [StackDiscipline.oneCPU, .bigLock, .ordered, .mixed, .mpSafe])
    func work(_ discipline: StackDiscipline) throws {
      let (_, server, report) = try serve(discipline, work: true)
      let found = try #require(report)
      #expect(found.logged == server.requests)
      #expect(found.pages > 0 && found.digest != 0)
    }

    @Test("times are counted in buckets of an eighth at most")
    func buckets() {
      for time: UInt64 in [0, 1, 7, 8, 9, 100, 1_000, 123_456, 1 << 30] {
        var times = TimeBuckets()
        times.add(nanoseconds: time)
        let limit = times.quantile(0.5)
        #expect(limit > time && limit <= time + max(1, time / 8 + 1))
      }
    }

    @Test("the log's digest is SHA-256 (the examples of FIPS 180-4)")
    func digest() {
      func digest(_ text: String) -> [UInt32] {
        Array(text.utf8).withUnsafeBufferPointer { bytes in
          let state = SHA256.digest(nil, bytes)
          return (0..<8).map { state[$0] }
        }
      }
      #expect(
        digest("abc") == [
          0xba78_16bf, 0x8f01_cfea, 0x4141_40de, 0x5dae_2223, 0xb003_61a3, 0x9617_7a9c, 0xb410_ff61,
          0xf200_15ad,
        ])
      #expect(digest("")[0] == 0xe3b0_c442)
      #expect(
        digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")[0] == 0x248d_6a61)
      // A digest before it is a prefix of 32 bytes.
      let first = Array("abc".utf8).withUnsafeBufferPointer { SHA256.digest(nil, $0) }
      let whole: [UInt8] = (0..<8).flatMap { word in
        (0..<4).map { UInt8(first[word] >> UInt32(24 - 8 * $0) & 255) }
      }
      for length in [0, 1, 3, 22, 23, 24, 31, 32, 33, 96, 100] {
        let tail = [UInt8](repeating: 7, count: length)
        let chained = tail.withUnsafeBufferPointer { SHA256.digest(first, $0) }
        let joined = (whole + tail).withUnsafeBufferPointer { SHA256.digest(nil, $0) }
        #expect((0..<8).allSatisfy { chained[$0] == joined[$0] })
      }
    }
  }
}
