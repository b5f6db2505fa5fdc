using Microsoft.Coyote.Rewriting;
using Ork.Client;
using Ork.Kernel;
using Ork.Protocol;
using Ork.Worker;
using OrkSim;

namespace Ork.Coyote.Tests;

/// <summary>That exploration happens at all: an assembly that is not rewritten explores nothing, and every test of it passes.</summary>
public sealed class RewritingTests
{
    [Fact]
    public void The_assemblies_under_test_are_rewritten()
    {
        foreach (var type in new[] { typeof(OrkKernel), typeof(OrkWorker), typeof(OrkClient), typeof(Envelope), typeof(MemoryNetwork), typeof(RewritingTests) })
        {
            Assert.True(RewritingEngine.IsAssemblyRewritten(type.Assembly), $"{type.Assembly.GetName().Name} is not rewritten.");
        }
    }

    [Fact]
    public void A_lost_wake_up_is_found() => Assert.Equal(1, Exploration.Bugs(
        async () =>
        {
            var mailbox = new ForgetfulMailbox();
            var sender = Task.Run(() => mailbox.Post(1));
            await mailbox.TakeAsync();
            await sender;
        },
        100));

    [Fact]
    public void A_check_that_is_no_longer_true_when_it_is_acted_on_is_found() => Assert.Equal(1, Exploration.Bugs(
        async () =>
        {
            var gate = new object();
            int open = 1, taken = 0;
            async Task TakeAsync()
            {
                int seen;
                lock (gate) seen = open;
                await Task.Yield();
                if (seen == 0) return;
                lock (gate)
                {
                    open--;
                    taken++;
                }
            }

            await Task.WhenAll(new[] { Task.Run(TakeAsync), Task.Run(TakeAsync) });
            Microsoft.Coyote.Specifications.Specification.Assert(taken == 1, "taken twice");
        },
        100));

    /// <summary>Looks first and waits then, outside the lock: an item that comes in between wakes nobody.</summary>
    private sealed class ForgetfulMailbox
    {
        private readonly object _gate = new();
        private readonly Queue<int> _items = new();
        private TaskCompletionSource? _reader;

        internal void Post(int item)
        {
            TaskCompletionSource? reader;
            lock (_gate)
            {
                _items.Enqueue(item);
                reader = _reader;
            }

            reader?.TrySetResult();
        }

        internal async Task TakeAsync()
        {
            int count;
            lock (_gate) count = _items.Count;
            if (count > 0) return;
            await Task.Yield();
            var reader = new TaskCompletionSource();
            lock (_gate) _reader = reader;
            await reader.Task;
        }
    }
}
