// role: Kernel
using Ork.Kernel;
using Ork.Protocol;
//# reports: an exchange of no time
class C(Exchanges exchanges, IAnswerHandler handler) { void Go(WorkerLink link, Turn turn) => exchanges.Send(link, OrkAction.HealthPing, default, 0, handler, link, turn.AtOnce, turn); }
//# reports: an exchange for ever
class C(Exchanges exchanges, IAnswerHandler handler) { void Go(WorkerLink link, Turn turn) => exchanges.Send(link, OrkAction.HealthPing, default, Timeout.Infinite, handler, link, turn.AtOnce, turn); }
//# reports: by name, in a lambda in a lambda
class C(Exchanges exchanges, IAnswerHandler handler) { Func<Action<Turn>> Go(WorkerLink link) => () => turn => exchanges.Send(link, OrkAction.HealthPing, default, timeoutMs: long.MaxValue, handler, link, turn.AtOnce, turn); }
//# reports: by a constant
class C(Exchanges exchanges, IAnswerHandler handler) { const long Never = -1; void Go(WorkerLink link, Turn turn) => exchanges.Send(link, OrkAction.HealthPing, default, Never, handler, link, turn.AtOnce, turn); }
//# reports: by a variable
class C(Exchanges exchanges, IAnswerHandler handler) { void Go(WorkerLink link, Turn turn) { long time = int.MaxValue; exchanges.Send(link, OrkAction.HealthPing, default, time, handler, link, turn.AtOnce, turn); } }
//# reports: a request past Exchanges
class C { void Go(Turn turn, long session, in Envelope envelope) => turn.AtOnce.Send(session, FrameKind.Request, 1, in envelope); }
//# reports: a request on a link
class C { void Go(IConnection link, byte[] bytes) => link.Send(FrameKind.Request, 1, bytes); }
//# reports: a request on a session, by using static
using static Ork.Protocol.FrameKind;
class C { void Go(ISession session) => session.Send(Request, 1, default); }
//# reports: a dial without a token
class C(INetwork network) { async Task Go(LinkEndpoint to) { var link = await network.ConnectAsync(to, null, CancellationToken.None); link.Close(null); } }
//# reports: a dial with a default token, in a partial generic class
partial class C<T> where T : INetwork { T _network = default!; }
partial class C<T> { ValueTask<IConnection> Go(LinkEndpoint to) => _network.ConnectAsync(to, null, default); }
//# reports: an option for ever
record Options { public long PingTimeoutMs { get; init; } = 5; }
class C { Options Go() => new() { PingTimeoutMs = Timeout.Infinite }; }
//# reports: an option whose default is for ever
record Options { public long PingTimeoutMs { get; init; } = long.MaxValue; }
//# silent: an exchange with a time
class C(Exchanges exchanges, IAnswerHandler handler, HealthOptions options) { void Go(WorkerLink link, Turn turn) => exchanges.Send(link, OrkAction.HealthPing, default, options.PingTimeoutMs, handler, link, turn.AtOnce, turn); }
//# silent: an exchange with a constant time
class C(Exchanges exchanges, IAnswerHandler handler) { void Go(WorkerLink link, Turn turn) => exchanges.Send(link, OrkAction.HealthPing, default, 5_000, handler, link, turn.AtOnce, turn); }
//# silent: a request with a timer of the wheel
class C(TimerWheel timers) { void Go(Turn turn, long session, in Envelope envelope, WheelTimer timer) { timers.Set(timer, turn.NowMs + 5_000); turn.AtOnce.Send(session, FrameKind.Request, 1, in envelope); } }
//# silent: an answer
class C { void Go(Turn turn, long session, in Envelope envelope) => turn.AtOnce.Send(session, FrameKind.Response, 1, in envelope); }
//# silent: a greeting
class C { void Go(IConnection link) => link.Send(FrameKind.Hello, 0, default); }
//# silent: a dial with a token that a timer cancels
class C(INetwork network, TimeProvider time) { async Task Go(LinkEndpoint to) { using var source = new CancellationTokenSource(TimeSpan.FromSeconds(5), time); await network.ConnectAsync(to, null, source.Token); } }
//# silent: a dial with a token that is handed in
class C(INetwork network) { ValueTask<IConnection> Go(LinkEndpoint to, CancellationToken token) => network.ConnectAsync(to, null, token); }
//# silent: an option with a time
record Options { public long PingTimeoutMs { get; init; } = 5_000; }
class C { Options Go() => new() { PingTimeoutMs = 1_000 }; }
//# silent: a method of one's own called Send
class Log { internal void Send(long timeoutMs) { } }
class C { void Go(Log log) => log.Send(0); }
//# silent Caller: a caller's wait is its own affair
class C { void Go(IConnection link, byte[] bytes) => link.Send(FrameKind.Request, 1, bytes); }
//# silent: an interval
record Options { public long IntervalMs { get; init; } = long.MaxValue; }
//# silent: a timer that is made without being set
class C { ITimer Go(TimeProvider time) => time.CreateTimer(_ => { }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan); }
//# reports: in a local function that a module calls for each
class C { void Go(List<long> sessions, Turn turn) { sessions.ForEach(Ask); void Ask(long session) => turn.AtOnce.Send(session, FrameKind.Request, 1, default); } }
