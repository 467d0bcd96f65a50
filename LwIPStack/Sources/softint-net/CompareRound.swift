// One round of one row: a server is started, put under load, ended, and asked what it counted.
//
// Law: a row whose server failed, or whose lwIP asserted in vain, is no result: the comparison ends. A client or server that does not end is
// killed, that round of the row is left out, and the comparison goes on.

import Glibc
import LwIPStack
import NetworkServers

/// What one round found.
struct Sample {
  /// Requests or Gbit in a second.
  var rate: Double
  /// Microseconds; nil where the client does not say.
  var p50, p99: Double?
  var errors: Int
  /// Of the server's process, microseconds for each request; nil for iperf3.
  var cpuMicroseconds: Double?
  /// Of the probe at softSerial, microseconds.
  var probeP99: Double?
  /// What the stack's own timers say against the discipline.
  var refutation: String?
}

struct CompareRound {
  var load: CompareLoad
  var seconds, clients, slowClients: Int
  var port: UInt16

  /// How long a client may take beyond the time that it is told, and a server to end, in seconds.
  private static let grace = 15

  /// Nil, and said, if the client or the server did not end.
  func run(_ row: Contender) throws(CommandFailure) -> Sample? {
    let directory = try Orientation.directory(row)
    defer { directory?.remove() }
    guard let server = Server(arguments(row, directory)) else {
      throw .system("\(row.name): cannot be started")
    }
    let isReady =
      row.program == .nginx ? Orientation.answers(port) : server.firstLine()?.hasPrefix("listening") == true
    guard isReady else {
      _ = server.finish(SIGTERM, within: Self.grace)
      throw .system("\(row.name): it does not listen on port \(port) (see its message above)")
    }
    var sample: Sample?
    var unended: String?
    switch load {
    case .wrk, .slow: sample = wrk(row, &unended)
    case .iperf, .iperfReverse: sample = iperf(row, &unended)
    case .work, .stacks:
      // Their clients are in the server: there is nothing to do but to let the time pass.
      sleep(UInt32(seconds))
    }
    let (text, end) = server.finish(SIGINT, within: Self.grace)
    if end.wasKilled { unended = "\(unended.map { "\($0) and " } ?? "")the server" }
    if let unended {
      complain(
        "softint-net",
        "\(row.name): \(unended) did not end within \(Self.grace) s more, and was killed; this round is left out. Look into it by: \(alone(row))"
      )
      return nil
    }
    guard end.status == 0 else { throw .system("\(row.name): exit status \(end.status)") }
    if load.isMemory { sample = Self.inMemory(text) }
    guard var sample else { throw .system("\(row.name): the client failed") }
    if row.program == .own && !load.isIperf {
      let asserted = Self.numbers(after: "asserted its lock ", in: text)
      let failed = Self.numbers(after: "in vain ", in: text)
      guard !asserted.isEmpty, asserted.allSatisfy({ $0 > 0 }), failed.allSatisfy({ $0 == 0 }) else {
        throw .system("\(row.name): lwIP asserted its lock in vain, or not at all")
      }
    }
    let served = Self.numbers(after: "served ", in: text).reduce(0, +)
    if served > 0 { sample.cpuMicroseconds = end.cpuSeconds * 1e6 / served }
    sample.probeP99 =
      Self.numbers(after: "; probe p50 ", in: text).isEmpty
      ? nil
      : Self.numbers(after: "ns, p99 ", in: String(text[text.firstRange(of: "; probe p50 ")!.lowerBound...]))
        .first! / 1_000
    let violations = text.split(separator: "\n").filter { $0.hasPrefix("violation: ") }
    sample.refutation = (violations.first { $0.contains("tcp_tmr") } ?? violations.first)
      .map { String($0.dropFirst("violation: ".count)) }
    return sample
  }

  private func arguments(_ row: Contender, _ directory: Orientation.Directory?) -> [String] {
    switch row.program {
    case .own, .coreLock:
      let name = row.program == .own ? "softint-net" : "lwip-corelock"
      let memory = load.isMemory ? ["--memory-clients", "\(clients)"] : []
      return ["\(Self.home)/\(name)"] + row.arguments + ["--port", "\(port)"] + memory
    case .nginx: return Orientation.nginx(directory!, port)
    case .readyMade: return ["\(Self.home)/ready-made", "\(port)", "\(directory?.page ?? "index.html")"]
    }
  }

  /// What to type to see a row by itself.
  private func alone(_ row: Contender) -> String {
    let server = row.program == .nginx ? "nginx" : arguments(row, nil).joined(separator: " ")
    return load.isMemory ? server : "\(server), and: \(client(row).joined(separator: " "))"
  }

  // MARK: Clients

  private func client(_ row: Contender) -> [String] {
    if load.isIperf {
      let way = load == .iperfReverse ? ["-R"] : []
      return ["iperf3", "-J", "-c", "127.0.0.1", "-p", "\(port)", "-t", "\(seconds)"] + way
    }
    return ["wrk", "--latency", "-t1", "-c\(clients)", "-d\(seconds)s", "http://127.0.0.1:\(port)/"]
  }

