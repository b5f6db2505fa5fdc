using Ork.Protocol;

namespace Ork.Kernel.Tests;

/// <summary>A kernel whose process was stopped judges nobody by the time it missed.</summary>
public sealed class StandstillTests
{
    private static readonly KernelOptions Options = new();

    [Theory]
    [InlineData(1)]
    [InlineData(400)]
    [InlineData(60_000)]
    public void An_answer_that_came_while_the_kernel_stood_still_is_not_late(long lateMs)
    {
        var kernel = new CoreHarness();
        kernel.Register();
        var commandId = kernel.Send();
        kernel.StandStill(Options.Commands.AttemptTimeoutMs + lateMs);
        kernel.Pass(1);
        kernel.Succeed(kernel.LastCommand());
        Assert.Equal("SUCCESS", kernel.StatusWord(commandId));
        Assert.DoesNotContain(kernel.Observer.Events, what => what is KernelEvent.LateAnswerSettled or KernelEvent.CommandRetry);
    }

    [Fact]
    public void One_that_stands_still_while_it_listens_listens_once_more()
    {
        var kernel = new CoreHarness();
        kernel.Register();
        var commandId = kernel.Send();
        kernel.StandStill(Options.Commands.AttemptTimeoutMs);
        kernel.Pass(1);
        kernel.StandStill(Options.Loop.ListenMs + Options.Loop.StandstillMs + 1);
        kernel.Pass(1);
        Assert.Equal("EXECUTING", kernel.StatusWord(commandId));
    }

    [Fact]
    public void One_whose_timers_are_late_without_end_does_not_listen_without_end()
    {
        var kernel = new CoreHarness();
        kernel.Register();
        kernel.Send();
        kernel.StandStill(Options.Commands.AttemptTimeoutMs);
        for (var late = 0; late < 5; late++)
        {
            kernel.Pass(1);
            Assert.DoesNotContain(KernelEvent.CommandRetry, kernel.Observer.Events);
            kernel.StandStill(Options.Loop.ListenMs + Options.Loop.StandstillMs + 1);
        }

        kernel.Pass(1);
        Assert.Contains(KernelEvent.CommandRetry, kernel.Observer.Events);
    }

    [Fact]
    public void Who_does_not_answer_a_kernel_that_listens_is_given_up()
    {
        var kernel = new CoreHarness();
        kernel.Register();
        kernel.Send();
        kernel.StandStill(Options.Commands.AttemptTimeoutMs + 1);
        kernel.Pass(1);
        kernel.Pass(Options.Loop.ListenMs);
        Assert.Contains(KernelEvent.CommandRetry, kernel.Observer.Events);
    }

    [Fact]
    public void Afterwards_what_waits_at_each_Worker_goes_on_in_the_same_turn()
    {
        var kernel = new CoreHarness();
        kernel.Register();
        kernel.Register(session: 2, workerId: "w2", devices: ["e1"], key: "k2");
        foreach (var device in (string[])["d1", "e1"])
        {
            kernel.Send(device);
            kernel.Result(kernel.LastCommand(), "FAILED", "\"ERR_WORKER_BUSY\"");
        }

        kernel.StandStill(2_000);
        var again = kernel.Do(InputKind.Tick).Where(seen => seen.Action == OrkAction.CommandRequest);
        Assert.Equal([(1L, 2), (2L, 2)], again.Select(seen => (seen.Session, seen.Payload.GetProperty("attempt").GetInt32())).Order());
    }

    [Fact]
    public void What_waits_for_its_device_past_its_deadline_is_not_begun_by_the_answer_that_came_meanwhile()
    {
        var kernel = new CoreHarness();
        kernel.Register();
        kernel.Send();
        var late = kernel.Send(extra: ""","deadlineMs":1000""");
        var next = kernel.Send();
        kernel.StandStill(5_000);
        kernel.Succeed(kernel.LastCommand());
        Assert.Equal("FAILED", kernel.StatusWord(late));
        Assert.Equal(ErrorCodes.Deadline.Code, kernel.Status(late).GetProperty("error").GetString());
        Assert.Equal(("EXECUTING", 2), (kernel.StatusWord(next), kernel.CommandsSent()));
    }

    [Fact]
    public void What_is_held_back_past_its_deadline_does_not_leave_when_the_link_is_free_and_all_others_do()
    {
        var kernel = new CoreHarness();
        kernel.Register();
        kernel.Do(InputKind.LinkCongested, 1);
        var late = kernel.Send(extra: ""","deadlineMs":1000""");
        var behind = kernel.Send("d2");
        var next = kernel.Send();
        kernel.StandStill(5_000);
        kernel.Do(InputKind.LinkDrained, 1);
        Assert.Equal("FAILED", kernel.StatusWord(late));
        Assert.Equal(("EXECUTING", "EXECUTING", 2), (kernel.StatusWord(behind), kernel.StatusWord(next), kernel.CommandsSent()));
    }

    [Fact]
    public void A_missed_ping_counts_before_the_command_that_another_timer_due_at_once_makes_ready()
    {
        var kernel = new CoreHarness();
        kernel.Register();
        while (kernel.Effects.Count(seen => seen.Action == OrkAction.HealthPing) < 2) kernel.Pass(50);
        kernel.Send(command: "set-led", parameters: """{"on":true}""", extra: ""","deadlineMs":1000""");
        var next = kernel.Send();
        kernel.StandStill(30_000);
        kernel.Pass(1);
        kernel.Pass(Options.Loop.ListenMs);
        Assert.Equal(HealthState.Sick, kernel.Core.Health.Of(kernel.Core.Registry.FindWorker("w1")!));
        Assert.Equal("QUEUED", kernel.StatusWord(next));
        Assert.Equal(1, kernel.CommandsSent());
    }
}
