// What has gone wrong in other systems, row by row: with every rule on, each scenario holds.

import Testing

@testable import HostedMachine
@testable import SoftInterrupts

@Suite("Hazards")
struct HazardTests {
  @Test("H1: a big-lock handler on a CPU that holds a gate is deferred, not deadlocked")
  func h1() throws { #expect(try Hazards.bigLockUnderGate()) }
  @Test("H3: disestablishing returns after the run that is under way")
  func h3() throws { #expect(try Hazards.disestablishDrains()) }
  @Test("H6: a schedule that marks when its handler has ended says so")
  func h6InFlight() throws {
    #expect(try Hazards.schedulesLookAgain())
  }

  @Test("H6: a stale handle never reaches the slot's next owner")
  func h6() throws { #expect(try Hazards.staleHandle()) }
  @Test("H8, H9: a schedule during a run is followed by another run")
  func h8h9() throws { #expect(try Hazards.onceMoreAfter()) }
  @Test("H10: a level that never ends leaves base code its share")
  func h10() throws { #expect(try Hazards.share()) }
  @Test("H12: an overdue waiter is handed the gate")
  func h12() throws { #expect(try Hazards.handOff()) }
  @Test("H20, H57: a way in changes between runs only")
  func h20h57() throws { #expect(try Hazards.changeBetweenRuns()) }
  @Test("H22: an ordered handler never runs beside the holder of its gate")
  func h22() throws { #expect(try Hazards.orderedAlone()) }
  @Test("H23: who waits for a gate serves what is above the level below it")
  func h23() throws { #expect(try Hazards.servesWhileWaiting()) }
  @Test("H29, H39: big-lock work that bounces ages, and then waits in order")
  func h29h39() throws { #expect(try Hazards.ageing()) }
  @Test("H37: a gate is never handed to a suspended waiter")
  func h37() throws { #expect(try Hazards.handOverToSuspended()) }
  @Test("H38: a cumulative raise counts from the floor, not from the IPL")
  func h38() throws { #expect(try Hazards.raiseInsideMask()) }
  @Test("H41: marked work is not run in the middle of an MP-safe handler of its level")
  func h41() throws { #expect(try Hazards.drainInside()) }
  @Test("H42: who leaves looks at queue and marks")
  func h42() throws {
    #expect(try Hazards.look())
    #expect(try Hazards.lookAtMarks())
  }
  @Test("H4, H43: a cancelled and re-armed callout does not run early")
  func h43() throws { #expect(try Hazards.cancelAndRearm()) }
  @Test("between two callouts of one guard comes who waits for it, and what is pending above them")
  func betweenCallouts() throws {
    #expect(try Hazards.guardBetweenCallouts())
    #expect(try Hazards.handlerBetweenCallouts())
  }
  @Test("H30, H44: a CPU that goes offline looks at its bits after its flag")
  func h44() throws { #expect(try Hazards.offlineLooks()) }
  @Test("H47: what an interrupted context holds is not mine")
  func h47() throws { #expect(try Hazards.interruptedHolds()) }
  @Test("H49: a cell is not opened from above its guard")
  func h49() throws { #expect(try Hazards.cellFromAbove()) }
  @Test("H52: a woken waiter that serves first wakes the next one")
  func h52() throws { #expect(try Hazards.wakeNext()) }
  @Test("H53: a reservation lapses by the clock")
  func h53() throws { #expect(try Hazards.reservationLapses()) }
  @Test("H54: a condition wait leaves all gates")
  func h54() throws { #expect(try Hazards.conditionLeavesAll()) }
}
