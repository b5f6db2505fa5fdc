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

    /// <summary>Does work on a thread of its own, and waits for its end, or for it to be given up: then it is left to itself. Its failure is thrown.</summary>
    /// <param name="work">The work.</param>
    /// <param name="between">How often to ask whether it is given up.</param>
    /// <param name="isGivenUp">Whether it is given up.</param>
    internal static void Alone(Action work, TimeSpan between, Func<bool> isGivenUp)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                work();
            }
            catch (Exception e)
            {
                failure = e;
            }
        })
        { IsBackground = true };
        thread.Start();
#pragma warning disable ORK0006 // No run is on this thread: it waits for those that are on others.
        while (!thread.Join(between))
        {
            if (isGivenUp()) return;
        }
#pragma warning restore ORK0006
        if (failure is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
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
