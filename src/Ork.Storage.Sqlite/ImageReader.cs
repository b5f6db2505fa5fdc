using System.Text;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Ork.Kernel;
using Ork.Protocol;
using SQLitePCL;

namespace Ork.Storage.Sqlite;

/// <summary>Loads all that a kernel needs to recover.</summary>
internal static class ImageReader
{
    internal static KernelImage Read(SqliteConnection connection, long epoch) => new(
        epoch,
        Rows(connection, "SELECT worker_id, peer_key, endpoint, features, contract, terminated, circuit_hold, journal FROM workers ORDER BY worker_id", row => new WorkerRow(
            row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3), Bytes(row, 4), row.GetInt64(5) != 0, (CircuitHold)row.GetInt32(6), row.GetString(7))),
        Rows(connection, "SELECT device_id, worker_id, state FROM devices ORDER BY device_id", row => new DeviceRow(
            row.GetString(0), row.GetString(1), Bytes(row, 2))),
        Commands(connection));

    /// <summary>Straight on SQLite's own interface: a kernel that recovers a million commands reads 27 values of each.</summary>
    private static List<CommandRow> Commands(SqliteConnection connection)
    {
        var names = new Names();
        var rows = new List<CommandRow>(Count(connection));
        var code = raw.sqlite3_prepare_v2(connection.Handle!, "SELECT * FROM commands ORDER BY seq", out var statement);
        if (code != raw.SQLITE_OK) throw CommitWriter.Failure(connection.Handle!, code);
        using (statement)
        {
            while ((code = raw.sqlite3_step(statement)) == raw.SQLITE_ROW) rows.Add(ReadCommand(new Columns(statement), names));
            if (code != raw.SQLITE_DONE) throw CommitWriter.Failure(connection.Handle!, code);
        }

        return rows;
    }

    private static int Count(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT count(*) FROM commands";
        return (int)(long)command.ExecuteScalar()!;
    }

    private static CommandRow ReadCommand(Columns row, Names names) => new()
    {
        Seq = row.Number(0),
        Spec = new CommandSpec
        {
            CommandId = row.Text(1)!,
            Command = names.One(row.Bytes(2)),
            Scope = (CommandScope)row.Number(3),
            DeviceId = row.IsNull(4) ? null : names.One(row.Bytes(4)),
            Targets = row.Text(5) is { } targets ? JsonSerializer.Deserialize<string[]>(targets) : null,
            Params = row.Bytes(6).ToArray(),
            Caller = names.One(row.Bytes(7)),
            IdempotencyKey = row.Text(8),
            Idempotent = row.Number(9) != 0,
            TimeoutMs = row.Number(10),
            CreatedAt = row.Number(11),
            DeadlineAt = row.Number(12),
            Priority = (CommandPriority)row.Number(25),
        },
        WorkerId = names.One(row.Bytes(13)),
        State = (CommandState)row.Number(14),
        Attempt = (int)row.Number(15),
        Retries = (int)row.Number(16),
        Recoveries = (int)row.Number(17),
        Transitions = (int)row.Number(18),
        SentEver = row.Number(19) != 0,
        DoubtfulFrom = (int)row.Number(26),
        StopRequested = row.Number(20) != 0,
        Result = row.Bytes(21).ToArray(),
        Error = row.Text(22),
        Outcome = (CommandOutcome)row.Number(23),
        UpdatedAt = row.Number(24),
    };

    /// <summary>The values of the row that a statement stands on.</summary>
    private readonly struct Columns(sqlite3_stmt statement)
    {
        internal bool IsNull(int column) => raw.sqlite3_column_type(statement, column) == raw.SQLITE_NULL;

        internal long Number(int column) => raw.sqlite3_column_int64(statement, column);

        /// <summary>The bytes of a text, valid until the next step; none for NULL.</summary>
        internal ReadOnlySpan<byte> Bytes(int column) => raw.sqlite3_column_blob(statement, column);

        internal string? Text(int column) => IsNull(column) ? null : Encoding.UTF8.GetString(Bytes(column));
    }

    private static List<T> Rows<T>(SqliteConnection connection, string sql, Func<SqliteDataReader, T> read)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(read(reader));
        return rows;
    }

    /// <summary>Keeps one string of each name: a million commands have a few thousand of them.</summary>
    private sealed class Names
    {
        private readonly HashSet<string> _known = new(StringComparer.Ordinal);

        internal string One(ReadOnlySpan<byte> utf8)
        {
            Span<char> stack = stackalloc char[256];
            var most = Encoding.UTF8.GetMaxCharCount(utf8.Length);
            var chars = most <= stack.Length ? stack : new char[most];
            chars = chars[..Encoding.UTF8.GetChars(utf8, chars)];
            var known = _known.GetAlternateLookup<ReadOnlySpan<char>>();
            if (known.TryGetValue(chars, out var name)) return name;
            name = chars.ToString();
            _known.Add(name);
            return name;
        }
    }

    private static byte[] Bytes(SqliteDataReader row, int column) => row.IsDBNull(column) ? [] : Encoding.UTF8.GetBytes(row.GetString(column));
}
