using Ork.Protocol;

namespace Ork.Kernel.Tests;

/// <summary>The Concurrency Manager: one command at a time per device, in order of acceptance, nobody starved, everything bounded.</summary>
public sealed class LockTests
{
    private readonly CoreHarness _ork = new();

    [Fact]
    public void S8_a_second_command_for_a_device_is_sent_when_the_first_has_ended()
    {
        _ork.Register();
        var first = _ork.Send();
        var second = _ork.Send();
        var other = _ork.Send("d2");
        Assert.Equal([first, other], Sent());
        Assert.Equal("QUEUED", _ork.StatusWord(second));
        _ork.Succeed(Request(first));
        Assert.Equal([first, other, second], Sent());
    }

    [Fact]
    public void S8_a_command_keeps_its_place_while_it_waits_to_be_tried_again()
    {
        _ork.Register();
        var first = Led();
        var second = Led();
        _ork.Pass(1_000);
        Assert.Equal("QUEUED", _ork.StatusWord(first));
        _ork.Pass(500);
        Assert.Equal([first, first], Sent());
        _ork.Succeed(_ork.LastCommand());
        Assert.Equal([first, first, second], Sent());
    }

    [Fact]
    public void An_urgent_command_goes_ahead_of_those_that_wait_but_never_of_the_one_in_flight()
    {
        _ork.Register();
        var inFlight = _ork.Send();
        var waiting = _ork.Send();
        var urgent = _ork.Send(extra: ",\"priority\":\"urgent\"");
        var later = _ork.Send(extra: ",\"priority\":\"urgent\"");
        Assert.Equal([inFlight], Sent());
        foreach (var expected in new[] { urgent, later, waiting })
        {
            _ork.Succeed(_ork.LastCommand());
            Assert.Equal(expected, _ork.LastCommand().Payload.GetProperty("commandId").GetString());
        }
    }

