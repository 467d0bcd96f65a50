// For how long an idle CPU polls, without a CPU.

import Testing

@testable import SoftInterrupts

@Suite("Polling of an idle CPU")
struct IdlePollingTests {
  private var configuration: Configuration {
    var configuration = Configuration()
    configuration.idleRounds = 16
    configuration.shortSleep = 1_000
    return configuration
  }

  /// Polls in vain until it is to sleep; the rounds.
  private func vain(_ idle: inout IdlePolling, atMost limit: Int = 100) -> Int {
    var rounds = 0
    while idle.round < idle.allowed && rounds < limit {
      idle.polled(wasAsked: false, configuration)
      rounds += 1
    }
    return rounds
  }

  @Test("who is not asked anything polls for half as long each time, and then not at all")
  func halves() {
    var idle = IdlePolling(rounds: 16)
    for rounds in [16, 8, 4, 2, 1, 0, 0] {
      #expect(vain(&idle) == rounds)
      idle.slept(1_000_000, configuration)
    }
  }

  @Test("who is asked while it polls has all its rounds again")
  func answered() {
    var idle = IdlePolling(rounds: 16)
    #expect(vain(&idle) == 16)
    idle.slept(1_000_000, configuration)
    idle.polled(wasAsked: false, configuration)
    idle.polled(wasAsked: true, configuration)
    #expect(vain(&idle) == 16)
  }

  @Test("who was woken at once polls again")
  func wokenAtOnce() {
    var idle = IdlePolling(rounds: 16)
    for _ in 0..<6 { idle.slept(1_000, configuration) }
    #expect(vain(&idle) == 0)
    idle.slept(999, configuration)
    #expect(vain(&idle) == 16)
  }

  @Test("work between two sleeps is no answer: what polling was worth is kept")
  func work() {
    var idle = IdlePolling(rounds: 16)
    idle.slept(1_000_000, configuration)
    #expect(vain(&idle) == 8)
    idle.begin()
    #expect(vain(&idle) == 8)
  }

  @Test("without a bound it polls for ever, with a bound of 0 never", arguments: [0, Int.max])
  func extremes(rounds: Int) {
    var configuration = configuration
    configuration.idleRounds = rounds
    var idle = IdlePolling(rounds: rounds)
    for _ in 0..<100 { if idle.round < idle.allowed { idle.polled(wasAsked: false, configuration) } }
    #expect((idle.round < idle.allowed) == (rounds == .max))
    idle.slept(1, configuration)
    #expect((idle.round < idle.allowed) == (rounds == .max))
  }
}
