using Microsoft.Data.Sqlite;
using Ork.Kernel;
using Ork.Protocol;

namespace Ork.Storage.Sqlite.Tests;

/// <summary>What only the real store does: refuse what it must not open, and let an operator look inside.</summary>
public sealed class SqliteStoreTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ork-sqlite").FullName;

    private string Database => Path.Combine(_directory, SqliteKernelStoreOpener.FileName);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_store_of_a_newer_kernel_is_refused_and_left_alone()
    {
        await FillAsync(1);
        Run("PRAGMA user_version = 999");
        Assert.Equal(ErrorCodes.StoreNewer, (await RefusalAsync()).Error);
        Assert.Equal(999L, Run("PRAGMA user_version"));
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_damaged()
    {
        File.WriteAllBytes(Database, Enumerable.Repeat((byte)'x', 100_000).ToArray());
        Assert.Equal(ErrorCodes.StoreDamaged, (await RefusalAsync()).Error);
    }

    [Fact]
    public async Task A_damaged_page_is_found_on_opening_and_the_store_is_refused()
    {
        await FillAsync(2_000);
        Run("PRAGMA wal_checkpoint(TRUNCATE)");
        var bytes = File.ReadAllBytes(Database);
        for (var page = 5; page < bytes.Length / 4_096; page += 3) Array.Fill(bytes, (byte)0x5A, page * 4_096, 600);
        File.WriteAllBytes(Database, bytes);
        Assert.Equal(ErrorCodes.StoreDamaged, (await RefusalAsync()).Error);
    }

    [Fact]
    public async Task A_database_that_another_program_holds_is_locked()
    {
        await FillAsync(1);
        using var other = Open();
        using var hold = other.CreateCommand();
        hold.CommandText = "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE";
        hold.ExecuteNonQuery();
        Assert.Equal(ErrorCodes.StoreLocked, (await RefusalAsync()).Error);
    }

    [Fact]
    public async Task A_directory_that_cannot_be_made_is_unavailable()
    {
        File.WriteAllText(Path.Combine(_directory, "file"), "");
        var refused = await Assert.ThrowsAsync<StoreException>(async () => await new SqliteKernelStoreOpener(Path.Combine(_directory, "file", "below")).OpenAsync());
        Assert.Equal(ErrorCodes.StoreUnavailable, refused.Refusal.Error);
    }

    [Theory]
    [InlineData("ork.db", false)]
    [InlineData("ork.db", true)]
    [InlineData("ork.db-wal", false)]
    public async Task A_store_whose_files_are_taken_away_says_so_rescues_what_it_holds_and_is_not_begun_anew(string name, bool isReplaced)
    {
        await using (var store = await new SqliteKernelStoreOpener(_directory).OpenAsync())
        {
            await CommitAsync(store, 1);
            File.Delete(Path.Combine(_directory, name));
            if (isReplaced) File.WriteAllText(Path.Combine(_directory, name), "");
            var lost = await Assert.ThrowsAsync<StoreException>(async () => await CommitAsync(store, 2));
            Assert.Equal(ErrorCodes.StoreLost, lost.Refusal.Error);
            Assert.Contains($"{name} was removed or replaced; all that it held is in ork.rescued-1.db", lost.Refusal.Text, StringComparison.Ordinal);
        }

        Assert.Equal(ErrorCodes.StoreLost, (await RefusalAsync()).Error);
        foreach (var left in (string[])[Database, Database + "-wal"]) File.Delete(left);
        File.Move(Path.Combine(_directory, "ork.rescued-1.db"), Database);
        await using var rescued = await new SqliteKernelStoreOpener(_directory).OpenAsync();
        var image = rescued.TakeImage();
        Assert.Equal(2, image.Epoch);
        Assert.Equal(["c1", "c2"], image.Commands.Select(row => row.Spec.CommandId));
    }

    [Fact]
    public async Task An_operator_reads_a_commands_history_by_name()
    {
        await FillAsync(1);
        Assert.Equal("NEW>QUEUED Accept", Run("SELECT from_state || '>' || to_state || ' ' || detail FROM command_history WHERE command_id = 'c1'"));
    }

    [Fact]
    public async Task Commits_are_durable_by_the_settings_that_make_them_so()
    {
        await using var store = await new SqliteKernelStoreOpener(_directory).OpenAsync();
        Assert.True(File.Exists(Database + "-wal"), "The journal is not WAL.");
    }

    [Fact]
    public async Task A_store_written_by_the_first_schema_opens_in_this_one()
    {
        // The fixture was written by a kernel of version 1; every later version must open it.
        File.Copy(Path.Combine(AppContext.BaseDirectory, "Fixtures", "schema-1.db"), Database);
        await using var store = await new SqliteKernelStoreOpener(_directory).OpenAsync();
        var image = store.TakeImage();
        Assert.Equal(2, image.Epoch);
        Assert.Equal(["set-power-pct Success", "reboot Failed ERR_DEADLINE", "set-led Queued"], image.Commands.Select(row => $"{row.Spec.Command} {row.State} {row.Error}".Trim()));
        Assert.Equal("first", image.Commands[0].Spec.IdempotencyKey);
        Assert.Equal("{\"pct\":80}", System.Text.Encoding.UTF8.GetString(image.Commands[0].Spec.Params.Span));
        Assert.Equal(["wm-001-0001"], image.Commands[2].Spec.Targets!);
        var worker = Assert.Single(image.Workers);
        Assert.Equal(("sim-001", "journal", false, CircuitHold.None, ""), (worker.WorkerId, worker.Features, worker.Terminated, worker.Hold, worker.Journal));
        Assert.All(image.Commands, row => Assert.Equal(CommandPriority.Normal, row.Spec.Priority));
        Assert.Null(WorkerContract.Read(worker.Contract, out _));
        var device = Assert.Single(image.Devices);
        Assert.Equal(("wm-001-0001", "sim-001"), (device.DeviceId, device.WorkerId));
        Assert.Contains("\"powerPct\":80", System.Text.Encoding.UTF8.GetString(device.State.Span), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_written_by_the_second_schema_opens_in_this_one()
    {
        File.Copy(Path.Combine(AppContext.BaseDirectory, "Fixtures", "schema-2.db"), Database);
        await using var store = await new SqliteKernelStoreOpener(_directory).OpenAsync();
        var image = store.TakeImage();
        Assert.Equal(["set-power-pct Normal", "set-led Urgent"], image.Commands.Select(row => $"{row.Spec.Command} {row.Spec.Priority}"));
        var worker = Assert.Single(image.Workers);
        Assert.Equal(("sim-001", "journal", CircuitHold.Open, ""), (worker.WorkerId, worker.Features, worker.Hold, worker.Journal));
    }

    [Fact]
    public async Task What_a_store_of_the_third_schema_knows_to_have_been_sent_may_have_been_begun()
    {
        File.Copy(Path.Combine(AppContext.BaseDirectory, "Fixtures", "schema-3.db"), Database);
        await using var store = await new SqliteKernelStoreOpener(_directory).OpenAsync();
        var image = store.TakeImage();
        Assert.Equal(
            ["set-power-pct Success True 1", "reboot Executing True 1", "set-led Queued False 0"],
            image.Commands.Select(row => $"{row.Spec.Command} {row.State} {row.SentEver} {row.DoubtfulFrom}"));
        Assert.NotEqual("", Assert.Single(image.Workers).Journal);
    }

    [Fact]
    public async Task S14_a_superseding_store_is_newer_than_every_kernel_before_it_and_keeps_what_it_holds()
    {
        await FillAsync(3);
        Assert.Equal((1L, 1_001L), await new SqliteKernelStoreOpener(_directory).SupersedeAsync(1_000));
        await using var store = await new SqliteKernelStoreOpener(_directory).OpenAsync();
        var image = store.TakeImage();
        Assert.Equal((1_002L, 3, 1), (image.Epoch, image.Commands.Count, image.Workers.Count));
    }

    [Fact]
    public async Task A_store_that_a_kernel_holds_is_not_superseded()
    {
        await using (var held = await new SqliteKernelStoreOpener(_directory).OpenAsync())
        {
            Assert.Equal(ErrorCodes.StoreLocked, (await Assert.ThrowsAsync<StoreException>(() => new SqliteKernelStoreOpener(_directory).SupersedeAsync(1_000))).Refusal.Error);
        }

        await using var next = await new SqliteKernelStoreOpener(_directory).OpenAsync();
        Assert.Equal(2, next.TakeImage().Epoch);
    }

    [Fact]
    public async Task Where_there_is_no_store_none_is_made_to_be_superseded()
    {
        var missing = Path.Combine(_directory, "typo");
        Assert.Equal(ErrorCodes.StoreUnavailable, (await Assert.ThrowsAsync<StoreException>(() => new SqliteKernelStoreOpener(missing).SupersedeAsync(1))).Refusal.Error);
        Assert.False(Directory.Exists(missing));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => new SqliteKernelStoreOpener(_directory).SupersedeAsync(0));
    }

    [Fact]
    public async Task Retention_leaves_the_file_bounded()
    {
        var store = await new SqliteKernelStoreOpener(_directory).OpenAsync();
        var sizes = new List<long>();
        for (var round = 0; round < 30; round++)
        {
            var batch = new CommitBatch();
            for (var i = 0; i < 1_000; i++) Add(batch, (round * 1_000) + i + 1);
            if (round >= 2) batch.ForgottenCommands.AddRange(Enumerable.Range(((round - 2) * 1_000) + 1, 1_000).Select(seq => (long)seq));
            await store.CommitAsync(batch);
            sizes.Add(new FileInfo(Database).Length);
        }

        Assert.InRange(sizes[^1], 1, sizes[10] * 3 / 2);
        await store.DisposeAsync();
        Assert.Equal((2_000L, 0L), (Run("SELECT count(*) FROM commands"), Run("SELECT count(*) FROM command_log WHERE command NOT IN (SELECT seq FROM commands)")));
    }

    private async Task FillAsync(int commands)
    {
        await using var store = await new SqliteKernelStoreOpener(_directory).OpenAsync();
        var batch = new CommitBatch();
        batch.Workers.Add(new WorkerRow("w", "k", "announce", "journal", "{}"u8.ToArray(), false));
        batch.Devices.Add(new DeviceRow("d", "w", default));
        for (var seq = 1; seq <= commands; seq++) Add(batch, seq);
        await store.CommitAsync(batch);
    }

    private static async Task CommitAsync(IKernelStore store, long seq)
    {
        var batch = new CommitBatch();
        Add(batch, seq);
        await store.CommitAsync(batch);
    }

    private static void Add(CommitBatch batch, long seq)
    {
        batch.NewCommands.Add(new CommandRow
        {
            Seq = seq,
            Spec = new CommandSpec { CommandId = $"c{seq}", Command = "reboot", Scope = CommandScope.Device, Caller = "uid:0", DeviceId = "d" },
            WorkerId = "w",
            State = CommandState.Queued,
        });
        batch.Log.Add(new TransitionRow(seq, 1, CommandState.New, CommandState.Queued, 1_700_000_000_000, 0, "Accept"));
    }

    private async Task<Refusal> RefusalAsync() =>
        (await Assert.ThrowsAsync<StoreException>(async () => await new SqliteKernelStoreOpener(_directory).OpenAsync())).Refusal;

    private object? Run(string sql)
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection($"Data Source={Database};Pooling=False");
        connection.Open();
        return connection;
    }
}
