using System.Text;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Ork.Kernel;
using Ork.Protocol;

namespace Ork.Storage.Sqlite;

/// <summary>Loads all that a kernel needs to recover.</summary>
internal static class ImageReader
{
    internal static KernelImage Read(SqliteConnection connection, long epoch) => new(
        epoch,
        Rows(connection, "SELECT worker_id, peer_key, endpoint, features, contract, terminated, circuit_hold FROM workers ORDER BY worker_id", row => new WorkerRow(
            row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3), Bytes(row, 4), row.GetInt64(5) != 0, (CircuitHold)row.GetInt32(6))),
        Rows(connection, "SELECT device_id, worker_id, state FROM devices ORDER BY device_id", row => new DeviceRow(
            row.GetString(0), row.GetString(1), Bytes(row, 2))),
        Commands(connection));

    private static List<CommandRow> Commands(SqliteConnection connection)
    {
        var names = new Names();
        return Rows(connection, "SELECT * FROM commands ORDER BY seq", row => ReadCommand(row, names), Count(connection));
    }

    private static int Count(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT count(*) FROM commands";
        return (int)(long)command.ExecuteScalar()!;
    }

    private static CommandRow ReadCommand(SqliteDataReader row, Names names) => new()
    {
        Seq = row.GetInt64(0),
        Spec = new CommandSpec
        {
            CommandId = row.GetString(1),
            Command = names.One(row.GetString(2)),
            Scope = (CommandScope)row.GetInt32(3),
            DeviceId = Text(row, 4) is { } device ? names.One(device) : null,
            Targets = Text(row, 5) is { } targets ? JsonSerializer.Deserialize<string[]>(targets) : null,
            Params = Bytes(row, 6),
            Caller = names.One(row.GetString(7)),
            IdempotencyKey = Text(row, 8),
            Idempotent = row.GetInt64(9) != 0,
            TimeoutMs = row.GetInt64(10),
            CreatedAt = row.GetInt64(11),
            DeadlineAt = row.GetInt64(12),
            Priority = (CommandPriority)row.GetInt32(25),
        },
        WorkerId = names.One(row.GetString(13)),
        State = (CommandState)row.GetInt32(14),
        Attempt = row.GetInt32(15),
        Retries = row.GetInt32(16),
        Recoveries = row.GetInt32(17),
        Transitions = row.GetInt32(18),
        SentEver = row.GetInt64(19) != 0,
        StopRequested = row.GetInt64(20) != 0,
        Result = Bytes(row, 21),
        Error = Text(row, 22),
        Outcome = (CommandOutcome)row.GetInt32(23),
        UpdatedAt = row.GetInt64(24),
    };

    private static List<T> Rows<T>(SqliteConnection connection, string sql, Func<SqliteDataReader, T> read, int count = 0)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<T>(count);
        while (reader.Read()) rows.Add(read(reader));
        return rows;
    }

    /// <summary>Keeps one string of each name: a million commands have a few thousand of them.</summary>
    private sealed class Names
    {
        private readonly Dictionary<string, string> _known = new(StringComparer.Ordinal);

        internal string One(string name)
        {
            if (_known.TryGetValue(name, out var known)) return known;
            _known.Add(name, name);
            return name;
        }
    }

    private static string? Text(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static byte[] Bytes(SqliteDataReader row, int column) => row.IsDBNull(column) ? [] : Encoding.UTF8.GetBytes(row.GetString(column));
}
