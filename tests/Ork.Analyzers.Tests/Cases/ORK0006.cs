// role: Kernel
//# reports: Result in an expression body
class C { int Go(Task<int> task) => task.Result; }
//# reports: Wait
class C { void Go(Task task) => task.Wait(); }
//# reports: GetAwaiter().GetResult()
class C { int Go(Task<int> task) => task.GetAwaiter().GetResult(); }
//# reports Edge: GetResult after ConfigureAwait
class C { void Go(Task task) => task.ConfigureAwait(false).GetAwaiter().GetResult(); }
//# reports None: a value task's result
class C { int Go(ValueTask<int> task) => task.Result; }
//# reports: a value task's awaiter
class C { void Go(ValueTask task) => task.GetAwaiter().GetResult(); }
//# reports: Sleep by using static
using static System.Threading.Thread;
class C { void Go() => Sleep(10); }
//# reports Caller: Join
class C { void Go(Thread thread) => thread.Join(); }
//# reports: WaitAll
class C { void Go(Task[] tasks) => Task.WaitAll(tasks); }
//# reports: a semaphore
class C { void Go(SemaphoreSlim places) => places.Wait(); }
//# reports: a wait handle in a nested lambda
class C { Func<Action> Go(EventWaitHandle handle) => () => () => handle.WaitOne(); }
//# reports Simulation: Monitor.Wait
class C { void Go(object gate) { lock (gate) Monitor.Wait(gate); } }
//# reports: a countdown
class C { void Go(CountdownEvent down) => down.Wait(); }
//# reports: the result of a call
class C { Task<int> Ask() => Task.FromResult(1); int Go() => Ask().Result; }
//# reports: handed on as a delegate
class C { Action Go(Task task) => task.Wait; }
//# reports: awaited only on one of two paths
class C { async Task<int> Go(Task<int> task, bool first) { if (first) await task; return task.Result; } }
//# reports: completed is what it is not
class C { int Go(Task<int> task) => task.IsCompleted ? 0 : task.Result; }
//# reports Worker: top-level statements
Task<int> Ask() => Task.FromResult(3);
return Ask().Result;
//# reports: a generic helper
class C { static T Get<T>(Func<Task<T>> ask) => ask().GetAwaiter().GetResult(); }
//# silent: awaited
class C { async Task<int> Go(Task<int> task) => await task; }
//# silent: awaited before
class C { async Task<int> Go(Task<int> task) { await task; return task.Result; } }
//# silent: awaited together before
class C { async Task<int> Go(Task<int> a, Task<int> b) { await Task.WhenAll(new Task[] { a, b }); return a.Result + b.Result; } }
//# silent: completed
class C { int Go(Task<int> task) => task.IsCompletedSuccessfully ? task.Result : 0; }
//# silent: left where it is not completed
class C { int Go(ValueTask<int> task) { if (!task.IsCompleted) return -1; return task.Result; } }
//# silent: completed, in one condition
class C { bool Go(Task<int> task) => task.IsCompletedSuccessfully && task.Result > 1; }
//# silent: a property of one's own called Result
record Run(int Result);
class C { int Go(Run run) => run.Result; }
//# silent: a method of one's own called Wait
class Barrier2 { internal void Wait() { } internal void Join() { } }
class C { void Go(Barrier2 of) { of.Wait(); of.Join(); } }
//# silent: string.Join
class C { string Go(string[] of) => string.Join(",", of); }
//# silent: a lock
class C { readonly object _gate = new(); int _of; int Go() { lock (_gate) return ++_of; } }
//# silent: a pulse
class C { void Go(object gate) { lock (gate) Monitor.PulseAll(gate); } }
//# silent: a semaphore awaited
class C { Task Go(SemaphoreSlim places) => places.WaitAsync(); }
//# silent: what a continuation is handed
class C { Task<int> Go(Task<int> task) => task.ContinueWith(done => done.Result, TaskContinuationOptions.ExecuteSynchronously); }
//# silent: a value as a task
class C { int Go() => Task.FromResult(1).Result; }
//# silent: nameof
class C { string Go(Task<int> task) => nameof(task.Result) + nameof(Thread.Sleep); }
//# silent: an awaiter of one's own
struct Awaiter { internal int GetResult() => 1; }
class C { int Go() => new Awaiter().GetResult(); }
//# silent: each of several that were awaited together, by LINQ
class C { async Task<int> Go(List<Task<int>> tasks) { await Task.WhenAll(tasks); return tasks.Select(task => task.Result).Sum(); } }
//# silent: each of several that were awaited together, in a loop
class C { async Task<int> Go(Task<int>[] tasks) { await Task.WhenAll(tasks); var sum = tasks[0].Result; foreach (var task in tasks) sum += task.Result; return sum; } }
//# silent: the one that ended first
class C { async Task<int> Go(Task<int>[] tasks) { var first = await Task.WhenAny(tasks); return first.Result; } }
//# silent: by its status, and after a loop until it is completed
class C { async Task<int> Go(Task<int> task) { if (task.Status == TaskStatus.RanToCompletion) return task.Result; while (!task.IsCompleted) await Task.Yield(); return task.Result; } }
//# reports: each of several that nobody awaited
class C { int Go(List<Task<int>> tasks) => tasks.Select(task => task.Result).Sum(); }
//# reports: in a property of a generic class
class C<T>(Task<T> task) { T Value => task.Result; }
//# reports: through a local of an awaiter
class C { int Go(Task<int> task) { var awaiter = task.GetAwaiter(); return awaiter.GetResult(); } }
//# silent: a pattern that says it is completed
class C { int Go(Task<int> task) => task is { IsCompletedSuccessfully: true } ? task.Result : 0; }
