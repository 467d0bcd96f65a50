import Testing
import SoftInterrupts
import HostedMachine
import Synchronization

@Suite struct Smoke {
  @Test func twoLevels() throws {
    let system = try InterruptSystem(on: .hosted(cpus: 2))
    nonisolated(unsafe) var count = 0
    let net = try system.establish("net", at: .softNet, as: .ordered) { here in count += 1 }
    for _ in 0..<10000 {
      net.schedule(on: 0); net.schedule(on: 1)
      system.raise(to: .softNet) { _ in count += 1 }
    }
    let report = system.shutdown()
    #expect(report.isComplete)
    #expect(count > 10000)
    print("count", count)
  }
}
