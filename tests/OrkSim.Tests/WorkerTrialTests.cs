using Ork.Protocol;
using Ork.Worker;

namespace OrkSim.Tests;

/// <summary>Somebody's own Worker against the kernel, in simulated worlds with faults.</summary>
public sealed class WorkerTrialTests
{
    private static readonly WorkerTrialOptions Few = new() { Runs = 5, Jobs = 2 };

    private static readonly WorkerContract Pumps = WorkerDefinition.ContractOf(new
    {
        metadata = new { deviceFamily = "pump" },
        capabilities = new
        {
            commands = new object[]
            {
                new { name = "set-flow", idempotent = true, @params = new object[] { new { name = "litres", type = "number", required = true, min = 1, max = 9 }, new { name = "unit", type = "string", @enum = new[] { "l", "ml" } } } },
                new { name = "flush", idempotent = false, @params = Array.Empty<object>() },
            },
        },
    });

    [Fact]
    public void A_Worker_that_keeps_the_rules_holds_in_every_run()
    {
        var report = WorkerTrial.Run(setting => Define(setting, async (call, cancellation) =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), setting.Time, cancellation);
            return CommandReply.Success(new { call.Command });
        }), Few);

        Assert.Equal(20, report.Runs);
        Assert.Equal(0, report.Mismatches);
    }

    [Fact]
    public void A_command_that_never_succeeds_is_told_with_its_error()
    {
        var e = Assert.Throws<ScenarioViolatedException>(() => WorkerTrial.Run(setting => Define(setting, (call, _) =>
            new(call.Command == "flush" ? CommandReply.Failure("the valve is stuck") : CommandReply.Success())), Few));
        Assert.StartsWith("'flush' never succeeded", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("set-flow", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_handler_that_leaves_the_scheduler_is_found_out()
    {
        var e = Assert.ThrowsAny<Exception>(() => WorkerTrial.Run(setting => Define(setting, async (_, _) =>
        {
            await Task.Run(() => { });
            return CommandReply.Success();
        }), Few));
        Assert.Contains("thread pool", e.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_Worker_that_is_not_the_same_in_every_run_is_found_out()
    {
        var calls = 0;
        var e = Assert.Throws<ScenarioViolatedException>(() => WorkerTrial.Run(setting => Define(setting, async (_, cancellation) =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1 + (Interlocked.Increment(ref calls) % 7)), setting.Time, cancellation);
            return CommandReply.Success();
        }), Few with { Jobs = 1, CheckEvery = 1 }));
        Assert.Contains("differs from the first run of the same seed", e.Message, StringComparison.Ordinal);
    }

    private static WorkerDefinition Define(WorkerSetting setting, CommandHandler handler) =>
        new WorkerDefinition(setting.WorkerId, Pumps, setting.DeviceIds).OnCommand("set-flow", handler).OnCommand("flush", handler);
}
