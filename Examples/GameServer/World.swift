// The rules of the game: a field, players that walk on it, coins that they pick up.
//
// Law: what a step does depends on the moves since the last one and on nothing else: not on their order, not on the time. So a world
// is the same wherever it is computed. It knows no network and no levels.

struct World {
  struct Player {
    var x, y: Int
    var dx = 0
    var dy = 0
    var score = 0
    /// The last move that was taken, and the last that a step has been made with.
    var asked: UInt32 = 0
    var done: UInt32 = 0
  }

  /// The field is `side` × `side`, in regions of `regionSide` × `regionSide`.
  let side: Int
  static let regionSide = 32
  var regionsInRow: Int { (side + Self.regionSide - 1) / Self.regionSide }

  private(set) var tick: UInt32 = 0
  private(set) var players: [Player?] = []
  private(set) var playerCount = 0
  private var coins: Set<Int> = []
  private var random: Random

  init(side: Int, coins count: Int, seed: UInt64) {
    self.side = side
    random = Random(seed)
    while coins.count < min(count, side * side / 2) { coins.insert(random.below(side * side)) }
  }

  /// Puts a player on the field at a place of its own.
  mutating func enter(_ id: Int) {
    while players.count <= id { players.append(nil) }
    let place = id &* 2_654_435_761 % (side * side)
    players[id] = Player(x: place % side, y: place / side)
    playerCount += 1
  }

  mutating func leave(_ id: Int) {
    players[id] = nil
    playerCount -= 1
  }

  /// Takes a move for the next step. False if it is not newer than the last: sequence numbers go around.
  mutating func move(_ id: Int, _ sequence: UInt32, _ dx: Int8, _ dy: Int8) -> Bool {
    guard let player = players[id], Int32(bitPattern: sequence &- player.asked) > 0 else { return false }
    players[id]!.asked = sequence
    players[id]!.dx = max(-1, min(1, Int(dx)))
    players[id]!.dy = max(-1, min(1, Int(dy)))
    return true
  }

  /// Whether a step has been made with the last move.
  func isSettled(_ id: Int) -> Bool { players[id].map { $0.asked == $0.done } ?? true }

  /// One step: everybody moves, in the order of their numbers; who comes to a coin has it, and it falls somewhere else.
  mutating func step() {
    tick &+= 1
    for id in players.indices {
      guard var player = players[id] else { continue }
      player.x = max(0, min(side - 1, player.x + player.dx))
      player.y = max(0, min(side - 1, player.y + player.dy))
      (player.dx, player.dy) = (0, 0)
      let isNew = player.done != player.asked
      player.done = player.asked
      if isNew, coins.remove(player.y * side + player.x) != nil {
        player.score += 1
        coins.insert(random.below(side * side))
      }
      players[id] = player
    }
  }

  func region(of player: Player) -> Int {
    player.y / Self.regionSide * regionsInRow + player.x / Self.regionSide
  }

  func sight(of id: Int) -> Sight? {
    guard id < players.count, let player = players[id] else { return nil }
    return Sight(
      id: UInt16(id), x: UInt16(player.x), y: UInt16(player.y), score: UInt16(clamping: player.score))
  }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed.
struct Random {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

/// FNV-1a: a number for a sequence of numbers.
struct Digest: Equatable, CustomStringConvertible {
  private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325
  mutating func add(_ number: UInt16) {
    for byte in [UInt8(number >> 8), UInt8(number & 255)] {
      value = (value ^ UInt64(byte)) &* 0x100_0000_01B3
    }
  }
  init() {}
  init(_ sights: [Sight]) {
    for sight in sights { for number in [sight.id, sight.x, sight.y, sight.score] { add(number) } }
  }
  var description: String {
    let hex = String(value, radix: 16)
    return String(repeating: "0", count: 16 - hex.count) + hex
  }
}
