// Which processors this process may use: the affinity mask, and the cgroup's quota of time.

import CHosted
import Glibc

extension HostedMachine {
  /// The processors in the affinity mask; at least one.
  public static func allowedProcessors() -> [Int] {
    var list = [Int32](repeating: 0, count: 1_024)
    let count = Int(softint_processors(&list, Int32(list.count)))
    return count > 0 ? list[0..<count].map(Int.init) : [0]
  }

  /// Gives the calling thread a real-time priority (1…99; 0 takes it away): for who watches `Execution.threads`, whose level
  /// threads may keep every processor. False if the system does not permit it.
  @discardableResult public static func setRealtimePriority(_ priority: Int) -> Bool {
    softint_realtime(Int32(clamping: priority)) == 0
  }

  /// How many CPUs are worth having: the processors, but no more than the quota keeps busy, and at most 64.
  static func recommendedCPUs(_ processors: Int) -> Int {
    var count = min(processors, 64)
    if let text = readSmallFile("/sys/fs/cgroup/cpu.max"), let quota = cpus(fromQuota: text) {
      count = min(count, quota)
    }
    return max(count, 1)
  }

  /// The whole CPUs that a cgroup v2 `cpu.max` grants ("200000 100000" is two); nil without a limit.
  static func cpus(fromQuota text: String) -> Int? {
    let fields = text.split(whereSeparator: \.isWhitespace)
    guard fields.count == 2, let quota = Int(fields[0]), let period = Int(fields[1]), quota > 0, period > 0
    else { return nil }
    return max(1, (quota + period - 1) / period)
  }

  static func readSmallFile(_ path: String) -> String? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[0..<count], as: UTF8.self)
  }
}
