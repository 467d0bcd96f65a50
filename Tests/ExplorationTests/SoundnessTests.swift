// Reduction attacked: programs made at random with interrupts anywhere, real handlers, sleepers with deadlines and a clock.
//
// Law: under a bound the reduced search has exactly the final states of every choice, and without one all of them.

import Exploration
import SimulatedMachine
import SoftInterrupts
import Testing

@Suite("Reduction with interrupts, time and processes made on the way")
struct SoundnessTests {
  /// One step of a generated program.
  enum Step: Sendable {
    case load(Int)
    case add(Int, UInt)
    case store(Int, UInt)
    /// Only if it was 0.
    case claim(Int, UInt)
    case raised(Level, Int)
    case masked(Level, Int)
    case schedule(Int)
  }

  struct Plan: Sendable, CustomStringConvertible {
    var cpus = 1
    var recognition = Recognition.anywhere
    var handlers: [(level: Level, way: WayIn, steps: [Step])] = []
    var bases: [[Step]] = []
    /// Which handler on which CPU.
    var devices: [(handler: Int, cpu: Int)] = []
    var visitors: [[Step]] = []
    /// A sleeper with a deadline, somebody who rings it, and somebody who moves the clock.
    var sleeps = false
    var description: String {
      "\(cpus) CPUs, \(recognition), handlers \(handlers), bases \(bases), devices \(devices), visitors \(visitors)"
        + (sleeps ? ", sleeps" : "")
    }

    init(_ seed: Int) {
      var random = Numbers(UInt64(seed))
      let levels: [Level] = [.softClock, .softBio, .softNet, .softSerial]
      func step(_ schedules: Bool) -> Step {
        let word = random.below(2)
        let value = UInt(1 + random.below(3))
        switch random.below(schedules ? 8 : 6) {
        case 0, 1: return .load(word)
        case 2: return .add(word, value)
        case 3: return .store(word, value)
        case 4: return .claim(word, value)
        case 5: return schedules ? .masked(levels[random.below(4)], word) : .load(word)
        case 6: return .raised(levels[random.below(4)], word)
        default: return .schedule(random.below(2))
        }
      }
      recognition = random.below(4) == 0 ? .points : .anywhere
      cpus = random.below(4) == 0 ? 2 : 1
      for _ in 0..<2 {
        handlers.append(
          (
            levels[random.below(4)], [WayIn.ordered, .mpSafe][random.below(2)],
            (0..<1 + random.below(2)).map { _ in step(false) }
          ))
      }
      bases = (0..<cpus).map { _ in (0..<random.below(3)).map { _ in step(true) } }
      devices = (0..<1 + random.below(2)).map { _ in (random.below(2), random.below(cpus)) }
      visitors = (0..<random.below(2)).map { _ in (0..<1 + random.below(2)).map { _ in step(false) } }
      sleeps = random.below(4) == 0
    }

    func build(_ world: World) throws {
      let words = [Place(), Place()]
      nonisolated(unsafe) var seen: [String] = []
      nonisolated(unsafe) var made: [WatchedHandler] = []
      let machine = world.machine
      func perform(_ who: String, _ step: Step, _ here: borrowing Here<SimulatedMachine>) {
        switch step {
        case .raised(let level, let word):
          here.raise(exactly: level) { _ in seen.append("\(who)\(words[word].load())") }
        case .masked(let level, let word):
          here.mask(to: level) { _ in seen.append("\(who)\(words[word].load())") }
        case .schedule(let handler): made[handler].schedule()
        default: plain(who, step)
        }
      }
      func plain(_ who: String, _ step: Step) {
        switch step {
        case .load(let word): seen.append("\(who)\(words[word].load())")
        case .add(let word, let value): seen.append("\(who)\(words[word].add(value))")
        case .store(let word, let value): words[word].store(value)
        case .claim(let word, let value): seen.append("\(who)\(words[word].replace(0, by: value))")
        case .raised, .masked, .schedule: break
        }
      }
      for (index, handler) in handlers.enumerated() {
        made.append(
          try world.handler("h\(index)", at: handler.level, as: handler.way) { here in
            // What one process sees is in its order; what two see is in none.
            let cpu = here.cpu ?? 9
            for step in handler.steps { plain("h\(index) on \(cpu) ", step) }
          })
      }
      for (cpu, steps) in bases.enumerated() where !steps.isEmpty {
        world.base(on: cpu) { here in for step in steps { perform("b\(cpu) ", step, here) } }
      }
      for device in devices { world.device { made[device.handler].schedule(on: device.cpu) } }
      for (index, steps) in visitors.enumerated() {
        world.visitor { for step in steps { plain("v\(index) ", step) } }
      }
      if sleeps {
        let seat = machine.makeVisitorSeat()
        world.visitor {
          machine.park(seat, until: 1_000)
          seen.append("s \(words[0].load())")
        }
        world.visitor {
          words[0].store(7)
          SimulatedMachine.unpark(seat)
        }
        world.clock(after: .microseconds(2))
      }
      world.finally {
        // Who saw what, each in its own order: the order of different ones is none of the program's.
        let sorted = seen.enumerated().sorted {
          ($0.element.prefix(7), $0.offset) < ($1.element.prefix(7), $1.offset)
        }
        world.outcome("\(sorted.map(\.element)) \(words[0].load()) \(words[1].load())")
      }
    }
  }

