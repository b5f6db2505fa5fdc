using System.Text;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Ork.Kernel;
using Ork.Protocol;
using SQLitePCL;

namespace Ork.Storage.Sqlite;

/// <summary>
/// The kernel's store on SQLite: WAL, <c>synchronous=FULL</c>, one writer, prepared statements, one transaction a turn. A commit has completed when
/// SQLite has synced it; after one that failed the store refuses every further one.
/// </summary>
internal sealed class SqliteKernelStore : IKernelStore
{
    private readonly SqliteConnection _connection;
    private readonly FileStream _lock;
    private readonly CommitWriter _writer;
    private readonly Func<StoreException?> _findLoss;
    private readonly object _gate = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private KernelImage? _image;
    private CommitBatch? _next;
    private TaskCompletionSource? _done;
    private bool _broken;
    private bool _closing;

    /// <summary>Takes over an open connection and the directory's lock.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="held">The lock.</param>
    /// <param name="image">What was read.</param>
    /// <param name="findLoss">Looks whether what was written is where it will be looked for; asked after each commit, before it counts.</param>
    internal SqliteKernelStore(SqliteConnection connection, FileStream held, KernelImage image, Func<StoreException?> findLoss)
    {
        _connection = connection;
        _lock = held;
        _image = image;
        _writer = new CommitWriter(connection);
        _findLoss = findLoss;
        new Thread(WriteCommits) { IsBackground = true, Name = "ork-store" }.Start();
    }

    /// <inheritdoc/>
    public KernelImage TakeImage()
    {
        var image = _image ?? throw new InvalidOperationException("The image was taken already.");
        _image = null;
        return image;
    }

    /// <inheritdoc/>
    public ValueTask CommitAsync(CommitBatch batch)
    {
        // The continuation is the kernel's; it must not run on the store's thread.
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_broken || _closing) throw new StoreException(Refusal.With(ErrorCodes.StoreUnavailable, "an earlier commit failed"));
            if (_next is not null) throw new InvalidOperationException("A commit is under way.");
            _next = batch;
            _done = done;
            Monitor.Pulse(_gate);
        }

        return new ValueTask(done.Task);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _closing = true;
            Monitor.Pulse(_gate);
        }

        await _ended.Task;
        _writer.Dispose();
        _connection.Dispose();
        await _lock.DisposeAsync();
    }

    private void WriteCommits()
    {
        while (true)
        {
            CommitBatch batch;
            TaskCompletionSource done;
            lock (_gate)
            {
#pragma warning disable ORK0006 // The thread is the store's own, and waits for nothing but work.
                while (_next is null && !_closing) Monitor.Wait(_gate);
#pragma warning restore ORK0006
                if (_next is null)
                {
                    _ended.SetResult();
                    return;
                }

                (batch, done) = (_next, _done!);
            }

            var failure = Write(batch);
            lock (_gate)
            {
                _broken = failure is not null;
                _next = null;
            }

            if (failure is null) done.SetResult();
            else done.SetException(failure);
        }
    }

    private StoreException? Write(CommitBatch batch)
    {
        try
        {
            _writer.Write(batch);
            return _findLoss();
        }
        catch (SqliteException e)
        {
            return SqliteKernelStoreOpener.Translate(e);
        }
        catch (Exception e)
        {
            return new StoreException(Refusal.With(ErrorCodes.StoreUnavailable, e.Message), e);
        }
    }
}

/// <summary>Writes batches with prepared statements, straight on SQLite's own interface: the hot path of the store.</summary>
internal sealed class CommitWriter : IDisposable
{
    private readonly sqlite3 _db;
    private readonly Statement _begin, _commit, _worker, _device, _removeDevice, _insert, _update, _log, _forget, _forgetLog;

