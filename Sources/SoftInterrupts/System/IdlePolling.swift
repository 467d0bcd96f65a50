// For how long an idle CPU polls before it sleeps.
//
// Law: it never polls for more than `idleRounds` in a row without having been asked anything, and for less and less while that is in vain.
// So a processor is not taken from who works; and who polls for as long as a wake-up takes, and sleeps then, never spends more than twice what
// who knew when the next work comes would (Karlin and others, "Competitive randomized algorithms for nonuniform problems", SODA 1990).

@usableFromInline struct IdlePolling {
  /// Rounds polled since there was something to do.
  @usableFromInline var round = 0
  /// Rounds since the clock was read, what was asked meanwhile included.
  @usableFromInline var turn = 0
  /// Rounds to poll in all before parking.
  @usableFromInline var allowed: Int
  @inlinable init(rounds: Int) { allowed = rounds }

  /// There was something to do.
  @inlinable mutating func begin() { (round, turn) = (0, 0) }

  /// After a round.
  @inlinable mutating func polled(wasAsked: Bool, _ configuration: Configuration) {
    turn &+= 1
    if wasAsked {
      (round, allowed) = (0, configuration.idleRounds)
    } else if allowed != .max {
      round += 1
    }
  }

  /// After a sleep, which came because all that polling was in vain. Less than a round is none.
  @inlinable mutating func slept(_ nanoseconds: UInt64, _ configuration: Configuration) {
    begin()
    allowed = nanoseconds < configuration.shortSleep ? configuration.idleRounds : allowed / 2
  }
}
