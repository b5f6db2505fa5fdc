using System.Text;
using Ork.Protocol;

namespace Ork.Kernel.Tests;

/// <summary>The Telemetry Collector: who shares a pull and who does not, what frees its place, and that the schedule's pulls come to an end (S12, L4).</summary>
public sealed class PullTests
{
    private const string Metrics = """{"query":{"type":"metrics"}}""";

    private static readonly KernelOptions Quiet = new() { Health = CommandTests.Patient, Schedule = CommandTests.Rare };

    private readonly CoreHarness _ork = new(Quiet);

    [Fact]
    public void All_who_ask_the_same_meanwhile_are_answered()
    {
        _ork.Register();
        var pull = _ork.Ask("telemetry.pull", Metrics, "d1", session: 901).Single();
        for (var session = 902; session <= 904; session++) Assert.Empty(_ork.Ask("telemetry.pull", Metrics, "d1", session: session));
        Assert.Equal([901L, 902L, 903L, 904L], _ork.Answer(pull, "{}").Select(static seen => seen.Session));
    }

    [Fact]
    public void All_who_ask_the_same_are_refused_where_no_answer_comes()
    {
        _ork.Register();
        for (var session = 901; session <= 903; session++) _ork.Ask("telemetry.pull", Metrics, "d1", session: session);
        var refused = _ork.Do(InputKind.LinkDown, 1).Where(static seen => seen.Session > 900).ToArray();
        Assert.Equal([901L, 902L, 903L], refused.Select(static seen => seen.Session));
        Assert.All(refused, static seen => Assert.Equal("ERR_LINK_LOST", seen.Payload.GetProperty("error").GetString()));
    }

    [Theory]
    [InlineData("telemetry.pull", """{"query":{"type":"logs"}}""", "d1")]
    [InlineData("telemetry.pull", Metrics, "d2")]
    [InlineData("state.pull", Metrics, "d1")]
    public void What_differs_in_its_query_its_device_or_its_action_is_asked_for_itself(string action, string payload, string deviceId)
    {
        _ork.Register();
        _ork.Ask("telemetry.pull", Metrics, "d1", session: 901);
        Assert.Equal(1, Assert.Single(_ork.Ask(action, payload, deviceId, session: 902)).Session);
        Assert.Equal(2, _ork.Core.PullsInFlight);
    }

    [Fact]
    public void S12_a_pull_that_has_ended_leaves_its_place_and_the_same_is_asked_anew()
    {
        var ork = new CoreHarness(Quiet with { Pulls = new PullOptions { WindowPerWorker = 1 } });
        ork.Register();
        for (var i = 0; i < 3; i++)
        {
            var pull = Assert.Single(ork.Ask("telemetry.pull", Metrics, "d1", session: 901));
            Assert.Equal(1, pull.Session);
            ork.Answer(pull, "{}");
        }

        ork.Ask("telemetry.pull", Metrics, "d1", session: 901);
        Assert.Equal("ERR_QUEUE_FULL", Assert.Single(ork.Ask("telemetry.pull", Metrics, "d2", session: 902)).Payload.GetProperty("error").GetString());
    }

    [Theory]
    [InlineData("", 0, true)]
    [InlineData("", 1, false)]
    [InlineData(",\"trace\":1", 0, false)]
    public void S12_query_id_and_what_the_kernel_does_not_know_count_together(string unknown, int over, bool isTaken)
    {
        const string Id = "0123456789";
        var ork = new CoreHarness(Quiet with { Pulls = new PullOptions { MaxQueryBytes = Metrics.Length + Id.Length } });
        ork.Register();
        var json = $$"""{"id":"{{Id}}{{new string('x', over)}}","version":"0.2.0","type":"request","action":"telemetry.pull","sender":"t","deviceId":"d1","timestamp":1,"payload":{{Metrics}}{{unknown}}}""";
        ork.Do(InputKind.CallerRequest, 901, new ReceivedFrame(FrameKind.Request, 7, Encoding.UTF8.GetBytes(json)), "uid:0");
        Assert.Equal(isTaken ? 1 : 0, ork.Core.PullsInFlight);
    }

    [Fact]
    public void An_answer_that_comes_too_late_is_told_of()
    {
        _ork.Register();
        var pull = _ork.Ask("telemetry.pull", Metrics, "d1", session: 901).Single();
        _ork.Pass(new PullOptions().TimeoutMs + 100);
        Assert.Empty(_ork.Answer(pull, "{}"));
        Assert.Contains(KernelEvent.LatePullIgnored, _ork.Observer.Events);
    }

    [Fact]
    public void L4_the_schedules_pulls_go_on_after_one_that_had_no_answer_and_after_a_time_in_which_none_was_made()
    {
        var ork = new CoreHarness(new KernelOptions { Health = CommandTests.Patient, Schedule = CommandTests.Rare with { StateIntervalMs = 1_000 }, Pulls = new PullOptions { TimeoutMs = 500 } });
        ork.Register();
        Assert.InRange(Pulls(), 4, 6);
        ork.AskOne("worker.hold", """{"workerId":"w1","hold":"open"}""");
        Assert.Equal(0, Pulls());
        ork.AskOne("worker.hold", """{"workerId":"w1","hold":"none"}""");
        Assert.InRange(Pulls(), 4, 6);

        int Pulls() => ork.Pass(5_000).Count(static seen => seen.Action == OrkAction.StatePull);
    }
}