    [Fact]
    public void Urgent_commands_that_wait_for_a_place_at_their_Worker_go_ahead_of_all_turns_in_order_of_acceptance()
    {
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { WindowPerWorker = 1 } });
        ork.Register(devices: ["d1", "d2", "d3", "d4", "d5"]);
        var expected = new List<string> { ork.Send("d1") };
        var normal = ork.Send("d2");
        foreach (var device in new[] { "d3", "d4", "d5" }) expected.Add(ork.Send(device, extra: ",\"priority\":\"urgent\""));
        expected.Add(normal);
        foreach (var next in expected)
        {
            Assert.Equal(next, ork.LastCommand().Payload.GetProperty("commandId").GetString());
            ork.Succeed(ork.LastCommand());
        }
    }

    [Fact]
    public void An_urgent_command_goes_ahead_of_one_that_waits_to_be_tried_again()
    {
        _ork.Register();
        var normal = Led();
        _ork.Pass(1_000);
        var urgent = _ork.Send(extra: ",\"priority\":\"urgent\"");
        Assert.Equal([normal, urgent], Sent());
        _ork.Pass(500);
        Assert.Equal([normal, urgent], Sent());
        _ork.Succeed(_ork.LastCommand());
        Assert.Equal([normal, urgent, normal], Sent());
    }

    [Fact]
    public void A_wide_command_takes_all_its_devices_at_once_and_narrow_ones_that_come_later_wait_behind_it()
    {
        _ork.Register(devices: ["d1", "d2", "d3"]);
        var narrow = _ork.Send("d1");
        var wide = Wide();
        var behind = _ork.Send("d2");
        var last = Wide();
        Assert.Equal([narrow], Sent());
        _ork.Succeed(Request(narrow));
        Assert.Equal([narrow, wide], Sent());
        _ork.Succeed(Request(wide));
        Assert.Equal([narrow, wide, behind], Sent());
        _ork.Succeed(Request(behind));
        Assert.Equal([narrow, wide, behind, last], Sent());
    }

    [Fact]
    public void A_command_that_ends_unsent_lets_those_behind_it_move_up()
    {
        _ork.Register(devices: ["d1", "d2"]);
        var first = _ork.Send("d1");
        var wide = Wide();
        var behind = _ork.Send("d2");
        _ork.AskOne("command.cancel", $$"""{"commandId":"{{wide}}"}""");
        Assert.Equal([first, behind], Sent());
    }

    [Fact]
    public void Locks_are_rebuilt_from_the_log_with_the_order_and_the_priority_of_before()
    {
        _ork.Register();
        var first = Led();
        var normal = _ork.Send();
        var urgent = _ork.Send(extra: ",\"priority\":\"urgent\"");
        _ork.Restart();
        _ork.Effects.Clear();
        _ork.Register();
        foreach (var expected in new[] { urgent, first, normal })
        {
            Assert.Equal(expected, _ork.LastCommand().Payload.GetProperty("commandId").GetString());
            _ork.Succeed(_ork.LastCommand());
        }

        Assert.Equal([urgent, first, normal], Sent());
    }

    [Fact]
    public void S12_each_device_each_Worker_and_the_whole_have_a_limit_and_a_refusal_says_when_to_try_again()
    {
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { MaxOpenPerDevice = 2, MaxOpenPerWorker = 5, MaxOpen = 6, FairShare = 1_000 } });
        ork.Register(devices: ["d1", "d2", "d3"]);
        ork.Register(2, "w2", ["e1", "e2"], key: "k2");
        ork.Send("d1");
        ork.Send("d1");
        AssertFull(ork, "d1");
        ork.Send("d2");
        ork.Send("d2");
        ork.Send("d3");
        AssertFull(ork, "d3");
        ork.Send("e1");
        AssertFull(ork, "e2");
        ork.Succeed(ork.LastCommand());
        ork.Send("e2");
    }

    [Fact]
    public void A_caller_that_floods_leaves_room_for_another_and_an_emergency_has_no_share()
    {
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { MaxOpenPerDevice = 10 } });
        ork.Register();
        for (var i = 0; i < 8; i++) ork.Send();
        AssertFull(ork, "d1");
        Assert.Equal("QUEUED", ork.AskOne("command.request", """{"command":"reboot"}""", "d1", "uid:7").GetProperty("status").GetString());
        ork.Send(extra: ",\"priority\":\"urgent\"");
        AssertFull(ork, "d1", ",\"priority\":\"urgent\"");
    }

    [Fact]
    public void Callers_take_turns_in_the_window_of_a_Worker()
    {
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { WindowPerWorker = 1 } });
        ork.Register(devices: [.. Enumerable.Range(0, 9).Select(i => $"d{i}")]);
        var flood = Enumerable.Range(0, 8).Select(i => ork.Send($"d{i}")).ToArray();
        var one = ork.AskOne("command.request", """{"command":"reboot"}""", "d8", "uid:7").GetProperty("commandId").GetString();
        ork.Succeed(ork.LastCommand());
        ork.Succeed(ork.LastCommand());
        Assert.Contains(one, ork.Effects.Where(seen => seen.Action == OrkAction.CommandRequest).Take(3).Select(seen => seen.Payload.GetProperty("commandId").GetString()));
        for (var i = 0; i < 7; i++) ork.Succeed(ork.LastCommand());
        Assert.All(flood, id => Assert.Equal("SUCCESS", ork.StatusWord(id)));
    }

    [Fact]
    public void A_priority_that_is_none_is_refused() => Assert.Equal(
        "ERR_PAYLOAD_FIELD_INVALID: priority must be normal or urgent",
        _ork.AskOne("command.request", """{"command":"reboot","priority":"high"}""", "d1").GetProperty("error").GetString());

    private static void AssertFull(CoreHarness ork, string device, string extra = "")
    {
        var refused = ork.AskOne("command.request", $$"""{"command":"reboot"{{extra}}}""", device);
        Assert.Equal(("REJECTED", "ERR_QUEUE_FULL"), (refused.GetProperty("status").GetString(), refused.GetProperty("error").GetString()));
        Assert.True(refused.GetProperty("retryAfterMs").GetInt32() > 0);
    }

    /// <summary>A command that may be repeated, with a second's time.</summary>
    private string Led() => _ork.Send(command: "set-led", parameters: """{"on":true}""");

    private string Wide() => _ork.AskOne("command.request", """{"command":"reboot","scope":"worker","workerId":"w1"}""").GetProperty("commandId").GetString()!;

    private Seen Request(string commandId) =>
        _ork.Effects.Last(seen => seen.Action == OrkAction.CommandRequest && seen.Payload.GetProperty("commandId").GetString() == commandId);

    private string?[] Sent() =>
        [.. _ork.Effects.Where(seen => seen.Action == OrkAction.CommandRequest).Select(seen => seen.Payload.GetProperty("commandId").GetString())];
}
