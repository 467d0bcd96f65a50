// The programs of the core's orderings, in short: `prove orderings` runs them in full, in release builds.

import CoreProofs
import Exploration
import SoftInterrupts
import Testing

@Suite("Orderings")
struct OrderingTests {
  @Test("each program holds with every order as stated, in its first schedules")
  func hold() throws {
    for program in OrderingPrograms.all {
      var program = program.sampled(25)
      program.proof.limits.schedules = 25
      let exploration = try program.explore()
      #expect(exploration.finding == nil, "\(program): \(exploration)")
      #expect(exploration.schedules > 0)
    }
  }

  @Test("no two programs have one name")
  func names() {
    let names = OrderingPrograms.all.map(\.description)
    #expect(Set(names).count == names.count)
  }
}

#if Mutants
  @Suite("Ordering mutant tests", .serialized)
  struct OrderingMutantTests {
    /// A place in the core by what does not move when lines do.
    struct Place: Sendable, CustomTestStringConvertible {
      var file: String
      var function: String
      var operation: OrderedOperation
      var part: WeakenedPart
      var program: String
      var testDescription: String { "\(file) \(function), \(operation) without \(part)" }
    }

    static let places: [Place] = [
      Place(
        file: "GateWord.swift", function: "take(_:)", operation: .compareExchange, part: .acquire,
        program: "raises, SC"),
      Place(
        file: "GateWord.swift", function: "free(_:)", operation: .fetchAdd, part: .release,
        program: "raises, SC"),
      Place(
        file: "GateQueue.swift", function: "spinLock(_:_:)", operation: .exchange, part: .acquire,
        program: "three raise, SC"),
      Place(
        file: "Handler+Schedule.swift", function: "markCurrent(home:from:)", operation: .fetchOr,
        part: .release,
        program: "messages by schedules that coalesce, SC"),
      Place(
        file: "Ring.swift", function: "push(_:)", operation: .store, part: .release, program: "a ring, SC"),
      Place(file: "Ring.swift", function: "pop()", operation: .load, part: .acquire, program: "a ring, SC"),
      // What was missing once: a foreign thread's schedule between its counter and its look at the generation.
      Place(
        file: "Handler+Schedule.swift", function: "enter(_:)", operation: .light, part: .fence,
        program: "a slot's next owner, scheduled by a device, RC11 by priorities"),
      Place(
        file: "InterruptSystem+WaitForCPUs.swift", function: "waitForCPUs(at:_:)", operation: .heavy,
        part: .fence,
        program: "disestablished, mpSafe, RC11 by priorities"),
    ]

    @Test("a handler that is suspended is not run by the way that it is given meanwhile")
    func suspensionsOnce() throws {
      let name = "suspended, then let in as mpSafe, on the way, SC"
      let program = try #require(OrderingPrograms.all.first { $0.description == name })
      let finding = try Mutant.with(.suspensionsOnce) { try program.explore().finding }
      #expect(finding?.rule == .dataRace || finding?.rule == .takenBack, "\(finding.debugDescription)")
    }

    @Test("an order that is weaker is found", arguments: places)
    func found(_ place: Place) throws {
      let programs = OrderingPrograms.all.filter { $0.description == place.program }
      try #require(programs.count == 1)
      let sweep = try OrderingSweep(programs) { _, exploration in #expect(exploration.finding == nil) }
      let sites = sweep.allSites.filter {
        $0.file.hasSuffix("/\(place.file)") && $0.function == place.function
          && $0.operation == place.operation
          && $0.parts.contains(place.part)
      }
      #expect(!sites.isEmpty, "nothing executes it")
      var isFound = false
      for site in sites { if try sweep.weaken(site, place.part).found != nil { isFound = true } }
      #expect(isFound)
    }
  }
#endif