  @Test("programs made at random", arguments: 0..<20)
  func generated(_ seed: Int) throws {
    let plan = Plan(seed)
    func run(_ strategy: Strategy) throws -> Exploration {
      try Explorer(
        cpus: plan.cpus, recognition: plan.recognition, strategy: strategy,
        limits: Limits(schedules: 1_500)
      ).explore(plan.build)
    }
    let all = try run(.exhaustive())
    for bound in 0...2 {
      let every = try run(.everyChoice(preemptions: bound))
      let reduced = try run(.exhaustive(preemptions: bound))
      #expect(every.finding == nil && reduced.finding == nil && all.finding == nil, "\(plan)")
      if case .holds = all.verdict {
        #expect(Set(all.outcomes.keys).isSuperset(of: every.outcomes.keys), "bound \(bound): \(plan)")
      }
      guard case .holds = every.verdict, case .holds = reduced.verdict else { return }
      #expect(Set(reduced.outcomes.keys) == Set(every.outcomes.keys), "bound \(bound): \(plan)")
    }
  }

  static let sleeper: @Sendable (World) -> Void = { world in
    let flag = Place()
    let machine = world.machine
    let seat = machine.makeVisitorSeat()
    nonisolated(unsafe) var seen: UInt = 9
    world.visitor("sleeper") {
      machine.park(seat, until: 1_000)
      seen = flag.load()
    }
    world.visitor("ringer") {
      flag.store(1)
      SimulatedMachine.unpark(seat)
    }
    world.clock(after: .microseconds(2))
    world.finally { world.outcome("\(seen)") }
  }

  @Test("a sleeper's time may come before who rings it")
  func deadline() throws {
    let every = try explored(.everyChoice(), Self.sleeper)
    #expect(Set(every.outcomes.keys) == ["0", "1"])
    #expect(Set(try explored(.exhaustive(), Self.sleeper).outcomes.keys) == ["0", "1"])
    for bound in 0...2 {
      let every = try explored(.everyChoice(preemptions: bound), Self.sleeper)
      let reduced = try explored(.exhaustive(preemptions: bound), Self.sleeper)
      #expect(Set(reduced.outcomes.keys) == Set(every.outcomes.keys), "bound \(bound)")
    }
  }

  @Test("many processes made on the way, and what they do comes after what their maker did")
  func made() throws {
    let program: (World) -> Void = { world in
      let (x, y) = (Place(), Place())
      nonisolated(unsafe) var seen: [UInt] = []
      world.visitor("maker") {
        x.store(1)
        for _ in 0..<5 { world.machine.visitor("made") { y.add(1) } }
      }
      world.visitor("reader") {
        seen.append(y.load())
        seen.append(x.load())
      }
      world.finally { world.outcome("\(seen)") }
    }
    let every = try explored(.everyChoice(preemptions: 0), program)
    let reduced = try explored(.exhaustive(preemptions: 0), program)
    #expect(Set(reduced.outcomes.keys) == Set(every.outcomes.keys))
    let limited = try explored(.exhaustive(), limits: Limits(schedules: 20_000), program)
    let possible = Set(["[0, 0]"] + (0...5).map { "[\($0), 1]" })
    #expect(limited.finding == nil && Set(limited.outcomes.keys).isSubset(of: possible))
    if case .holds = limited.verdict { #expect(Set(limited.outcomes.keys) == possible) }
  }
}
