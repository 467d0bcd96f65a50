// A database that knows nothing of threads, at `softBio`.
//
// Law: the connection is touched at that level only, so by one CPU at a time, whichever that is: which is all that SQLite in single-thread
// mode asks for. There is no lock here, and none in SQLite.

import CSQLite
import LevelActors
import SoftInterrupts

struct DatabaseError: Error, CustomStringConvertible {
  let description: String
}

@SoftBio final class Accounts {
  private let connection: OpaquePointer

  init() throws {
    guard sqlite_without_mutexes() == SQLITE_OK else {
      throw DatabaseError(description: "SQLite was used before it was told to leave its mutexes out")
    }
    var opened: OpaquePointer?
    guard sqlite3_open(":memory:", &opened) == SQLITE_OK, let opened else {
      throw DatabaseError(description: "no database in memory")
    }
    connection = opened
    try run(
      "CREATE TABLE account (name TEXT PRIMARY KEY, balance INTEGER NOT NULL, changes INTEGER NOT NULL)")
  }

  /// Whether the connection has a mutex of SQLite's.
  var hasMutex: Bool { sqlite3_db_mutex(connection) != nil }

  /// Reads and writes in two statements: what somebody did in between would be lost.
  func deposit(_ amount: Int, to name: String) throws {
    let balance = try number("SELECT coalesce(max(balance), 0) FROM account WHERE name = '\(name)'")
    try run(
      """
      INSERT INTO account VALUES ('\(name)', \(amount), 1)
      ON CONFLICT (name) DO UPDATE SET balance = \(balance + amount), changes = changes + 1
      """)
  }

  func total() throws -> Int { try number("SELECT sum(balance) FROM account") }
  func changes() throws -> Int { try number("SELECT sum(changes) FROM account") }

  func close() { sqlite3_close(connection) }

  private func run(_ statement: String) throws {
    guard sqlite3_exec(connection, statement, nil, nil, nil) == SQLITE_OK else { throw failure() }
  }

  private func number(_ query: String) throws -> Int {
    var statement: OpaquePointer?
    guard sqlite3_prepare_v2(connection, query, -1, &statement, nil) == SQLITE_OK else { throw failure() }
    defer { sqlite3_finalize(statement) }
    guard sqlite3_step(statement) == SQLITE_ROW else { throw failure() }
    return Int(sqlite3_column_int64(statement, 0))
  }

  private func failure() -> DatabaseError {
    DatabaseError(description: String(cString: sqlite3_errmsg(connection)))
  }
}
