using Ork;

namespace OrkSim;

/// <summary>Waits for real parts in the middle of a run, which stands still meanwhile: they have threads of their own, and nothing of them comes back to the run.</summary>
[OrkRole(OrkRole.Edge)]
internal static class Real
{
    internal static void Wait(Func<ValueTask> work) => Wait(async () =>
    {
        await work();
        return true;
    });

    /// <summary>Begins something that nobody waits for yet.</summary>
    internal static T Begin<T>(Func<T> work)
        where T : Task
    {
        // What the real part awaits must not come back to the run's scheduler, which stands still.
        using var away = PoolWatch.LookAway();
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            return work();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    internal static T Wait<T>(Func<ValueTask<T>> work)
    {
        var begun = Begin(() => work().AsTask());
#pragma warning disable ORK0006 // The only threads that are waited for are those of the real part.
        return begun.GetAwaiter().GetResult();
#pragma warning restore ORK0006
    }
}
