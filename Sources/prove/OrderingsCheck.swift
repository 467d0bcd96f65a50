// `prove orderings --check PAGE`: the table of a page, line by line.
//
// Law: a line counts only if its program finds its order weaker now, alone, and the same program holds as stated.

import ArgumentParser
import CoreProofs
import Exploration
import SoftInterrupts

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file's bytes.
func bytes(of file: String) throws -> [UInt8] {
  guard let stream = fopen(file, "r") else { throw ValidationError("\(file): no such file") }
  defer { fclose(stream) }
  var bytes: [UInt8] = []
  while case let byte = fgetc(stream), byte >= 0 { bytes.append(UInt8(byte)) }
  return bytes
}

/// A file's text.
func text(of file: String) throws -> String { String(decoding: try bytes(of: file), as: UTF8.self) }

#if Mutants
  /// What the core's sources call each order that they state.
  struct StatedNames {
    private var names: [String: [StatedOrder]] = [:]

    init(folder: String = "Sources/SoftInterrupts") throws {
      var found = glob_t()
      defer { globfree(&found) }
      guard glob("\(folder)/*/*.swift", 0, nil, &found) == 0 else {
        throw ValidationError("\(folder): no sources; run it in the repository's folder")
      }
      for index in 0..<Int(found.gl_pathc) {
        let path = String(cString: found.gl_pathv[index]!)
        let parts = path.split(separator: "/")
        if parts[parts.count - 2] == "Machine" { continue }
        let file = String(parts.last!)
        for (line, order) in OrderingSource(file: file, text: try text(of: path)).orders {
          names["\(file):\(line) \(order.operation)", default: []].append(order)
        }
      }
    }

    var all: Set<StatedOrder> { Set(names.values.joined()) }

    func order(_ site: OrderingSite, _ part: WeakenedPart) -> StatedOrder? {
      let file = site.file.split(separator: "/").last ?? ""
      return names["\(file):\(site.line) \(site.operation.rawValue)"]?.first { $0.half == part.rawValue }
    }

    func name(_ site: OrderingSite, _ part: WeakenedPart) -> String {
      order(site, part)?.description ?? "\(site) \(site.operation.rawValue), \(part.rawValue)"
    }
  }

  extension OrderingsCommand {
    func check(page: String) throws {
      let names = try StatedNames()
      let entries = OrderingEntry.entries(of: try text(of: page))
      guard !entries.isEmpty else { throw ValidationError("\(page) has no table") }
      var failures = Set(names.all.map(\.description)).subtracting(entries.map(\.order)).sorted().map {
        "\($0): not in the table"
      }
      // A program that finds several orders is run as stated once.
      let sought = Dictionary(grouping: entries.filter { $0.program != nil }) { $0.program! }
      for (name, entries) in sought.sorted(by: { $0.key < $1.key }) {
        guard let program = OrderingPrograms.all.first(where: { $0.description == name }) else {
          failures.append("\(name): no such program")
          continue
        }
        let sweep = try OrderingSweep([program]) { _, _ in }
        for entry in entries {
          var found: (program: String, schedules: Int, rule: String)?
          for site in sweep.allSites where sweep.broken.isEmpty {
            for part in site.parts where names.name(site, part) == entry.order {
              found = try sweep.weaken(site, part).found ?? found
            }
          }
          // As the page has it.
          let row = found.map { "\($0.schedules) | \($0.rule)" } ?? "**not found** |"
          print("| \(entry.order) | \(name) | \(row) |")
          fflush(nil)
          if found == nil { failures.append("\(entry.order): not found by \(name)") }
        }
      }
      for failure in failures { print(failure) }
      if !failures.isEmpty { throw ExitCode(1) }
    }
  }
#endif
