// swift-tools-version: 6.2
import PackageDescription

// A package of its own: who does not use it resolves nothing more.
let package = Package(
  name: "softint-service-lifecycle",
  products: [.library(name: "SoftInterruptsLifecycle", targets: ["SoftInterruptsLifecycle"])],
  dependencies: [
    .package(name: "swift-softint", path: "../.."),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    .target(
      name: "SoftInterruptsLifecycle",
      dependencies: [
        .product(name: "SoftInterrupts", package: "swift-softint"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]),
    .testTarget(
      name: "SoftInterruptsLifecycleTests",
      dependencies: [
        "SoftInterruptsLifecycle",
        .product(name: "HostedMachine", package: "swift-softint"),
        .product(name: "LevelActors", package: "swift-softint"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
