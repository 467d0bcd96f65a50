// IPv4 and IPv6 addresses as values, and their text by the system's own functions.

import CLwIPStack
import Glibc

/// An IP address.
public struct NetworkAddress: Sendable, Hashable, CustomStringConvertible {
  /// 4 or 16 bytes, in network order.
  public let bytes: [UInt8]
  /// The zone of a link-local address, 0 for none: lwIP's number of the interface.
  public let zone: UInt8

  public var isIPv6: Bool { bytes.count == 16 }

  /// Reads "192.0.2.1" or "2001:db8::1"; nil if it is neither.
  public init?(_ text: String) {
    var four = in_addr()
    var six = in6_addr()
    if inet_pton(AF_INET, text, &four) == 1 {
      bytes = withUnsafeBytes(of: &four) { Array($0) }
    } else if inet_pton(AF_INET6, text, &six) == 1 {
      bytes = withUnsafeBytes(of: &six) { Array($0) }
    } else {
      return nil
    }
    zone = 0
  }

  init(_ address: lwip_address) {
    bytes = withUnsafeBytes(of: address.bytes) { Array($0.prefix(address.is_v6 ? 16 : 4)) }
    zone = address.zone
  }

  var forLwIP: lwip_address {
    var address = lwip_address()
    address.is_v6 = isIPv6
    address.zone = zone
    withUnsafeMutableBytes(of: &address.bytes) { $0.copyBytes(from: bytes) }
    return address
  }

  public var description: String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    _ = bytes.withUnsafeBytes {
      inet_ntop(isIPv6 ? AF_INET6 : AF_INET, $0.baseAddress, &text, socklen_t(text.count))
    }
    return text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }
}

/// An IPv4 address with its network.
public struct IPv4Configuration: Sendable {
  public var address, mask, gateway: NetworkAddress
  public init(address: NetworkAddress, mask: NetworkAddress, gateway: NetworkAddress) {
    self.address = address
    self.mask = mask
    self.gateway = gateway
  }
}
