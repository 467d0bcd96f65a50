// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "LwIPStack",
  products: [
    .library(name: "LwIPStack", targets: ["LwIPStack", "CLwIPGuard"]),
    // Another lwIP for a process, loaded in a namespace of its own.
    .library(name: "LwIPNamespace", type: .dynamic, targets: ["CLwIPStack", "CLwIPGuard"]),
    .executable(name: "softint-net", targets: ["softint-net"]),
    .executable(name: "lwip-corelock", targets: ["lwip-corelock"]),
    .executable(name: "ready-made", targets: ["ready-made"]),
  ],
  dependencies: [
    .package(name: "swift-softint", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    // The system's library, as it is packaged: its headers are in a directory of their own.
    .systemLibrary(name: "LwIPLibrary", pkgConfig: "lwip", providers: [.apt(["liblwip-dev"])]),
    // lwIP's raw interface behind a small one.
    .target(name: "CLwIPStack", dependencies: ["LwIPLibrary"]),
    // The symbols that are put in the place of lwIP's own. Not in `lwip-corelock`.
    .target(
      name: "CLwIPGuard", dependencies: ["CLwIPStack"], cSettings: [.headerSearchPath("../CLwIPStack")]),
    // libslirp and the system calls of the other devices.
    .target(name: "CNetworkDevices", linkerSettings: [.linkedLibrary("slirp")]),
    // The stack at softNet.
    .target(
      name: "LwIPStack",
      dependencies: [
        "CLwIPStack", "CNetworkDevices",
        .product(name: "PacketCapture", package: "swift-softint"),
        .product(name: "SoftInterrupts", package: "swift-softint"),
        .product(name: "HostedMachine", package: "swift-softint"),
      ]),
    // What both programs serve with.
    .target(
      name: "NetworkServers",
      dependencies: [
        "LwIPStack", .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "SoftInterrupts", package: "swift-softint"),
        .product(name: "HostedMachine", package: "swift-softint"),
      ]),
    .executableTarget(
      name: "softint-net",
      dependencies: [
        "NetworkServers", "LwIPStack", "CLwIPGuard",
        .product(name: "SoftInterrupts", package: "swift-softint"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    // The baseline: the same servers on lwIP under its own core lock.
    .executableTarget(
      name: "lwip-corelock",
      dependencies: [
        "NetworkServers", "LwIPStack", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    // What any server behind the kernel's sockets does at least: for orientation.
    .executableTarget(name: "ready-made"),
    .testTarget(
      name: "LwIPStackTests",
      dependencies: [
        "LwIPStack", "NetworkServers", "CLwIPGuard", "softint-net",
        .product(name: "SoftInterrupts", package: "swift-softint"),
        .product(name: "HostedMachine", package: "swift-softint"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
