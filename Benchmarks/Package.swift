// swift-tools-version: 6.2
import Foundation
import PackageDescription

// Peers in C and C++ come from the system's packages where these are installed; a peer that is not there is named in the table.
func has(_ header: String) -> Bool {
  ["", "x86_64-linux-gnu/", "aarch64-linux-gnu/"].contains {
    FileManager.default.fileExists(atPath: "/usr/include/" + $0 + header)
  }
}
var cPeers: [CSetting] = []
var cPeerLibraries: [LinkerSetting] = []
if has("urcu.h"), has("urcu/wfcqueue.h") {
  cPeers.append(.define("HAVE_URCU"))
  cPeerLibraries += [.linkedLibrary("urcu"), .linkedLibrary("urcu-common")]
}
if has("ck_ring.h") { cPeers.append(.define("HAVE_CK")) }
if has("uv.h") {
  cPeers.append(.define("HAVE_UV"))
  cPeerLibraries.append(.linkedLibrary("uv"))
}
var cxxPeers: [CXXSetting] = []
var cxxPeerLibraries: [LinkerSetting] = []
if has("boost/asio.hpp") { cxxPeers.append(.define("HAVE_ASIO")) }
if has("tbb/task_group.h") {
  cxxPeers.append(.define("HAVE_TBB"))
  cxxPeerLibraries.append(.linkedLibrary("tbb"))
}

let core: [Target.Dependency] = [
  .product(name: "SoftInterrupts", package: "swift-softint"),
  .product(name: "HostedMachine", package: "swift-softint"),
]

let package = Package(
  name: "Benchmarks",
  traits: [
    .trait(
      name: "AssemblyMutant", description: "Make the assembly check fail: a hot path that counts a reference."
    )
  ],
  dependencies: [
    .package(name: "swift-softint", path: "..", traits: [.defaults, "ManyCPUs"]),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    // The hot paths as a client's module has them.
    .target(name: "HotPaths", dependencies: core),
    .target(name: "CHeap"),
    // One path so many times: what `check-assembly` looks at and `count-instructions` counts. No peer is built for it.
    .executableTarget(name: "count", dependencies: ["HotPaths"] + core),
    // What is measured of the machine itself, by the instrument and by the cost model.
    .target(name: "Gauges", dependencies: ["HotPaths"] + core),
    // The model of costs, and systems that have nothing or too much to do.
    .executableTarget(
      name: "micro",
      dependencies: [
        "HotPaths", "CHeap", "Gauges",
        .product(name: "SimulatedMachine", package: "swift-softint"),
        .product(name: "PacketCapture", package: "swift-softint"),
        .product(name: "Workloads", package: "swift-softint"),
      ]),
    // The curves: `Benchmarks/shape`. No peer, and so nothing of theirs is built for it.
    .executableTarget(
      name: "shape",
      dependencies: [
        "HotPaths", "Gauges",
        .product(name: "SimulatedMachine", package: "swift-softint"),
        .product(name: "Workloads", package: "swift-softint"),
        .product(name: "ComparisonReport", package: "swift-softint"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ] + core),
    // The instrument: `Benchmarks/run`.
    .target(name: "CPeers", cSettings: cPeers, linkerSettings: cPeerLibraries),
    .target(name: "CxxPeers", cxxSettings: cxxPeers, linkerSettings: cxxPeerLibraries),
    .executableTarget(
      name: "bench",
      dependencies: [
        "HotPaths", "CHeap", "Gauges", "CPeers", "CxxPeers",
        .product(name: "LevelActors", package: "swift-softint"),
        .product(name: "PacketCapture", package: "swift-softint"),
        .product(name: "Workloads", package: "swift-softint"),
        .product(name: "ComparisonReport", package: "swift-softint"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
      ] + core),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx17
)
