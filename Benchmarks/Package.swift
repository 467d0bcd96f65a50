// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "Benchmarks",
  dependencies: [.package(name: "swift-softint", path: "..")],
  targets: [
    .executableTarget(
      name: "micro",
      dependencies: [
        .product(name: "SoftInterrupts", package: "swift-softint"),
        .product(name: "HostedMachine", package: "swift-softint"),
      ])
  ],
  swiftLanguageModes: [.v6]
)
