// What stays on the loop, and what Coyote explores correctly: no rule says anything of it, in any role.
using System.Collections.Concurrent;
using Ork.Protocol;

internal sealed class Clean(TimeProvider time, IEntropy entropy, IConnection link)
{
    private readonly object _gate = new();
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _shared = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _places = new(4);
    private int _seen;

    internal async Task<int> StaysOnTheLoop(Task[] tasks, List<Task> more, CancellationToken cancellation)
    {
        await Task.Yield();
        await Task.Delay(TimeSpan.FromSeconds(1), time, cancellation);
        await Task.WhenAll(tasks);
        await Task.WhenAny(more);
        await _places.WaitAsync();
        _places.Release();
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(5), time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        var plain = new TaskCompletionSource<int>();
        await using var timer = time.CreateTimer(_ => plain.TrySetResult(1), null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        return await plain.Task;
    }

    internal int IsExplored(string key)
    {
        lock (_gate)
        {
            Monitor.Pulse(_gate);
            _counts[key] = _counts.GetValueOrDefault(key) + 1;
        }

        _shared.AddOrUpdate(key, 1, static (_, count) => count + 1);
        return Interlocked.Increment(ref _seen) + _shared.Count;
    }

    internal IEnumerable<string> InOrder()
    {
        foreach (var (key, _) in _counts) yield return key;
        foreach (var key in _shared.Keys.OrderBy(key => key, StringComparer.Ordinal)) yield return key;
    }

    internal async Task<bool> Again(Func<Task<bool>> ask, int most)
    {
        for (var failures = 0; failures < most; failures++)
        {
            try
            {
                return await ask();
            }
            catch (IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(entropy.FullJitterMs(failures, 100, 5_000)), time);
            }
        }

        return false;
    }

    internal string Says(int count, TimeSpan took) => $"{count} in {took} from {link.Peer.Address}: {nameof(DateTime.UtcNow)}";
}
