// What is written is whole or not there, and what cannot be written is an error of one line.

import Foundation
import TestSupport
import Testing

@testable import FlowMeter

@Suite("Sinks")
struct OutputSinkTests {
  private func write(_ text: String, to sink: OutputSink) throws(OutputError) {
    try sink.write(Array(text.utf8).span.bytes)
  }

  @Test("A file appears when it is finished, whole, and nothing else stays")
  func appears() throws {
    let directory = try TemporaryDirectory()
    let sink = try OutputSink(file: directory.file("flows"))
    try write("one ", to: sink)
    try write("two", to: sink)
    #expect(try !directory.contents.contains("flows"))
    try sink.finish()
    #expect(try directory.contents == ["flows"])
    #expect(try String(contentsOfFile: directory.file("flows"), encoding: .utf8) == "one two")
    #expect(sink.bytesWritten == 7)
  }

  @Test("A file that is not finished leaves nothing, and the old one as it was")
  func abandoned() throws {
    let directory = try TemporaryDirectory()
    try Data("old".utf8).write(to: URL(filePath: directory.file("flows")))
    do {
      let sink = try OutputSink(file: directory.file("flows"))
      try write("half", to: sink)
      sink.abandon()
    }
    #expect(try directory.contents == ["flows"])
    do {
      let sink = try OutputSink(file: directory.file("flows"))
      try write("half", to: sink)
      #expect(try directory.contents.count == 2)
    }
    #expect(try directory.contents == ["flows"], "letting the sink go is enough")
    #expect(try String(contentsOfFile: directory.file("flows"), encoding: .utf8) == "old")
  }

  @Test("A file that cannot get its name in the end leaves nothing either")
  func unpublished() throws {
    let directory = try TemporaryDirectory()
    let sink = try OutputSink(file: directory.file("flows"))
    try write("whole", to: sink)
    try FileManager.default.createDirectory(
      atPath: directory.file("flows"), withIntermediateDirectories: false)
    let error = #expect(throws: OutputError.self) { try sink.finish() }
    #expect((error?.step, error?.exitStatus) == (.publish, 74))
    #expect(try directory.contents == ["flows"])
  }

  @Test("A file is replaced with its permissions, and through a symbolic link")
  func replaced() throws {
    let directory = try TemporaryDirectory()
    let files = FileManager.default
    try Data("old".utf8).write(to: URL(filePath: directory.file("real")))
    try files.setAttributes([.posixPermissions: 0o640], ofItemAtPath: directory.file("real"))
    try files.createSymbolicLink(atPath: directory.file("link"), withDestinationPath: "real")
    let sink = try OutputSink(file: directory.file("link"))
    try write("new", to: sink)
    try sink.finish()
    #expect(try directory.contents == ["link", "real"])
    #expect(try files.destinationOfSymbolicLink(atPath: directory.file("link")) == "real")
    #expect(try String(contentsOfFile: directory.file("real"), encoding: .utf8) == "new")
    #expect(try files.attributesOfItem(atPath: directory.file("real"))[.posixPermissions] as? Int == 0o640)
  }

  @Test("A device stays a device")
  func device() throws {
    let sink = try OutputSink(file: "/dev/null")
    try write("gone", to: sink)
    try sink.finish()
    #expect(
      try FileManager.default.attributesOfItem(atPath: "/dev/null")[.type] as? FileAttributeType
        == .typeCharacterSpecial)
  }

  @Test("A full disk is an error of one line that names the file and what to do")
  func full() throws {
    let sink = try OutputSink(file: "/dev/full")
    let error = #expect(throws: OutputError.self) { try write("x", to: sink) }
    #expect(
      error?.description
        == "/dev/full: writing failed: No space left on device; make room or name a file on another disk")
    #expect(error?.exitStatus == 74)
    #expect(sink.bytesWritten == 0)
  }

  @Test("A directory, or a place in none, cannot be created, and names on one line stay there")
  func cannotCreate() throws {
    let directory = try TemporaryDirectory()
    let inNone = #expect(throws: OutputError.self) { try OutputSink(file: directory.file("no\nwhere/flows")) }
    #expect(inNone?.exitStatus == 73)
    #expect(inNone?.description.hasSuffix("check that the directory exists") == true)
    #expect(inNone?.description.contains("\n") == false)
    let isDirectory = #expect(throws: OutputError.self) { try OutputSink(file: directory.path) }
    #expect(isDirectory?.step == .create)
    #expect(try directory.contents.isEmpty)
  }

  @Test("A reader that has gone is an error if the process ignores the signal")
  func closedPipe() throws {
    signal(SIGPIPE, SIG_IGN)
    let pipe = Pipe()
    try pipe.fileHandleForReading.close()
    let sink = OutputSink(descriptor: pipe.fileHandleForWriting.fileDescriptor, name: "standard output")
    let error = #expect(throws: OutputError.self) { try write("x", to: sink) }
    #expect(error?.isClosedPipe == true)
  }

  @Test("The null sink counts")
  func null() throws {
    let sink = OutputSink.null()
    try write("12345", to: sink)
    try sink.finish()
    #expect(sink.bytesWritten == 5)
  }
}

@Suite("Buffered text")
struct TextOutputTests {
  @Test("Text comes out in order, whatever the size of the buffer", arguments: [1, 2, 3, 7, 64, 65_536])
  func order(bufferSize: Int) throws {
    let pieces = (0..<200).map { "piece \($0) … ü\n" }
    let out = try text(bufferSize: bufferSize) { output in
      for piece in pieces { try output.write(piece) }
      try output.flush()
    }
    #expect(out == pieces.joined())
  }
}