    internal CommitWriter(SqliteConnection connection)
    {
        _db = connection.Handle!;
        _begin = Prepare("BEGIN IMMEDIATE");
        _commit = Prepare("COMMIT");
        _worker = Prepare(
            "INSERT INTO workers (worker_id, peer_key, endpoint, features, contract, terminated, circuit_hold, journal) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
            + "ON CONFLICT (worker_id) DO UPDATE SET peer_key = excluded.peer_key, endpoint = excluded.endpoint, features = excluded.features, "
            + "contract = excluded.contract, terminated = excluded.terminated, circuit_hold = excluded.circuit_hold, "
            + "journal = excluded.journal");
        _device = Prepare(
            "INSERT INTO devices (device_id, worker_id, state) VALUES (?, ?, ?) "
            + "ON CONFLICT (device_id) DO UPDATE SET worker_id = excluded.worker_id, state = excluded.state");
        _removeDevice = Prepare("DELETE FROM devices WHERE device_id = ?");
        _insert = Prepare(
            "INSERT INTO commands (seq, command_id, command, scope, device_id, targets, params, caller, idempotency_key, idempotent, timeout_ms, created_at, "
            + "deadline_at, worker_id, state, attempt, retries, recoveries, transitions, sent_ever, stop_requested, result, error, outcome, updated_at, priority, "
            + "doubtful_from) "
            + "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27)");
        _update = Prepare(
            "UPDATE commands SET worker_id = ?14, state = ?15, attempt = ?16, retries = ?17, recoveries = ?18, transitions = ?19, sent_ever = ?20, "
            + "stop_requested = ?21, result = ?22, error = ?23, outcome = ?24, updated_at = ?25, doubtful_from = ?27 WHERE seq = ?1");
        _log = Prepare("INSERT INTO command_log (command, seq, from_state, to_state, at, attempt, detail) VALUES (?, ?, ?, ?, ?, ?, ?)");
        _forget = Prepare("DELETE FROM commands WHERE seq = ?");
        _forgetLog = Prepare("DELETE FROM command_log WHERE command = ?");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var statement in new[] { _begin, _commit, _worker, _device, _removeDevice, _insert, _update, _log, _forget, _forgetLog }) statement.Dispose();
    }

    /// <summary>Writes one batch as one transaction, synced when this returns.</summary>
    internal void Write(CommitBatch batch)
    {
        _begin.Run();
        foreach (var row in batch.Workers)
        {
            _worker.Bind(1, row.WorkerId).Bind(2, row.PeerKey).Bind(3, row.Endpoint).Bind(4, row.Features).Bind(5, row.Contract.Span)
                .Bind(6, row.Terminated ? 1 : 0).Bind(7, (int)row.Hold).Bind(8, row.Journal).Run();
        }

        foreach (var deviceId in batch.RemovedDevices) _removeDevice.Bind(1, deviceId).Run();
        foreach (var row in batch.Devices) _device.Bind(1, row.DeviceId).Bind(2, row.WorkerId).Bind(3, row.State.Span).Run();
        foreach (var row in batch.NewCommands)
        {
            BindSpec(row);
            BindStanding(_insert, row);
        }

        foreach (var row in batch.ChangedCommands) BindStanding(_update.Bind(1, row.Seq), row);
        foreach (var row in batch.Log)
        {
            _log.Bind(1, row.CommandSeq).Bind(2, row.Number).Bind(3, (int)row.From).Bind(4, (int)row.To).Bind(5, row.At).Bind(6, row.Attempt)
                .Bind(7, row.Detail).Run();
        }

        foreach (var seq in batch.ForgottenCommands)
        {
            _forget.Bind(1, seq).Run();
            _forgetLog.Bind(1, seq).Run();
        }

        _commit.Run();
    }

    private void BindSpec(in CommandRow row)
    {
        var spec = row.Spec;
        _insert.Bind(1, row.Seq).Bind(2, spec.CommandId).Bind(3, spec.Command).Bind(4, (int)spec.Scope).Bind(5, spec.DeviceId)
            .Bind(6, spec.Targets is null ? null : JsonSerializer.Serialize(spec.Targets)).Bind(7, spec.Params.Span).Bind(8, spec.Caller)
            .Bind(9, spec.IdempotencyKey).Bind(10, spec.Idempotent ? 1 : 0).Bind(11, spec.TimeoutMs).Bind(12, spec.CreatedAt)
            .Bind(13, spec.DeadlineAt).Bind(26, (int)spec.Priority);
    }

    private static void BindStanding(Statement statement, in CommandRow row) => statement
        .Bind(14, row.WorkerId).Bind(15, (int)row.State).Bind(16, row.Attempt).Bind(17, row.Retries).Bind(18, row.Recoveries)
        .Bind(19, row.Transitions).Bind(20, row.SentEver ? 1 : 0).Bind(21, row.StopRequested ? 1 : 0).Bind(22, row.Result.Span)
        .Bind(23, row.Error).Bind(24, (int)row.Outcome).Bind(25, row.UpdatedAt).Bind(27, row.DoubtfulFrom).Run();

    private Statement Prepare(string sql)
    {
        var code = raw.sqlite3_prepare_v3(_db, sql, raw.SQLITE_PREPARE_PERSISTENT, out var statement);
        return code == raw.SQLITE_OK ? new Statement(_db, statement) : throw Failure(_db, code);
    }

    internal static SqliteException Failure(sqlite3 db, int code) =>
        new(raw.sqlite3_errmsg(db).utf8_to_string(), code & 0xFF, raw.sqlite3_extended_errcode(db));

    private sealed class Statement(sqlite3 db, sqlite3_stmt statement) : IDisposable
    {
        public void Dispose() => statement.Dispose();

        internal Statement Bind(int at, long value)
        {
            raw.sqlite3_bind_int64(statement, at, value);
            return this;
        }

        internal Statement Bind(int at, string? value)
        {
            if (string.IsNullOrEmpty(value))
            {
                // An empty span would bind NULL.
                if (value is null) raw.sqlite3_bind_null(statement, at);
                else raw.sqlite3_bind_text(statement, at, "");
                return this;
            }

            Span<byte> stack = stackalloc byte[512];
            var most = Encoding.UTF8.GetMaxByteCount(value.Length);
            var bytes = most <= stack.Length ? stack : new byte[most];
            raw.sqlite3_bind_text(statement, at, bytes[..Encoding.UTF8.GetBytes(value, bytes)]);
            return this;
        }

        internal Statement Bind(int at, ReadOnlySpan<byte> json)
        {
            if (json.IsEmpty) raw.sqlite3_bind_null(statement, at);
            else raw.sqlite3_bind_text(statement, at, json);
            return this;
        }

        internal void Run()
        {
            var code = raw.sqlite3_step(statement);
            raw.sqlite3_reset(statement);
            if (code is not (raw.SQLITE_DONE or raw.SQLITE_ROW)) throw Failure(db, code);
        }
    }
}
