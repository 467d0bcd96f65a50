// The names of one CPU's callouts, each once, so that a node holds two bytes of it and not twenty-four: nodes are many, names are written in the
// program's text.
//
// Law: added to under the system's table lock; an entry never changes or moves, so who has a node whose callout was made
// since reads it without a lock.

@frozen @usableFromInline struct CalloutNames {
  /// Blocks of 16, 32, 64 … names.
  @usableFromInline let blocks: UnsafeMutablePointer<UnsafeMutablePointer<StaticString>?>
  /// How many there are. In memory of its own: who reads a name does not touch it.
  @usableFromInline let count: UnsafeMutablePointer<Int>
  @inlinable static var blockCount: Int { 12 }
  @inlinable static var capacity: Int { 16 << blockCount - 16 }

  @inlinable init() {
    blocks = .allocate(capacity: Self.blockCount)
    blocks.initialize(repeating: nil, count: Self.blockCount)
    count = .allocate(capacity: 1)
    count.initialize(to: 0)
  }

  @inlinable func deallocate() {
    for block in 0..<Self.blockCount { blocks[block]?.deallocate() }
    blocks.deallocate()
    count.deallocate()
  }

  /// Block n begins at 16 × (2^n − 1).
  @inlinable static func place(_ index: Int) -> (block: Int, offset: Int) {
    let block = Int.bitWidth - 1 - (index + 16).leadingZeroBitCount - 4
    return (block, index + 16 - 16 << block)
  }

  @inlinable subscript(index: Int) -> StaticString {
    let (block, offset) = Self.place(index)
    return blocks[block]![offset]
  }

  /// The place of a name, which is the same literal or its copy at the same address; it is added if need be. O(names). When there
  /// are as many as fit, which takes 65,519 literals, the last one stands for the rest.
  @inlinable func index(of name: StaticString) -> UInt16 {
    var index = count.pointee
    while index > 0 {
      index -= 1
      if Self.isSame(self[index], name) { return UInt16(index) }
    }
    if count.pointee == Self.capacity - 1 { return add("(one of too many names)") }
    if count.pointee == Self.capacity { return UInt16(Self.capacity - 1) }
    return add(name)
  }

  @inlinable func add(_ name: StaticString) -> UInt16 {
    let index = count.pointee
    let (block, offset) = Self.place(index)
    if offset == 0 { blocks[block] = .allocate(capacity: 16 << block) }
    (blocks[block]! + offset).initialize(to: name)
    count.pointee = index + 1
    return UInt16(index)
  }

  @inlinable static func isSame(_ one: StaticString, _ other: StaticString) -> Bool {
    guard one.hasPointerRepresentation && other.hasPointerRepresentation else {
      return !one.hasPointerRepresentation && !other.hasPointerRepresentation
        && one.unicodeScalar == other.unicodeScalar
    }
    return one.utf8Start == other.utf8Start && one.utf8CodeUnitCount == other.utf8CodeUnitCount
  }
}
