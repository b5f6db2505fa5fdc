using Ork.Kernel;
using Ork.Protocol;
using Ork.Worker;

namespace OrkSim.Tests;

/// <summary>Ports that do not keep what they promise: planted to show that an invariant notices.</summary>
internal static class Plants
{
    /// <summary>A store that says "durable" before it is.</summary>
    internal static void EarlyAcknowledgement(SimWorld world) =>
        world.Ports.Store = (_, store) => new Store(store, handle => new EarlyHandle(handle));

    /// <summary>A store that gives a starting kernel another image than it holds.</summary>
    internal static void Image(SimWorld world, Func<KernelImage, KernelImage> change) =>
        world.Ports.Store = (_, store) => new Store(store, handle => new Handle(handle, change, static _ => { }));

    /// <summary>A store that writes something else than it is handed.</summary>
    internal static void Batch(SimWorld world, Action<CommitBatch> change) =>
        world.Ports.Store = (_, store) => new Store(store, handle => new Handle(handle, static image => image, change));

    /// <summary>A store that takes its time to open.</summary>
    internal static void SlowOpening(SimWorld world, TimeSpan time) => world.Ports.Store = (node, store) => new SlowStore(store, node, time);

    /// <summary>A journal whose answers are changed.</summary>
    internal static void Journal(SimWorld world, Func<(JournalVerdict Verdict, JournalAnswer? Answer), (JournalVerdict, JournalAnswer?)> change) =>
        world.Ports.Journal = (_, journal) => new LyingJournal(journal, change);

    /// <summary>Connections of some nodes whose incoming frames are changed or, where null is given back, swallowed.</summary>
    internal static void Incoming(SimWorld world, Func<SimNode, bool> of, Func<IConnection, ReceivedFrame, ReceivedFrame?> change) =>
        world.Ports.Network = (node, network) => of(node) ? new FilteredNetwork(network, change) : network;

    private sealed class Store(IKernelStoreOpener inner, Func<IKernelStore, IKernelStore> wrap) : IKernelStoreOpener
    {
        public async ValueTask<IKernelStore> OpenAsync() => wrap(await inner.OpenAsync());
    }

    private sealed class SlowStore(IKernelStoreOpener inner, SimNode node, TimeSpan time) : IKernelStoreOpener
    {
        public async ValueTask<IKernelStore> OpenAsync()
        {
            await Task.Delay(time, node.Clock);
            return await inner.OpenAsync();
        }
    }

    private sealed class Handle(IKernelStore inner, Func<KernelImage, KernelImage> image, Action<CommitBatch> batch) : IKernelStore
    {
        public KernelImage TakeImage() => image(inner.TakeImage());

        public ValueTask CommitAsync(CommitBatch given)
        {
            batch(given);
            return inner.CommitAsync(given);
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }

    private sealed class EarlyHandle(IKernelStore inner) : IKernelStore
    {
        private Task _last = Task.CompletedTask;

        public KernelImage TakeImage() => inner.TakeImage();

        public ValueTask CommitAsync(CommitBatch batch)
        {
            _last = AfterAsync(_last, BatchCopy.Of(batch));
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();

        private async Task AfterAsync(Task before, CommitBatch batch)
        {
            await before;
            await inner.CommitAsync(batch);
        }
    }

    private sealed class LyingJournal(
        ICommandJournal inner, Func<(JournalVerdict Verdict, JournalAnswer? Answer), (JournalVerdict, JournalAnswer?)> change) : ICommandJournal
    {
        public IReadOnlyList<string> Incarnations => inner.Incarnations;

        public async ValueTask<(JournalVerdict Verdict, JournalAnswer? Answer)> StartAsync(JournalStart start) => change(await inner.StartAsync(start));

        public ValueTask EndAsync(string workerId, string commandId, JournalAnswer answer) => inner.EndAsync(workerId, commandId, answer);
    }

    private sealed class FilteredNetwork(INetwork inner, Func<IConnection, ReceivedFrame, ReceivedFrame?> change) : INetwork
    {
        public async ValueTask<IConnection> ConnectAsync(LinkEndpoint endpoint, string? expectedKey, CancellationToken cancellation) =>
            new Filtered(await inner.ConnectAsync(endpoint, expectedKey, cancellation), change);

        public IListener Listen(LinkEndpoint endpoint, Audience audience) => new FilteredListener(inner.Listen(endpoint, audience), change);
    }

    private sealed class FilteredListener(IListener inner, Func<IConnection, ReceivedFrame, ReceivedFrame?> change) : IListener
    {
        public LinkEndpoint Endpoint => inner.Endpoint;

        public async ValueTask<IConnection?> AcceptAsync() => await inner.AcceptAsync() is { } connection ? new Filtered(connection, change) : null;

        public void Close() => inner.Close();
    }

    private sealed class Filtered(IConnection inner, Func<IConnection, ReceivedFrame, ReceivedFrame?> change) : IConnection
    {
        public PeerIdentity Peer => inner.Peer;

        public Refusal? CloseReason => inner.CloseReason;

        public async ValueTask<ReceivedFrame?> ReceiveAsync()
        {
            while (true)
            {
                if (await inner.ReceiveAsync() is not { } frame) return null;
                if (change(inner, frame) is { } passed) return passed;
            }
        }

        public bool Send(FrameKind kind, ulong correlation, ReadOnlySpan<byte> payload) => inner.Send(kind, correlation, payload);

        public ValueTask DrainedAsync() => inner.DrainedAsync();

        public void Close(Refusal? reason) => inner.Close(reason);
    }
}

/// <summary>A clock whose longer timers never fire.</summary>
internal sealed class StuckClock(TimeProvider inner, TimeSpan longest) : TimeProvider
{
    public override long TimestampFrequency => inner.TimestampFrequency;

    public override long GetTimestamp() => inner.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => inner.GetUtcNow();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        inner.CreateTimer(callback, state, dueTime >= longest ? Timeout.InfiniteTimeSpan : dueTime, period);
}
