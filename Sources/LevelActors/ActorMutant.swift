// Deliberate defects of this module, as the core's own (`Mutant`): in builds with the trait `Mutants` only.

#if Mutants
  public import SoftInterrupts
  import Synchronization

  // Test builds only: one process-wide selection.
  @usableFromInline let selectedActorMutant = Atomic<UInt8>(0)

  /// A rule that a test build can switch off.
  @usableFromInline package enum ActorMutant: UInt8, CaseIterable, Sendable {
    case none
    /// Who pushes asks whether the list is empty before the push and not by it.
    case missedNotify
    /// A handler whose budget is used up does not ask for another run.
    case forgottenRest
    /// A handler whose budget is used up asks for another run only if something of its own batch is left.
    case forgottenPush
    /// A push publishes nothing; a take sees nothing of what was published; steps of a mailbox order nothing.
    case relaxedPush, relaxedTake, relaxedMailbox
    /// Who gives room back asks whether the producer waits before it gives and not by it.
    case missedRefusal
    /// A producer that was refused asks again before it has heard.
    case askedWhileRefused
    /// Who posts asks whether the box is closed before it posts and not after.
    case closedBeforePost
    /// A batch is run as it was linked: the last one first.
    case lastFirst
    /// Base code that has taken everything leaves the word that somebody is taking.
    case stillTaking
    /// It looks for the last time, and takes the word back then.
    case lookThenClear
    /// It tells threads of levels too, which are not on top of it.
    case takingForThreads
    /// Who pushes does not keep the taker for as long as it is at it.
    case letGo

    @inlinable @inline(__always) package static func isOn(_ mutant: ActorMutant) -> Bool {
      selectedActorMutant.load(ordering: .relaxed) == mutant.rawValue
    }

    /// Runs `body` with one rule switched off, process-wide.
    package static func with<R>(_ mutant: ActorMutant, _ body: () throws -> R) rethrows -> R {
      selectedActorMutant.store(mutant.rawValue, ordering: .relaxed)
      defer { selectedActorMutant.store(0, ordering: .relaxed) }
      return try body()
    }
  }

  extension MemoryOrder {
    /// This order; none where the mutant is on.
    @inlinable @inline(__always) package func unless(_ mutant: ActorMutant) -> MemoryOrder {
      ActorMutant.isOn(mutant) ? .relaxed : self
    }
  }
#endif
