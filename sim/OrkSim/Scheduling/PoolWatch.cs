using System.Diagnostics.Tracing;
using Ork;

namespace OrkSim;

/// <summary>
/// The runtime twin of the rule that nothing leaves the scheduler: hears of every piece of work that is queued to the thread pool, and fails the run whose
/// thread queued it, with the call that did.
/// </summary>
[OrkRole(OrkRole.Edge)]
internal sealed class PoolWatch : EventListener
{
    // The framework's source, not the task library's: the latter, once listened to, makes every await carry tracing of its own.
    private const string Framework = "System.Diagnostics.Eventing.FrameworkEventSource";
    private const EventKeywords ThreadPoolWork = (EventKeywords)0x2;
    private const int Enqueued = 30;
    private const int MostTries = 10_000;

    private static readonly Lazy<PoolWatch> Instance = new(Begin);

    [ThreadStatic]
    private static SimWorld? _current;

    private volatile bool _heard;

    /// <summary>Watches the calling thread for a world, until disposed.</summary>
    internal static IDisposable Enter(SimWorld world)
    {
        _ = Instance.Value;
        _current = world;
        return new Leave(null);
    }

    /// <summary>Looks away until disposed: real parts, which a run stands still for, use the pool as they like.</summary>
    internal static IDisposable LookAway()
    {
        var world = _current;
        _current = null;
        return new Leave(world);
    }

    /// <inheritdoc/>
    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == Framework) EnableEvents(eventSource, EventLevel.Verbose, ThreadPoolWork);
    }

    /// <inheritdoc/>
    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (eventData.EventId != Enqueued) return;
        _heard = true;
        if (_current is { } world) world.Escaped("Work was queued to the thread pool:\n" + Environment.StackTrace);
    }

    private static PoolWatch Begin()
    {
        var watch = new PoolWatch();

        // The pool looks whether anybody listens only when a thread of it begins to work.
        using var seen = new ManualResetEventSlim();
        for (var i = 0; i < MostTries && !watch._heard; i++)
        {
            ThreadPool.QueueUserWorkItem(static state => ((ManualResetEventSlim)state!).Set(), seen);
#pragma warning disable ORK0006 // Once a process, before any run: the pool is what it waits for.
            seen.Wait();
#pragma warning restore ORK0006
            seen.Reset();
        }

        return watch;
    }

    private sealed class Leave(SimWorld? world) : IDisposable
    {
        public void Dispose() => _current = world;
    }
}
