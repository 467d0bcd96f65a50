// What was measured, as a table, and its place in the article.
//
// Law: a figure is a median of the rounds, with the lowest and the highest beside it; a ratio is one of medians.

import Glibc
import HostedMachine

struct Measurement: CustomStringConvertible {
  private let outcomes: [[Outcome]]
  /// On one thread, without any lock.
  private let alone: [(outcome: Outcome, tableShare: Double)]
  private let rounds: Int
  init(_ outcomes: [[Outcome]], _ alone: [(outcome: Outcome, tableShare: Double)], rounds: Int) {
    (self.outcomes, self.alone, self.rounds) = (outcomes, alone, rounds)
  }

  static let begin = "<!-- off-the-big-lock:begin -->"
  static let end = "<!-- off-the-big-lock:end -->"

  /// The quantile of a sorted list.
  private func quantile(_ sorted: [Double], _ share: Double) -> Double {
    sorted.isEmpty ? 0 : sorted[Int((Double(sorted.count - 1) * share).rounded())]
  }
  private func rates(_ step: Int) -> [Double] {
    outcomes[step].map { Double($0.events) / $0.seconds / 1e6 }.sorted()
  }
  /// The median of the processor time that an event took, in nanoseconds.
  private func cost(_ step: Int) -> Double {
    quantile(outcomes[step].map { $0.cpuSeconds / Double($0.events) * 1e9 }.sorted(), 0.5)
  }
  /// The median of each round's own quantile of times, in microseconds.
  private func micros(_ step: Int, _ times: KeyPath<Outcome, [UInt64]>, _ share: Double) -> String {
    let each = outcomes[step].map { quantile($0[keyPath: times].map { Double($0) / 1e3 }.sorted(), share) }
    return short(quantile(each.sorted(), 0.5)) + " µs"
  }
  private func short(_ value: Double) -> String {
    let digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
    let scale = [1.0, 10, 100][digits]
    let whole = Int((value * scale).rounded())
    guard digits > 0 else { return "\(whole)" }
    let fraction = String(whole % Int(scale))
    return "\(whole / Int(scale)).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
  }

  var description: String {
    let base = quantile(rates(0), 0.5)
    let locked = quantile(rates(1), 0.5)
    let single = alone.map { Double($0.outcome.events) / $0.outcome.seconds / 1e6 }.sorted()
    let share = quantile(alone.map(\.tableShare).sorted(), 0.5)
    var lines = [
      "`off-the-big-lock measure \(rounds) \(outcomes[0][0].events)`: \(rounds) rounds of every step, "
        + "\(HostedMachine.allowedProcessors().count) processors. Each step: \(outcomes[0][0].work).",
      "",
      "| step | | million events/s, median (range) | × step 0 | × step 1 | processor time, ns/event | probe late by, p50 | p99 | a question takes, p50 | p99 |",
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (number, step) in OffTheBigLock.steps.enumerated() {
      let rates = rates(number)
      let median = quantile(rates, 0.5)
      lines.append(
        "| \(number) | \(step.title) | \(short(median)) (\(short(rates[0]))–\(short(rates[rates.count - 1]))) "
          + "| \(short(median / base)) | \(short(median / locked)) "
          + "| \(short(cost(number))) | \(micros(number, \.latenesses, 0.5)) | \(micros(number, \.latenesses, 0.99)) "
          + "| \(micros(number, \.questions, 0.5)) | \(micros(number, \.questions, 0.99)) |")
    }
    lines += [
      "",
      "One thread alone, without any lock, does \(short(quantile(single, 0.5))) million events/s, of which the table is "
        + "\(Int((share * 100).rounded())) %: as long as one at a time is at the table, any number of CPUs does at most "
        + "\(short(1 / share)) times as much.",
    ]
    return lines.joined(separator: "\n")
  }

  struct Failure: Error, CustomStringConvertible { var description: String }

  /// Puts the table between the marks of the article.
  static func write(_ table: String, into file: String) throws {
    guard let stream = fopen(file, "r+") else {
      throw Failure(description: "\(file): \(String(cString: strerror(errno)))")
    }
    defer { fclose(stream) }
    var bytes: [UInt8] = []
    var byte = fgetc(stream)
    while byte != EOF {
      bytes.append(UInt8(truncatingIfNeeded: byte))
      byte = fgetc(stream)
    }
    var lines = String(decoding: bytes, as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false
    ).map(String.init)
    guard let first = lines.firstIndex(of: begin), let last = lines.firstIndex(of: end), first < last else {
      throw Failure(description: "\(file) has no lines \(begin) and \(end)")
    }
    lines.replaceSubrange(
      first + 1..<last, with: table.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
    let text = Array(lines.joined(separator: "\n").utf8)
    rewind(stream)
    guard fwrite(text, 1, text.count, stream) == text.count, fflush(stream) == 0,
      ftruncate(fileno(stream), text.count) == 0
    else { throw Failure(description: "\(file) could not be written") }
  }
}
