// What can go wrong with a connection, as lwIP says it.

/// Why something of the network failed.
public enum NetworkError: Error, Sendable, Equatable, CustomStringConvertible {
  /// No memory, or a limit of the stack was reached.
  case exhausted
  /// No route to that address.
  case noRoute
  /// The address or port is used by somebody else.
  case addressInUse
  /// The other end reset the connection.
  case reset
  /// The connection was given up: no answer in time, or aborted here.
  case aborted
  /// It is closed, or not yet open.
  case notConnected
  /// The stack has been shut down, or does not run.
  case stopped
  /// No name server knows that name, or none answered.
  case unknownName
  /// The lwIP that this is built with has no DNS, or no DHCP.
  case unavailable
  /// A value that cannot be: lwIP's number.
  case refused(Int)

  init(_ code: Int32) {
    switch code {
    case -1, -2: self = .exhausted
    case -4: self = .noRoute
    case -8: self = .addressInUse
    case -14: self = .reset
    case -13, -3: self = .aborted
    case -11, -15: self = .notConnected
    default: self = .refused(Int(code))
    }
  }

  public var description: String {
    switch self {
    case .exhausted: "out of buffers or control blocks: raise the stack's limits, or close connections"
    case .noRoute: "there is no route to that address: configure an address or a gateway"
    case .addressInUse: "the address is in use: choose another port"
    case .reset: "the other end reset the connection"
    case .aborted: "the connection was given up: no answer in time, or aborted"
    case .notConnected: "the connection is not open"
    case .stopped: "the stack does not run"
    case .unknownName: "no name server knows that name, or none answered: set another by setNameServers"
    case .unavailable:
      "the packaged lwIP has no DNS and no DHCP: build with lwIP from its source (source/swift)"
    case .refused(let code): "lwIP refused it (err_t \(code))"
    }
  }
}
