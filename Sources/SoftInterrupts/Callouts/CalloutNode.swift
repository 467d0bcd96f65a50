// The memory of a callout: one node, from a slab, linked into its CPU's wheel or due list.
//
// Law: everything but what is constant is read and written under the wheel's lock. Nodes are never freed, so a stale handle may
// ask; `identity` changes when a callout is retired and its node goes to the next.

/// Where a node is.
@frozen @usableFromInline enum CalloutPlace: UInt8 {
  /// In no list. It may be with a dispatch that has popped it (`isPopped`).
  case idle
  /// In a slot of the wheel.
  case wheel
  /// In a due list: its time has come, its level has not yet run it.
  case due
}

@frozen @usableFromInline struct CalloutNode<M: Machine> {
  @usableFromInline var next: UnsafeMutablePointer<CalloutNode<M>>?
  @usableFromInline var previous: UnsafeMutablePointer<CalloutNode<M>>?
  /// Nanoseconds of the machine's clock.
  @usableFromInline var deadline: UInt64 = 0
  @usableFromInline var body: ((borrowing Here<M>) -> Void)?
  @usableFromInline var system: SystemRef<M>
  @usableFromInline var name: StaticString
  /// Changes when the node gets its next owner.
  @usableFromInline var identity: UInt32 = 0
  /// Changes with each arming and cancelling: a popped callout runs only if it is still what was popped.
  @usableFromInline var generation: UInt32 = 0
  /// For ever, so that a stale callout finds the lock.
  @usableFromInline let cpu: UInt8
  /// Which slot of the wheel it is in: level × 64 + slot.
  @usableFromInline var wheelSlot: UInt16 = 0
  @usableFromInline var place = CalloutPlace.idle
  @usableFromInline var level: Level = .softClock
  @usableFromInline var way: WayIn = .ordered
  @usableFromInline var guardLevel: Level = .none
  /// One bit for each of the following, so that a callout stays below its weight.
  @usableFromInline var flags: UInt8 = 0
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

  @inlinable init(system: SystemRef<M>, cpu: Int, name: StaticString) {
    self.system = system
    self.cpu = UInt8(cpu)
    self.name = name
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

  @inlinable mutating func remove(_ node: UnsafeMutablePointer<CalloutNode<M>>) {
    let next = node.pointee.next
    let previous = node.pointee.previous
    if let previous { previous.pointee.next = next } else { head = next }
    if let next { next.pointee.previous = previous } else { tail = previous }
    node.pointee.next = nil
    node.pointee.previous = nil
  }

  @inlinable mutating func popFirst() -> UnsafeMutablePointer<CalloutNode<M>>? {
    guard let first = head else { return nil }
    remove(first)
    return first
  }

  /// Sorts by deadline; equal deadlines keep their order. A merge sort from the bottom up: O(n log n), no memory.
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
            takeLeft = leftNode!.pointee.deadline <= right!.pointee.deadline
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
