// swift-tools-version: 6.2
import PackageDescription

// A package of its own: who does not use NIO resolves nothing of it.
let package = Package(
  name: "softint-nio",
  products: [.library(name: "SoftInterruptsNIO", targets: ["SoftInterruptsNIO"])],
  dependencies: [
    .package(name: "swift-softint", path: "../.."),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
  ],
  targets: [
    .target(
      name: "SoftInterruptsNIO",
      dependencies: [
        .product(name: "SoftInterrupts", package: "swift-softint"),
        .product(name: "HostedMachine", package: "swift-softint"),
        .product(name: "LevelActors", package: "swift-softint"),
        .product(name: "NIOCore", package: "swift-nio"),
      ]),
    .testTarget(
      name: "SoftInterruptsNIOTests",
      dependencies: [
        "SoftInterruptsNIO",
        .product(name: "HostedMachine", package: "swift-softint"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
