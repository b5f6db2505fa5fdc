using Ork.Protocol;

namespace Ork.Kernel.Tests;

/// <summary>What a Worker's journal makes safe to repeat, and what it does not (S3).</summary>
public sealed class JournalTests
{
    private readonly CoreHarness _ork = new();

    [Fact]
    public void Without_a_journal_a_command_that_is_not_idempotent_is_never_sent_twice()
    {
        var ork = new CoreHarness(new KernelOptions { Health = CommandTests.Patient, Schedule = CommandTests.Rare });
        ork.Register(journal: false);
        var unsafely = ork.Send();
        var safely = ork.Send(command: "set-led", parameters: """{"on":true}""");
        ork.Pass(300_000);
        Assert.Equal(1, ork.Effects.Count(seen => seen.Action == OrkAction.CommandRequest && seen.Payload.GetProperty("commandId").GetString() == unsafely));
        Assert.True(ork.Effects.Count(seen => seen.Action == OrkAction.CommandRequest && seen.Payload.GetProperty("commandId").GetString() == safely) > 1);
        CommandTests.AssertFailed(ork.Status(unsafely), "ERR_OUTCOME_UNKNOWN", "unknown");
        CommandTests.AssertFailed(ork.Status(safely), "ERR_MAX_RETRIES_EXHAUSTED", "unknown");
    }

    [Fact]
    public void S3_what_only_a_journal_made_safe_to_repeat_ends_in_doubt_when_its_Worker_comes_back_without_one()
    {
        _ork.Register(journal: true);
        string[] unsafeToRepeat = [_ork.Send("d1"), _ork.Send("d2")];
        _ork.Do(InputKind.LinkDown, 1);
        Assert.All(unsafeToRepeat, id => Assert.Equal("QUEUED", _ork.Status(id).GetProperty("status").GetString()));
        var sent = _ork.Effects.Count(seen => seen.Action == OrkAction.CommandRequest);
        _ork.Pass(2_000);
        _ork.Register(session: 2, journal: false);

        // Both, although their backoff is over: where the first ends, the second is next in line.
        Assert.All(unsafeToRepeat, id => CommandTests.AssertFailed(_ork.Status(id), "ERR_OUTCOME_UNKNOWN", "unknown"));
        Assert.Equal(sent, _ork.Effects.Count(seen => seen.Action == OrkAction.CommandRequest));
    }

    [Theory]
    [InlineData(true, "b", "a")]
    [InlineData(true, "a")]
    [InlineData(false, "b")]
    [InlineData(false)]
    public void S3_what_was_sent_is_repeated_only_to_the_journal_that_was_relied_on(bool isKnown, params string[] incarnations)
    {
        _ork.Register(incarnations: ["a", "older"]);
        var once = _ork.Send("d1");
        var waits = _ork.Send("d1");
        var safe = _ork.Send("d2", "set-led", """{"on":true}""");
        _ork.Do(InputKind.LinkDown, 1);
        _ork.Register(session: 2, incarnations: incarnations);
        _ork.Pass(2_000);
        var attempts = _ork.Effects.Where(seen => seen.Action == OrkAction.CommandRequest).Select(seen => seen.Payload.GetProperty("commandId").GetString()).ToArray();
        Assert.Equal(isKnown ? 2 : 1, attempts.Count(id => id == once));
        Assert.True(attempts.Count(id => id == safe) > 1);
        Assert.Equal(isKnown, !_ork.Observer.Events.Contains(KernelEvent.JournalReplaced));
        if (isKnown) return;
        CommandTests.AssertFailed(_ork.Status(once), "ERR_OUTCOME_UNKNOWN", "unknown");
        Assert.Equal("EXECUTING", _ork.StatusWord(waits));
    }

    [Fact]
    public void S3_that_a_journal_is_another_one_is_not_forgotten_with_the_kernel()
    {
        _ork.Register(incarnations: ["a"]);
        var broken = _ork.Send("d1");
        var held = _ork.Send("d2");
        _ork.Do(InputKind.LinkDown, 1);
        var asked = _ork.Link(session: 2);

        // It crashes when it has heard whose journal it is, and before it has heard what the Worker can.
        _ork.Answer(asked.Single(seen => seen.Action == OrkAction.IdentityRequest), CoreHarness.Identity("w1", ["d1", "d2"], incarnations: ["b"]));
        _ork.Restart();
        _ork.Register(session: 3, incarnations: ["c", "b"]);
        Assert.All([broken, held], id => CommandTests.AssertFailed(_ork.Status(id), "ERR_OUTCOME_UNKNOWN", "unknown"));
        Assert.Equal(2, _ork.CommandsSent());
    }

    [Fact]
    public void S3_a_journal_that_changed_while_the_kernel_was_away_is_another_one()
    {
        _ork.Register(incarnations: ["a"]);
        var id = _ork.Send();
        _ork.Restart();
        Assert.Equal("QUEUED", _ork.StatusWord(id));
        _ork.Register(session: 2, incarnations: ["b"]);
        CommandTests.AssertFailed(_ork.Status(id), "ERR_OUTCOME_UNKNOWN", "unknown");

        // What comes from now on relies on this one.
        var next = _ork.Send();
        _ork.Restart();
        _ork.Register(session: 3, incarnations: ["c", "b"]);
        Assert.Equal("EXECUTING", _ork.StatusWord(next));
        Assert.Equal(2, _ork.LastCommand().Payload.GetProperty("attempt").GetInt32());
    }

    [Fact]
    public void A_journal_that_never_told_its_openings_is_taken_at_its_word()
    {
        _ork.Register();
        var id = _ork.Send();
        _ork.Do(InputKind.LinkDown, 1);
        _ork.Register(session: 2, incarnations: ["a"]);
        _ork.Pass(2_000);
        Assert.Equal("EXECUTING", _ork.StatusWord(id));
        Assert.Equal(2, _ork.CommandsSent());
        Assert.DoesNotContain(KernelEvent.JournalReplaced, _ork.Observer.Events);
    }
}
