// role: Worker
using Ork.Protocol;
//# reports: a link in a field
class C { IConnection? _link; void Go(IConnection link) => _link = link; }
//# reports: a link in a property
class C { IConnection? Link { get; set; } void Go(IConnection link) => Link = link; }
//# reports: a link in a static field
class C { static IConnection? _link; void Go(IConnection link) => _link = link; }
//# reports: links in a list
class C { readonly List<IConnection> _links = []; void Go(IConnection link) => _links.Add(link); }
//# reports: pairs of link and correlation in a queue
class C { readonly Queue<(IConnection Link, ulong Correlation)> _open = new(); void Go(IConnection link, ulong correlation) => _open.Enqueue((link, correlation)); }
//# reports: a responder of one's own in a dictionary
record Reply(IConnection Link, ulong Correlation);
class C { readonly Dictionary<string, Reply> _open = []; void Go(Reply reply) => _open["x"] = reply; }
//# reports: a parameter of the class
class C(IConnection link) { void Later(byte[] bytes) => link.Send(FrameKind.Response, 1, bytes); }
//# reports: as an object
class C { object? _of; void Go(IConnection link) => _of = link; }
//# reports: in a collection of objects
class C { readonly List<object> _of = []; void Go(IConnection link) => _of.Add(link); }
//# reports: answers from a timer
class C { ITimer Go(TimeProvider time, IConnection link) => time.CreateTimer(_ => link.Send(FrameKind.Response, 1, default), null, TimeSpan.Zero, TimeSpan.Zero); }
//# reports: answers when a token ends
class C { void Go(CancellationToken token, IConnection link) => token.Register(() => link.Send(FrameKind.Response, 1, default)); }
//# reports: a function that answers in a field
class C { Action? _later; void Go(IConnection link) => _later = () => link.Send(FrameKind.Response, 1, default); }
//# reports: a function that answers in an event
class C { event Action? Done; void Go(IConnection link) => Done += () => link.Send(FrameKind.Response, 1, default); void End() => Done?.Invoke(); }
//# reports: functions that answer in a queue
class C { readonly Queue<Action> _later = new(); void Go(IConnection link) { if (_later.Count < 9) _later.Enqueue(() => link.Send(FrameKind.Response, 1, default)); } }
//# reports: in a generic class, by its constraint
class C<T> where T : class, IConnection { T? _link; void Go(T link) => _link = link; }
//# reports: in a partial class, through an alias
using Link = Ork.Protocol.IConnection;
partial class C { Link? _link; }
partial class C { void Go(Link link) { _link ??= link; } }
//# reports: a local function that answers, kept
class C { Action? _later; void Go(IConnection link) { _later = Answer; void Answer() => link.Send(FrameKind.Response, 1, default); } }
//# reports: a responder of one's own, kept
interface IResponder { void Answer(byte[] bytes); }
class C { readonly Dictionary<string, IResponder> _open = []; void Go(string id, IResponder responder) => _open[id] = responder; }
//# silent: answers in the call
class C { void Go(IConnection link, ulong correlation, byte[] bytes) => link.Send(FrameKind.Response, correlation, bytes); }
//# silent: answers after waiting, in the request's own method
class C { async Task Go(IConnection link, ulong correlation, Task work) { await work; link.Send(FrameKind.Response, correlation, default); } }
//# silent: carried from call to call
record Reply(IConnection Link, ulong Correlation);
class C { void Go(IConnection link, ulong correlation) => Answer(new Reply(link, correlation)); void Answer(Reply reply) => reply.Link.Send(FrameKind.Response, reply.Correlation, default); }
//# silent: a struct that carries it
readonly struct Reply(IConnection link) { internal void Send(byte[] bytes) => link.Send(FrameKind.Response, 1, bytes); }
class C { void Go(IConnection link, byte[] bytes) => new Reply(link).Send(bytes); }
//# silent: closed when a token ends
class C { void Go(CancellationToken token, IConnection link) => token.Register(() => link.Close(null)); }
//# silent: closed by a timer
class C { ITimer Go(TimeProvider time, IConnection link) => time.CreateTimer(_ => link.Close(ErrorCodes.LinkLost), null, TimeSpan.Zero, TimeSpan.Zero); }
//# silent: a network, and a listener
class C { readonly INetwork _network = null!; IListener? _listener; void Go(LinkEndpoint at) => _listener = _network.Listen(at, Audience.Kernels); }
//# silent: a function that takes a link
class C { readonly Func<IConnection, Task> _serve = link => { link.Close(null); return Task.CompletedTask; }; Task Go(IConnection link) => _serve(link); }
//# silent: who the peer is, kept as data
class C { PeerIdentity _peer; void Go(IConnection link) => _peer = link.Peer; }
//# silent: links in a local list
class C { void Go(IConnection link) { var all = new List<IConnection> { link }; foreach (var one in all) one.Close(null); } }
//# silent: a link that wraps another
abstract class Counting(IConnection inner) : IConnection { readonly IConnection _inner = inner; public PeerIdentity Peer => _inner.Peer; public Refusal? CloseReason => _inner.CloseReason; public ValueTask<ReceivedFrame?> ReceiveAsync() => _inner.ReceiveAsync(); public bool Send(FrameKind kind, ulong correlation, ReadOnlySpan<byte> payload) => _inner.Send(kind, correlation, payload); public ValueTask DrainedAsync() => _inner.DrainedAsync(); public void Close(Refusal? reason) => _inner.Close(reason); }
//# silent Kernel: a kernel keeps its sessions
class C { readonly List<IConnection> _links = []; void Go(IConnection link) => _links.Add(link); }
//# silent: a connection to a device
class DeviceConnection { internal void Send(byte[] bytes) { } }
class C { DeviceConnection? _device; void Go(DeviceConnection device) => _device = device; }
//# reports: in a lazy value, by a static holder
static class Holder { internal static Lazy<IConnection>? Link; }
class C { void Go(IConnection link) => Holder.Link = new(() => link); }
//# reports: started to run later in the pool
class C { void Go(IConnection link) { _ = Task.Run(() => link.Send(FrameKind.Response, 1, default)); } }
//# silent: counted and described, not kept
class C { int _links; string _last = ""; void Go(IConnection link) { _links++; _last = link.Peer.Address; } }