  /// What the client prints; nil if it fails. `unended` if it had to be killed.
  private func output(_ arguments: [String], _ unended: inout String?) -> String? {
    guard let client = Server(arguments) else { return nil }
    let (text, end) = client.finish(within: seconds + Self.grace)
    if end.wasKilled { unended = arguments[0] }
    return end.status == 0 ? text : nil
  }

  private func wrk(_ row: Contender, _ unended: inout String?) -> Sample? {
    let place = "http://127.0.0.1:\(port)"
    let companion = row.slowPath.map { path in
      Companion(
        ["wrk", "-t1", "-c\(slowClients)", "-d\(seconds)s", place + path], within: seconds + Self.grace)
    }
    let text = output(client(row), &unended)
    companion?.join()
    return text.flatMap(WrkResult.init).map {
      Sample(rate: $0.requestsPerSecond, p50: $0.p50, p99: $0.p99, errors: $0.errors)
    }
  }

  private func iperf(_ row: Contender, _ unended: inout String?) -> Sample? {
    guard let text = output(client(row), &unended),
      let sum = text.firstRange(of: "\"sum_received\""),
      let rate = Self.numbers(after: "\"bits_per_second\":", in: String(text[sum.upperBound...])).first
    else { return nil }
    return Sample(rate: rate / 1e9, errors: 0)
  }

  /// What the clients in memory say; of two stacks' clients the sum, and the slower's times.
  private static func inMemory(_ text: String) -> Sample? {
    let lines = text.split(separator: "\n").filter { $0.hasPrefix("clients: ") }.map(String.init)
    if lines.isEmpty { return nil }
    func all(_ before: String) -> [Double] { lines.flatMap { numbers(after: before, in: $0) } }
    return Sample(
      rate: all("answers, ").reduce(0, +), p50: all("p50 ").max().map { $0 / 1_000 },
      p99: all("p99 ").max().map { $0 / 1_000 },
      errors: Int((all("ns; ") + all("errors, ")).reduce(0, +)))
  }

  /// The numbers that follow each occurrence of `words`.
  private static func numbers(after words: String, in text: String) -> [Double] {
    text.ranges(of: words).compactMap { range in
      Double(
        text[range.upperBound...].drop { $0 == " " || $0 == "\t" }.prefix {
          $0.isNumber || ".e+-".contains($0)
        })
    }
  }

  /// The directory of this program.
  static let home: String = {
    var path = [UInt8](repeating: 0, count: 4_096)
    let length = path.withUnsafeMutableBytes { readlink("/proc/self/exe", $0.baseAddress!, $0.count) }
    let text = String(decoding: path[..<max(0, length)], as: UTF8.self)
    return text.lastIndex(of: "/").map { String(text[..<$0]) } ?? "."
  }()
}

/// On the kernel's stack, for orientation, the same page on a port of loopback: nginx with one worker; and `ready-made`, which is nothing but the
/// system calls.
enum Orientation {
  static let nginxPath = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"].first {
    (path: String) in
    access(path, X_OK) == 0
  }

  struct Directory {
    var path: String
    var page: String { "\(path)/index.html" }
    func remove() { _ = Child.output(["rm", "-rf", path]) }
  }

  static func directory(_ row: Contender) throws(CommandFailure) -> Directory? {
    if row.program != .nginx && row.program != .readyMade { return nil }
    var name = Array("/tmp/softint-net-XXXXXX".utf8CString)
    guard mkdtemp(&name) != nil else { throw .system("no directory for \(row.name) could be made") }
    let path = name.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    guard let file = fopen(Directory(path: path).page, "we") else {
      throw .system("\(path) cannot be written")
    }
    let page = Site.bundled.file("/")!.bytes
    fwrite(page, 1, page.count, file)
    fclose(file)
    // nginx may give its rights up, and is to read this all the same.
    chmod(path, 0o755)
    return Directory(path: path)
  }

  static func nginx(_ directory: Directory, _ port: UInt16) -> [String] {
    let place = directory.path
    let configuration = """
      daemon off; master_process off; pid \(place)/pid; error_log \(place)/log; worker_processes 1;
      """
    let file = "\(place)/nginx.conf"
    let http = """
      events { worker_connections 2048; }
      http { access_log off; keepalive_requests 1000000000; default_type text/html; client_body_temp_path \(place)/body; \
      proxy_temp_path \(place)/proxy; fastcgi_temp_path \(place)/fastcgi; uwsgi_temp_path \(place)/uwsgi; scgi_temp_path \(place)/scgi; \
      open_file_cache max=16; server { listen 127.0.0.1:\(port); root \(place); } }
      """
    if let written = fopen(file, "we") {
      _ = (configuration + "\n" + http + "\n").withCString { fputs($0, written) }
      fclose(written)
    }
    return [nginxPath!, "-c", file, "-p", place, "-e", "\(place)/log"]
  }

  /// Whether somebody accepts connections, within five seconds.
  static func answers(_ port: UInt16) -> Bool {
    for _ in 0..<250 {
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(descriptor) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      let result = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      if result == 0 { return true }
      usleep(20_000)
    }
    return false
  }
}
