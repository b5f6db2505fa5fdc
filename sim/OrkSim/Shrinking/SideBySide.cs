namespace OrkSim;

/// <summary>Runs made side by side, each on one thread from its beginning to its end, the answers in the order of the questions.</summary>
internal static class SideBySide
{
    internal static T[] Run<T>(IReadOnlyList<Func<T>> questions, int jobs)
    {
        var answers = new T[questions.Count];
        if (jobs <= 1 || questions.Count == 1)
        {
            for (var i = 0; i < answers.Length; i++) answers[i] = questions[i]();
            return answers;
        }

        var next = -1;
        Exception? failure = null;
        var threads = new Thread[Math.Min(jobs, questions.Count)];
        for (var i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(() =>
            {
                try
                {
                    for (var index = Interlocked.Increment(ref next); index < answers.Length; index = Interlocked.Increment(ref next)) answers[index] = questions[index]();
                }
                catch (Exception e)
                {
                    Interlocked.CompareExchange(ref failure, e, null);
                }
            })
            { IsBackground = true };
            threads[i].Start();
        }

        foreach (var thread in threads) thread.Join();
        if (failure is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        return answers;
    }
}
