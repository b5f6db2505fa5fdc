using System.Text;
using Ork.Protocol;

namespace Ork.Kernel.Tests;

/// <summary>The loop, with a disk and a link that the test holds in its hands.</summary>
public sealed class TurnLoopTests
{
    private const int Requests = 100;

    /// <summary>In a simulation no commit ends while a batch is handled: there a batch is one step.</summary>
    [Fact]
    public async Task What_is_said_at_once_leaves_though_a_commit_ends_and_the_next_begins_in_the_middle_of_a_batch()
    {
        var options = new KernelOptions { Loop = new LoopOptions { BatchLimit = 2 * Requests } };
        var (store, effects, inbox, clock) = (new HeldStore(), new Collected(), new Mailbox<Input>(2 * Requests), new KernelClock(TimeProvider.System));
        var recovery = new Turn();
        recovery.Begin(1);
        clock.Stamp(recovery);
        var observer = new RecordingObserver();
        var core = new KernelCore(options, Image(), new SeededEntropy(1), new Ends(observer, store), effects, recovery);

        // Under way when the batch begins.
        recovery.Records.Workers.Add(new WorkerRow("w2", "k2", "announce", "", default, false));
        inbox.PostControl(Request(1, "request", """{"command":"reboot","params":{}}"""));
        for (var i = 2; i <= Requests; i++) inbox.PostControl(Request((ulong)i, "response", "{}"));
        inbox.PostControl(new Input(InputKind.Stop));
        await new TurnLoop(options, core, recovery, store, inbox, effects, clock, observer).RunAsync();

        Assert.Equal(2, store.Commits);
        Assert.Equal(Enumerable.Range(1, Requests).Select(static i => (ulong)i), effects.Answered.Order());
    }

    private static KernelImage Image() => new(
        1, [new WorkerRow("w1", "k1", "announce", "", Encoding.UTF8.GetBytes(CoreHarness.DefaultContract), false)], [new DeviceRow("d1", "w1", default)], []);

    private static Input Request(ulong correlation, string type, string payload) => new(InputKind.CallerRequest, 1, new ReceivedFrame(FrameKind.Request, correlation, Encoding.UTF8.GetBytes(
        $$"""{"id":"q{{correlation}}","version":"0.2.0","type":"{{type}}","action":"command.request","sender":"c","target":null,"deviceId":"d1","timestamp":1,"payload":{{payload}}}""")), "uid:0");

    /// <summary>The first commit ends when it is told to, later ones at once.</summary>
    private sealed class HeldStore : IKernelStore
    {
        private readonly TaskCompletionSource _first = new();

        internal int Commits { get; private set; }

        public KernelImage TakeImage() => throw new NotSupportedException();

        public ValueTask CommitAsync(CommitBatch batch) => ++Commits == 1 ? new ValueTask(_first.Task) : ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        internal void EndFirst() => _first.TrySetResult();
    }

    /// <summary>Lets the first commit end while the tenth refusal is being made.</summary>
    private sealed class Ends(RecordingObserver observer, HeldStore store) : IKernelObserver
    {
        private int _refused;

        public void Transition<TState, TTrigger>(ModuleMachine<TState, TTrigger> machine, string entity, TState from, TTrigger trigger, TState to)
            where TState : struct, Enum
            where TTrigger : struct, Enum => observer.Transition(machine, entity, from, trigger, to);

        public void Note(KernelEvent what, string subject, string? detail = null)
        {
            if (what == KernelEvent.RequestRefused && ++_refused == 10) store.EndFirst();
        }

        public void Settled(in CommandRow command) => observer.Settled(in command);

        public void Committed(int records, TimeSpan elapsed) => observer.Committed(records, elapsed);

        public void Exchanged(OrkAction action, string workerId, long elapsedMs, ErrorCode? error) => observer.Exchanged(action, workerId, elapsedMs, error);
    }

    private sealed class Collected : IEffectRunner, IOpenLinks
    {
        internal List<ulong> Answered { get; } = [];

        public int Open => 1;

        public void Release(EffectBatch effects) => Answered.AddRange(effects.Effects.Where(static effect => effect.Kind == EffectKind.Send).Select(static effect => effect.Correlation));
    }
}
