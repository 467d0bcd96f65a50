// Ways in for code: cumulative and exact raises, tries, masks and the big lock, and what a busy gate does to them.

import Testing

@testable import HostedMachine
@testable import SoftInterrupts

@Suite("Raising and masking")
struct RaiseTests {
  @Test("a cumulative raise holds every gate up to its level, and gives them back")
  func cumulative() throws {
    try withSystem { system in
      for level in Level.allCases where level != .none {
        system.on(0) { here in
          system.raise(to: level) { inside in
            #expect(inside.level == level)
            #expect(inside.gates == .above(.none, through: level))
            #expect(system.isHeld(level) && system.isHeld(.softClock) && !system.isHeld(.none))
          }
          #expect(here.level == Level.none && here.gates.isEmpty)
        }
        #expect(!system.isHeld(level))
      }
    }
  }

  @Test("an exact raise holds its one gate")
  func exact() throws {
    try withSystem { system in
      system.on(0) { here in
        here.raise(exactly: .softNet) { inside in
          #expect(inside.level == .softNet && inside.gates == Level.softNet.gate)
          inside.raise(exactly: .vm) { #expect($0.gates == [Level.softNet.gate, Level.vm.gate]) }
          inside.raise(exactly: .softNet) { #expect($0.gates == Level.softNet.gate) }
        }
      }
    }
  }

  @Test("the system says of the calling context what its Here would say")
  func gatesOfTheCallingContext() throws {
    try withSystem { system in
      #expect(system.gates.isEmpty)
      system.raise(exactly: .softNet) { here in #expect(system.gates == here.gates && !here.gates.isEmpty) }
      system.on(0) { here in
        here.raise(exactly: .softNet) { net in
          #expect(system.gates == Level.softNet.gate)
          net.mask(to: .softSerial) { _ in #expect(system.gates == Level.softNet.gate) }
        }
        #expect(system.gates.isEmpty)
      }
      // A handler on top of a context that holds gates has its own alone.
      let seen = Counter()
      let serial = try system.establish("serial", at: .softSerial, as: .ordered) { here in
        #expect(system.gates == here.gates && system.gates == Level.softSerial.gate)
        seen.add()
      }
      system.on(0) { here in
        here.raise(to: .softNet) { net in
          serial.schedule()
          net.checkpoint()
        }
      }
      #expect(eventually { seen.count == 1 })
    }
  }

  @Test("raises nest: each takes what is missing, none gives back what is not its own")
  func nesting() throws {
    try withSystem { system in
      system.on(0) { here in
        here.raise(to: .softBio) { bio in
          bio.raise(to: .softSerial) { serial in
            #expect(serial.gates == .above(.none, through: .softSerial))
            serial.raise(to: .softClock) { #expect($0.level == .softSerial) }
            #expect(system.isHeld(.softClock))
          }
          #expect(bio.gates == .above(.none, through: .softBio) && bio.level == .softBio)
          #expect(system.isHeld(.softBio) && !system.isHeld(.softNet))
        }
      }
      let suspect = system.on(0) { here in here.agent.counters(.softClock).pointee.suspect }
      #expect(suspect == 0)
    }
  }

  @Test("a raise that throws gives everything back")
  func throwing() throws {
    struct Failure: Error {}
    try withSystem { system in
      #expect(throws: Failure.self) { try system.raise(to: .high) { _ in throw Failure() } }
      #expect(throws: Failure.self) { try system.tryRaise(to: .high) { _ in throw Failure() } }
      #expect(throws: Failure.self) { try system.bigLock { _ in throw Failure() } }
      for level in Level.allCases { #expect(!system.isHeld(level)) }
    }
  }

  @Test("a cumulative raise inside an exact one is a violation, with where the gate was taken")
  func cumulativeInsideExact() throws {
    try withSystem(expecting: [.cumulativeInsideExact]) { system in
      let line: UInt = #line + 2
      system.on(0) { here in
        here.raise(exactly: .softNet) { net in
          net.raise(to: .softSerial) { inside in
            // Collected: it goes on without the gates.
            #expect(inside.gates == Level.softNet.gate)
          }
        }
      }
      let violation = try #require(system.violations.first)
      #expect(violation.from == .softNet && violation.to == .softSerial)
      #expect(violation.context == "base code on CPU 0")
      #expect(violation.held.map(\.level) == [.softNet])
      #expect(violation.held.first?.takenAt == "\(#fileID):\(line)")
      #expect(violation.description.contains("holds gate softNet taken at \(#fileID):\(line)"))
      #expect(violation.description.contains("raise cumulatively first"))
    }
  }

  @Test("a violation in a handler names it, its way in, both levels, and the gate its dispatch took")
  func violationText() throws {
    try withSystem(expecting: [.downward]) { system in
      let handler = try system.establish("tcp input", at: .softNet, as: .ordered) { here in
        here.raise(exactly: .softBio) { _ in }
      }
      handler.schedule(on: 1)
      system.settle(1)
      let text = "\(try #require(system.violations.first))"
      #expect(text.contains("handler \"tcp input\" (ordered, CPU 1) at softNet asked for softBio"))
      #expect(text.contains("holds gate softNet taken by its dispatch"))
      #expect(text.contains("ascending order"))
    }
  }

  @Test("raise first, then mask: inside a mask no gate at or below it is taken, one above is")
  func raiseUnderMask() throws {
    try withSystem(expecting: [.raiseUnderMask]) { system in
      system.on(0) { here in
        here.mask(to: .softNet) { masked in
          #expect(masked.level == .softNet && masked.gates.isEmpty)
          masked.raise(exactly: .softSerial) { #expect($0.gates == Level.softSerial.gate) }
          masked.raise(to: .softSerial) { #expect($0.gates.isEmpty) }
        }
      }
    }
  }

  @Test("an ordered handler that raises below its level does nothing, and is counted as suspect")
  func suspect() throws {
    try withSystem { system in
      let handler = try system.establish("h", at: .softNet, as: .ordered) { here in
        here.raise(to: .softBio) { #expect($0.level == .softNet && $0.gates == Level.softNet.gate) }
      }
      handler.schedule(on: 0)
      system.settle(0)
      #expect(system.on(0) { $0.agent.counters(.softBio).pointee.suspect } == 1)
    }
  }

  @Test("an MP-safe handler may enter the gate of its own level, and those above")
  func ownGate() throws {
    try withSystem { system in
      let seen = Log()
      let handler = try system.establish("h", at: .softNet, as: .mpSafe) { here in
        here.raise(to: .softNet) { seen.note("\($0.gates)") }
        here.raise(exactly: .softNet) { seen.note("\($0.gates)") }
        here.raise(to: .softSerial) { seen.note("\($0.gates)") }
        seen.note("\(here.gates.isEmpty)")
      }
      handler.schedule(on: 1)
      system.settle(1)
      #expect(seen.all == ["softNet", "softNet", "softNet, softSerial", "true"])
    }
  }

  @Test("try takes all or none, and waits for nothing")
  func tries() throws {
    try withSystem { system in
      let blocker = try Blocker(system, at: .softNet, on: 1)
      #expect(system.tryRaise(to: .softSerial) { _ in 1 } == nil)
      #expect(!system.isHeld(.softClock) && !system.isHeld(.softBio) && !system.isHeld(.softSerial))
      #expect(system.tryRaise(to: .softBio) { here in here.gates } == .above(.none, through: .softBio))
      blocker.letGo()
      system.settle(1)
      #expect(system.tryRaise(to: .softSerial) { _ in 1 } == 1)
    }
  }

  @Test("H16: no scope lowers the IPL, and each puts back what it found")
  func noLowering() throws {
    try withSystem { system in
      var random = SystemRandomNumberGenerator()
      func nest(_ here: borrowing Here<HostedMachine>, _ depth: Int) {
        let before = here.level
        let gates = here.gates
        if depth == 0 { return }
        let target = Level.allCases.filter { $0 >= before }.randomElement(using: &random)!
        switch UInt8.random(in: 0..<3, using: &random) {
        case 0:
          here.mask(to: Level.allCases.randomElement(using: &random)!) { inside in
            #expect(inside.level >= before && inside.gates == gates)
          }
        case 1 where target > before || gates.contains(target.gate):
          here.raise(exactly: target) { inside in
            #expect(inside.level >= before)
            nest(inside, depth - 1)
          }
        default:
          // Without a mask around it and with cumulative raises below it, a cumulative raise is always in order.
          if gates == .above(.none, through: before) {
            here.raise(to: Level.allCases.randomElement(using: &random)!) { inside in
              #expect(inside.level >= before && inside.gates.isSuperset(of: gates))
              nest(inside, depth - 1)
            }
          }
        }
        #expect(here.level == before && here.gates == gates)
      }
      for _ in 0..<300 { system.on(0) { nest($0, 6) } }
    }
  }

  @Test("a visitor raises and waits in order, but does not mask and opens no cell")
  func visitors() throws {
    try withSystem(expecting: [.maskByVisitor, .cellByVisitor]) { system in
      let cell = system.perCPU(at: .softNet) { _ in 0 }
      system.raise(to: .softNet) { here in
        #expect(here.cpu == nil && here.level == .softNet)
      }
      system.mask(to: .softNet) { here in #expect(here.level == Level.none) }
      #expect(cell.open { $0 += 1 } == nil)
      #expect(system.violations.allSatisfy { $0.context == "a visitor" })
    }
  }

  @Test("many visitors under one gate exclude each other and every CPU")
  func visitorsExclude() throws {
    try withSystem(cpus: 2, Configuration()) { system in
      nonisolated(unsafe) var plain = 0
      let handler = try system.establish("h", at: .softNet, as: .ordered) { _ in plain += 1 }
      let visitors = (0..<4).map { _ in
        Visitor { for _ in 0..<2_000 { system.raise(to: .softNet) { _ in plain += 1 } } }
      }
      for _ in 0..<2_000 { handler.schedule(on: 0) }
      for visitor in visitors { #expect(visitor.join()) }
      system.settle(0)
      let runs = system.on(0) { $0.agent.counters(.softNet).pointee.runs }
      system.raise(to: .softNet) { _ in #expect(plain == 8_000 + Int(runs ?? 0)) }
    }
  }

  @Test("a thread goes from one system to the next, and outlives those that have gone")
  func manySystems() throws {
    for _ in 0..<20 {
      let system = try System(on: .hosted(cpus: 1), quiet())
      #expect(system.raise(to: .softNet) { $0.gates } == .above(.none, through: .softNet))
      system.shutdown()
    }
    // A thread that ends after its system has gone.
    let left = Event()
    let gone = Event()
    var system: System? = try System(on: .hosted(cpus: 1), quiet())
    weak let alive = system
    let visitor = Visitor {
      alive?.raise(to: .softClock) { _ in }
      left.signal()
      gone.wait()
    }
    #expect(left.wait())
    system?.shutdown()
    system = nil
    #expect(alive == nil)
    gone.signal()
    #expect(visitor.join())
  }

  @Test("an idle visitor's place is taken by the next one")
  func visitorsAreReused() throws {
    try withSystem { system in
      let mine = system.currentAgent().p
      for _ in 0..<10 {
        #expect(Visitor { system.raise(to: .softClock) { _ in } }.join())
        // The thread's end gives its agent back; it comes after the join's event.
        #expect(
          eventually {
            var allIdle = true
            system.lockedVisitors {
              allIdle = system.visitors.allSatisfy {
                $0 == mine || $0.pointee.visit.load(.acquire) == VisitState.idle
              }
            }
            return allIdle
          })
      }
      #expect(system.visitors.count <= 2)
    }
  }
}
