namespace Ork.Transport;

/// <summary>Starts handlers on the thread pool, so that one that blocks its thread holds up nobody else.</summary>
public static class ThreadPoolHandlers
{
    /// <summary>Starts a handler and lets it run.</summary>
#pragma warning disable ORK0010 // The runtime's handlers answer for whatever they throw, and are bounded there.
    public static void Start(Func<Task> run) => _ = Task.Run(run);
#pragma warning restore ORK0010
}
