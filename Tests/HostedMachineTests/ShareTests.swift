// What lower levels are owed, by the account of one CPU.

import Testing

@testable import HostedMachine
@testable import SoftInterrupts

@Suite("The share of lower levels")
struct ShareTests {
  /// The turn that a row gives whose looks at the clock are at these times, in nanoseconds; 0 for none.
  private func turn(looks: [UInt64], measuring mask: UInt32) throws -> UInt64 {
    let ended = Event()
    nonisolated(unsafe) var slice: UInt64 = 0
    try withSystem(cpus: 1) { system in
      system.submit(on: 0) { here in
        let agent = here.agent
        let start = HostedMachine.now()
        agent.p.pointee.share.rowStart = 0
        agent.p.pointee.share.rowLevels = UInt8(AgentRef<HostedMachine>.bit(.softNet))
        for look in looks {
          agent.p.pointee.share.baseWaits = true
          agent.charge(start + look)
          if agent.p.pointee.share.rowStart != 0 { agent.p.pointee.share.mask = mask }
        }
        if agent.p.pointee.throttled != 0 { slice = agent.p.pointee.share.slice }
        agent.p.pointee.throttled = 0
        agent.p.pointee.share.turnsToCome = 0
        ended.signal()
      }
      #expect(ended.wait())
    }
    return slice
  }

  @Test("base code that had the CPU for long, and was not measured, is not owed that time once more")
  func ownTime() throws {
    let (budget, share) = (Configuration().levelBudget, UInt64(Configuration().lowerShare))
    let second: UInt64 = 1_000_000_000
    // Short serves, of which few returns are measured; then a second without one.
    let short = try turn(looks: [0, 1_000, second], measuring: 63)
    #expect(short > 0 && short <= (budget + 1_000) / share)
    // Where each return is measured what was not base code's was the level's: its serves are long.
    #expect(try turn(looks: [0, 1_000, second], measuring: 0) == second / share)
    // A row of short serves is counted whole.
    let looks = (0...21).map { UInt64($0) * budget / 20 }
    #expect(try turn(looks: looks, measuring: 63) == looks[20] / share)
  }
}
