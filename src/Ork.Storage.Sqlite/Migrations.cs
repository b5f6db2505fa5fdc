using Microsoft.Data.Sqlite;

namespace Ork.Storage.Sqlite;

/// <summary>
/// The schema, as numbered steps. A step that was released is never edited: a change is a new step, tested from every released version.
/// </summary>
internal static class Migrations
{
    private static readonly string[] Steps =
    [
        // 1
        """
        CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        INSERT INTO meta (name, value) VALUES ('epoch', 0);
        CREATE TABLE workers (
            worker_id TEXT PRIMARY KEY, peer_key TEXT NOT NULL, endpoint TEXT NOT NULL, features TEXT NOT NULL, contract TEXT,
            terminated INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE devices (device_id TEXT PRIMARY KEY, worker_id TEXT NOT NULL, state TEXT) WITHOUT ROWID;
        CREATE TABLE commands (
            seq INTEGER PRIMARY KEY, command_id TEXT NOT NULL, command TEXT NOT NULL, scope INTEGER NOT NULL, device_id TEXT, targets TEXT,
            params TEXT, caller TEXT NOT NULL, idempotency_key TEXT, idempotent INTEGER NOT NULL, timeout_ms INTEGER NOT NULL,
            created_at INTEGER NOT NULL, deadline_at INTEGER NOT NULL,
            worker_id TEXT NOT NULL, state INTEGER NOT NULL, attempt INTEGER NOT NULL, retries INTEGER NOT NULL, recoveries INTEGER NOT NULL,
            transitions INTEGER NOT NULL, sent_ever INTEGER NOT NULL, stop_requested INTEGER NOT NULL, result TEXT, error TEXT,
            outcome INTEGER NOT NULL, updated_at INTEGER NOT NULL);
        CREATE TABLE command_log (
            command INTEGER NOT NULL, seq INTEGER NOT NULL, from_state INTEGER NOT NULL, to_state INTEGER NOT NULL, at INTEGER NOT NULL,
            attempt INTEGER NOT NULL, detail TEXT NOT NULL, PRIMARY KEY (command, seq)) WITHOUT ROWID;
        CREATE TABLE states (state INTEGER PRIMARY KEY, name TEXT NOT NULL);
        INSERT INTO states VALUES (0, 'NEW'), (1, 'QUEUED'), (2, 'DISPATCHED'), (3, 'EXECUTING'), (4, 'TIMEOUT'), (5, 'SUCCESS'), (6, 'FAILED');
        CREATE VIEW command_history AS
            SELECT c.command_id, c.command, c.device_id, l.seq, f.name AS from_state, t.name AS to_state,
                datetime(l.at / 1000.0, 'unixepoch', 'subsec') AS at, l.attempt, l.detail
            FROM command_log l JOIN commands c ON c.seq = l.command JOIN states f ON f.state = l.from_state JOIN states t ON t.state = l.to_state;
        """,

        // 2: priority of commands, circuits held by an operator
        """
        ALTER TABLE commands ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE workers ADD COLUMN circuit_hold INTEGER NOT NULL DEFAULT 0;
        """,

        // 3: which opening of a Worker's journal is relied on
        """
        ALTER TABLE workers ADD COLUMN journal TEXT NOT NULL DEFAULT '';
        """,

        // 4: which attempts of a command its Worker may have begun; of those of before that are not known to have been refused, any
        """
        ALTER TABLE commands ADD COLUMN doubtful_from INTEGER NOT NULL DEFAULT 0;
        UPDATE commands SET doubtful_from = 1 WHERE sent_ever <> 0;
        """,
    ];

    /// <summary>The schema version this build writes.</summary>
    internal static int Latest => Steps.Length;

    /// <summary>Brings a store to <see cref="Latest"/>, each step in one transaction.</summary>
    internal static void Apply(SqliteConnection connection, int from)
    {
        for (var version = from; version < Latest; version++)
        {
            using var transaction = connection.BeginTransaction();
            using var command = connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = Steps[version] + $"PRAGMA user_version = {version + 1};";
            command.ExecuteNonQuery();
            transaction.Commit();
        }
    }
}
