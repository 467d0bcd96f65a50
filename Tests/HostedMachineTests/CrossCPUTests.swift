// Calls to other CPUs, waits for them, and base code that leaves its own.

import Glibc
import Testing

@testable import HostedMachine
@testable import SoftInterrupts

@Suite("Across CPUs")
struct CrossCPUTests {
  @Test("a CPU's agent fills its cache lines: the next CPU's begins on another")
  func agentLines() throws {
    #expect(MemoryLayout<Agent<HostedMachine>>.stride % 64 == 0)
    let system = try InterruptSystem(on: .hosted(cpus: 2))
    defer { system.shutdown() }
    #expect(UInt(bitPattern: system.agents) % 64 == 0)
  }

  @Test(
    "H40: two CPUs call each other and both are answered; a call at a level that is not served is refused")
  func h40() throws {
    try withSystem(expecting: [.waitOutOfOrder]) { system in
      let done = Counter()
      let ended = Event()
      for cpu in 0..<2 {
        system.submit(on: cpu) { _ in
          for _ in 0..<200 {
            system.crossCallAndWait(on: 1 - cpu, at: .vm) { here in
              #expect(here.cpu == 1 - cpu && here.level == .vm && here.gates.isEmpty)
              done.add()
            }
          }
          ended.signal()
        }
      }
      #expect(ended.wait() && ended.wait())
      #expect(done.count == 400)
      system.raise(to: .softNet) { _ in
        #expect(!system.crossCallAndWait(on: 0, at: .softNet) { _ in })
        #expect(system.crossCallAndWait(on: 0, at: .softSerial) { _ in })
      }
    }
  }

  @Test("cross-calls to one CPU and level run in the order in which they were made")
  func crossCallOrder() throws {
    try withSystem { system in
      let log = Log()
      let blocker = try Blocker(system, at: .sched, as: .mpSafe, on: 1)
      for index in 0..<50 { system.crossCall(on: 1, at: .vm) { _ in log.note("\(index)") } }
      blocker.letGo()
      #expect(system.crossCallAndWait(on: 1, at: .vm) { _ in })
      #expect(log.all == (0..<50).map { "\($0)" })
    }
  }

  @Test(
    "a barrier returns when what ran at its level and above has ended", arguments: [WayIn.mpSafe, .ordered])
  func barrier(_ way: WayIn) throws {
    try withSystem { system in
      let log = Log()
      let entered = Event()
      let go = Event()
      let handler = try system.establish("h", at: .softSerial, as: way) { _ in
        entered.signal()
        go.wait()
        log.note("ended")
      }
      handler.schedule(on: 1)
      #expect(entered.wait())
      let visitor = Visitor {
        #expect(system.barrier(at: .softNet))
        log.note("barrier")
      }
      #expect(eventually { system.queueLength(.softSerial) == 1 || system.quiescers.load(.acquire) == 1 })
      go.signal()
      #expect(visitor.join())
      #expect(log.all == ["ended", "barrier"])
    }
  }

  @Test("base code leaves its CPU: handlers go on there, and it comes back to the same one")
  func leaveCPU() throws {
    try withSystem(expecting: [.leaveUnderGate]) { system in
      let ran = Event()
      let handler = try system.establish("h", at: .softNet, as: .ordered) { here in
        #expect(here.cpu == 0)
        ran.signal()
      }
      system.on(0) { here in
        let result = here.leaveCPU { () -> Int in
          // A visitor now, of this system and of another.
          #expect(system.raise(to: .softClock) { $0.cpu } == nil)
          let other = try? System(on: .hosted(cpus: 1), quiet())
          other?.raise(to: .softNet) { _ in }
          other?.shutdown()
          handler.schedule(on: 0)
          #expect(ran.wait())
          return 7
        }
        #expect(result == 7 && system.raise(to: .softClock) { $0.cpu } == 0)
        here.raise(to: .softNet) { inside in #expect(inside.leaveCPU { 8 } == 8) }
      }
    }
  }

  @Test("base code that has left its busy CPU gets it back")
  func comesBackUnderLoad() throws {
    try withSystem { system in
      let stop = Counter()
      nonisolated(unsafe) var handler: HandlerOf?
      // Always pending: the thread that stands in never finds nothing to do.
      handler = try system.establish("h", at: .softNet, as: .mpSafe) { _ in
        if stop.count == 0 { handler!.schedule(on: 0) }
      }
      handler!.schedule(on: 0)
      let visits = system.on(0) { here in
        (0..<5).map { index in here.leaveCPU { index } }
      }
      #expect(visits == [0, 1, 2, 3, 4])
      stop.count = 1
    }
  }

  #if DEBUG
    @Test("a Here is no use to a thread that has left its CPU: debug builds stop")
    func hereAfterLeaving() async {
      await #expect(processExitsWith: .failure) {
        let system = try System(on: .hosted(cpus: 1), quiet())
        system.on(0) { here in
          here.leaveCPU { here.raise(to: .softNet) { _ in } }
        }
        exit(0)
      }
    }
  #endif
}
