// role: Kernel
using System.Collections.Concurrent;
using System.Threading.Channels;
using Ork.Kernel;
using Ork.Protocol;
//# reports: an unbounded channel
class C { Channel<int> Go() => Channel.CreateUnbounded<int>(); }
//# reports: a channel bounded by nothing
class C { Channel<int> Go() => Channel.CreateBounded<int>(int.MaxValue); }
//# reports Worker: a blocking collection without a bound
class C { readonly BlockingCollection<int> _of = new(); }
//# reports: a mailbox bounded by nothing
class C { Mailbox<int> Go() => new(int.MaxValue); }
//# reports: a queue whose count nobody looks at
class C { readonly Queue<int> _waiting = new(); void Add(int item) => _waiting.Enqueue(item); int Next() => _waiting.Dequeue(); }
//# reports Worker: a concurrent queue, filled in a lambda
class C { readonly ConcurrentQueue<int> _waiting = new(); Action<int> Add => item => _waiting.Enqueue(item); }
//# reports: a queue that is only asked whether it is empty
class C { readonly Queue<int> _waiting = new(); void Add(int item) => _waiting.Enqueue(item); bool Any => _waiting.Count > 0; }
//# reports: a stack in a partial generic class
partial class C<T> { readonly Stack<T> _waiting = new(); }
partial class C<T> { void Add(T item) => _waiting.Push(item); }
//# reports: a priority queue
class C { readonly PriorityQueue<string, long> _due = new(); void Add(string item, long at) => _due.Enqueue(item, at); }
//# reports: a property
class C { Queue<int> Waiting { get; } = new(); void Add(int item) => Waiting.Enqueue(item); }
//# reports Worker: each device at once
class C { Task Ask(string device) => Task.FromResult(device); Task Go(IReadOnlyList<string> devices) => Task.WhenAll(devices.Select(device => Ask(device)).ToArray()); }
//# reports Worker: each device at once, in a variable
class C { Task Ask(string device) => Task.FromResult(device); async Task Go(IEnumerable<string> devices) { var asked = devices.Select(Ask).ToList(); await Task.WhenAll(asked); } }
//# reports Worker: each device at once, in a loop
class C { Task Ask(string device) => Task.FromResult(device); async Task Go(IEnumerable<string> devices) { var asked = new List<Task>(); foreach (var device in devices) asked.Add(Ask(device)); await Task.WhenAll(asked); } }
//# reports: a request to each Worker
class C(Exchanges exchanges, IAnswerHandler handler) { void Go(IWorkerRoutes routes, Turn turn) { foreach (var worker in routes.Workers) exchanges.Send(worker.Link!, OrkAction.HealthPing, default, 5, handler, worker, turn.AtOnce, turn); } }
//# reports: a request to each Worker, by a helper
class C(Exchanges exchanges, IAnswerHandler handler) { void Go(List<WorkerEntry> workers, Turn turn) { foreach (var worker in workers) Ask(worker, turn); } void Ask(WorkerEntry worker, Turn turn) => exchanges.Send(worker.Link!, OrkAction.HealthPing, default, 5, handler, worker, turn.AtOnce, turn); }
//# silent: a bounded channel
class C { Channel<int> Go(int most) => Channel.CreateBounded<int>(most); }
//# silent: a blocking collection with a bound
class C { readonly BlockingCollection<int> _of = new(64); }
//# silent: a queue whose count is held against a limit
class C { readonly Queue<int> _waiting = new(); bool Add(int item) { if (_waiting.Count >= 64) return false; _waiting.Enqueue(item); return true; } }
//# silent: a queue that drops its oldest
class C(int most) { readonly Queue<int> _last = new(); void Add(int item) { _last.Enqueue(item); while (_last.Count > most) _last.Dequeue(); } }
//# silent: a queue held in another method
class C(int most) { readonly ConcurrentQueue<int> _waiting = new(); bool HasRoom => _waiting.Count < most; void Add(int item) { if (HasRoom) _waiting.Enqueue(item); } }
//# silent: a queue of one call
class C { int Go(int from) { var open = new Queue<int>(); open.Enqueue(from); var count = 0; while (open.TryDequeue(out var at)) if (at > 0) { open.Enqueue(at - 1); count++; } return count; } }
//# silent: a mailbox with a bound
class C { Mailbox<int> Go(int most) => new(most); }
//# silent Worker: a fixed number of loops
class C { Task Loop(int of) => Task.CompletedTask; Task Go(int loops) => Task.WhenAll(Enumerable.Range(0, loops).Select(Loop).ToArray()); }
//# silent Worker: chunk by chunk
class C { Task Ask(string device) => Task.FromResult(device); async Task Go(IEnumerable<string> devices) { foreach (var chunk in devices.Chunk(16)) await Task.WhenAll(chunk.Select(device => Ask(device)).ToArray()); } }
//# silent Worker: places in a semaphore
class C { readonly SemaphoreSlim _places = new(8); Task Go(IEnumerable<string> devices) => Task.WhenAll(devices.Select(async device => { await _places.WaitAsync(); _places.Release(); }).ToArray()); }
//# silent: two tasks
class C { Task Go(Task a, Task b) => Task.WhenAll(new[] { a, b }); }
//# silent: a window over the fleet
class C(Exchanges exchanges, IAnswerHandler handler) { int _open; void Go(IWorkerRoutes routes, Turn turn) { foreach (var worker in routes.Workers) { if (_open >= 64) break; _open++; exchanges.Send(worker.Link!, OrkAction.HealthPing, default, 5, handler, worker, turn.AtOnce, turn); } } }
//# silent: something other than a request for each Worker
class C { int Go(IWorkerRoutes routes) { var count = 0; foreach (var worker in routes.Workers) count += worker.Devices.Count; return count; } }
//# silent Caller: a caller queues what it likes
class C { readonly Queue<int> _waiting = new(); void Add(int item) => _waiting.Enqueue(item); }
//# silent: a queue of one's own
class Ring<T> { internal void Enqueue(T item) { } }
class C { readonly Ring<int> _ring = new(); void Add(int item) => _ring.Enqueue(item); }
//# silent: a bound by pattern
class C { readonly Queue<int> _waiting = new(); bool Add(int item) { if (_waiting.Count is >= 64) return false; _waiting.Enqueue(item); return true; } }
//# silent: a bound that somebody else holds
static class Limits { internal static bool Allows(int count) => count < 64; }
class C { readonly Queue<int> _waiting = new(); bool Add(int item) { if (!Limits.Allows(_waiting.Count)) return false; _waiting.Enqueue(item); return true; } }
