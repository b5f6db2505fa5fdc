using System.Runtime.CompilerServices;
using Ork.Kernel;
using Ork.Protocol;
using Ork.Storage.Sqlite;
using OrkSim;

namespace Ork.Contracts.Tests;

/// <summary>What every <see cref="IKernelStore"/> keeps, the model and the real one alike.</summary>
public sealed class StoreContract : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ork-store").FullName;

    public static TheoryData<string> Stores => ["model", "sqlite"];

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_new_store_is_empty_and_each_opening_raises_the_epoch(string kind)
    {
        var opener = Opener(kind);
        for (var epoch = 1; epoch <= 3; epoch++)
        {
            await using var store = await opener.OpenAsync();
            var image = store.TakeImage();
            Assert.Equal(epoch, image.Epoch);
            Assert.Empty(image.Workers);
            Assert.Empty(image.Devices);
            Assert.Empty(image.Commands);
        }
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task What_was_committed_is_there_after_reopening_member_for_member(string kind)
    {
        var opener = Opener(kind);
        var batch = new CommitBatch();
        batch.Workers.Add(new WorkerRow("w1", "k1", "", "", default, false));
        batch.Workers.Add(new WorkerRow("wörker 2", "k2", "announce", "journal,x", """{"a": 1}"""u8.ToArray(), true, CircuitHold.Open, "opening 7"));
        batch.Devices.Add(new DeviceRow("d1", "w1", default));
        batch.Devices.Add(new DeviceRow("d2", "wörker 2", """{"led":true}"""u8.ToArray()));
        batch.NewCommands.Add(FullRow(1));
        batch.NewCommands.Add(SparseRow(2));
        batch.Log.Add(new TransitionRow(1, 1, CommandState.New, CommandState.Queued, 5, 0, "Accept"));
        await CommitAsync(opener, batch);
        await using var store = await opener.OpenAsync();
        var image = store.TakeImage();
        Assert.Equal(["w1 k1 - - '' False None -", "wörker 2 k2 announce journal,x '{\"a\": 1}' True Open opening 7"], image.Workers.Select(Show));
        Assert.Equal(["d1 w1 ''", "d2 wörker 2 '{\"led\":true}'"], image.Devices.Select(row => $"{row.DeviceId} {row.WorkerId} '{Text(row.State)}'"));
        Assert.Equal([Show(FullRow(1)), Show(SparseRow(2))], image.Commands.Select(Show));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_store_that_is_closed_ends_the_commit_that_is_under_way(string kind)
    {
        const int many = 5_000;
        var opener = Opener(kind);
        var batch = new CommitBatch();
        for (var seq = 1; seq <= many; seq++) batch.NewCommands.Add(FullRow(seq) with { Spec = FullRow(seq).Spec with { CommandId = $"c{seq}", IdempotencyKey = null } });
        var closed = await opener.OpenAsync();
        closed.TakeImage();
        var commit = closed.CommitAsync(batch).AsTask();
        await closed.DisposeAsync();
        await commit;
        await using var store = await opener.OpenAsync();
        Assert.Equal(many, store.TakeImage().Commands.Count);
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task The_last_row_of_an_id_counts_and_a_change_leaves_the_spec_alone(string kind)
    {
        var opener = Opener(kind);
        var batch = new CommitBatch();
        batch.Workers.Add(new WorkerRow("w", "k", "a", "", default, false, Journal: "a"));
        batch.Workers.Add(new WorkerRow("w", "k", "b", "", default, false, Journal: "b"));
        batch.RemovedDevices.Add("d1");
        batch.Devices.Add(new DeviceRow("d1", "w", default));
        batch.NewCommands.Add(FullRow(1));
        batch.ChangedCommands.Add(FullRow(1) with { Spec = FullRow(1).Spec with { Params = default, Targets = null }, State = CommandState.Success, Error = null });
        await CommitAsync(opener, batch);
        batch = new CommitBatch();
        batch.Devices.Add(new DeviceRow("d1", "other", """{"x":1}"""u8.ToArray()));
        batch.ChangedCommands.Add(FullRow(1) with { WorkerId = "other", State = CommandState.Success, Error = null });
        await CommitAsync(opener, batch);
        await using var store = await opener.OpenAsync();
        var image = store.TakeImage();
        Assert.Equal(("b", "b"), Assert.Single(image.Workers) is var worker ? (worker.Endpoint, worker.Journal) : default);
        Assert.Equal("other", Assert.Single(image.Devices).WorkerId);
        Assert.Equal(Show(FullRow(1) with { WorkerId = "other", State = CommandState.Success, Error = null }), Show(Assert.Single(image.Commands)));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task S12_an_image_that_was_taken_is_let_go_while_the_store_goes_on(string kind)
    {
        var opener = Opener(kind);
        await using var store = await opener.OpenAsync();
        var image = Taken(store);
        GC.Collect();
        Assert.False(image.IsAlive);
        await store.CommitAsync(new CommitBatch());
    }

    /// <summary>In a method of its own, so that nothing here keeps the image.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Taken(IKernelStore store) => new(store.TakeImage());

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task All_that_may_change_of_a_row_does(string kind)
    {
        var opener = Opener(kind);
        var batch = new CommitBatch();
        batch.Workers.Add(new WorkerRow("w", "k", "a", "journal", """{"a":1}"""u8.ToArray(), false, CircuitHold.Open, "first"));
        batch.Devices.Add(new DeviceRow("d1", "w", """{"x":1}"""u8.ToArray()));
        batch.NewCommands.Add(FullRow(1));
        await CommitAsync(opener, batch);
        var worker = new WorkerRow("w", "l", "b", "", """{"b":2}"""u8.ToArray(), true, CircuitHold.Closed, "second");
        var command = FullRow(1) with
        {
            WorkerId = "other", State = CommandState.Failed, Attempt = 4, Retries = 5, Recoveries = 6, Transitions = 12, SentEver = false, DoubtfulFrom = 1, StopRequested = false,
            Result = """{"other":2}"""u8.ToArray(), Error = "ERR_HANDLER_FAILED", Outcome = CommandOutcome.Failed, UpdatedAt = 1_700_000_000_900,
        };
        batch = new CommitBatch();
        batch.Workers.Add(worker);
        batch.Devices.Add(new DeviceRow("d1", "other", """{"x":2}"""u8.ToArray()));
        batch.ChangedCommands.Add(command);
        await CommitAsync(opener, batch);
        await using var store = await opener.OpenAsync();
        var image = store.TakeImage();
        Assert.Equal(Show(worker), Show(Assert.Single(image.Workers)));
        Assert.Equal(("other", """{"x":2}"""), Assert.Single(image.Devices) is var device ? (device.WorkerId, Text(device.State)) : default);
        Assert.Equal(Show(command), Show(Assert.Single(image.Commands)));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task What_is_removed_and_forgotten_is_gone(string kind)
    {
        var opener = Opener(kind);
        var batch = new CommitBatch();
        batch.Devices.Add(new DeviceRow("d1", "w", default));
        batch.NewCommands.Add(SparseRow(1));
        batch.NewCommands.Add(SparseRow(2));
        batch.Log.Add(new TransitionRow(1, 1, CommandState.New, CommandState.Queued, 5, 0, "Accept"));
        await CommitAsync(opener, batch);
        batch = new CommitBatch();
        batch.RemovedDevices.Add("d1");
        batch.ForgottenCommands.Add(1);
        await CommitAsync(opener, batch);
        await using var store = await opener.OpenAsync();
        var image = store.TakeImage();
        Assert.Empty(image.Devices);
        Assert.Equal(2, Assert.Single(image.Commands).Seq);
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task Commands_come_back_by_rising_sequence(string kind)
    {
        var opener = Opener(kind);
        var batch = new CommitBatch();
        foreach (var seq in new long[] { 30, 7, 1_000_000_000_000, 8 }) batch.NewCommands.Add(SparseRow(seq));
        await CommitAsync(opener, batch);
        await using var store = await opener.OpenAsync();
        Assert.Equal([7, 8, 30, 1_000_000_000_000], store.TakeImage().Commands.Select(row => row.Seq));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_store_that_is_held_is_refused_to_others_and_free_once_let_go(string kind)
    {
        var opener = Opener(kind);
        var store = await opener.OpenAsync();
        var refused = await Assert.ThrowsAsync<StoreException>(async () => await opener.OpenAsync());
        Assert.Equal(ErrorCodes.StoreLocked, refused.Refusal.Error);
        await store.DisposeAsync();
        await using var again = await opener.OpenAsync();
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task After_a_commit_that_failed_no_further_one_is_taken(string kind)
    {
        var opener = Opener(kind);
        await using var store = await opener.OpenAsync();
        var batch = new CommitBatch();
        batch.NewCommands.Add(SparseRow(1));
        if (opener is ModelDisk disk) disk.FailNextCommit(CommitFault.BeforeApply);
        else batch.NewCommands.Add(SparseRow(1));
        await Assert.ThrowsAsync<StoreException>(async () => await store.CommitAsync(batch));

        // Said by the store itself: that a transaction was left open is luck, and a full disk leaves none.
        var refused = await Assert.ThrowsAsync<StoreException>(async () => await store.CommitAsync(new CommitBatch()));
        Assert.Contains("an earlier commit failed", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_commit_is_all_or_nothing(string kind)
    {
        var opener = Opener(kind);
        await using (var store = await opener.OpenAsync())
        {
            var batch = new CommitBatch();
            batch.Devices.Add(new DeviceRow("d1", "w", default));
            batch.NewCommands.Add(SparseRow(1));
            if (opener is ModelDisk disk) disk.FailNextCommit(CommitFault.BeforeApply);
            else batch.NewCommands.Add(SparseRow(1));
            await Assert.ThrowsAsync<StoreException>(async () => await store.CommitAsync(batch));
        }

        await using var again = await opener.OpenAsync();
        var image = again.TakeImage();
        Assert.Empty(image.Devices);
        Assert.Empty(image.Commands);
    }

    private IKernelStoreOpener Opener(string kind) => kind == "model" ? new ModelDisk() : new SqliteKernelStoreOpener(_directory);

    private static async Task CommitAsync(IKernelStoreOpener opener, CommitBatch batch)
    {
        await using var store = await opener.OpenAsync();
        await store.CommitAsync(batch);
    }

    private static CommandRow FullRow(long seq) => new()
    {
        Seq = seq,
        Spec = new CommandSpec
        {
            CommandId = $"c{seq}",
            Command = "set",
            Scope = CommandScope.Rack,
            DeviceId = "d",
            Targets = ["a", "b\"c"],
            Params = """{"x":"ä"}"""u8.ToArray(),
            Caller = "uid:0",
            IdempotencyKey = "key",
            Priority = CommandPriority.Urgent,
            Idempotent = true,
            TimeoutMs = 1_500,
            CreatedAt = 1_700_000_000_000,
            DeadlineAt = 1_700_000_900_000,
        },
        WorkerId = "w1",
        State = CommandState.Timeout,
        Attempt = 3,
        Retries = 2,
        Recoveries = 1,
        Transitions = 9,
        SentEver = true,
        DoubtfulFrom = 2,
        StopRequested = true,
        Result = """{"ok":[1]}"""u8.ToArray(),
        Error = "ERR_DEADLINE: ä",
        Outcome = CommandOutcome.Unknown,
        UpdatedAt = 1_700_000_000_500,
    };

    private static CommandRow SparseRow(long seq) => new()
    {
        Seq = seq,
        Spec = new CommandSpec { CommandId = $"c{seq}", Command = "reboot", Scope = CommandScope.Device, Caller = "" },
        WorkerId = "w",
        State = CommandState.Queued,
    };

    private static string Show(WorkerRow row) =>
        $"{row.WorkerId} {row.PeerKey} {Dash(row.Endpoint)} {Dash(row.Features)} '{Text(row.Contract)}' {row.Terminated} {row.Hold} {Dash(row.Journal)}";

    private static string Show(CommandRow row) => string.Join(
        '|', row.Seq, row.Spec.CommandId, row.Spec.Command, row.Spec.Scope, row.Spec.DeviceId ?? "null", row.Spec.Targets is null ? "null" : string.Join(',', row.Spec.Targets),
        Text(row.Spec.Params), row.Spec.Caller, row.Spec.IdempotencyKey ?? "null", row.Spec.Idempotent, row.Spec.Priority, row.Spec.TimeoutMs, row.Spec.CreatedAt, row.Spec.DeadlineAt,
        row.WorkerId, row.State, row.Attempt, row.Retries, row.Recoveries, row.Transitions, row.SentEver, row.DoubtfulFrom, row.StopRequested, Text(row.Result), row.Error ?? "null",
        row.Outcome, row.UpdatedAt);

    private static string Dash(string text) => text.Length == 0 ? "-" : text;

    private static string Text(ReadOnlyMemory<byte> bytes) => System.Text.Encoding.UTF8.GetString(bytes.Span);
}
