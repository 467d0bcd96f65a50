// Names and addresses from the network: DNS and DHCP, where lwIP was built with them (from its source).
//
// Law: who waits is resumed once: by the answer, by cancellation, or by the stack's end. lwIP cannot be told to forget a question, so a question is a
// number that is never used again, and an answer to a number that nobody waits for is dropped. All state is under the guard.

import CLwIPStack

/// Which addresses are asked for.
public enum AddressFamily: Sendable {
  /// IPv4, and IPv6 if there is none.
  case any
  case ipv4
  case ipv6
}

/// Who waits for what. Under the guard.
struct StackServices {
  typealias Query = CheckedContinuation<NetworkAddress, any Error>
  typealias Lease = CheckedContinuation<IPv4Configuration, any Error>

  private var queries: [UInt: Query] = [:]
  private var leases: [ObjectIdentifier: (number: UInt, continuation: Lease)] = [:]

  var isWaiting: Bool { !queries.isEmpty || !leases.isEmpty }
  mutating func wait(for query: UInt, _ continuation: Query) { queries[query] = continuation }
  mutating func takeQuery(_ query: UInt) -> Query? { queries.removeValue(forKey: query) }
  mutating func wait(for device: any NetworkDevice, _ number: UInt, _ continuation: Lease) {
    precondition(leases[ObjectIdentifier(device)] == nil, "one task waits for a device's address at a time")
    leases[ObjectIdentifier(device)] = (number, continuation)
  }
  /// Who waits for a device's address; with a number, only if it is that wait.
  mutating func takeLease(_ device: any NetworkDevice, _ number: UInt? = nil) -> Lease? {
    if let number, leases[ObjectIdentifier(device)]?.number != number { return nil }
    return leases.removeValue(forKey: ObjectIdentifier(device))?.continuation
  }

  /// The stack ends.
  mutating func end() {
    for query in queries.values { query.resume(throwing: NetworkError.stopped) }
    for lease in leases.values { lease.continuation.resume(throwing: NetworkError.stopped) }
    (queries, leases) = ([:], [:])
  }

  static func installHooks(_ hooks: inout lwip_hooks) {
    hooks.resolved = { stack, query, address in
      Unmanaged<NetworkStack>.fromOpaque(stack!)._withUnsafeGuaranteedRef { stack in
        guard let waiting = stack.services.takeQuery(query) else { return }
        if let address {
          waiting.resume(returning: NetworkAddress(address.pointee))
        } else {
          waiting.resume(throwing: NetworkError.unknownName)
        }
      }
    }
    hooks.leased = { device, address, mask, gateway in
      Unmanaged<DevicePort>.fromOpaque(device!)._withUnsafeGuaranteedRef { port in
        port.stack.services.takeLease(port.device)?.resume(
          returning: IPv4Configuration(
            address: NetworkAddress(address!.pointee), mask: NetworkAddress(mask!.pointee),
            gateway: NetworkAddress(gateway!.pointee)))
      }
    }
  }
}

extension NetworkStack {
  /// Whether names can be resolved, and whether addresses can be leased: whether lwIP was built with DNS and DHCP.
  public static var hasDNS: Bool { lwip_has_dns() }
  public static var hasDHCP: Bool { lwip_has_dhcp() }

  /// Sets the name servers that are asked, in this order; as many as lwIP has places for (2). Those of a lease take their place. Any thread
  /// below softNet.
  public func setNameServers(_ servers: [NetworkAddress]) throws(NetworkError) {
    guard Self.hasDNS else { throw .unavailable }
    try enter { () throws(NetworkError) in
      guard isRunning else { throw .stopped }
      for index in 0..<Int(lwip.pointee.dns_most_servers()) {
        if index < servers.count {
          var address = servers[index].forLwIP
          lwip.pointee.dns_set_server(Int32(index), &address)
        } else {
          lwip.pointee.dns_set_server(Int32(index), nil)
        }
      }
    }
  }

  /// The address of a name: from lwIP's cache, or asked for. A task at level none.
  ///
  /// - Throws: ``NetworkError``: `unavailable`, `unknownName` (also if nobody answers for some 10 s), `exhausted` (too many questions at once),
  ///   `stopped`; `CancellationError`.
  public func resolve(_ name: String, _ family: AddressFamily = .any) async throws -> NetworkAddress {
    guard Self.hasDNS else { throw NetworkError.unavailable }
    let kind =
      switch family {
      case .any: lwip_family_any
      case .ipv4: lwip_family_ipv4
      case .ipv6: lwip_family_ipv6
      }
    let query = WaitNumber.next()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: StackServices.Query) in
        enter {
          guard isRunning else { return continuation.resume(throwing: NetworkError.stopped) }
          if Task.isCancelled { return continuation.resume(throwing: CancellationError()) }
          // lwIP may answer before it returns.
          services.wait(for: query, continuation)
          var address = lwip_address()
          let result = lwip.pointee.dns_resolve(name, kind, query, &address)
          if result == 1 { return }
          guard let waiting = services.takeQuery(query) else { return }
          if result == 0 {
            waiting.resume(returning: NetworkAddress(address))
          } else {
            waiting.resume(throwing: NetworkError(result))
          }
        }
      }
    } onCancel: {
      enterLater { [self] in services.takeQuery(query)?.resume(throwing: CancellationError()) }
    }
  }

  /// Asks for an IPv4 address for an attached device, and keeps it: lwIP renews it. It asks until somebody answers, so cancel the task
  /// to give up. A task at level none.
  ///
  /// - Throws: ``NetworkError``: `unavailable`, `notConnected` (the device is not attached), `exhausted`, `stopped`; `CancellationError`.
  public func lease(for device: any NetworkDevice) async throws -> IPv4Configuration {
    guard Self.hasDHCP else { throw NetworkError.unavailable }
    let number = WaitNumber.next()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: StackServices.Lease) in
        enter {
          guard isRunning else { return continuation.resume(throwing: NetworkError.stopped) }
          if Task.isCancelled { return continuation.resume(throwing: CancellationError()) }
          guard let netif = ports.first(where: { $0.device === device })?.netif else {
            return continuation.resume(throwing: NetworkError.notConnected)
          }
          services.wait(for: device, number, continuation)
          let result = lwip.pointee.dhcp_start(netif)
          if result != 0 { services.takeLease(device)?.resume(throwing: NetworkError(result)) }
        }
      }
    } onCancel: {
      enterLater { [self] in
        guard let waiting = services.takeLease(device, number) else { return }
        if let netif = ports.first(where: { $0.device === device })?.netif { lwip.pointee.dhcp_stop(netif) }
        waiting.resume(throwing: CancellationError())
      }
    }
  }
}
