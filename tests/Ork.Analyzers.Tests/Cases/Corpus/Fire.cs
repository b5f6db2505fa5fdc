// Every API of the tables of the design that leaves the loop or that Coyote cannot model, one a line, with the rule that must tell it. Role: Kernel.
using System.Diagnostics;
using System.Threading.Channels;
using Stateless;

internal sealed class Fire(TimeProvider time)
{
    private static async Task LeavesTheLoop(Task task, Task<int> valued, CancellationToken token, SemaphoreSlim places, CancellationTokenSource source, IAsyncEnumerable<int> items)
    {
        await Task.Run(() => { }); // ORK0003
        await task.ConfigureAwait(false); // ORK0003
        await Task.Delay(TimeSpan.FromSeconds(1)); // ORK0003
        await Task.Delay(5, token); // ORK0003
        await Task.Factory.StartNew(() => { }); // ORK0003
        using var timer = new Timer(_ => { }); // ORK0003
        var unbounded = Channel.CreateUnbounded<int>(); // ORK0003 ORK0301
        var bounded = Channel.CreateBounded<int>(4); // ORK0003
        await places.WaitAsync(token); // ORK0003
        await places.WaitAsync(TimeSpan.FromSeconds(1)); // ORK0003
        await source.CancelAsync(); // ORK0003
        source.CancelAfter(5); // ORK0003
        using var delayed = new CancellationTokenSource(5); // ORK0003
        await foreach (var ended in Task.WhenEach(task, valued)) { } // ORK0003 ORK0103
        await File.ReadAllTextAsync("x", token); // ORK0004
        await task.ContinueWith(_ => { }, token); // ORK0003
        await Parallel.ForEachAsync(new[] { 1 }, (_, _) => default); // ORK0003
        ThreadPool.QueueUserWorkItem(_ => { }); // ORK0003
        new Thread(() => { }).Start(); // ORK0003 ORK0003
        using var periodic = new PeriodicTimer(TimeSpan.FromSeconds(1)); // ORK0003
        await task.WaitAsync(TimeSpan.FromSeconds(1)); // ORK0003
        await foreach (var item in items.ConfigureAwait(false)) { } // ORK0003 ORK0103
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await released.Task.WaitAsync(token); // ORK0007
        await Task.WhenAny(new[] { released.Task, task }); // ORK0007
    }

    private async Task CannotBeModelled(Task a, Task b, object gate, StateMachine<int, int> machine)
    {
        var held = new Lock(); // ORK0008
        lock (held) { } // ORK0008
        await Task.WhenAll(a, b); // ORK0008
        await Task.WhenAny([a, b]); // ORK0008
        await a.ConfigureAwait(ConfigureAwaitOptions.None); // ORK0008
        Monitor.TryEnter(gate, 5); // ORK0008
        var set = new ManualResetEventSlim(); // ORK0008
        var readers = new ReaderWriterLockSlim(); // ORK0008
        using var periodic = new PeriodicTimer(TimeSpan.FromSeconds(1), time); // ORK0008
        var inline = Channel.CreateBounded<int>(new BoundedChannelOptions(4) { AllowSynchronousContinuations = true }); // ORK0008
        var lazy = new Lazy<Task<int>>(async () => { await a; return 1; }); // ORK0008
        await machine.FireAsync(1); // ORK0008
    }

    private sealed class OwnContext : SynchronizationContext; // ORK0008

    private static void IsReal()
    {
        _ = DateTime.UtcNow; // ORK0001
        _ = TimeProvider.System; // ORK0001
        _ = Stopwatch.GetTimestamp(); // ORK0001
        _ = Environment.TickCount64; // ORK0001
        _ = Guid.NewGuid(); // ORK0002
        _ = new Random(); // ORK0002
        _ = Random.Shared.Next(); // ORK0002
    }
}
