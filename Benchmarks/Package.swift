// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "Benchmarks",
  traits: [
    .trait(name: "AssemblyMutant", description: "Make the assembly check fail: a hot path that counts a reference.")
  ],
  dependencies: [.package(name: "swift-softint", path: "..")],
  targets: [
    // The hot paths as a client's module has them; `check-assembly` looks at what the compiler made of them.
    .target(
      name: "HotPaths",
      dependencies: [
        .product(name: "SoftInterrupts", package: "swift-softint"),
        .product(name: "HostedMachine", package: "swift-softint"),
      ]),
    .target(name: "CHeap"),
    // Hops between tasks, actors and levels.
    .executableTarget(
      name: "actors",
      dependencies: [
        .product(name: "LevelActors", package: "swift-softint"),
        .product(name: "SoftInterrupts", package: "swift-softint"),
        .product(name: "HostedMachine", package: "swift-softint"),
      ]),
    .executableTarget(
      name: "micro",
      dependencies: [
        "HotPaths", "CHeap",
        .product(name: "SimulatedMachine", package: "swift-softint"),
        .product(name: "PacketCapture", package: "swift-softint"),
        .product(name: "Workloads", package: "swift-softint"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
