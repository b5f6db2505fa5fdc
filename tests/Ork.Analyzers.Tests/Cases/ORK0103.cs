// role: Kernel
using Ork.Kernel;
using Ork.Protocol;
//# reports: an event of a Worker's link
interface IWorkerLink { event Action<byte[]> DataArrived; }
class C { void Go(IWorkerLink link) => link.DataArrived += bytes => { }; }
//# reports: a method as the handler
class Feed { internal event EventHandler? Changed; internal void Raise() => Changed?.Invoke(this, EventArgs.Empty); }
class C { void Go(Feed feed) => feed.Changed += Take; void Take(object? from, EventArgs of) { } }
//# reports: an observable
class C { IDisposable Go(IObservable<byte[]> telemetry, IObserver<byte[]> into) => telemetry.Subscribe(into); }
//# reports: an observer
class Sink : IObserver<byte[]> { public void OnCompleted() { } public void OnError(Exception error) { } public void OnNext(byte[] value) { } }
//# reports: a callback for messages
interface IWorkerLink { void OnMessage(Action<byte[]> handler); }
class C { void Go(IWorkerLink link) => link.OnMessage(bytes => { }); }
//# reports: a subscription with a callback
class Feed { internal IDisposable Subscribe(string topic, Func<byte[], Task> handler) => throw new NotSupportedException(); }
class C { void Go(Feed feed) { using var of = feed.Subscribe("metrics", bytes => Task.CompletedTask); } }
//# reports: a registered handler
class Bus { internal void RegisterTelemetryHandler(Action<string, byte[]> handler) { } }
class C { void Go(Bus bus) => bus.RegisterTelemetryHandler((worker, bytes) => { }); }
//# reports: a stream of telemetry
interface IWorkerLink { IAsyncEnumerable<byte[]> Telemetry(); }
class C { async Task Go(IWorkerLink link, CancellationToken token) { await foreach (var bytes in link.Telemetry().WithCancellation(token)) { } } }
//# reports: a stream that is handed in, in a generic helper
class C { async Task Go<T>(IAsyncEnumerable<T> stream) { await foreach (var item in stream) { } } }
//# reports: an event, in a nested lambda, in a partial class
interface IDevice { event Action Alarm; }
partial class C { readonly List<IDevice> _all = []; }
partial class C { Action Go => () => _all.ForEach(device => device.Alarm += () => { }); }
//# reports: through a static extension
static class Feeds { internal static void Listen(this IConnection link, Action<ReceivedFrame> heard) { } }
class C { void Go(IConnection link) => link.Listen(frame => { }); }
//# reports: a callback in a property
class Feed { internal Action<byte[]>? OnTelemetry { get; set; } }
class C { void Go(Feed feed) => feed.OnTelemetry = bytes => { }; }
//# reports: a callback in an initializer
class Feed { internal Func<byte[], Task>? TelemetryHandler { get; set; } }
class C { Feed Go() => new() { TelemetryHandler = bytes => Task.CompletedTask }; }
//# silent: an exchange that the kernel starts
class C : IAnswerHandler { public void Answered(Ask ask, in Envelope answer, Turn turn) { } public void Unanswered(Ask ask, ErrorCode why, Turn turn) { } }
//# silent: a callback that carries the turn
class Watch { internal event Action<WorkerEntry, Turn>? Changed; internal void Raise(WorkerEntry worker, Turn turn) => Changed?.Invoke(worker, turn); }
class C { void Go(Watch watch) => watch.Changed += (worker, turn) => { }; }
//# silent: a module's own registration, inside a turn
class Watch { internal void OnElapsed(Action<Turn> done) { } }
class C { void Go(Watch watch) => watch.OnElapsed(turn => { }); }
//# silent: a timer
class C { ITimer Go(TimeProvider time) => time.CreateTimer(_ => { }, null, TimeSpan.Zero, Timeout.InfiniteTimeSpan); }
//# silent: a token's end
class C { void Go(CancellationToken token) => token.Register(() => { }); }
//# silent: a machine's own hooks
class C { void Go(Stateless.StateMachine<int, int> machine) { machine.OnUnhandledTrigger((_, _) => { }); machine.OnTransitioned(_ => { }); } }
//# silent: an event of the framework
class C { void Go(AppDomain domain) { var seen = 0; domain.ProcessExit += (_, _) => seen++; } }
//# silent: an event unsubscribed
class Feed { internal event Action? Changed; internal void Raise() => Changed?.Invoke(); }
class C { void Go(Feed feed, Action of) => feed.Changed -= of; }
//# silent: an asynchronous iterator of its own
class C { async IAsyncEnumerable<int> Own() { await Task.Yield(); yield return 1; } async Task Go() { await foreach (var item in Own()) { } } }
//# silent: LINQ with functions
class C { int Go(List<int> of) => of.Where(item => item > 1).Select(item => item + 1).Count(); }
//# silent: receiving one frame at a time
class C { async Task Go(IConnection link) { while (await link.ReceiveAsync() is { } frame) frame.Release(); } }
//# silent Worker: a Worker hears its devices
interface IDevice { event Action Alarm; }
class C { void Go(IDevice device) => device.Alarm += () => { }; }
//# silent: a function that asks for a value
class Options { internal void OnMissing(Func<int> value) { } }
class C { void Go(Options options) => options.OnMissing(() => 5); }
//# silent: a callback of its own
class C { internal Action<int>? OnDone { get; set; } void Go() => OnDone = _ => { }; void End() => OnDone?.Invoke(1); }
