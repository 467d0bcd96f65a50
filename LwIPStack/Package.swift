// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "LwIPStack",
  products: [
    .library(name: "LwIPStack", targets: ["LwIPStack"]),
    .executable(name: "softint-net", targets: ["softint-net"]),
  ],
  dependencies: [
    .package(name: "swift-softint", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    // The system's library, as it is packaged: its headers are in a directory of their own.
    .systemLibrary(name: "LwIPLibrary", pkgConfig: "lwip", providers: [.apt(["liblwip-dev"])]),
    // All that is C: lwIP's raw interface behind a small one, and the symbols that are put in the place of lwIP's own.
    .target(name: "CLwIPStack", dependencies: ["LwIPLibrary"]),
    // libslirp and the system calls of the other devices.
    .target(name: "CNetworkDevices", linkerSettings: [.linkedLibrary("slirp")]),
    // The stack at softNet.
    .target(
      name: "LwIPStack",
      dependencies: [
        "CLwIPStack", "CNetworkDevices",
        .product(name: "SoftInterrupts", package: "swift-softint"),
        .product(name: "HostedMachine", package: "swift-softint"),
      ]),
    .executableTarget(
      name: "softint-net",
      dependencies: ["LwIPStack", .product(name: "ArgumentParser", package: "swift-argument-parser")]),
    .testTarget(
      name: "LwIPStackTests",
      dependencies: [
        "LwIPStack", "softint-net",
        .product(name: "SoftInterrupts", package: "swift-softint"),
        .product(name: "HostedMachine", package: "swift-softint"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
