// A capture of what the stack receives and sends, as pcap, for tshark and the like.
//
// Law: written under the stack's guard, in the order in which lwIP saw the frames. It goes through the C library's buffer, so it may wait for
// the disk: for looking into something, not for measuring.

import Glibc

/// A pcap file with nanosecond times, link type Ethernet.
final class FrameLog {
  private let file: UnsafeMutablePointer<FILE>

  init(_ path: String) throws(DeviceFailure) {
    guard let file = fopen(path, "we") else {
      throw DeviceFailure(description: "\(path) cannot be written (\(String(cString: strerror(errno))))")
    }
    self.file = file
    // Magic of nanoseconds, version 2.4, zone, accuracy, longest frame, Ethernet.
    put([0xa1b2_3c4d, 0x0004_0002, 0, 0, 65_535, 1])
  }

  deinit { fclose(file) }

  func log(_ slot: FrameRing.Slot, _ length: Int) {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    put([
      UInt32(truncatingIfNeeded: now.tv_sec), UInt32(now.tv_nsec), UInt32(length), UInt32(length),
    ])
    fwrite(slot.bytes, 1, length, file)
  }

  /// In this machine's byte order, which the magic says.
  private func put(_ words: [UInt32]) {
    _ = words.withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, file) }
  }
}
