// What all verbs take: the discipline, the CPUs, the device and its addresses; and the stack made of it.

import ArgumentParser
import LwIPStack

/// Which device, as its user types it.
enum DeviceChoice {
  case slirp
  case packet(String)
  case tap(String)
}

struct StackOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How the stack is kept consistent: \(StackDiscipline.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "name"),
    transform: StackOptions.discipline)
  var discipline: StackDiscipline = .ordered

  @Option(help: ArgumentHelp("Run on this many CPUs, 1 to 64.", valueName: "n"), transform: StackOptions.cpus)
  var cpus: Int = 2

  @Option(
    help: ArgumentHelp(
      "slirp (this process's own sockets, no root), packet:IF (a raw socket on an interface) or tap:IF.",
      valueName: "device"),
    transform: StackOptions.device)
  var device: DeviceChoice = .slirp

  @Option(
    help: ArgumentHelp(
      "The stack's IPv4 address and network, as 192.0.2.2/24 (packet and tap only).", valueName: "address"),
    transform: StackOptions.network)
  var address: IPv4Configuration?

  @Option(
    help: ArgumentHelp("The stack's IPv6 address (packet and tap only).", valueName: "address"),
    transform: StackOptions.ipv6)
  var address6: NetworkAddress?

  @Option(help: ArgumentHelp("Listen on this port.", valueName: "port"), transform: StackOptions.port)
  var port: UInt16 = 8080

  @Option(
    help: ArgumentHelp("The most connections that lwIP may have; 0: no limit.", valueName: "n"),
    transform: StackOptions.limit)
  var connections: Int = 0

  @Option(
    help: ArgumentHelp("The most packet buffers that lwIP may have; 0: no limit.", valueName: "n"),
    transform: StackOptions.limit)
  var buffers: Int = 0

  @Option(
    help: ArgumentHelp("How many frames each of the device's two rings holds, 16 to 65536.", valueName: "n"),
    transform: StackOptions.ring)
  var ring: Int = 1_024

  @Option(help: ArgumentHelp("Write every frame to this pcap file.", valueName: "file"))
  var capture: String?

  /// Makes the stack and attaches its device; the text says how to reach it.
  func start(isUDPToo: Bool, listens: Bool = true) throws(CommandFailure) -> (
    stack: NetworkStack, host: String
  ) {
    var configuration = StackConfiguration()
    configuration.discipline = discipline
    configuration.cpus = cpus
    configuration.mostConnections = connections
    configuration.mostBuffers = buffers
    configuration.ringCapacity = ring
    configuration.capture = capture
    let isSlirp = if case .slirp = device { true } else { false }
    if isSlirp, address != nil || address6 != nil {
      throw .usage("--address and --address6 are for packet and tap: slirp has a network of its own")
    }
    if !isSlirp, address == nil { throw .usage("give the stack's address by --address, as 192.0.2.2/24") }
    do throws(DeviceFailure) {
      let stack = try NetworkStack(configuration)
      do throws(DeviceFailure) {
        switch device {
        case .slirp:
          var forwards = listens ? [SlirpDevice.Forward(port: port)] : []
          if isUDPToo { forwards.append(SlirpDevice.Forward(port: port, isUDP: true)) }
          try stack.attach(
            SlirpDevice(forwarding: forwards), ipv4: SlirpDevice.ipv4, ipv6: [SlirpDevice.ipv6])
        case .packet(let name):
          try stack.attach(PacketDevice(name), ipv4: address, ipv6: address6.map { [$0] } ?? [])
        case .tap(let name):
          try stack.attach(TapDevice(name), ipv4: address, ipv6: address6.map { [$0] } ?? [])
        }
        return (stack, isSlirp ? "127.0.0.1" : "\(address!.address)")
      } catch {
        stack.shutdown()
        throw error
      }
    } catch { throw .system(error.description) }
  }

  // MARK: What is accepted

  private static func discipline(_ text: String) throws -> StackDiscipline {
    guard let discipline = StackDiscipline(rawValue: text) else {
      throw ValidationError(
        "the disciplines are \(StackDiscipline.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return discipline
  }
  private static func cpus(_ text: String) throws -> Int {
    guard let count = Int(text), (1...64).contains(count) else {
      throw ValidationError("give a whole number from 1 to 64")
    }
    return count
  }
  private static func limit(_ text: String) throws -> Int {
    guard let count = Int(text), (0...1_000_000).contains(count) else {
      throw ValidationError("give a whole number from 0 to 1000000")
    }
    return count
  }
  private static func ring(_ text: String) throws -> Int {
    guard let count = Int(text), (16...65_536).contains(count) else {
      throw ValidationError("give a whole number from 16 to 65536")
    }
    return count
  }
  private static func port(_ text: String) throws -> UInt16 {
    guard let port = UInt16(text), port > 0 else { throw ValidationError("give a port from 1 to 65535") }
    return port
  }
  private static func device(_ text: String) throws -> DeviceChoice {
    if text == "slirp" { return .slirp }
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    if parts.count == 2, !parts[1].isEmpty, parts[1].utf8.count < 16 {
      if parts[0] == "packet" { return .packet(parts[1]) }
      if parts[0] == "tap" { return .tap(parts[1]) }
    }
    throw ValidationError("the devices are slirp, packet:IF and tap:IF")
  }
  private static func network(_ text: String) throws -> IPv4Configuration {
    let parts = text.split(separator: "/").map(String.init)
    guard parts.count == 2, let address = NetworkAddress(parts[0]), !address.isIPv6,
      let bits = Int(parts[1]), (1...31).contains(bits)
    else { throw ValidationError("give an IPv4 address with its network, as 192.0.2.2/24") }
    let mask = ~UInt32(0) << UInt32(32 - bits)
    let maskText = [24, 16, 8, 0].map { String((mask >> $0) & 255) }.joined(separator: ".")
    return IPv4Configuration(
      address: address, mask: NetworkAddress(maskText)!, gateway: NetworkAddress("0.0.0.0")!)
  }
  private static func ipv6(_ text: String) throws -> NetworkAddress {
    guard let address = NetworkAddress(text), address.isIPv6 else {
      throw ValidationError("give an IPv6 address, as 2001:db8::2")
    }
    return address
  }
}
