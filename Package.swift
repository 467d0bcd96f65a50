// swift-tools-version: 6.2
import PackageDescription

// Lifetimes: only the module that defines a nonescapable type needs it; clients compile without.
let core: [SwiftSetting] = [.enableExperimentalFeature("Lifetimes")]

let package = Package(
  name: "swift-softint",
  products: [
    .library(name: "SoftInterrupts", targets: ["SoftInterrupts"]),
    .library(name: "HostedMachine", targets: ["HostedMachine"]),
    .library(name: "SimulatedMachine", targets: ["SimulatedMachine"]),
    .library(name: "Exploration", targets: ["Exploration"]),
    .library(name: "LevelActors", targets: ["LevelActors"]),
    .library(name: "PacketCapture", targets: ["PacketCapture"]),
    .library(name: "FlowMeter", targets: ["FlowMeter"]),
    .library(name: "Workloads", targets: ["Workloads"]),
    .library(name: "ComparisonReport", targets: ["ComparisonReport"]),
    .executable(name: "softint", targets: ["softint"]),
  ],
  traits: [
    .trait(
      name: "Witness",
      description: "Check the order at run time. On by default; without it a violation is undefined."),
    .trait(
      name: "Mutants",
      description: "Compile in the deliberate defects that the tests switch on. Never for release."),
    .trait(
      name: "ManyCPUs",
      description: "Simulated machines of up to 256 CPUs instead of 128. The explorer is not built with it."),
    .default(enabledTraits: ["Witness"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // The core: standard library and Synchronization only; compiles as Embedded Swift.
    .target(name: "SoftInterrupts", exclude: ["Typed/make-overloads"], swiftSettings: core),
    // Linux threads as CPUs; the C shims are confined to CHosted.
    .target(name: "CHosted"),
    .target(name: "HostedMachine", dependencies: ["SoftInterrupts", "CHosted"]),
    // Swift concurrency at a level: executors, actors, a clock; any machine.
    .target(name: "LevelActors", dependencies: ["SoftInterrupts"]),
    // Virtual CPUs under a scheduler that is asked at every shared operation; the coroutines are confined to CSimulated.
    .target(name: "CSimulated"),
    .target(name: "SimulatedMachine", dependencies: ["SoftInterrupts", "CSimulated"]),
    // Every interleaving of a program on it.
    .target(name: "Exploration", dependencies: ["SoftInterrupts", "SimulatedMachine"]),
    // Programs on it, written down as JSON; ComparisonReport for the text of JSON and pages.
    .target(
      name: "Scenarios",
      dependencies: ["SoftInterrupts", "SimulatedMachine", "Exploration", "ComparisonReport"]),
    // What is claimed of the core, as programs to be explored; and the tool that runs them.
    .target(name: "CoreProofs", dependencies: ["SoftInterrupts", "SimulatedMachine", "Exploration"]),
    .executableTarget(
      name: "prove",
      dependencies: [
        "CoreProofs", "Scenarios", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    // The flow meter: reader and decoder, then the table and its exports, single-threaded.
    .target(name: "PacketCapture"),
    .target(name: "FlowMeter", dependencies: ["PacketCapture"]),
    // What a comparison found, and its table, JSON and page: no machine in it.
    .target(name: "ComparisonReport"),
    // The flow meter under each discipline, and the runner that compares them.
    .target(
      name: "Workloads",
      dependencies: [
        "SoftInterrupts", "HostedMachine", "SimulatedMachine", "PacketCapture", "FlowMeter",
        "ComparisonReport",
      ]),
    // The bundled capture, as bytes of the program.
    .target(name: "CBundledCapture"),
    // The examples of scenarios, as bytes of the program.
    .target(name: "CBundledScenarios"),
    .executableTarget(
      name: "softint",
      dependencies: [
        "Workloads", "ComparisonReport", "FlowMeter", "PacketCapture", "CBundledCapture", "Scenarios",
        "Exploration", "SimulatedMachine", "CBundledScenarios",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      exclude: ["Resources"]),
    // The program of the README: built and run by the tests, and compared with what the README prints.
    .executableTarget(
      name: "FirstProgram", dependencies: ["SoftInterrupts", "HostedMachine"], path: "Examples/FirstProgram"),
    // The program of the manual's article "The typed order", likewise.
    .executableTarget(
      name: "TypedOrder", dependencies: ["SoftInterrupts", "HostedMachine"], path: "Examples/TypedOrder"),
    // A program to start from: a game over UDP.
    .executableTarget(
      name: "game-server", dependencies: ["SoftInterrupts", "HostedMachine"], path: "Examples/GameServer",
      exclude: ["README.md"]),
    // The steps of the tutorial "Off the big lock in an afternoon".
    .executableTarget(
      name: "off-the-big-lock",
      dependencies: ["SoftInterrupts", "HostedMachine", "SimulatedMachine", "Exploration"],
      path: "Examples/OffTheBigLock"),
    .testTarget(
      name: "DocumentationTests",
      dependencies: [
        "FirstProgram", "TypedOrder", "game-server", "off-the-big-lock", "softint", "SoftInterrupts",
        "HostedMachine", "Exploration",
      ]),
    // What several suites of tests share.
    .target(name: "TestSupport", path: "Tests/TestSupport"),
    .testTarget(name: "SoftInterruptsTests", dependencies: ["SoftInterrupts"]),
    .testTarget(name: "HostedMachineTests", dependencies: ["SoftInterrupts", "HostedMachine"]),
    .testTarget(
      name: "LevelActorsTests",
      dependencies: ["LevelActors", "SoftInterrupts", "HostedMachine", "SimulatedMachine", "Exploration"]),
    .testTarget(name: "SimulatedMachineTests", dependencies: ["SoftInterrupts", "SimulatedMachine"]),
    .testTarget(
      name: "ExplorationTests",
      dependencies: ["SoftInterrupts", "SimulatedMachine", "Exploration", "CoreProofs"]),
    .testTarget(
      name: "CoreProofsTests",
      dependencies: ["CoreProofs", "Exploration", "SimulatedMachine", "SoftInterrupts"]),
    .testTarget(
      name: "ScenariosTests", dependencies: ["Scenarios", "Exploration", "SoftInterrupts", "TestSupport"]),
    .testTarget(name: "PacketCaptureTests", dependencies: ["PacketCapture"]),
    .testTarget(name: "FlowMeterTests", dependencies: ["FlowMeter", "PacketCapture", "TestSupport"]),
    .testTarget(name: "ComparisonReportTests", dependencies: ["ComparisonReport", "TestSupport"]),
    .testTarget(
      name: "WorkloadsTests", dependencies: ["Workloads", "ComparisonReport", "FlowMeter", "PacketCapture"]),
    .testTarget(name: "CommandLineTests", dependencies: ["softint", "TestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)
