using System.Runtime.CompilerServices;

namespace Ork.Kernel.Tests;

/// <summary>What is over leaves nothing of itself in a kernel that runs for months.</summary>
public sealed class MemoryTests
{
    private readonly CoreHarness _ork = new();

    [Fact]
    public void A_caller_that_is_gone_leaves_nothing_at_a_queue_in_which_another_stays()
    {
        var depth = new QueueDepth();
        depth.Add("stays");
        var gone = ComeAndGo(depth);
        GC.Collect();
        Assert.False(gone.IsAlive);
        depth.Remove("stays");
    }

    /// <summary>In a method of its own, so that nothing here keeps the name.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference ComeAndGo(QueueDepth depth)
    {
        var caller = new string('c', 20);
        depth.Add(caller);
        depth.Remove(caller);
        return new WeakReference(caller);
    }

    [Fact]
    public void S12_what_a_settled_command_was_to_do_is_let_go_also_by_a_kernel_that_finds_it_settled()
    {
        _ork.Register();
        _ork.Send(command: "set-led", parameters: """{"on":true}""");
        Assert.False(_ork.Core.Ledger.All.Single().Spec.Params.IsEmpty);
        _ork.Succeed(_ork.LastCommand());
        Assert.True(_ork.Core.Ledger.All.Single().Spec.Params.IsEmpty);
        _ork.Restart();
        Assert.True(_ork.Core.Ledger.All.Single().Spec.Params.IsEmpty);
    }

    [Fact]
    public void S12_a_forgotten_command_leaves_nothing_of_itself_in_memory()
    {
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { RetentionMs = 60_000, DefaultDeadlineMs = 600_000 }, Health = CommandTests.Patient, Schedule = CommandTests.Rare });
        ork.Register();
        var commands = LiveAndEnd(ork);
        ork.Pass(150_000);
        Assert.Empty(ork.Disk.Commands);

        // What a Worker never answered is waited for as long as its link lasts.
        ork.Do(InputKind.LinkDown, 1);
        ork.Pass(1);
        GC.Collect();
        Assert.DoesNotContain(commands, command => command.Command.IsAlive);
    }

    /// <summary>Commands that end in every way. In a method of its own, so that nothing here keeps them.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static List<(string How, WeakReference Command)> LiveAndEnd(CoreHarness ork)
    {
        var commands = new List<(string, WeakReference)>();
        void Begin(string how) => commands.Add((how, new WeakReference(ork.Core.Ledger.All.MaxBy(command => command.Seq))));
        void Poll(string id, long session) => ork.Ask("command.status", $$"""{"commandId":"{{id}}","waitMs":30000}""", session: session);

        var polled = ork.Send();
        Begin("polled until its end");
        Poll(polled, 900);
        ork.Succeed(ork.LastCommand());

        var left = ork.Send();
        Begin("polled by a caller that went");
        Poll(left, 901);
        ork.Do(InputKind.CallerGone, 901);
        ork.Succeed(ork.LastCommand());

        ork.Send(command: "set-led", parameters: """{"on":true}""");
        Begin("tried again");
        ork.Pass(5_000);
        ork.Succeed(ork.LastCommand());

        ork.Send();
        Begin("failed");
        var waiting = ork.Send();
        Begin("cancelled in the queue");
        ork.AskOne("command.cancel", $$"""{"commandId":"{{waiting}}"}""");
        ork.Result(ork.LastCommand(), "FAILED", "\"no\"");

        ork.Send();
        Begin("never answered");
        ork.Pass(20_000);
        return commands;
    }

    [Fact]
    public void S12_a_link_that_is_gone_leaves_nothing_of_itself_in_memory()
    {
        var links = ComeAndGo(_ork);
        _ork.Pass(60_000);
        GC.Collect();
        Assert.DoesNotContain(links, link => link.Link.IsAlive);
    }

    /// <summary>Links that end in every way. In a method of its own, so that nothing here keeps them.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static List<(string How, WeakReference Link)> ComeAndGo(CoreHarness ork)
    {
        var links = new List<(string, WeakReference)>();
        void Begin(string how, long session, string workerId, bool registered = true)
        {
            if (registered) ork.Register(session, workerId, [$"{workerId}-d"], key: workerId);
            else ork.Link(session, workerId, key: workerId);
            links.Add((how, new WeakReference(ork.Core.Registry.FindWorker(workerId)!.Link)));
        }

        Begin("idle", 1, "w1");
        Begin("asked who it is", 2, "w2", registered: false);
        Begin("with a caller's pull", 3, "w3");
        ork.Ask("telemetry.pull", """{"query":{"type":"metrics"}}""", "w3-d");
        Begin("with a command", 4, "w4");
        ork.Send("w4-d");
        Begin("with a command held back", 5, "w5");
        ork.Do(InputKind.LinkCongested, 5);
        ork.Send("w5-d");
        Begin("of one that is terminated", 6, "w6");
        ork.AskOne("worker.terminate", """{"workerId":"w6"}""");
        Begin("replaced", 7, "w7");
        ork.Link(70, "w7", key: "w7");
        foreach (var session in (long[])[1, 2, 3, 4, 5, 6, 7, 70]) ork.Do(InputKind.LinkDown, session);
        return links;
    }
}
