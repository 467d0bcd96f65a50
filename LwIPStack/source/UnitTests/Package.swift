// swift-tools-version: 6.2
import PackageDescription

// lwIP's own unit tests at softNet. Built by source/unit-tests, which says by PKG_CONFIG_PATH where lwIP with its tests is.
let package = Package(
  name: "UnitTests",
  dependencies: [
    .package(name: "LwIPStack", path: "../.."),
    .package(name: "swift-softint", path: "../../.."),
  ],
  targets: [
    .systemLibrary(name: "CheckLibrary", pkgConfig: "check", providers: [.apt(["check"])]),
    .target(name: "CUnitTests", dependencies: ["CheckLibrary"]),
    .executableTarget(
      name: "lwip-unit-tests",
      dependencies: ["CUnitTests", "LwIPStack", .product(name: "SoftInterrupts", package: "swift-softint")]),
  ],
  swiftLanguageModes: [.v6]
)
