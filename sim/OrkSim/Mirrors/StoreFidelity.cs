using Ork;
using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;
using Ork.Kernel;
using Ork.Storage.Sqlite;

namespace OrkSim;

/// <summary>
/// S22: the real store is the model of it. Every batch that became durable in the run is written to a real SQLite store, which is closed and opened again wherever a
/// kernel of the run opened its own, and after each batch that took devices away, for what is lost with them is soon written again; what it gives back, and the
/// command log in its file, must be what the run's store holds.
/// </summary>
[OrkRole(OrkRole.Edge)]
public sealed class StoreFidelity : IInvariant, IDisposable
{
    private readonly MirrorFolder _folder = new();
    private readonly StringBuilder _text = new();
    private IKernelStore? _store;
    private Task? _commit;
    private long _epoch;

    /// <inheritdoc/>
    public string Id => "S22";

    /// <inheritdoc/>
    public string Says => "The SQLite store gives back at every opening what was committed to it, row for row.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.StoreOpened | SimEventKind.CommitDurable;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        try
        {
            if (happened.Kind == SimEventKind.StoreOpened) Reopen(happened.Image!, facts);
            else if (_store is { } store && happened.Batch is { } batch) Commit(store, batch, facts);
        }
        catch (Exception e) when (e is StoreException or SqliteException or InvalidCastException)
        {
            facts.Violated(this, $"The SQLite store failed at what the model took: {e.Message}");
        }
    }

    /// <inheritdoc/>
    public void End(Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (_store is null) return;
        Hear(new SimEvent { Kind = SimEventKind.StoreOpened, Image = Committed(facts) }, facts);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Close();
        _folder.Dispose();
    }

    private static KernelImage Committed(Facts facts)
    {
        var disk = facts.World.Store.Disk;
        return new KernelImage(0, disk.Workers, disk.Devices, disk.Commands);
    }

    /// <summary>The store writes while the run goes on, until the next batch comes or the store is closed.</summary>
    private void Commit(IKernelStore store, CommitBatch durable, Facts facts)
    {
        EndCommit();
        var batch = BatchCopy.Of(durable);
        _commit = Real.Begin(() => store.CommitAsync(batch).AsTask());
        if (batch.RemovedDevices.Count > 0) Reopen(Committed(facts), facts);
    }

    private void EndCommit()
    {
        var commit = _commit;
        _commit = null;
        if (commit is not null) Real.Wait(() => new ValueTask(commit));
    }

    private void Close()
    {
        if (_store is { } store) Real.Wait(store.DisposeAsync);
        _store = null;
    }

    private void Reopen(KernelImage expected, Facts facts)
    {
        EndCommit();
        Close();
        if (_epoch > 0 && LogDiffers(facts) is { } line) facts.Violated(this, line);
        _store = Real.Wait(new SqliteKernelStoreOpener(_folder.Path).OpenAsync);
        var image = _store.TakeImage();
        if (image.Epoch <= _epoch) facts.Violated(this, $"An opening gave the epoch {image.Epoch} after {_epoch}.");
        _epoch = image.Epoch;
        if (Differs("Worker", expected.Workers, image.Workers, Show) is { } worker) facts.Violated(this, worker);
        else if (Differs("device", expected.Devices, image.Devices, Show) is { } device) facts.Violated(this, device);
        else if (Differs("command", expected.Commands, image.Commands, Show) is { } command) facts.Violated(this, command);
    }

    private string? LogDiffers(Facts facts)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(_folder.Path, SqliteKernelStoreOpener.FileName)};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT command, seq, from_state, to_state, at, attempt, detail FROM command_log ORDER BY command, seq";
        using var reader = command.ExecuteReader();
        var rows = new List<TransitionRow>();
        while (reader.Read())
        {
            rows.Add(new TransitionRow(
                reader.GetInt64(0), reader.GetInt32(1), (CommandState)reader.GetInt32(2), (CommandState)reader.GetInt32(3), reader.GetInt64(4), reader.GetInt32(5), reader.GetString(6)));
        }

        return Differs("line of the command log", [.. facts.World.Store.Disk.Log.OrderBy(static row => row.CommandSeq).ThenBy(static row => row.Number)], rows, static row => row.ToString());
    }

    private static string? Differs<T>(string what, IReadOnlyList<T> expected, IReadOnlyList<T> found, Func<T, string> show)
    {
        for (var i = 0; i < Math.Max(expected.Count, found.Count); i++)
        {
            var (committed, read) = (i < expected.Count ? show(expected[i]) : "none", i < found.Count ? show(found[i]) : "none");
            if (committed != read) return $"The {what} that was committed as {committed} came back as {read}.";
        }

        return null;
    }

    private string Show(WorkerRow row) => Text(row.WorkerId, row.PeerKey, row.Endpoint, row.Features, row.Contract, row.Terminated, row.Hold, row.Journal);

    private string Show(DeviceRow row) => Text(row.DeviceId, row.WorkerId, row.State);

    private string Show(CommandRow row) => Text(
        row.Seq, row.Spec.CommandId, row.Spec.Command, row.Spec.Scope, row.Spec.DeviceId, row.Spec.Targets is { } targets ? string.Join('+', targets) : null, row.Spec.Params, row.Spec.Caller,
        row.Spec.IdempotencyKey, row.Spec.Priority, row.Spec.Idempotent, row.Spec.TimeoutMs, row.Spec.CreatedAt, row.Spec.DeadlineAt, row.WorkerId, row.State, row.Attempt, row.Retries,
        row.Recoveries, row.Transitions, row.SentEver, row.DoubtfulFrom, row.StopRequested, row.Result, row.Error, row.Outcome, row.UpdatedAt);

    private string Text(params ReadOnlySpan<object?> members)
    {
        _text.Clear();
        foreach (var member in members)
        {
            _text.Append(_text.Length == 0 ? "" : ", ");
            _ = member switch
            {
                null => _text.Append('-'),
                string text => _text.Append('"').Append(text).Append('"'),
                ReadOnlyMemory<byte> bytes => _text.Append(Encoding.UTF8.GetString(bytes.Span)),
                IFormattable value => _text.Append(value.ToString(null, CultureInfo.InvariantCulture)),
                _ => _text.Append(member),
            };
        }

        return _text.ToString();
    }
}
