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
        Rows(connection, "SELECT * FROM commands ORDER BY seq", ReadCommand));

    private static CommandRow ReadCommand(SqliteDataReader row) => new()
    {
        Seq = row.GetInt64(0),
        Spec = new CommandSpec
        {
            CommandId = row.GetString(1),
            Command = row.GetString(2),
            Scope = (CommandScope)row.GetInt32(3),
            DeviceId = Text(row, 4),
            Targets = Text(row, 5) is { } targets ? JsonSerializer.Deserialize<string[]>(targets) : null,
            Params = Bytes(row, 6),
            Caller = row.GetString(7),
            IdempotencyKey = Text(row, 8),
            Idempotent = row.GetInt64(9) != 0,
            TimeoutMs = row.GetInt64(10),
            CreatedAt = row.GetInt64(11),
            DeadlineAt = row.GetInt64(12),
            Priority = (CommandPriority)row.GetInt32(25),
        },
        WorkerId = row.GetString(13),
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

    private static List<T> Rows<T>(SqliteConnection connection, string sql, Func<SqliteDataReader, T> read)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(read(reader));
        return rows;
    }

    private static string? Text(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static byte[] Bytes(SqliteDataReader row, int column) => row.IsDBNull(column) ? [] : Encoding.UTF8.GetBytes(row.GetString(column));
}
