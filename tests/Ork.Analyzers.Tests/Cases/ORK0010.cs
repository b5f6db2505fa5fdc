// role: Kernel
//# reports: async void
class C { async void Go() => await Task.Yield(); }
//# reports: an async void local function
class C { void Go() { Later(); async void Later() => await Task.Yield(); } }
//# reports: an async lambda as an action
class C { void Go(List<int> of) => of.ForEach(async item => await Task.Yield()); }
//# reports Edge: an async event handler
class C { void Go(AppDomain of) => of.ProcessExit += async (_, _) => await Task.Yield(); }
//# reports None: a task dropped in a synchronous method
class C { Task Later() => Task.CompletedTask; void Go() { Later(); } }
//# reports: a task dropped in an async method
class C { async Task Later() => await Task.Yield(); async Task Go() { Later(); await Task.Yield(); } }
//# reports: a task discarded
class C { async Task Later() => await Task.Yield(); void Go() => _ = Later(); }
//# reports: the task of an expression-bodied method
class C { async Task Later() => await Task.Yield(); void Go() => Later(); }
//# reports: the task of a lambda that returns nothing
class C { async Task Later() => await Task.Yield(); Action Go() => () => Later(); }
//# reports: a conditional access
class C { async Task Later() => await Task.Yield(); void Go(C? other) => other?.Later(); }
//# reports: a value task dropped
class C { void Go(IAsyncDisposable of) { of.DisposeAsync(); } }
//# reports: a configured await that is not awaited
class C { void Go(Task task) { task.ConfigureAwait(true); } }
//# reports: a local that nobody reads
class C { async Task Later() => await Task.Yield(); void Go() { var later = Later(); } }
//# reports Worker: generics, WhenAll dropped
class C { void Go<T>(Task<T>[] tasks) { Task.WhenAll(tasks); } }
//# reports: catches some of what it throws
class C { async Task Later() { try { await Task.Yield(); } catch (IOException) { } } void Go() => _ = Later(); }
//# reports: waits outside of its try
class C { async Task Later(Task of) { try { await Task.Yield(); } catch (Exception) { } await of; } void Go(Task of) => _ = Later(of); }
//# reports Caller: top-level statements
Later();
await Task.Yield();
async Task Later() => await Task.Yield();
//# silent: awaited
class C { async Task Later() => await Task.Yield(); async Task Go() => await Later(); }
//# silent: returned
class C { async Task Later() => await Task.Yield(); Task Go() => Later(); }
//# silent: kept
class C { Task? _later; async Task Later() => await Task.Yield(); void Go() => _later = Later(); }
//# silent: put into a list
class C { readonly List<Task> _all = []; async Task Later() => await Task.Yield(); void Go() => _all.Add(Later()); }
//# silent: handed on
class C { void Track(Task task) { } async Task Later() => await Task.Yield(); void Go() => Track(Later()); }
//# silent: discarded, and answers for itself
class C { async Task Later() { try { await Task.Yield(); } catch (Exception) { } } void Go() => _ = Later(); }
//# silent: answers for itself, with work before and after
class C { int _count; async Task Later(Task of) { _count++; try { await of; } catch { _count--; } _count = 0; } void Go(Task of) => _ = Later(of); }
//# silent: an async lambda as a task
class C { Func<Task> Go() => async () => await Task.Yield(); }
//# silent: a local awaited later
class C { async Task Later() => await Task.Yield(); async Task Go() { var later = Later(); await Task.Yield(); await later; } }
//# silent: a void method called async
class C { void SendAsync() { } void Go() => SendAsync(); }
//# silent: a task source
class C { void Go(TaskCompletionSource of) => of.SetResult(); }
//# silent: a lambda that returns its task
class C { async Task Later() => await Task.Yield(); Func<Task> Go() => () => Later(); }
//# silent: an asynchronous disposal by using
class C { async Task Go(IAsyncDisposable of) { await using (of) { await Task.Yield(); } } }
//# silent: a type of one's own called Task
namespace Mine { class Task { } class C { Task Make() => new(); void Go() { Make(); } } }
//# silent: a loop around a try that catches all
class C { async Task Pump(Func<Task> next) { while (true) { try { await next(); } catch (Exception) { return; } } } void Go(Func<Task> next) => _ = Pump(next); }
//# reports: Task.Run with an async lambda, dropped
class C { void Go(Func<Task> of) { Task.Run(async () => await of()); } }
//# reports: an async lambda given to a timer
class C { ITimer Go(TimeProvider time, Func<Task> of) => time.CreateTimer(async _ => await of(), null, TimeSpan.Zero, Timeout.InfiniteTimeSpan); }
//# reports: a chain of calls that ends in a task
class C { C Self => this; async Task<int> Later<T>(T of) { await Task.Yield(); return 1; } void Go() { Self.Self.Later("x"); } }
//# silent: awaited in a conditional
class C { async Task Later() => await Task.Yield(); async Task Go(bool now) { if (now) await Later(); else await Task.WhenAll(new[] { Later(), Later() }); } }
