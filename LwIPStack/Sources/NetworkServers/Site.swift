// What is served: files that are read when the server starts, so that nothing at softNet waits for a disk.

import Glibc

package struct Site: Sendable {
  package struct File: Sendable {
    package var type: String
    package var bytes: [UInt8]
  }
  /// By path, "/index.html".
  private(set) var files: [String: File] = [:]

  /// The most bytes that are read.
  static let limit = 256 << 20

  /// The site without a directory.
  package static var bundled: Site {
    var site = Site()
    let page = """
      <!doctype html><title>softint-net</title><h1>lwIP at softNet</h1>
      <p><a href="/stats">what was counted</a>, <a href="/slow">2 ms of work below softNet</a>,
      <a href="/slow?at=softNet">the same at softNet</a></p>

      """
    site.files["/index.html"] = File(type: "text/html; charset=utf-8", bytes: Array(page.utf8))
    return site
  }

  /// Reads a directory and what is below it.
  package init(directory: String) throws(CommandFailure) {
    var total = 0
    try read(directory, as: "", &total, depth: 0)
  }
  private init() {}

  package func file(_ path: String) -> File? {
    // Whole paths are compared, so ".." leads nowhere.
    files[path.hasSuffix("/") ? path + "index.html" : path]
  }

  private mutating func read(_ place: String, as path: String, _ total: inout Int, depth: Int)
    throws(CommandFailure)
  {
    guard let directory = opendir(place) else { throw failure(place) }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      // Hidden files are not for the public.
      if name.hasPrefix(".") { continue }
      let below = "\(place)/\(name)"
      var status = stat()
      guard stat(below, &status) == 0 else { throw failure(below) }
      switch status.st_mode & S_IFMT {
      case S_IFDIR where depth < 16: try read(below, as: "\(path)/\(name)", &total, depth: depth + 1)
      case S_IFREG:
        total += Int(status.st_size)
        if total > Self.limit {
          throw CommandFailure(
            message: "\(place): more than \(Self.limit >> 20) MiB: serve a smaller directory", status: 66)
        }
        files["\(path)/\(name)"] = File(type: Self.type(of: name), bytes: try contents(below))
      default: break
      }
    }
  }

  private func contents(_ place: String) throws(CommandFailure) -> [UInt8] {
    guard let file = fopen(place, "re") else { throw failure(place) }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
    if ferror(file) != 0 { throw failure(place) }
    return bytes
  }

  private func failure(_ place: String) -> CommandFailure {
    CommandFailure(message: "\(place): \(String(cString: strerror(errno)))", status: 66)
  }

  private static func type(of name: String) -> String {
    switch name.split(separator: ".").last.map({ $0.lowercased() }) {
    case "html", "htm": "text/html; charset=utf-8"
    case "txt", "md": "text/plain; charset=utf-8"
    case "css": "text/css"
    case "js": "text/javascript"
    case "json": "application/json"
    case "svg": "image/svg+xml"
    case "png": "image/png"
    case "jpg", "jpeg": "image/jpeg"
    default: "application/octet-stream"
    }
  }
}
