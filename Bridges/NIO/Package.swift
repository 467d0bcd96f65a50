// swift-tools-version: 6.2
import PackageDescription

// A package of its own: who does not use NIO resolves nothing of it.
let package = Package(
  name: "softint-nio",
  products: [.library(name: "SoftInterruptsNIO", targets: ["SoftInterruptsNIO"])],
  dependencies: [
    .package(name: "swift-softint", path: "../.."),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    // The example's. swift-softint resolves it anyway.
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    .target(
      name: "SoftInterruptsNIO",
      dependencies: [
        .product(name: "SoftInterrupts", package: "swift-softint"),
        .product(name: "HostedMachine", package: "swift-softint"),
        .product(name: "LevelActors", package: "swift-softint"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
      ]),
    .testTarget(
      name: "SoftInterruptsNIOTests",
      dependencies: [
        "SoftInterruptsNIO",
        .product(name: "HostedMachine", package: "swift-softint"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
      ]),
    // The example: a DNS forwarder. Here, and not in Examples, so that NIO is built once.
    .target(name: "DNSForwarding", path: "Examples/DNSForwarder/DNSForwarding"),
    .executableTarget(
      name: "dns-forwarder",
      dependencies: [
        "DNSForwarding", "SoftInterruptsNIO",
        .product(name: "SoftInterrupts", package: "swift-softint"),
        .product(name: "HostedMachine", package: "swift-softint"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Examples/DNSForwarder/dns-forwarder"),
    // A name server for its check and its measurement.
    .executableTarget(
      name: "dns-upstream",
      dependencies: [
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
      ], path: "Examples/DNSForwarder/dns-upstream"),
    .testTarget(
      name: "DNSForwardingTests", dependencies: ["DNSForwarding"],
      path: "Examples/DNSForwarder/DNSForwardingTests"),
  ],
  swiftLanguageModes: [.v6]
)
