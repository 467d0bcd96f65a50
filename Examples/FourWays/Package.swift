// swift-tools-version: 6.2
import PackageDescription

// A package of its own, as one of the four needs SwiftNIO. Each is built by itself: swift build --product Levels, and so on.
let package = Package(
  name: "FourWays",
  dependencies: [
    .package(name: "swift-softint", path: "../.."),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
  ],
  targets: [
    // What the four share: the requests, the rules, a socket. No concurrency in it.
    .target(name: "Limiter"),
    .executableTarget(
      name: "Levels",
      dependencies: [
        "Limiter",
        .product(name: "SoftInterrupts", package: "swift-softint"),
        .product(name: "HostedMachine", package: "swift-softint"),
      ]),
    .executableTarget(name: "Actors", dependencies: ["Limiter"]),
    .executableTarget(name: "Queues", dependencies: ["Limiter"]),
    .executableTarget(
      name: "Loops",
      dependencies: [
        "Limiter",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
