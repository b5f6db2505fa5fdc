// role: Kernel
//# reports: a Lock made
class C { readonly Lock _gate = new(); }
//# reports: a Lock entered
class C { void Go(Lock gate) { using var _ = gate.EnterScope(); } }
//# reports: a Lock that is locked
class C { void Go(Lock gate) { lock (gate) { } } }
//# reports Worker: WhenAll with bare arguments
class C { Task Go(Task a, Task b) => Task.WhenAll(a, b); }
//# reports: WhenAny with a collection expression
class C { Task Go(Task a, Task b) => Task.WhenAny([a, b]); }
//# reports: WhenAll of results, by using static
using static System.Threading.Tasks.Task;
class C { async Task<int[]> Go(Task<int> a, Task<int> b) => await WhenAll(a, b); }
//# reports: ConfigureAwaitOptions
class C { async Task Go(Task task) => await task.ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext); }
//# reports: TryEnter with a timeout
class C { bool Go(object gate) => Monitor.TryEnter(gate, 100); }
//# reports: TryEnter with a span and a flag
class C { void Go(object gate) { var taken = false; Monitor.TryEnter(gate, TimeSpan.FromSeconds(1), ref taken); } }
//# reports Caller: a ManualResetEventSlim
class C { readonly ManualResetEventSlim _set = new(); }
//# reports: a ReaderWriterLockSlim
class C { readonly ReaderWriterLockSlim _gate = new(); }
//# reports: a channel that continues inline
using System.Threading.Channels;
class C { Channel<int> Go() => Channel.CreateBounded<int>(new BoundedChannelOptions(8) { AllowSynchronousContinuations = true }); }
//# reports: a Lazy whose factory waits
class C { Lazy<Task<int>> Go(Func<Task<int>> ask) => new(async () => await ask()); }
//# reports: a machine fired asynchronously
class C { Task Go(Stateless.StateMachine<int, int> machine) => machine.FireAsync(1); }
//# reports: a scheduler of one's own
class Own : SynchronizationContext;
//# reports: a periodic timer on the provider
class C { PeriodicTimer Go(TimeProvider time) => new(TimeSpan.FromSeconds(1), time); }
//# reports: handed on as a delegate in a nested lambda
class C { Func<Func<object, int, bool>> Go = () => Monitor.TryEnter; }
//# silent: a lock on an object
class C { readonly object _gate = new(); void Go() { lock (_gate) { } } }
//# silent: WhenAll over an array
class C { Task Go(Task a, Task b) => Task.WhenAll(new[] { a, b }); }
//# silent: WhenAny over a list
class C { Task Go(List<Task> tasks) => Task.WhenAny(tasks); }
//# silent: WhenAll over an array in a variable
class C { Task Go(Task a, Task b) { Task[] both = [a, b]; return Task.WhenAll(both); } }
//# silent: TryEnter without a timeout
class C { void Go(object gate) { if (Monitor.TryEnter(gate)) Monitor.Exit(gate); var taken = false; Monitor.TryEnter(gate, ref taken); } }
//# silent: Monitor entered and pulsed
class C { void Go(object gate) { Monitor.Enter(gate); Monitor.Pulse(gate); Monitor.Exit(gate); } }
//# silent: a semaphore
class C { async Task Go(SemaphoreSlim places) { await places.WaitAsync(); places.Release(); } }
//# silent: a Lazy that computes
class C { Lazy<int> Go(int a) => new(() => a * a); }
//# silent: a machine fired
class C { void Go(Stateless.StateMachine<int, int> machine) => machine.Fire(1); }
//# silent Simulation: a simulation is not rewritten
class C { readonly Lock _gate = new(); Task Go(Task a, Task b) => Task.WhenAll(a, b); }
class Own : SynchronizationContext;
//# silent: a class of one's own called Lock
namespace Mine { class Lock { internal void Enter() { } } class C { readonly Lock _gate = new(); void Go() { _gate.Enter(); lock (_gate) { } } } }
//# silent Edge: an assembly of role Edge
class C { readonly Lock _gate = new(); }
//# silent: Interlocked and Volatile
class C { int _of; int Go() => Interlocked.Increment(ref _of) + Volatile.Read(ref _of); }
