using Ork.Protocol;

namespace Ork.Kernel.Tests;

/// <summary>Commands whose device goes to another Worker, or to none (S6, S17, L2).</summary>
public sealed class MovedDeviceTests
{
    private readonly CoreHarness _ork = new();

    [Fact]
    public void A_queued_command_follows_its_device_to_another_Worker()
    {
        _ork.Register(devices: ["d1"]);
        _ork.Do(InputKind.LinkDown, 1);
        var id = _ork.Send();
        _ork.Pass(20_000);
        Assert.Equal(HealthState.Dead, _ork.Core.Health.Of(_ork.Core.Registry.FindWorker("w1")!));
        _ork.Register(session: 2, workerId: "w2", devices: ["d1"], key: "k2");
        Assert.Equal((2L, id), (_ork.LastCommand().Session, _ork.LastCommand().Payload.GetProperty("commandId").GetString()));
        _ork.Succeed(_ork.LastCommand());
        Assert.Equal("w2", _ork.Status(id).GetProperty("workerId").GetString());
    }

    [Theory]
    [InlineData("safe", "w2")]
    [InlineData("once", null)]
    public void S6_a_command_that_was_in_flight_when_its_device_moved_is_not_sent_to_the_former_owner_again(string name, string? next)
    {
        const string contract = """{"metadata":{},"capabilities":{"commands":[{"name":"once"},{"name":"safe","idempotent":true}]}}""";
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { AttemptTimeoutMs = 120_000 } });
        ork.Register(devices: ["d1"], contract: contract);
        var id = ork.Send(command: name);

        // Dead, and another claims the device, before the silent link has closed and the command has left flight.
        ork.Pass(20_000);
        Assert.Equal("EXECUTING", ork.StatusWord(id));
        ork.Register(session: 2, workerId: "w2", devices: ["d1"], contract: contract, key: "k2");
        ork.Do(InputKind.LinkDown, 1);
        ork.Register(session: 3, devices: ["d9"], contract: contract);
        ork.Pass(1_000);
        var sent = ork.Effects.Where(seen => seen.Action == OrkAction.CommandRequest).ToArray();
        Assert.DoesNotContain(sent, seen => seen.Session == 3);
        if (next is null) CommandTests.AssertFailed(ork.Status(id), "ERR_OUTCOME_UNKNOWN", "unknown");
        else Assert.Equal((2L, next), (sent[^1].Session, ork.Status(id).GetProperty("workerId").GetString()));
    }

    [Fact]
    public void S17_a_command_whose_device_moves_keeps_the_pause_before_its_next_attempt()
    {
        const string contract = """{"metadata":{},"capabilities":{"commands":[{"name":"safe","idempotent":true}]}}""";
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { BackoffBaseMs = 600_000, BackoffCapMs = 600_000 } });
        ork.Register(devices: ["d1"], contract: contract);
        var id = ork.Send(command: "safe");
        ork.Do(InputKind.LinkDown, 1);
        ork.Pass(20_000);
        ork.Register(session: 2, workerId: "w2", devices: ["d1"], contract: contract, key: "k2");
        Assert.Equal(("QUEUED", "w2"), (ork.StatusWord(id), ork.Status(id).GetProperty("workerId").GetString()));
        Assert.Equal(1, ork.CommandsSent());
    }

    [Fact]
    public void L2_what_waits_at_a_device_that_moved_is_sent_by_its_new_owner_the_moment_the_former_one_lets_go_each_time()
    {
        const string contract = """{"metadata":{},"capabilities":{"commands":[{"name":"once"}]}}""";
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { AttemptTimeoutMs = 120_000 } });
        var (session, owner) = (1L, "w1");
        ork.Register(session, owner, ["d1"], contract, journal: false);
        for (var move = 0; move < 3; move++)
        {
            var inFlight = ork.Send(command: "once");
            var waiting = ork.Send(command: "once");
            ork.Pass(20_000);
            var (former, next) = (session, owner == "w1" ? "w2" : "w1");
            (session, owner) = (session + 1, next);
            ork.Register(session, next, ["d1"], contract, journal: false, key: next == "w1" ? "k1" : "k2");
            Assert.Equal("EXECUTING", ork.StatusWord(inFlight));
            Assert.Equal("QUEUED", ork.StatusWord(waiting));

            // Nothing but the end of the former owner's link moves the new one to look.
            ork.Do(InputKind.LinkDown, former);
            Assert.Equal((session, waiting), (ork.LastCommand().Session, ork.LastCommand().Payload.GetProperty("commandId").GetString()));
            ork.Succeed(ork.LastCommand());
        }
    }

    [Fact]
    public void S6_a_wider_command_one_of_whose_devices_left_ends_and_is_not_sent()
    {
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { WindowPerWorker = 1 } });
        ork.Register(devices: ["d1", "d2"]);
        ork.Send();
        var wide = ork.AskOne("command.request", """{"command":"reboot","scope":"worker","workerId":"w1"}""").GetProperty("commandId").GetString()!;
        ork.Do(InputKind.LinkDown, 1);
        ork.Register(session: 2, devices: ["d1"]);
        CommandTests.AssertFailed(ork.Status(wide), "ERR_DEVICE_NOT_FOUND: d2 left w1", "not-started");
        Assert.DoesNotContain(ork.Effects, seen => seen.Action == OrkAction.CommandRequest && seen.Payload.TryGetProperty("targets", out _));
    }
}
