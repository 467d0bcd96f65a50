// The capture that a comparison replays: a file, standard input, or the one that is part of the program.

import CBundledCapture
import Glibc
import PacketCapture
import Workloads

enum CaptureChoice {
  case file(String)
  case standardInput
  case bundled

  init(_ argument: String?) {
    self =
      switch argument {
      case nil: .bundled
      case "-"?: .standardInput
      case let path?: .file(path)
      }
  }

  /// What reports call it.
  var name: String {
    switch self {
    case .file(let path): path
    case .standardInput: "standard input"
    case .bundled: "bundled capture"
    }
  }

  /// Reads its frames into memory.
  func load(salvage: Bool) throws(CommandFailure) -> LoadedCapture {
    let capture: LoadedCapture
    do throws(CaptureError) {
      switch self {
      case .file(let path): capture = try LoadedCapture(path: path, salvage: salvage)
      case .standardInput: capture = try LoadedCapture(path: "-", salvage: salvage)
      case .bundled: capture = try Self.loadBundled()
      }
    } catch { throw CommandFailure(error) }
    if let offset = capture.salvagedAt { StandardStreams.noteSalvage(of: name, at: offset) }
    return capture
  }

  private static func loadBundled() throws(CaptureError) -> LoadedCapture {
    let descriptor = cbundledcapture_open()
    guard descriptor >= 0 else { throw CaptureError(.unreadable(errno), file: Self.bundled.name) }
    defer { close(descriptor) }
    return try LoadedCapture(path: "/dev/fd/\(descriptor)")
  }
}
