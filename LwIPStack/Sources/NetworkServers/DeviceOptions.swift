// What everything that serves takes: the device and its addresses; and the stack made of it.
//
// Law: what cannot be is refused before anything is opened.

import ArgumentParser
import LwIPStack

/// Which device, as its user types it.
package enum DeviceChoice {
  case slirp
  case packet(String)
  case tap(String)
  case memory
  case replay(String)
}

package struct DeviceOptions: ParsableArguments {
  package init() {}

  @Option(
    help: ArgumentHelp(
      "slirp (this process's own sockets, no root), packet:IF (a raw socket on an interface), tap:IF, memory (HTTP clients in this process), or replay:FILE (the Ethernet frames of a capture) (default: slirp).",
      valueName: "device"),
    transform: DeviceOptions.device)
  package var device: DeviceChoice = .slirp

  @Option(
    help: ArgumentHelp(
      "The stack's IPv4 address and network, as 192.0.2.2/24 (packet, tap and replay only).",
      valueName: "address"),
    transform: DeviceOptions.network)
  package var address: IPv4Configuration?

  @Option(
    help: ArgumentHelp("The stack's IPv6 address (packet, tap and replay only).", valueName: "address"),
    transform: DeviceOptions.ipv6)
  package var address6: NetworkAddress?

  @Option(
    help: ArgumentHelp("Listen on this port (default: 8080).", valueName: "port"),
    transform: DeviceOptions.port)
  package var port: UInt16 = 8080

  @Option(
    help: ArgumentHelp("The most connections that lwIP may have (default: 0, no limit).", valueName: "n"),
    transform: DeviceOptions.limit)
  package var connections: Int = 0

  @Option(
    help: ArgumentHelp("The most packet buffers that lwIP may have (default: 0, no limit).", valueName: "n"),
    transform: DeviceOptions.limit)
  package var buffers: Int = 0

  @Option(
    help: ArgumentHelp(
      "How many frames each of the device's two rings holds, 16 to 65536 (default: 1024).", valueName: "n"),
    transform: DeviceOptions.ring)
  package var ring: Int = 1_024

  @Option(
    help: ArgumentHelp(
      "How many clients ask, with --device memory, 1 to 1000 (default: 32).", valueName: "n"),
    transform: DeviceOptions.clients)
  package var memoryClients: Int = 32

  @Flag(help: "Have the stack's input run on the CPU after the device's, so that both work at once.")
  package var pipelined = false

  @Option(help: ArgumentHelp("Write every frame to this pcap file.", valueName: "file"))
  package var capture: String?

  /// A stack that is ready to serve.
  package struct Served {
    package var stack: NetworkStack
    /// How to reach it.
    package var host: String
    package var port: UInt16
    /// Who is served, if they are in memory.
    package var clients: MemoryClients?
    /// What is replayed, if that is the device.
    package var replay: ReplayDevice?
  }

  /// Makes stacks, with a level, a device and a port each, and attaches the devices.
  package func start(
    _ configuration: StackConfiguration, isUDPToo: Bool = false, listens: Bool = true, stacks: Int = 1
  ) throws(CommandFailure) -> [Served] {
    var configuration = configuration
    configuration.mostConnections = connections
    configuration.mostBuffers = buffers
    configuration.ringCapacity = ring
    guard Int(port) + stacks - 1 <= Int(UInt16.max) else {
      throw .usage("--port: the second stack listens on the next port, so give at most 65534")
    }
    switch device {
    case .slirp, .memory:
      if address != nil || address6 != nil {
        throw .usage(
          "--address and --address6 are for packet, tap and replay: slirp and memory have a network of their own"
        )
      }
    case .packet, .tap, .replay:
      if address == nil { throw .usage("give the stack's address by --address, as 192.0.2.2/24") }
      if stacks > 1 { throw .usage("--stacks is for slirp and memory") }
    }
    var made: [Served] = []
    do throws(DeviceFailure) {
      for index in 0..<stacks {
        configuration.level = [.softNet, .softSerial][index]
        configuration.capture = capture.map { index == 0 ? $0 : "\($0).\(index + 1)" }
        let stack = try NetworkStack(configuration, beside: made.first?.stack)
        var served = Served(stack: stack, host: "127.0.0.1", port: port + UInt16(index), clients: nil)
        made.append(served)
        // Each at home on a CPU of its own, if there is more than one.
        let cpu = index
        let inputCPU = pipelined ? cpu + 1 : cpu
        switch device {
        case .slirp:
          var forwards = listens ? [SlirpDevice.Forward(port: served.port)] : []
          if isUDPToo { forwards.append(SlirpDevice.Forward(port: served.port, isUDP: true)) }
          try stack.attach(
            SlirpDevice(forwarding: forwards), ipv4: SlirpDevice.ipv4, ipv6: [SlirpDevice.ipv6], cpu: cpu,
            inputCPU: inputCPU)
        case .packet(let name):
          try stack.attach(
            PacketDevice(name), ipv4: address, ipv6: address6.map { [$0] } ?? [], inputCPU: inputCPU)
          served.host = "\(address!.address)"
        case .tap(let name):
          try stack.attach(
            TapDevice(name), ipv4: address, ipv6: address6.map { [$0] } ?? [], inputCPU: inputCPU)
          served.host = "\(address!.address)"
        case .replay(let file):
          let device = try ReplayDevice(file)
          try stack.attach(
            device, ipv4: address, ipv6: address6.map { [$0] } ?? [], inputCPU: inputCPU)
          served.replay = device
          served.host = "\(address!.address)"
        case .memory:
          let clients = MemoryClients(count: memoryClients, port: served.port)
          try stack.attach(MemoryDevice(clients), ipv4: MemoryDevice.ipv4, cpu: cpu, inputCPU: inputCPU)
          served.clients = clients
          served.host = "10.1.0.2"
        }
        made[index] = served
      }
    } catch {
      made.first?.stack.shutdown()
      throw .system(error.description)
    }
    return made
  }

  // MARK: What is accepted

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
  private static func clients(_ text: String) throws -> Int {
    guard let count = Int(text), (1...1_000).contains(count) else {
      throw ValidationError("give a whole number from 1 to 1000")
    }
    return count
  }
  private static func device(_ text: String) throws -> DeviceChoice {
    if text == "slirp" { return .slirp }
    if text == "memory" { return .memory }
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    if parts.count == 2, !parts[1].isEmpty, parts[1].utf8.count < 16 {
      if parts[0] == "packet" { return .packet(parts[1]) }
      if parts[0] == "tap" { return .tap(parts[1]) }
    }
    if parts.count == 2, parts[0] == "replay", !parts[1].isEmpty { return .replay(parts[1]) }
    throw ValidationError("the devices are slirp, packet:IF, tap:IF, memory and replay:FILE")
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
