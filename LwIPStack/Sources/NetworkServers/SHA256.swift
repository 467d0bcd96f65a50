// SHA-256 (FIPS 180-4), for the access log: each line is chained to the one before it.
//
// Law: whole messages only; the words of a block are big-endian.

enum SHA256 {
  typealias State = InlineArray<8, UInt32>

  private static let start: State = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
  ]
  private static let constants: InlineArray<64, UInt32> = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
  ]

  /// The digest of `first` followed by `second`.
  static func digest(_ first: State?, _ second: UnsafeBufferPointer<UInt8>) -> State {
    let prefix = first == nil ? 0 : 32
    let length = prefix + second.count
    var state = start
    var words = InlineArray<64, UInt32>(repeating: 0)
    func byte(_ at: Int) -> UInt32 {
      if at < prefix { return first![at / 4] >> UInt32(24 - at % 4 * 8) & 255 }
      if at < length { return UInt32(second[at - prefix]) }
      return at == length ? 128 : 0
    }
    let blocks = (length + 9 + 63) / 64
    for block in 0..<blocks {
      for word in 0..<16 {
        let at = block * 64 + word * 4
        if at >= prefix && at + 4 <= length {
          let p = at - prefix
          words[word] =
            UInt32(second[p]) << 24 | UInt32(second[p + 1]) << 16 | UInt32(second[p + 2]) << 8
            | UInt32(second[p + 3])
        } else if at + 4 <= prefix {
          words[word] = first![at / 4]
        } else {
          words[word] = byte(at) << 24 | byte(at + 1) << 16 | byte(at + 2) << 8 | byte(at + 3)
        }
      }
      if block == blocks - 1 {
        let bits = UInt64(length) * 8
        words[14] = UInt32(truncatingIfNeeded: bits >> 32)
        words[15] = UInt32(truncatingIfNeeded: bits)
      }
      mix(&state, &words)
    }
    return state
  }

  private static func mix(_ state: inout State, _ words: inout InlineArray<64, UInt32>) {
    func turn(_ x: UInt32, _ by: UInt32) -> UInt32 { x >> by | x << (32 - by) }
    for at in 16..<64 {
      let a = words[at - 15]
      let b = words[at - 2]
      let s0 = turn(a, 7) ^ turn(a, 18) ^ a >> 3
      let s1 = turn(b, 17) ^ turn(b, 19) ^ b >> 10
      words[at] = words[at - 16] &+ s0 &+ words[at - 7] &+ s1
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    for at in 0..<64 {
      let s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)
      let one = h &+ s1 &+ (e & f ^ ~e & g) &+ constants[at] &+ words[at]
      let s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)
      let two = s0 &+ (a & b ^ a & c ^ b & c)
      (h, g, f, e, d, c, b, a) = (g, f, e, d &+ one, c, b, a, one &+ two)
    }
    state[0] &+= a
    state[1] &+= b
    state[2] &+= c
    state[3] &+= d
    state[4] &+= e
    state[5] &+= f
    state[6] &+= g
    state[7] &+= h
  }
}
