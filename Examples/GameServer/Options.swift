// What the command line says.
//
// Law: a wrong word ends the program before anything is opened, with one line and status 64.

struct Options {
  enum Mode { case serve, demo, connect }
  var mode = Mode.serve
  var address = "127.0.0.1"
  var port: UInt16 = 4_000
  var cpus = 2
  var tickRate = 20
  var timeOut = 5
  var mostClients = 4_096
  var seconds: Int?
  var bots = 0
  var moves: Int?
  var log: String?
  var report: Int?
  var endpoint: Endpoint

  static let help = """
    usage: game-server [options]
    A server of a small game over UDP. It runs until Ctrl-C.

      --address A.B.C.D  listen there (default 127.0.0.1; 0.0.0.0 is everywhere)
      --port N           default 4000; 0 is any
      --cpus N           CPUs of the system, 1 to 64 (default 2)
      --tick-rate N      steps of the world a second, 1 to 1000 (default 20)
      --timeout S        seconds of silence after which a client is out (default 5)
      --max-clients N    1 to 60000 (default 4096)
      --log FILE         append who came, who went and what was said
      --report S         print what happened every S seconds
      --seconds S        end after S seconds
      --bots N           play N clients as well, a load (up to 20000)
      --moves N          each bot makes N moves, one after the other, and leaves
      --connect A.B.C.D  no server, only bots, which play on the server there
      --demo             8 bots, 200 steps by moves and not by the clock: always
                         the same
      --help             this

    Exit status: 0; 64 wrong usage, 69 the port is taken, 71 a system call failed,
    73 the log cannot be made, 74 the log cannot be written, 77 no permission.
    """

  /// Nil if help was asked for.
  init?(_ arguments: [String]) throws(Failure) {
    endpoint = Endpoint("127.0.0.1", port: 0)!
    var rest = arguments[...]
    func number(_ name: String, _ range: ClosedRange<Int>) throws(Failure) -> Int {
      guard let word = rest.popFirst(), let value = Int(word), range.contains(value) else {
        throw .usage("\(name) takes a number from \(range.lowerBound) to \(range.upperBound)")
      }
      return value
    }
    func word(_ name: String) throws(Failure) -> String {
      guard let word = rest.popFirst(), !word.isEmpty else { throw .usage("\(name) takes a value") }
      return word
    }
    while let name = rest.popFirst() {
      switch name {
      case "--help", "-h": return nil
      case "--address": address = try word(name)
      case "--port": port = UInt16(try number(name, 0...65_535))
      case "--cpus": cpus = try number(name, 1...64)
      case "--tick-rate": tickRate = try number(name, 1...1_000)
      case "--timeout": timeOut = try number(name, 1...86_400)
      case "--max-clients": mostClients = try number(name, 1...60_000)
      case "--log": log = try word(name)
      case "--report": report = try number(name, 1...86_400)
      case "--seconds": seconds = try number(name, 1...31_536_000)
      case "--bots": bots = try number(name, 1...20_000)
      case "--moves": moves = try number(name, 1...1_000_000)
      case "--connect":
        address = try word(name)
        mode = .connect
      case "--demo": mode = .demo
      default: throw .usage("\(name) is no option")
      }
    }
    if mode == .connect && bots == 0 { throw .usage("--connect is for bots: say how many with --bots") }
    if moves != nil && bots == 0 { throw .usage("--moves is for bots: say how many with --bots") }
    if mode == .demo && bots != 0 { throw .usage("--demo has its own bots") }
    if mode == .demo { (port, bots) = (0, 8) }
    guard let endpoint = Endpoint(address, port: port) else {
      throw .usage("\(address) is no address of the form A.B.C.D")
    }
    self.endpoint = endpoint
  }
}
