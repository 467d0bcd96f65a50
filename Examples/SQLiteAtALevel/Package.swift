// swift-tools-version: 6.2
import PackageDescription

// A package of its own, as it needs a system library: libsqlite3-dev.
let package = Package(
  name: "SQLiteAtALevel",
  dependencies: [.package(name: "swift-softint", path: "../..")],
  targets: [
    .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
    .executableTarget(
      name: "SQLiteAtALevel",
      dependencies: [
        "CSQLite",
        .product(name: "SoftInterrupts", package: "swift-softint"),
        .product(name: "HostedMachine", package: "swift-softint"),
        .product(name: "LevelActors", package: "swift-softint"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
