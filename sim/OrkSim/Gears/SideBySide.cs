using Ork;

namespace OrkSim;

/// <summary>
/// Runs made side by side, each on one thread from its beginning to its end. Threads of its own: a run stays on its thread, and the pool stays out of it.
/// </summary>
[OrkRole(OrkRole.Edge)]
internal static class SideBySide
{
    /// <summary>Asks questions side by side; the answers are in the order of the questions.</summary>
    internal static T[] Ask<T>(IReadOnlyList<Func<T>> questions, int jobs)
    {
        var answers = new T[questions.Count];
        var next = -1;
        Work(Math.Min(jobs, questions.Count), () =>
        {
            for (var index = Interlocked.Increment(ref next); index < answers.Length; index = Interlocked.Increment(ref next)) answers[index] = questions[index]();
        });
        return answers;
    }

    /// <summary>Does the same on several threads, and waits for all; the first failure is thrown.</summary>
    internal static void Work(int jobs, Action work)
    {
        if (jobs <= 1)
        {
            work();
            return;
        }

        Exception? failure = null;
        var threads = new Thread[jobs];
        for (var i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(() =>
            {
                try
                {
                    work();
                }
                catch (Exception e)
                {
                    Interlocked.CompareExchange(ref failure, e, null);
                }
            })
            { IsBackground = true };
            threads[i].Start();
        }

#pragma warning disable ORK0006 // No run is on this thread: it waits for those that are on others.
        foreach (var thread in threads) thread.Join();
#pragma warning restore ORK0006
        if (failure is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }
}
