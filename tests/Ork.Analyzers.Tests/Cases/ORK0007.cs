// role: Kernel
//# reports: a local under WhenAny
class C { async Task Go(Task other) { var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously); await Task.WhenAny(new[] { done.Task, other }); } }
//# reports: a field under WaitAsync
class C { readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously); Task Go(CancellationToken token) => _done.Task.WaitAsync(token); }
//# reports: a field of a class with a result
class C { readonly TaskCompletionSource<int> _done = new(TaskCreationOptions.RunContinuationsAsynchronously); Task<int> Go(TimeProvider time) => _done.Task.WaitAsync(TimeSpan.FromSeconds(1), time); }
//# reports: through a property
class C { readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously); Task Done => _done.Task; async Task Go(Task other) => await Task.WhenAny(new[] { other, Done }); }
//# reports: through a method that makes it
class C { static TaskCompletionSource Make() => new(TaskCreationOptions.RunContinuationsAsynchronously); async Task Go(Task other) { var done = Make(); await Task.WhenAny([done.Task, other]); } }
//# reports: through a parameter of a helper
class C { Task First(Task a, Task b) => Task.WhenAny(new[] { a, b }); Task Go(Task other) { var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously); return First(done.Task, other); } }
//# reports: through a list
class C { async Task Go(Task other) { var all = new List<Task> { other }; var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously); all.Add(done.Task); await Task.WhenAny(all); } }
//# reports: an option among others
class C { async Task Go(Task other) { var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously | TaskCreationOptions.DenyChildAttach); await Task.WhenAny(new[] { done.Task, other }); } }
//# reports: an option in a constant
class C { const TaskCreationOptions Options = TaskCreationOptions.RunContinuationsAsynchronously; async Task Go(Task other) { var done = new TaskCompletionSource(Options); await Task.WhenAny(new[] { done.Task, other }); } }
//# reports Worker: through a partial class
partial class C { private TaskCompletionSource? _done; void Begin() => _done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously); }
partial class C { Task Go(CancellationToken token) => _done!.Task.WaitAsync(token); }
//# reports Caller: in a lambda
class C { Func<Task, Task> Go = other => { var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously); return Task.WhenAny(new[] { done.Task, other }); }; }
//# reports: chosen among two
class C { readonly TaskCompletionSource _a = new(TaskCreationOptions.RunContinuationsAsynchronously); async Task Go(Task other, bool first) => await Task.WhenAny(new[] { first ? _a.Task : Task.CompletedTask, other }); }
//# reports: from a dictionary of sources
class C { readonly Dictionary<long, TaskCompletionSource> _of = []; Task Go(long id, CancellationToken token) { _of[id] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously); return _of[id].Task.WaitAsync(token); } }
//# reports: bare arguments
class C { async Task Go(Task other) { var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously); await Task.WhenAny(done.Task, other); } }
//# silent: a plain await
class C { async Task Go() { var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously); done.SetResult(); await done.Task; } }
//# silent: a plain source under WhenAny
class C { async Task Go(Task other) { var done = new TaskCompletionSource(); await Task.WhenAny(new[] { done.Task, other }); } }
//# silent: a plain source under WaitAsync
class C { readonly TaskCompletionSource _done = new(); Task Go(CancellationToken token) => _done.Task.WaitAsync(token); }
//# silent: another option
class C { async Task Go(Task other) { var done = new TaskCompletionSource(TaskCreationOptions.DenyChildAttach); await Task.WhenAny(new[] { done.Task, other }); } }
//# silent: awaited inside an async method of its own
class C { readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously); async Task Wait() => await _done.Task; async Task Go(Task other) => await Task.WhenAny(new[] { Wait(), other }); }
//# silent: under WhenAll
class C { readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously); Task Go(Task other) => Task.WhenAll(new[] { _done.Task, other }); }
//# silent: two sources, the other one waited for
class C { readonly TaskCompletionSource _a = new(TaskCreationOptions.RunContinuationsAsynchronously); readonly TaskCompletionSource _b = new(); async Task Go(Task other) { await _a.Task; await Task.WhenAny(new[] { _b.Task, other }); } }
//# silent Edge: an assembly of role Edge
class C { async Task Go(Task other) { var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously); await Task.WhenAny(new[] { done.Task, other }); } }
//# silent: a WaitAsync of one's own
class Box { internal Task WaitAsync() => Task.CompletedTask; }
class C { readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously); async Task Go(Box box) { await box.WaitAsync(); await _done.Task; } }
//# silent: a semaphore
class C { readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously); async Task Go(SemaphoreSlim places) { await places.WaitAsync(); _done.TrySetResult(); } }
//# silent: a source that is only handed on
class C { void Hand(TaskCompletionSource of) => of.TrySetResult(); void Go() { var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously); Hand(done); } }
