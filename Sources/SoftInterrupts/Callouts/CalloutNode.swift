// The memory of a callout: one node of one cache line, from a slab, linked into a slot of its CPU's wheel or into a due list.
//
// Law: everything but what is constant is read and written under the wheel's lock. Nodes are never freed, so a stale handle may
// ask; `identity` changes when a callout is retired and its node goes to the next. A node is 64 bytes on a line of its own, so that
// arming and cancelling one among a million waits for one line of memory.

/// Whether a callout is armed, and what its node waits for.
@frozen @usableFromInline enum CalloutPlace: UInt8 {
  /// Not armed. It may be with a dispatch that has popped it (`isPopped`), and a cancelled one still hangs in its slot (`isHung`).
  case idle
  /// Armed: it hangs in a slot of the wheel that comes no later than its deadline.
  case wheel
  /// In a due list: its time has come, its level has not yet run it.
  case due
}

/// A callout's level, guard and way in: 3, 3 and 2 bits, so that a node is one line.
@frozen @usableFromInline struct CalloutRules {
  @usableFromInline let bits: UInt8
  @inlinable init(_ level: Level, guard guardLevel: Level, _ way: WayIn) {
    bits = level.rawValue | guardLevel.rawValue << 3 | way.rawValue << 6
  }
  @inlinable var level: Level { Level(raw: bits & 7) }
  @inlinable var guardLevel: Level { Level(raw: bits >> 3 & 7) }
  @inlinable var way: WayIn { WayIn(rawValue: bits >> 6)! }
}

@frozen @usableFromInline struct CalloutNode<M: Machine> {
  /// First, so that the wheel finds where what it captures is: see `Wheel.empty(_:)`.
  @usableFromInline var body: ((borrowing Here<M>) -> Void)?
  @usableFromInline var next: UnsafeMutablePointer<CalloutNode<M>>?
  @usableFromInline var previous: UnsafeMutablePointer<CalloutNode<M>>?
  /// Nanoseconds of the machine's clock.
  @usableFromInline var deadline: UInt64 = 0
  /// The tick at which time reaches the slot that it hangs in; `notHung`, which no tick is, if it hangs in none.
  @usableFromInline var hungAt = Self.notHung
  /// Changes when the node gets its next owner.
  @usableFromInline var identity: UInt32 = 0
  /// The number of its last arming or cancelling among all of its wheel: a popped callout runs only if it is still what was popped.
  /// Of equal deadlines the one that was armed first is due first.
  @usableFromInline var generation: UInt32 = 0
  /// Which slot of the wheel it hangs in, if it does: digit × 64 + slot.
  @usableFromInline var wheelSlot: UInt16 = 0
  /// Its name's place in the wheel's names.
  @usableFromInline var nameIndex: UInt16 = 0
  /// For ever, so that a stale callout finds the lock.
  @usableFromInline let cpu: UInt8
  @usableFromInline var place = CalloutPlace.idle
  @usableFromInline var rules = CalloutRules(.softClock, guard: .none, .ordered)
  /// One bit for each of the following.
  @usableFromInline var flags: UInt8 = 0

  @inlinable static var notHung: UInt64 { .max }
  @inlinable var isHung: Bool { hungAt != Self.notHung }
  @inlinable func flag(_ bit: UInt8) -> Bool { flags & bit != 0 }
  @inlinable mutating func set(_ bit: UInt8, _ on: Bool) { flags = on ? flags | bit : flags & ~bit }
  /// The guard's gate is taken exactly.
  @inlinable var isExact: Bool {
    get { flag(1) }
    set { set(1, newValue) }
  }
  /// Between its popping and the end of its body.
  @inlinable var isPopped: Bool {
    get { flag(2) }
    set { set(2, newValue) }
  }
  /// Its body is running, under the guard.
  @inlinable var isInBody: Bool {
    get { flag(4) }
    set { set(4, newValue) }
  }
  /// Cancelled while it was popped and waited for its guard.
  @inlinable var isCancelled: Bool {
    get { flag(8) }
    set { set(8, newValue) }
  }
  /// To be given back when its body has ended.
  @inlinable var retiring: Bool {
    get { flag(16) }
    set { set(16, newValue) }
  }
  /// Popped, not yet in its body, and still what was popped as far as is known.
  @inlinable var isWaiting: Bool { flags & (2 | 4 | 8) == 2 }

  @inlinable init(cpu: Int) { self.cpu = UInt8(cpu) }

  /// Whether it is due before `other`, or was armed before it for the same time. The numbers of armings wrap.
  @inlinable func isBefore(_ other: UnsafeMutablePointer<CalloutNode<M>>) -> Bool {
    deadline != other.pointee.deadline
      ? deadline < other.pointee.deadline
      : Int32(bitPattern: generation &- other.pointee.generation) <= 0
  }
}

/// A list of nodes, first in, first out.
@frozen @usableFromInline struct CalloutList<M: Machine> {
  @usableFromInline var head: UnsafeMutablePointer<CalloutNode<M>>?
  @usableFromInline var tail: UnsafeMutablePointer<CalloutNode<M>>?
  @inlinable init() {}

  @inlinable mutating func append(_ node: UnsafeMutablePointer<CalloutNode<M>>) {
    node.pointee.next = nil
    node.pointee.previous = tail
    if let tail { tail.pointee.next = node } else { head = node }
    tail = node
  }

  /// Puts all of another list behind this one's.
  @inlinable mutating func append(contentsOf other: CalloutList) {
    guard let first = other.head else { return }
    first.pointee.previous = tail
    if let tail { tail.pointee.next = first } else { head = first }
    tail = other.tail
  }

  @inlinable mutating func remove(_ node: UnsafeMutablePointer<CalloutNode<M>>) {
    let next = node.pointee.next
    let previous = node.pointee.previous
    if let previous { previous.pointee.next = next } else { head = next }
    if let next { next.pointee.previous = previous } else { tail = previous }
    node.pointee.next = nil
    node.pointee.previous = nil
  }

  /// Sorts by deadline; equal deadlines in the order of their arming. A merge sort from the bottom up: O(n log n), no memory.
  @inlinable mutating func sort() {
    guard head != nil, head != tail else { return }
    var width = 1
    var merges = 2
    while merges > 1 {
      merges = 0
      var rest = head
      var sorted = CalloutList()
      while let left = rest {
        merges += 1
        var right: UnsafeMutablePointer<CalloutNode<M>>? = left
        var leftCount = 0
        while leftCount < width, let node = right {
          leftCount += 1
          right = node.pointee.next
        }
        var rightCount = right == nil ? 0 : width
        var leftNode: UnsafeMutablePointer<CalloutNode<M>>? = left
        while leftCount > 0 || (rightCount > 0 && right != nil) {
          let takeLeft: Bool
          if leftCount == 0 {
            takeLeft = false
          } else if rightCount == 0 || right == nil {
            takeLeft = true
          } else {
            takeLeft = leftNode!.pointee.isBefore(right!)
          }
          let node = takeLeft ? leftNode! : right!
          let after = node.pointee.next
          if takeLeft {
            leftNode = after
            leftCount -= 1
          } else {
            right = after
            rightCount -= 1
          }
          sorted.append(node)
        }
        rest = right
      }
      self = sorted
      width *= 2
    }
  }
}
