// Files that tests read and write: those of the repository, and a directory that vanishes.

import Foundation

/// A file of the repository, which is found from where this file was compiled.
package func repositoryFile(_ path: String) -> URL {
  URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: path)
}

/// A directory for the files of one test, removed with it.
package final class TemporaryDirectory {
  package let path: String

  package init() throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "softint-tests-\(UUID())")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    path = directory.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  package func file(_ name: String) -> String { "\(path)/\(name)" }

  package var contents: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }
}
