// What the machine calls itself, for the report.

import Glibc

/// The machine that a measurement is made on, in its own words.
public enum MachineInfo {
  /// The operating system and its version.
  public static var os: String {
    var names = utsname()
    guard uname(&names) == 0 else { return "unknown" }
    return text(&names.sysname) + " " + text(&names.release)
  }

  /// The model of the processor.
  public static var processor: String {
    guard let file = fopen("/proc/cpuinfo", "re") else { return "unknown" }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 512)
    while fgets(&line, Int32(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      if text.hasPrefix("model name"), let colon = text.firstIndex(of: ":") {
        return String(text[text.index(after: colon)...].drop { $0 == " " }.prefix { $0 != "\n" })
      }
    }
    return "unknown"
  }

  /// A C array of characters, up to its NUL.
  private static func text<T>(_ tuple: inout T) -> String {
    withUnsafeBytes(of: &tuple) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
