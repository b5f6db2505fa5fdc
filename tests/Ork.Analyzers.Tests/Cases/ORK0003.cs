// role: Kernel
//# reports: Task.Run
class C { Task Go() => Task.Run(() => { }); }
//# reports: Task.Run by using static, in an async lambda
using static System.Threading.Tasks.Task;
class C { Func<Task> Go = async () => await Run(() => 1); }
//# reports Caller: Task.Run handed on as a delegate
class C { Func<Action, Task> Go => Task.Run; }
//# reports: the factory
class C { Task Go() => Task.Factory.StartNew(() => { }); }
//# reports: the factory on the default scheduler
class C { Task Go() => Task.Factory.StartNew(() => { }, CancellationToken.None, TaskCreationOptions.None, TaskScheduler.Default); }
//# reports Worker: the thread pool
class C { void Go() => ThreadPool.QueueUserWorkItem(_ => { }); }
//# reports x2: a thread of its own
class C { void Go() { var thread = new Thread(() => { }); thread.Start(); } }
//# reports: System.Threading.Timer
class C { IDisposable Go() => new Timer(_ => { }, null, 0, 1000); }
//# reports: Parallel.ForEach
class C { void Go(int[] items) => Parallel.ForEach(items, _ => { }); }
//# reports: Parallel.ForEachAsync
class C { Task Go(int[] items) => Parallel.ForEachAsync(items, (_, _) => ValueTask.CompletedTask); }
//# reports: ConfigureAwait(false) on a task
class C { async Task Go(Task task) => await task.ConfigureAwait(false); }
//# reports Simulation: ConfigureAwait(false) on a value task
class C { async ValueTask<int> Go(ValueTask<int> task) => await task.ConfigureAwait(false); }
//# reports: ConfigureAwait(false) on an asynchronous sequence
class C { async Task Go(IAsyncEnumerable<int> items) { await foreach (var item in items.ConfigureAwait(false)) { } } }
//# reports: ConfigureAwait(false) on a disposal
class C { async Task Go(IAsyncDisposable of) { await using (of.ConfigureAwait(false)) { } } }
//# reports: ConfigureAwait of what is handed in
class C { async Task Go(Task task, bool capture) => await task.ConfigureAwait(capture); }
//# reports: a delay in milliseconds
class C { Task Go() => Task.Delay(100); }
//# reports: a delay with a token
class C { Task Go(CancellationToken token) => Task.Delay(TimeSpan.FromSeconds(1), token); }
//# reports: WaitAsync with a timeout
class C { Task Go(Task task) => task.WaitAsync(TimeSpan.FromSeconds(1)); }
//# reports: a source that cancels after a while
class C { CancellationTokenSource Go() => new(TimeSpan.FromSeconds(1)); }
//# reports: CancelAfter
class C { void Go(CancellationTokenSource source) => source.CancelAfter(100); }
//# reports: CancelAsync
class C { Task Go(CancellationTokenSource source) => source.CancelAsync(); }
//# reports: a periodic timer without a provider
class C { PeriodicTimer Go() => new(TimeSpan.FromSeconds(1)); }
//# reports: WhenEach
class C { async Task Go(Task[] tasks) { await foreach (var task in Task.WhenEach(tasks)) { } } }
//# reports: an unbounded channel
using System.Threading.Channels;
class C { Channel<int> Go() => Channel.CreateUnbounded<int>(); }
//# reports: a bounded channel with options
using System.Threading.Channels;
class C { Channel<int> Go() => Channel.CreateBounded<int>(new BoundedChannelOptions(8) { SingleReader = true }); }
//# reports: SemaphoreSlim.WaitAsync with a token
class C { Task Go(SemaphoreSlim places, CancellationToken token) => places.WaitAsync(token); }
//# reports: SemaphoreSlim.WaitAsync with a timeout
class C { Task<bool> Go(SemaphoreSlim places) => places.WaitAsync(100); }
//# reports Worker: a file read asynchronously
class C { Task<string> Go() => File.ReadAllTextAsync("contract.json"); }
//# reports: a continuation
class C { Task Go(Task task) => task.ContinueWith(_ => { }); }
//# reports: a task started by hand
class C { void Go(Task task) => task.Start(); }
//# reports: after all of several
class C { Task Go(Task[] tasks) => Task.Factory.ContinueWhenAll(tasks, _ => { }); }
//# silent: Task.Yield
class C { async Task Go() => await Task.Yield(); }
//# silent: a delay on the provider
class C { Task Go(TimeProvider time, CancellationToken token) => Task.Delay(TimeSpan.FromSeconds(1), time, token); }
//# silent: WhenAll over an array
class C { Task Go(Task a, Task b) => Task.WhenAll(new[] { a, b }); }
//# silent: SemaphoreSlim.WaitAsync without arguments
class C { Task Go(SemaphoreSlim places) => places.WaitAsync(); }
//# silent: SemaphoreSlim.WaitAsync with no token
class C { Task Go(SemaphoreSlim places) => places.WaitAsync(CancellationToken.None); Task More(SemaphoreSlim places) => places.WaitAsync(default(CancellationToken)); }
//# silent: a source on the provider
class C { CancellationTokenSource Go(TimeProvider time) => new(TimeSpan.FromSeconds(1), time); }
//# silent: a source without a time, and linked ones
class C { CancellationTokenSource Go(CancellationToken token) => token.CanBeCanceled ? CancellationTokenSource.CreateLinkedTokenSource(token) : new(); }
//# silent Simulation: a periodic timer on the provider
class C { PeriodicTimer Go(TimeProvider time) => new(TimeSpan.FromSeconds(1), time); }
//# silent: ConfigureAwait(true)
class C { async Task Go(Task task) => await task.ConfigureAwait(true); }
//# silent: an asynchronous iterator
class C { async IAsyncEnumerable<int> Go() { await Task.Yield(); yield return 1; } }
//# silent: a timer on the provider
class C { ITimer Go(TimeProvider time) => time.CreateTimer(_ => { }, null, TimeSpan.Zero, Timeout.InfiniteTimeSpan); }
//# silent: a completion source
class C { Task Go() { var source = new TaskCompletionSource(); source.SetResult(); return source.Task; } }
//# silent: WaitAsync on the provider
class C { Task Go(Task task, TimeProvider time, CancellationToken token) => task.WaitAsync(TimeSpan.FromSeconds(1), time, token); }
//# silent: the factory on a scheduler of one's own
class C { Task Go(TaskScheduler own) => Task.Factory.StartNew(() => { }, CancellationToken.None, TaskCreationOptions.None, own); }
//# silent: a continuation where the task ends
class C { Task Go(Task task) => task.ContinueWith(_ => { }, TaskContinuationOptions.ExecuteSynchronously); }
//# silent Edge: an assembly of role Edge
class C { Task Go() => Task.Run(() => Task.Delay(5)); }
//# silent: a method of one's own called Run
class Task2 { internal static void Run(Action go) => go(); }
class C { void Go() => Task2.Run(() => { }); }
//# reports Worker: in a local function of top-level statements, with an argument by name
await Go(Task.CompletedTask);
static async Task Go(Task task) => await task.ConfigureAwait(continueOnCapturedContext: false);
//# reports: a generic extension around it
static class Extensions { internal static async Task<T> Free<T>(this Task<T> task) => await task.ConfigureAwait(false); }
//# reports: a timer of another library
class C { object Go() => new System.Timers.Timer(5); }
//# silent: an await using of a provider's timer
class C { async Task Go(TimeProvider time) { await using var timer = time.CreateTimer(_ => { }, null, TimeSpan.Zero, Timeout.InfiniteTimeSpan); await Task.Yield(); } }
