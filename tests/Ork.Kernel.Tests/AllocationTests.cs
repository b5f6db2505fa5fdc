using System.Text;
using Ork.Protocol;

namespace Ork.Kernel.Tests;

/// <summary>What the core may allocate for a proxied pull: something for the exchange, nothing for the bytes that pass through.</summary>
public sealed class AllocationTests
{
    [Fact]
    public void A_forwarded_payload_costs_no_allocation_for_its_size()
    {
        var small = PerPull(payloadBytes: 100);
        var large = PerPull(payloadBytes: 200_000);
        Assert.InRange(large, 0, small + 1_000);
    }

    private static long PerPull(int payloadBytes)
    {
        var ork = new CoreHarness(new KernelOptions { Health = CommandTests.Patient, Schedule = CommandTests.Rare });
        ork.Register();
        var request = Encoding.UTF8.GetBytes(
            """{"id":"m","version":"0.2.0","type":"request","action":"telemetry.pull","sender":"t","deviceId":"d1","timestamp":1,"payload":{"query":{"type":"logs"}}}""");
        var answer = Encoding.UTF8.GetBytes(
            $$$"""{"id":"m","version":"0.2.0","type":"response","action":"telemetry.response","sender":"w","timestamp":1,"payload":{"log":"{{{new string('x', payloadBytes)}}}"}}""");
        var turn = new Turn();
        turn.Begin(1_000_000);
        turn.NowMs = ork.NowMs;
        for (var warm = 0; warm < 50; warm++) Pull(ork.Core, turn, request, answer);
        const int pulls = 200;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < pulls; i++) Pull(ork.Core, turn, request, answer);
        return (GC.GetAllocatedBytesForCurrentThread() - before) / pulls;
    }

    private static void Pull(KernelCore core, Turn turn, byte[] request, byte[] answer)
    {
        core.Handle(new Input(InputKind.CallerRequest, 900, new ReceivedFrame(FrameKind.Request, 1, request), "uid:0"), turn);
        var asked = turn.AtOnce.Effects[^1];
        core.Handle(new Input(InputKind.WorkerAnswer, asked.Session, new ReceivedFrame(FrameKind.Response, asked.Correlation, answer)), turn);
        Assert.Equal(900, turn.AtOnce.Effects[^1].Session);
        turn.AtOnce.Clear();
    }
}
