// Addresses, their text, and the key that both directions of a conversation share.

import Foundation
import Testing

@testable import PacketCapture

@Suite("An address")
struct IPAddressTests {
  static let texts: [(IPAddress, String)] = [
    (IPAddress(v4: 0), "0.0.0.0"), (IPAddress(v4: 0x7f00_0001), "127.0.0.1"),
    (IPAddress(v4: .max), "255.255.255.255"),
    (IPAddress(v6: 0, 0), "::"), (IPAddress(v6: 0, 1), "::1"),
    (IPAddress(v6: 1 << 48, 0), "1::"),
    (IPAddress(v6: 0x2001_0db8_0000_0000, 0x0002_0001), "2001:db8::2:1"),
    // A single zero group stays; the first of two runs of one length is shortened; the longer one wins.
    (IPAddress(v6: 0x2001_0db8_0000_0001, 0x0001_0001_0001_0001), "2001:db8:0:1:1:1:1:1"),
    (IPAddress(v6: 0x2001_0db8_0000_0000, 0x0001_0000_0000_0001), "2001:db8::1:0:0:1"),
    (IPAddress(v6: 0x2001_0000_0000_0001, 0x0000_0000_0000_0001), "2001:0:0:1::1"),
    (IPAddress(v6: 0xABCD_EF01_0203_0405, 0x0607_0809_0A0B_0C0D), "abcd:ef01:203:405:607:809:a0b:c0d"),
    (IPAddress(v6: 0, 0xffff_c000_0201), "::ffff:192.0.2.1"),
  ]

  @Test("has one canonical text", arguments: texts)
  func text(address: IPAddress, text: String) {
    #expect(address.description == text)
  }

  @Test("is written as the system writes it")
  func systemText() {
    // Every pattern of zero and non-zero groups, of which inet_ntop is the judge.
    for pattern in 0..<256 {
      func half(_ bits: Int) -> UInt64 {
        var value: UInt64 = 0
        for group in 0..<4 {
          let isSet = bits >> group & 1 == 1
          value = value << 16 | (isSet ? 0x90 + UInt64(group) : 0)
        }
        return value
      }
      let address = IPAddress(v6: half(pattern), half(pattern >> 4))
      // For the deprecated ::/96 (RFC 4291, 2.5.5.1) inet_ntop writes the dotted form, RFC 5952 does not.
      if address.hi == 0, address.lo >> 32 == 0, address.lo >> 16 != 0 { continue }
      var raw = bytes(address.hi) + bytes(address.lo)
      var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
      inet_ntop(AF_INET6, &raw, &text, socklen_t(text.count))
      #expect(address.description == text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) })
    }
  }

  @Test("sorts by version, then by value")
  func order() {
    let sorted = [
      IPAddress(v4: 0), IPAddress(v4: 1), IPAddress(v4: .max), IPAddress(v6: 0, 0), IPAddress(v6: 0, .max),
      IPAddress(v6: 1, 0), IPAddress(v6: .max, 0),
    ]
    #expect(Array(sorted.reversed()).sorted() == sorted)
    for (index, address) in sorted.enumerated() {
      #expect(sorted.count { $0 < address } == index)
    }
  }
}

@Suite("A flow's key")
struct FlowKeyTests {
  /// Conversations as they come: one server, neighbouring clients, ports one after another.
  private static func keys(v6: Bool, _ count: Int) -> [FlowKey] {
    (0..<count).map { index in
      let client =
        v6
        ? IPAddress(v6: 0x2001_0db8_0000_0000, UInt64(index % 16))
        : IPAddress(v4: 0x0a00_0000 + UInt32(index % 16))
      let server = v6 ? IPAddress(v6: 0x2001_0db8_0000_0001, 1) : IPAddress(v4: 0xc000_0201)
      return FlowKey(
        Endpoint(address: client, port: UInt16(32_768 + index / 16)), Endpoint(address: server, port: 443),
        proto: 6)
    }
  }

  @Test("and its hash are the same in both directions", arguments: [true, false])
  func symmetry(v6: Bool) {
    for key in Self.keys(v6: v6, 256) {
      let back = FlowKey(key.b, key.a, proto: key.proto)
      #expect(back == key && back.symmetricHash == key.symmetricHash && key.a < key.b)
    }
  }

  @Test("is spread evenly by any bits of its hash", arguments: [true, false])
  func spread(v6: Bool) {
    let count = 4_096
    let hashes = Self.keys(v6: v6, count).map(\.symmetricHash)
    #expect(Set(hashes).count >= count - 16)
    for shift in stride(from: UInt32(0), through: 28, by: 4) {
      var bins = [Int](repeating: 0, count: 16)
      for hash in hashes { bins[Int(hash >> shift & 15)] += 1 }
      // 256 expected in each, with a standard deviation of 15.5: six of them either way.
      #expect(bins.allSatisfy { (163...349).contains($0) }, "bits \(shift)...\(shift + 3): \(bins)")
    }
  }

  @Test("every input of the hash matters, about half of its bits at a time")
  func avalanche() {
    let key = Self.keys(v6: true, 1)[0]
    func flipped(_ change: (inout FlowKey) -> Void) -> Int {
      var other = key
      change(&other)
      return (other.symmetricHash ^ key.symmetricHash).nonzeroBitCount
    }
    var changes: [Int] = []
    for bit in 0..<64 {
      let mask = UInt64(1) << UInt64(bit)
      changes.append(flipped { $0.a.address = IPAddress(v6: key.a.address.hi ^ mask, key.a.address.lo) })
      changes.append(flipped { $0.a.address = IPAddress(v6: key.a.address.hi, key.a.address.lo ^ mask) })
      changes.append(flipped { $0.b.address = IPAddress(v6: key.b.address.hi ^ mask, key.b.address.lo) })
      changes.append(flipped { $0.b.address = IPAddress(v6: key.b.address.hi, key.b.address.lo ^ mask) })
    }
    for bit in 0..<16 {
      changes.append(flipped { $0.a.port ^= 1 << UInt16(bit) })
      changes.append(flipped { $0.b.port ^= 1 << UInt16(bit) })
    }
    for bit in 0..<8 { changes.append(flipped { $0.proto ^= 1 << UInt8(bit) }) }
    #expect(changes.allSatisfy { $0 >= 3 })
    #expect((13...19).contains(changes.reduce(0, +) / changes.count))
  }
}
