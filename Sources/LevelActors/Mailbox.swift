// One word between who signals and the one who waits: signals that nobody waits for are counted, and that is all that is kept.
//
// Law: a signal is either counted or given to a waiter; a waiter is given back exactly once: by the signal, the cancel or the end that
// took it out of the word. Every step is one compare-exchange of the one word, so there is no pair of words to be seen in two orders.

public import SoftInterrupts

/// What a wait found.
@frozen @usableFromInline package enum MailboxAnswer: Equatable {
  /// So many signals.
  case signals(Int)
  /// The waiter is in the word; whoever takes it out answers it.
  case waiting
  case cancelled, ended
}

@frozen @usableFromInline package struct Mailbox<M: Machine>: @unchecked Sendable {
  // Sendable: a word.
  @usableFromInline let word: UnsafeMutablePointer<M.Word>

  @inlinable package init() {
    word = .allocate(capacity: 1)
    word.initialize(to: M.Word(0))
  }
  @inlinable package func deallocate() { word.deallocate() }

  // The states: 0; bit 0: signals, counted from bit 3; bit 1: a cancel that came before its wait; bit 2: no signal will come; else
  // the address of a waiter, a multiple of 8.
  @inlinable static var signals: UInt { 1 }
  @inlinable static var cancelled: UInt { 2 }
  @inlinable static var ended: UInt { 4 }
  @inlinable static var one: UInt { 8 }
  @inlinable static func isWaiter(_ state: UInt) -> Bool { state & 7 == 0 && state != 0 }

  /// Acquire and release: what was written before a step is seen by who takes its result.
  @inlinable func replace(_ state: UInt, by new: UInt) -> Bool {
    #if Mutants
      let order = MemoryOrder.acquireRelease.unless(.relaxedMailbox)
    #else
      let order = MemoryOrder.acquireRelease
    #endif
    return M.Word.compareExchange(word, state, new, order)
  }
  @inlinable var state: UInt { M.Word.load(word, .relaxed) }

  /// Signals; the waiter to be answered, or 0.
  @inlinable package func signal() -> UInt {
    while true {
      let now = state
      if Self.isWaiter(now) {
        if replace(now, by: 0) { return now }
      } else if now & Self.ended != 0 {
        return 0
      } else {
        // A cancel that came before is left to the task, which asks before its next wait.
        let counted = now & ~Self.cancelled | Self.signals
        let (sum, overflow) = counted.addingReportingOverflow(Self.one)
        if replace(now, by: overflow ? counted : sum) { return 0 }
      }
    }
  }

  /// Takes what was signalled, or waits. One waiter at a time.
  @inlinable package func wait(_ waiter: UInt) -> MailboxAnswer {
    while true {
      let now = state
      precondition(!Self.isWaiter(now), "interrupts are waited for by one task at a time")
      if now & Self.signals != 0 {
        if replace(now, by: now & Self.ended) { return .signals(Int(now >> 3)) }
      } else if now & Self.ended != 0 {
        return .ended
      } else if now & Self.cancelled != 0 {
        if replace(now, by: 0) { return .cancelled }
      } else if replace(0, by: waiter) {
        return .waiting
      }
    }
  }

  /// Ends the wait, or marks that the next one is to end; the waiter to be answered, or 0. A mark: any thread and level.
  @inlinable package func cancel() -> UInt {
    while true {
      let now = state
      if Self.isWaiter(now) {
        if replace(now, by: 0) { return now }
      } else if now != 0 || replace(0, by: Self.cancelled) {
        return 0
      }
    }
  }

  /// Takes a cancel's mark back that no wait has found.
  @inlinable package func forgetCancel() { _ = replace(Self.cancelled, by: 0) }

  /// No signal will come; the waiter to be answered, or 0. What was signalled is still given out.
  @inlinable package func end() -> UInt {
    while true {
      let now = state
      if Self.isWaiter(now) {
        if replace(now, by: Self.ended) { return now }
      } else if replace(now, by: now & ~Self.cancelled | Self.ended) {
        return 0
      }
    }
  }
}
