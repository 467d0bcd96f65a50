// The fuzzer of the reader and the decoder: any bytes are a capture or a typed error, never a trap, a load
// past the end or an endless loop. What must hold of every input is asserted here, beyond what the Address
// Sanitizer sees.

/// What one pass over a capture gave, for comparing passes with each other.
private struct Pass: Equatable {
  var frames: UInt64 = 0
  var digest: UInt64 = 0xcbf2_9ce4_8422_2325
  var consumed: UInt64 = 0
  var salvagedAt: UInt64?
  var failure: CaptureError?

  mutating func mix(_ value: UInt64) {
    digest = (digest ^ value) &* 0x100_0000_01b3
  }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCapture(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  let bytes = [UInt8](UnsafeBufferPointer(start: data, count: size))
  let strict = pass(over: bytes, salvage: false, piece: .max)

  // How the bytes arrive makes no difference.
  precondition(strict == pass(over: bytes, salvage: false, piece: 7), "short reads change the result")

  // Salvage only turns a cut into an end: the same frames come before it.
  let salvaged = pass(over: bytes, salvage: true, piece: .max)
  precondition(salvaged.frames == strict.frames, "salvage changes the frames")
  precondition(salvaged.digest == strict.digest, "salvage changes the frames")
  if case .truncatedRecord = strict.failure?.kind {
    precondition(salvaged.failure == nil && salvaged.salvagedAt == strict.failure?.offset, "cut not salvaged")
  } else {
    precondition(salvaged.failure == strict.failure && salvaged.salvagedAt == nil, "salvage hides damage")
  }
  if strict.failure == nil {
    precondition(strict.consumed == UInt64(size), "a whole capture is read to its last byte")
  }

  // The input as a frame of each link type, without a capture around it.
  bytes.withUnsafeBytes { raw in
    for link in [LinkType.ethernet, .rawIP, .ipv4, .ipv6, .linuxCooked1, .linuxCooked2, .null, .loop] {
      check(FrameDecoder.decode(raw, link: link))
    }
  }
  return 0
}

private func pass(over bytes: [UInt8], salvage: Bool, piece: Int) -> Pass {
  var result = Pass()
  do throws(CaptureError) {
    var reader = try CaptureReader(bytes: bytes, name: "input", salvage: salvage, piece: piece)
    var previous: UInt64 = 0
    while try reader.next({ header, frame in
      precondition(frame.count == Int(header.capturedLength), "bytes and header disagree")
      precondition(header.capturedLength <= header.wireLength, "more captured than sent")
      precondition(frame.count <= CaptureReader.maximumRecord, "a record beyond the limit")
      precondition(header.timestamp.magnitude <= 1 << 62, "a time beyond its bound")
      // A copy of its own lets the Address Sanitizer see a load one byte past the frame.
      let copy = [UInt8](frame)
      let outcome = copy.withUnsafeBytes { FrameDecoder.decode($0, header: header) }
      check(outcome)
      result.mix(UInt64(bitPattern: header.timestamp))
      result.mix(UInt64(header.wireLength))
      for byte in copy { result.mix(UInt64(byte)) }
    }) {
      result.frames += 1
      precondition(reader.framesRead == result.frames, "frames miscounted")
      precondition(reader.bytesRead > previous && reader.bytesRead <= UInt64(bytes.count), "bytes miscounted")
      previous = reader.bytesRead
    }
    result.consumed = reader.bytesRead
    result.salvagedAt = reader.salvagedAt
    var late = false
    let more = try reader.next { _, _ in late = true }
    precondition(!more && !late, "a frame after the end")
  } catch {
    result.failure = error
    precondition(error.exitStatus == 65, "bytes in memory are always there")
    let line = error.description
    precondition(!line.utf8.contains(10) && line.hasPrefix("input: "), "not one line")
    precondition(error.offset.map { $0 <= UInt64(bytes.count) } ?? true, "an offset beyond the input")
  }
  return result
}

private func check(_ outcome: DecodeOutcome) {
  guard case .flow(let frame) = outcome else { return }
  let key = frame.key
  precondition(key.a <= key.b, "the key's ends are in order")
  precondition(key.a.address.isV6 == key.b.address.isV6, "one version at both ends")
  precondition(FlowKey(key.b, key.a, proto: key.proto) == key, "the key depends on the direction")
  precondition(FlowKey(key.b, key.a, proto: key.proto).symmetricHash == key.symmetricHash, "so does its hash")
  precondition(frame.aToB || key.a != key.b, "equal ends go from a to b")
  precondition(frame.tcpFlags == 0 || key.proto == 6, "flags of no TCP")
  precondition(frame.ipBytes >= 20, "an IP packet shorter than its header")
  let hasPorts = key.proto == 6 || key.proto == 17
  precondition(hasPorts || (key.a.port == 0 && key.b.port == 0), "ports of neither TCP nor UDP")
}
