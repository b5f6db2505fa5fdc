// role: Kernel
using Ork.Kernel;
//# reports: an async method that takes a turn
class C { async Task Go(Turn turn) { await Task.Yield(); turn.NowMs = 1; } }
//# reports: a task returned
class C { Task Go(Turn turn) => turn.IsEmpty ? Task.CompletedTask : Task.FromResult(1); }
//# reports: a value task returned, in a module by namespace
namespace Acme.Modules.Pumps { class Pumps { internal ValueTask<int> Go() => new(1); } }
//# reports: an async method, in a module by folder
//## src/Acme/Modules/Pumps/Pumps.cs
class Pumps { internal async Task Go() => await Task.Yield(); }
//# reports: an async lambda
namespace Acme.Modules.Pumps { class Pumps { Func<int, Task> Go() => async of => await Task.Delay(of, default(CancellationToken)); } }
//# reports: an async local function
namespace Acme.Modules.Pumps { class Pumps { void Go() { Later(); async void Later() => await Task.Yield(); } } }
//# reports: an asynchronous iterator
namespace Acme.Modules.Pumps { class Pumps { async IAsyncEnumerable<int> Go() { yield return 1; await Task.Yield(); } } }
//# reports: a task kept in a field
namespace Acme.Modules.Pumps { class Pumps { Task? _running; bool Go() => _running is null; } }
//# reports: a completion source
namespace Acme.Modules.Pumps { class Pumps { readonly TaskCompletionSource _done = new(); void Go() => _done.SetResult(); } }
//# reports: a property that is a task
namespace Acme.Modules.Pumps { class Pumps { Task Done => Task.CompletedTask; } }
//# reports: in a nested class of a partial module
namespace Acme.Modules.Pumps { partial class Pumps { } partial class Pumps { class Inner<T> { internal async Task<T> Go(Func<Task<T>> ask) => await ask(); } } }
//# reports: async void
namespace Acme.Modules.Pumps { class Pumps { async void Go() => await Task.Yield(); } }
//# silent: synchronous
class C { void Go(Turn turn) => turn.NowMs = 1; }
//# silent: the loop, which is no module
class Loop { readonly Turn _turn = new(); async Task Go() { await Task.Yield(); _turn.Begin(2); } }
//# silent: the loop, which is made with a turn
class Loop(Turn first) { async Task Go() { await Task.Yield(); first.Begin(2); } }
//# silent: a session, which is no module
namespace Acme.Links { class Session { async Task Go() => await Task.Yield(); } }
//# silent: a callback for later in the same module
class C { void Go(Turn turn, Action<Turn> done) => done(turn); }
//# silent: a module that enumerates
namespace Acme.Modules.Pumps { class Pumps { IEnumerable<int> Go() { yield return 1; } } }
//# silent: the store's port, declared outside of modules
namespace Acme.Ports { interface IStore { ValueTask CommitAsync(); } }
//# silent: a method called async
namespace Acme.Modules.Pumps { class Pumps { void GoAsync() { } void Go() => GoAsync(); } }
//# silent: a type of one's own called Task
namespace Acme.Modules.Pumps { class Task { } class Pumps { Task Go() => new(); } }
//# silent Worker: a Worker waits for its devices
namespace Acme.Modules.Pumps { class Pumps { async Task Go() => await Task.Yield(); } }
//# silent: a folder by another name
//## src/Acme/Shell/Pumps/Pumps.cs
class Pumps { internal async Task Go() => await Task.Yield(); }
//# silent: a lambda that is synchronous
namespace Acme.Modules.Pumps { class Pumps { Func<int, int> Go() => of => of + 1; } }
//# reports x2: awaits in an expression-bodied explicit implementation
interface IGo { Task Go(Turn turn); }
class C : IGo { async Task IGo.Go(Turn turn) => await Task.Yield(); }
