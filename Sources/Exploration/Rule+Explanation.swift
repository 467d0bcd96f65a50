// What each rule asks for, in words: the last line of a story.
//
// Law: an explanation says what must hold in every schedule, not what went wrong in one: that is the finding's message.

extension Rule {
  /// The rule in one or two sentences, and what to do about it where that is always the same.
  public var explanation: String {
    switch self {
    case .witness(let rule): Self.sentence(rule.remedy)
    case .fatal: "No schedule ends in a trap or in a report that cannot be survived."
    case .twoHolders:
      "A gate has one owner at a time, from its taking to its freeing or handing over; who is inside it owns it."
    case .gateAboveIPL:
      "Every gate that is held is at or below the IPL: raise before you acquire, release before you lower."
    case .deadlock:
      "Every wait ends. Gates are acquired in ascending order, so that no circle of waits can close; what has no place in the order (a mutex, a flag) must not be waited for under it."
    case .livelock: "Every loop that waits ends: what it looks at is changed by somebody who can go on."
    case .dataRace:
      "Two accesses to one datum, of which one is a write, are ordered: both under the gate of its guard, or by a release that an acquire has read from."
    case .unguarded: "Data is touched under the gate of its guard, which this context has taken itself."
    case .reentered:
      "A handler or callout never runs twice at once on behalf of one CPU, and not at all unless it is .mpSafe; its way in changes between runs only."
    case .lostWork:
      "Every schedule that returns is followed by a whole run that starts after it; what a disestablish, a shutdown or an offline CPU does not run, it counts or says."
    case .outOfOrder:
      "Bound .ordered handlers of one level and CPU run in the order in which they became pending."
    case .expectation: "What the program expects of itself holds in every schedule."
    case .descending:
      "Gates are acquired in ascending order only: who takes a gate owns none at or above it. Raise first, then mask, then lock."
    case .useAfterEnd:
      "After a disestablish or retire has returned, the body does not run again, and its old handles reach nobody."
    case .takenBack:
      "What a cancel under the guard, a halt or a suspension has taken back does not run, until it is armed or resumed."
    case .unasked: "A handler runs only because it was scheduled, and once for each schedule at most."
    case .early:
      "A callout runs at or after its time; who cancels and arms anew has armed for the new time only."
    case .starvation:
      "Who waits for a gate, or is pending on a CPU, is overtaken a bounded number of times: hand-off, reservation and budgets see to it."
    case .notLinearizable:
      "The results of operations on one object are those of some order of them, in which an operation that ended before another began comes first."
    }
  }

  /// A remedy of the witness begins small and ends without a stop.
  private static func sentence(_ text: String) -> String {
    var text = text
    let first = text.removeFirst().uppercased()
    return first + text + "."
  }
}
