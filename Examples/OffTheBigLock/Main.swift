// The program of the tutorial "Off the big lock in an afternoon".
//
//     swift run -c release off-the-big-lock check | measure | meeting | too-early | race

import Glibc

@main
enum OffTheBigLock {
  typealias Step = (title: String, run: @Sendable (Work) throws -> Outcome)
  static let steps: [Step] = [
    ("one Mutex, threads", Step0.run),
    ("all `.bigLock`", Step1.run),
    ("raises, still all `.bigLock`", Step2.run),
    ("probe `.ordered`", Step3.run),
    ("log `.ordered`", Step4.run),
    ("input and time-out `.ordered`", Step5.run),
    ("typed, exact raises", Step6.run),
    ("input `.mpSafe`, 8 shards", Step7.run),
  ]

  static let help = """
    usage: off-the-big-lock check [EVENTS]
             every step once: all must do the same work
           off-the-big-lock measure [ROUNDS] [EVENTS] [--write ARTICLE]
             every step in each round; medians, as a table
           off-the-big-lock meeting
             an exact raise meets an older cumulative one
           off-the-big-lock too-early
             a handler is MP-safe too early, on the simulated machine
           off-the-big-lock race
             the same on two CPUs, for Thread Sanitizer
    """

  static func main() {
    do {
      var words = Array(CommandLine.arguments.dropFirst())
      guard !words.isEmpty, words != ["--help"] else { return print(help) }
      switch words.removeFirst() {
      case "check": exit(try check(events: number(&words) ?? 200_000))
      case "measure":
        let (rounds, events) = (number(&words) ?? 9, number(&words) ?? 4_000_000)
        let file = words.count == 2 && words[0] == "--write" ? words[1] : nil
        exit(try measure(rounds: rounds, events: events, file))
      case "meeting": try Meeting.show()
      case "too-early": try TooEarly.show()
      case "race": try TooEarly.race()
      case let word:
        complain("\(word) is no command; see --help")
        exit(64)
      }
    } catch {
      complain("\(error)")
      exit(71)
    }
  }

  private static func number(_ words: inout [String]) -> Int? {
    guard let word = words.first, let value = Int(word), value > 0 else { return nil }
    words.removeFirst()
    return value
  }

  static func complain(_ line: String) {
    let text = Array("off-the-big-lock: \(line)\n".utf8)
    _ = text.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
  }

  /// Prints what each step did; 1 if two differ.
  static func check(events: Int) throws -> Int32 {
    let input = Work.events(events)
    var works = [Alone.run(Work(input)).0.work]
    print("one thread alone: \(works[0])")
    for (number, step) in steps.enumerated() {
      works.append(try step.run(Work(input)).work)
      print("step \(number): \(works[number + 1] == works[0] ? "the same" : works[number + 1])")
    }
    return Set(works).count == 1 ? 0 : 1
  }

  static func measure(rounds: Int, events: Int, _ file: String?) throws -> Int32 {
    let input = Work.events(events)
    var outcomes = [[Outcome]](repeating: [], count: steps.count)
    var alone: [(outcome: Outcome, tableShare: Double)] = []
    for round in 0..<rounds {
      // Forwards and backwards in turns, so that no step is always the one after another.
      alone.append(Alone.run(Work(input)))
      let order = Array(steps.indices)
      for number in round % 2 == 0 ? order : order.reversed() {
        outcomes[number].append(try steps[number].run(Work(input)))
      }
    }
    guard Set((outcomes.joined() + alone.map(\.outcome)).map(\.work)).count == 1 else {
      complain("the steps did not do the same work")
      return 1
    }
    let table = Measurement(outcomes, alone, rounds: rounds).description
    print(table)
    if let file { try Measurement.write(table, into: file) }
    return 0
  }
}
