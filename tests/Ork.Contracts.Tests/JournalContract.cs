using Microsoft.Data.Sqlite;
using Ork.Protocol;
using Ork.Worker;

namespace Ork.Contracts.Tests;

/// <summary>What every <see cref="ICommandJournal"/> keeps.</summary>
public sealed class JournalContract : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ork-journal").FullName;
    private SqliteCommandJournal? _sqlite;

    public static TheoryData<string> Journals => ["memory", "sqlite"];

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_sqlite is not null) await _sqlite.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [MemberData(nameof(Journals))]
    public async Task A_command_is_started_once_and_answered_from_then_on(string kind)
    {
        var journal = Open(kind);
        Assert.Equal((JournalVerdict.Started, null), await journal.StartAsync(Start("c")));
        Assert.Equal((JournalVerdict.Unknown, null), await journal.StartAsync(Start("c", attempt: 2)));
        await journal.EndAsync("w", "c", new JournalAnswer(CommandStatus.Failed, """{"x":1}"""u8.ToArray(), "broken"));
        var (verdict, answer) = await journal.StartAsync(Start("c", attempt: 3));
        Assert.Equal(JournalVerdict.Ended, verdict);
        Assert.Equal((CommandStatus.Failed, """{"x":1}""", "broken"), (answer!.Status, System.Text.Encoding.UTF8.GetString(answer.Result.Span), answer.Error));
        Assert.Equal(JournalVerdict.Started, (await journal.StartAsync(Start("c", worker: "other"))).Verdict);
    }

    [Theory]
    [InlineData("j.db")]
    [InlineData("j.db-wal")]
    public async Task A_journal_whose_files_are_taken_away_takes_no_more(string name)
    {
        var journal = Open("sqlite");
        await journal.StartAsync(Start("c"));
        File.Delete(Path.Combine(_directory, name));
        for (var i = 0; i < 2; i++) Assert.Contains(name, (await Assert.ThrowsAsync<IOException>(async () => await journal.StartAsync(Start($"d{i}")))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Journals))]
    public async Task A_start_without_an_end_may_be_repeated_only_when_told_so(string kind)
    {
        var journal = Open(kind);
        await journal.StartAsync(Start("c"));
        Assert.Equal(JournalVerdict.Unknown, (await journal.StartAsync(Start("c"))).Verdict);
        Assert.Equal(JournalVerdict.Started, (await journal.StartAsync(Start("c", reexecute: true))).Verdict);
        await journal.EndAsync("w", "c", new JournalAnswer(CommandStatus.Success, default, null));
        Assert.Equal(JournalVerdict.Ended, (await journal.StartAsync(Start("c", reexecute: true))).Verdict);
    }

    [Theory]
    [MemberData(nameof(Journals))]
    public async Task S14_a_lower_epoch_than_one_seen_is_stale_for_that_Worker(string kind)
    {
        var journal = Open(kind);
        await journal.StartAsync(Start("a", epoch: 5));
        Assert.Equal(JournalVerdict.StaleEpoch, (await journal.StartAsync(Start("b", epoch: 4))).Verdict);
        Assert.Equal(JournalVerdict.Started, (await journal.StartAsync(Start("b", epoch: 4, worker: "other"))).Verdict);
        Assert.Equal(JournalVerdict.Started, (await journal.StartAsync(Start("b", epoch: 5))).Verdict);
    }

    [Theory]
    [MemberData(nameof(Journals))]
    public async Task Of_the_commands_that_ended_the_latest_are_remembered_and_of_those_under_way_all(string kind)
    {
        const int most = 10;
        const int commands = 6_000;
        var journal = Open(kind, most);
        await journal.StartAsync(Start("under way"));
        foreach (var some in Enumerable.Range(0, commands).Chunk(500))
        {
            await Task.WhenAll(some.Select(i => journal.StartAsync(Start($"c{i}")).AsTask()).ToArray());
            await Task.WhenAll(some.Select(i => journal.EndAsync("w", $"c{i}", new JournalAnswer(CommandStatus.Success, default, null)).AsTask()).ToArray());
        }

        Assert.Equal(JournalVerdict.Started, (await journal.StartAsync(Start("c0"))).Verdict);
        Assert.Equal(JournalVerdict.Ended, (await journal.StartAsync(Start($"c{commands - 1}"))).Verdict);
        Assert.Equal(JournalVerdict.Unknown, (await journal.StartAsync(Start("under way"))).Verdict);
    }

    [Fact]
    public async Task What_the_file_holds_outlives_the_process()
    {
        var journal = Open("sqlite");
        await journal.StartAsync(Start("started", epoch: 9));
        await journal.StartAsync(Start("ended", epoch: 9));
        await journal.EndAsync("w", "ended", new JournalAnswer(CommandStatus.Success, default, null));
        await _sqlite!.DisposeAsync();
        journal = Open("sqlite");
        Assert.Equal(JournalVerdict.Unknown, (await journal.StartAsync(Start("started", epoch: 9))).Verdict);
        Assert.Equal(JournalVerdict.Ended, (await journal.StartAsync(Start("ended", epoch: 9))).Verdict);
        Assert.Equal(JournalVerdict.StaleEpoch, (await journal.StartAsync(Start("new", epoch: 8))).Verdict);
    }

    [Fact]
    public void A_journal_that_is_gone_with_its_process_names_no_openings() => Assert.Empty(Open("memory").Incarnations);

    [Fact]
    public async Task Each_opening_has_a_name_that_later_ones_know_and_copies_made_before_do_not()
    {
        await OpenAndCloseAsync();
        var first = Assert.Single(_sqlite!.Incarnations);
        File.Copy(Path.Combine(_directory, "j.db"), Path.Combine(_directory, "copy.db"));
        await OpenAndCloseAsync();
        Assert.Equal(first, _sqlite.Incarnations[1]);
        var second = _sqlite.Incarnations[0];
        await using (var copy = SqliteCommandJournal.Open(Path.Combine(_directory, "copy.db")))
        {
            Assert.Equal(first, copy.Incarnations[1]);
            Assert.DoesNotContain(second, copy.Incarnations);
        }

        File.Delete(Path.Combine(_directory, "j.db"));
        await OpenAndCloseAsync();
        Assert.DoesNotContain(Assert.Single(_sqlite.Incarnations), new[] { first, second });
        for (var i = 0; i < 40; i++) await OpenAndCloseAsync();
        Assert.Equal((32, 32), (_sqlite.Incarnations.Count, _sqlite.Incarnations.Distinct().Count()));
    }

    [Fact]
    public async Task A_journal_of_the_first_schema_keeps_what_it_knows()
    {
        using (var connection = new SqliteConnection($"Data Source={Path.Combine(_directory, "j.db")};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = """
                PRAGMA journal_mode = WAL;
                CREATE TABLE entries (
                    number INTEGER PRIMARY KEY, worker_id TEXT NOT NULL, command_id TEXT NOT NULL, attempt INTEGER NOT NULL, epoch INTEGER NOT NULL,
                    status INTEGER NOT NULL DEFAULT 0, result TEXT, error TEXT, UNIQUE (worker_id, command_id));
                CREATE TABLE epochs (worker_id TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;
                INSERT INTO entries (worker_id, command_id, attempt, epoch) VALUES ('w', 'c', 1, 3);
                INSERT INTO epochs VALUES ('w', 3);
                PRAGMA user_version = 1;
                """;
            command.ExecuteNonQuery();
        }

        var journal = Open("sqlite");
        Assert.Single(journal.Incarnations);
        Assert.Equal(JournalVerdict.Unknown, (await journal.StartAsync(Start("c", epoch: 3))).Verdict);
        Assert.Equal(JournalVerdict.StaleEpoch, (await journal.StartAsync(Start("d", epoch: 2))).Verdict);
    }

    [Fact]
    public async Task S14_an_epoch_that_came_with_a_failed_write_is_not_taken_for_durable()
    {
        Open("sqlite");
        await _sqlite!.DisposeAsync();
        Refuse("poison");
        var journal = Open("sqlite");
        await Assert.ThrowsAsync<IOException>(() => journal.StartAsync(Start("poison", epoch: 5)).AsTask());
        Assert.Equal(JournalVerdict.Started, (await journal.StartAsync(Start("a", epoch: 5))).Verdict);
        await _sqlite.DisposeAsync();
        journal = Open("sqlite");
        Assert.Equal(JournalVerdict.StaleEpoch, (await journal.StartAsync(Start("b", epoch: 4))).Verdict);
    }

    [Fact]
    public async Task Many_writers_at_once_each_get_their_own_answer()
    {
        var journal = Open("sqlite");
        var verdicts = await Task.WhenAll(Enumerable.Range(0, 2_000).Select(i => journal.StartAsync(Start($"c{i / 2}")).AsTask()).ToArray());
        Assert.Equal(1_000, verdicts.Count(verdict => verdict.Verdict == JournalVerdict.Started));
        Assert.Equal(1_000, verdicts.Count(verdict => verdict.Verdict == JournalVerdict.Unknown));
    }

    [Fact]
    public void A_damaged_file_is_refused()
    {
        File.WriteAllText(Path.Combine(_directory, "j.db"), new string('x', 8_192));
        Assert.Throws<IOException>(() => Open("sqlite"));
    }

    private async Task OpenAndCloseAsync()
    {
        Open("sqlite");
        await _sqlite!.DisposeAsync();
    }

    /// <summary>Makes the file refuse a command, as a full disk would.</summary>
    private void Refuse(string commandId)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(_directory, "j.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"CREATE TRIGGER refuse BEFORE INSERT ON entries WHEN NEW.command_id = '{commandId}' BEGIN SELECT RAISE(ABORT, 'refused'); END";
        command.ExecuteNonQuery();
    }

    private ICommandJournal Open(string kind, int maxEntries = 1_000_000) =>
        kind == "memory" ? new MemoryCommandJournal(maxEntries) : _sqlite = SqliteCommandJournal.Open(Path.Combine(_directory, "j.db"), maxEntries);

    private static JournalStart Start(string command, int attempt = 1, long epoch = 1, string worker = "w", bool reexecute = false) =>
        new(worker, command, attempt, epoch, reexecute);
}
