using Ork.Protocol;
using OrkSim;

namespace Ork.Kernel.Tests;

/// <summary>Whoever watches a kernel sees whether it takes turns.</summary>
public sealed class PulseTests
{
    [Fact]
    public async Task While_the_disk_stands_turns_are_taken_and_one_that_has_ended_has_none_to_take()
    {
        var written = new TaskCompletionSource();
        var disk = new Disk(() => new ValueTask(written.Task));
        var (kernel, running) = Start(disk);
        await disk.Begun;
        await kernel.NextTurnAsync().WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        written.SetResult();
        kernel.Stop();
        await running;
        Assert.True(kernel.NextTurnAsync().IsCompletedSuccessfully);
    }

    [Fact]
    public async Task One_that_hangs_takes_none()
    {
        using var gate = new ManualResetEventSlim();
        var disk = new Disk(() =>
        {
            gate.Wait();
            return ValueTask.CompletedTask;
        });
        var (kernel, running) = Start(disk);
        await disk.Begun;
        var turn = kernel.NextTurnAsync();
        Assert.False(turn.IsCompleted);
        gate.Set();
        await turn.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        kernel.Stop();
        await running;
    }

    private static (OrkKernel Kernel, Task Running) Start(Disk disk)
    {
        var kernel = new OrkKernel(new KernelOptions(), new KernelPorts
        {
            Store = disk, Network = new MemoryNetwork().As("kernel"), Entropy = new SeededEntropy(1), Time = TimeProvider.System, Observer = new RecordingObserver(),
        });
        return (kernel, Task.Run(kernel.RunAsync));
    }

    /// <summary>A store that holds a command to be ended at the start, and is written as the test says.</summary>
    private sealed class Disk(Func<ValueTask> write) : IKernelStoreOpener, IKernelStore
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task Begun => _begun.Task;

        public ValueTask<IKernelStore> OpenAsync() => new(this);

        public KernelImage TakeImage() => new(1, [new WorkerRow("w", "k", "announce", "", default, false)], [new DeviceRow("d", "w", default)],
        [
            new CommandRow { Seq = 1, Spec = new CommandSpec { CommandId = "c", Command = "act", Scope = CommandScope.Device, Caller = "uid:0", DeviceId = "d" }, WorkerId = "w", State = CommandState.Queued },
        ]);

        public ValueTask CommitAsync(CommitBatch batch)
        {
            _begun.TrySetResult();
            return write();
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
