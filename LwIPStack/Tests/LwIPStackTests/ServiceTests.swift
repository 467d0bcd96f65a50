// DNS and DHCP, where lwIP was built with them: against a small name server on the stack itself, and libslirp's own DHCP server.

import HostedMachine
import Testing

@testable import LwIPStack

extension StackTests {
  @Suite("Names and addresses")
  struct ServiceTests {
    @Test(
      "the packaged lwIP has neither, and says so",
      .enabled(if: !NetworkStack.hasDNS && !NetworkStack.hasDHCP))
    func unavailable() async throws {
      let stack = try NetworkStack()
      defer { stack.shutdown() }
      await #expect(throws: NetworkError.unavailable) { try await stack.resolve("a.example") }
      let device = SlirpDevice(forwarding: [])
      try stack.attach(device)
      await #expect(throws: NetworkError.unavailable) { try await stack.lease(for: device) }
      #expect(throws: NetworkError.unavailable) { try stack.setNameServers([]) }
    }

    @Test(
      "a device has its address by DHCP, and gives it back at the end", .enabled(if: NetworkStack.hasDHCP))
    func lease() async throws {
      let stack = try NetworkStack()
      let device = SlirpDevice(forwarding: [])
      try stack.attach(device)
      let lease = try await stack.lease(for: device)
      #expect(lease.address == NetworkAddress("10.0.2.15"))
      #expect(lease.mask == NetworkAddress("255.255.255.0"))
      #expect(lease.gateway == NetworkAddress("10.0.2.2"))
      #expect(stack.counts.failures == 0)
      stack.shutdown()
      #expect(stack.counts.buffers == 0 && stack.counts.endpoints == 0)
    }

    @Test("who waits for an address may give up; so does the stack's end", .enabled(if: NetworkStack.hasDHCP))
    func noLease() async throws {
      let stack = try NetworkStack()
      let device = SlirpDevice(forwarding: [])
      await #expect(throws: NetworkError.notConnected) { try await stack.lease(for: device) }
      try stack.attach(device)
      // Nobody answers while the link is down.
      stack.setLink(up: false, of: device)
      let first = Task { try await stack.lease(for: device) }
      first.cancel()
      await #expect(throws: CancellationError.self) { try await first.value }
      let second = Task { try await stack.lease(for: device) }
      #expect(eventually { stack.enter { stack.services.isWaiting } })
      stack.shutdown()
      await #expect(throws: NetworkError.stopped) { try await second.value }
      #expect(stack.counts.buffers == 0 && stack.counts.endpoints == 0)
    }

    @Test("names are resolved, or not, and questions end", .enabled(if: NetworkStack.hasDNS))
    func resolve() async throws {
      let stack = try NetworkStack()
      try stack.attach(SlirpDevice(forwarding: []), ipv4: SlirpDevice.ipv4)
      let asked = Event()
      let server = try UDPEndpoint(stack, port: 53) { endpoint, question, from, port in
        if let answer = answer(question) {
          _ = try? answer.withUnsafeBytes { try endpoint.send($0, to: from, port: port) }
        } else {
          asked.signal()
        }
      }
      try stack.setNameServers([SlirpDevice.ipv4.address])
      #expect(try await stack.resolve("four.example") == NetworkAddress("192.0.2.7"))
      #expect(try await stack.resolve("six.example") == NetworkAddress("2001:db8::7"))
      #expect(try await stack.resolve("198.51.100.1") == NetworkAddress("198.51.100.1"))
      await #expect(throws: NetworkError.unknownName) { try await stack.resolve("nobody.example") }
      await #expect(throws: NetworkError.unknownName) { try await stack.resolve("four.example", .ipv6) }
      // Many at once: each has its answer, or is told that there are too many.
      let results = await withTaskGroup(of: Result<NetworkAddress, any Error>.self) { group in
        for index in 0..<12 {
          group.addTask {
            do { return .success(try await stack.resolve("four\(index).example", .ipv4)) } catch {
              return .failure(error)
            }
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      for result in results {
        switch result {
        case .success(let address): #expect(address == NetworkAddress("192.0.2.7"))
        case .failure(let error): #expect(error as? NetworkError == .exhausted)
        }
      }
      // Nobody answers this one.
      let first = Task { try await stack.resolve("silent.example") }
      #expect(asked.wait())
      first.cancel()
      await #expect(throws: CancellationError.self) { try await first.value }
      let second = Task { try await stack.resolve("silent2.example") }
      #expect(asked.wait())
      #expect(stack.counts.failures == 0)
      server.close()
      stack.shutdown()
      await #expect(throws: NetworkError.stopped) { try await second.value }
      #expect(stack.counts.buffers == 0 && stack.counts.endpoints == 0)
    }
  }
}

/// A name server: nil for names that begin with "silent"; "four…" has an IPv4 address, "six…" an IPv6 one, others do not exist.
private func answer(_ question: UnsafeRawBufferPointer) -> [UInt8]? {
  var reply = Array(question)
  guard reply.count > 17 else { return nil }
  let name = String(decoding: reply[13..<(13 + Int(reply[12]))], as: UTF8.self)
  if name.hasPrefix("silent") { return nil }
  let isIPv6 = reply[reply.count - 3] == 28
  reply[2] |= 0x80
  let address: [UInt8] =
    switch (name.hasPrefix("four"), name.hasPrefix("six"), isIPv6) {
    case (true, _, false): [192, 0, 2, 7]
    case (_, true, true): NetworkAddress("2001:db8::7")!.bytes
    default: []
    }
  if address.isEmpty {
    reply[3] = name.hasPrefix("four") || name.hasPrefix("six") ? 0x80 : 0x83
    return reply
  }
  reply[3] = 0x80
  reply[7] = 1
  // The name of the question, type and class, an hour, the address.
  return reply + [0xc0, 12, 0, isIPv6 ? 28 : 1, 0, 1, 0, 0, 14, 16, 0, UInt8(address.count)] + address
}
