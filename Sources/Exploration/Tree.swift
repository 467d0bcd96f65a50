// The choices of an exploration as data: for each point of the present schedule who was chosen, who was, and who is still to be.
//
// Law: what is below the present choice of a node is explored completely before the next one is taken, so the nodes of one
// schedule are all that is kept: memory is bounded by the length of a schedule.

import SimulatedMachine

struct Node {
  /// Who could go on here.
  var enabled: ProcessSet
  /// Who need not be chosen any more: explored here, or asleep, that is explored in another place with the same states.
  var done: ProcessSet
  /// Who is to be explored here.
  var backtrack: ProcessSet
  var chosen: UInt8
  /// Who ran before; or ``nobody`` or ``option``.
  var running: UInt8
  /// Preemptions before this choice.
  var preemptions: UInt16

  static let nobody: UInt8 = 255
  /// The choice is not of a process but of what an operation does.
  static let option: UInt8 = 254
}

struct Tree {
  private(set) var nodes: UnsafeMutablePointer<Node> = .allocate(capacity: 1)
  private var capacity = 1
  private(set) var count = 0

  func deallocate() { nodes.deallocate() }

  mutating func append(_ node: Node) {
    if count == capacity {
      let grown = UnsafeMutablePointer<Node>.allocate(capacity: capacity * 2)
      grown.moveInitialize(from: nodes, count: count)
      nodes.deallocate()
      nodes = grown
      capacity *= 2
    }
    (nodes + count).initialize(to: node)
    count += 1
  }

  /// Goes to the next schedule: the deepest node that has somebody left. False if there is none.
  mutating func advance(_ machine: SimulatedMachine, bound: Int?) -> Bool {
    while count > 0 {
      let node = nodes + (count - 1)
      node.pointee.done.insert(Int(node.pointee.chosen))
      var left = node.pointee.backtrack & node.pointee.enabled & ~node.pointee.done
      if let bound { left &= Self.affordable(node, bound) }
      if left != 0 {
        node.pointee.chosen = UInt8(
          node.pointee.running == Node.option ? left.first : Expected.lowest(machine, left))
        return true
      }
      count -= 1
    }
    return false
  }

  /// Whom a bound of preemptions admits at a node.
  static func affordable(_ node: UnsafeMutablePointer<Node>, _ bound: Int) -> ProcessSet {
    let running = Int(node.pointee.running)
    if running < SimulatedMachine.processLimit && node.pointee.enabled.has(running)
      && Int(node.pointee.preemptions) >= bound
    {
      return .only(running)
    }
    return node.pointee.enabled
  }
}
