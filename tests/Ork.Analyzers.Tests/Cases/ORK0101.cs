// role: Worker
using Ork;
using Ork.Client;
using Ork.Protocol;
//# reports: calls the callers' SDK
class C(OrkClient client) { Task Go() => client.TerminateAsync("w"); }
//# reports: makes a client
class C { OrkClient Go(ClientOptions options, ClientPorts ports) => new(options, ports); }
//# reports: through a private helper
class C { void Handle(OrkClient client) => Tell(client); void Tell(OrkClient client) { _ = client.StatusAsync("c"); } }
//# reports: dials the kernel
class C(INetwork network) { async Task Go(LinkEndpoint to, CancellationToken token) { var link = await network.ConnectAsync(to, null, token); link.Close(null); } }
//# reports: sends a Request
class C { void Go(IConnection link, byte[] bytes) => link.Send(FrameKind.Request, 1, bytes); }
//# reports: sends a Request by an alias, in a nested lambda
using Kind = Ork.Protocol.FrameKind;
class C { Func<Action> Go(IConnection link, byte[] bytes) => () => () => link.Send(Kind.Request, 1, bytes); }
//# reports: the kind stands in a variable
class C { void Go(IConnection link, byte[] bytes) { var kind = FrameKind.Request; link.Send(kind, 1, bytes); } }
//# reports: the kind is one of two
class C { void Go(IConnection link, byte[] bytes, bool ask) => link.Send(ask ? FrameKind.Request : FrameKind.Response, 1, bytes); }
//# reports: a helper sends the kind it is handed
class C { void Go(IConnection link) => Write(link, FrameKind.Request); static void Write(IConnection link, FrameKind kind) => link.Send(kind, 1, default); }
//# reports: a helper of a helper sends the kind it is handed
class C { void Go(IConnection link) => Outer(link, FrameKind.Request); static void Outer(IConnection link, FrameKind kind) => Inner(link, kind); static void Inner(IConnection link, FrameKind kind) => link.Send(kind, 1, default); }
//# reports: by using static
using static Ork.Protocol.FrameKind;
class C { void Go(IConnection link) => link.Send(Request, 1, default); }
//# reports: through an interface of its own
interface INotify { Task Tell(); }
class Notify(OrkClient client) : INotify { public Task Tell() => client.StatusAsync("c"); }
class C(INotify notify) { Task Go() => notify.Tell(); }
//# reports: in a generic class
class C<T>(T network) where T : INetwork { ValueTask<IConnection> Go(LinkEndpoint to) => network.ConnectAsync(to, null, default); }
//# reports: in a type of role Edge, called from Worker code
[OrkRole(OrkRole.Edge)] static class Outside { internal static Task Tell(OrkClient client) => client.StatusAsync("c"); }
class C { Task Go(OrkClient client) => Outside.Tell(client); }
//# reports: handed on as a delegate
class C { Func<string, CancellationToken, Task> Go(OrkClient client) => client.TerminateAsync; }
//# reports x2: top-level statements
var client = new OrkClient(null!, null!);
await client.StatusAsync("c");
//# reports: a partial class whose other half asks
partial class C { Task Handle() => Ask(); }
partial class C { readonly OrkClient _client = null!; private Task Ask() => _client.StateAsync("d"); }
//# silent: answers
class C { void Go(IConnection link, ulong correlation, byte[] bytes) => link.Send(FrameKind.Response, correlation, bytes); }
//# silent: greets
class C { void Go(IConnection link, byte[] bytes) { link.Send(FrameKind.Hello, 0, bytes); link.Send(FrameKind.Welcome, 0, bytes); link.Send(FrameKind.Goodbye, 0, bytes); } }
//# silent: listens
class C { IListener Go(INetwork network, LinkEndpoint at) => network.Listen(at, Audience.Kernels); }
//# silent: looks at the kind of what it received
class C { bool Go(in ReceivedFrame frame) => frame.Kind == FrameKind.Request; }
//# silent: a helper that sends the kind it is handed, handed another
class C { void Go(IConnection link) => Write(link, FrameKind.Response); static void Write(IConnection link, FrameKind kind) => link.Send(kind, 1, default); }
//# silent: allowed, with its reason
class C(INetwork network) { [OrkAllow(OrkEffects.DialsKernel, "announces the Worker")] ValueTask<IConnection> Go(LinkEndpoint to) => network.ConnectAsync(to, null, default); }
//# silent: a device is dialled, not the kernel
using System.Net.Sockets;
class C { async Task Go() { using var client = new TcpClient(); await client.ConnectAsync("10.0.0.7", 4028); } }
//# silent: a client of one's own
namespace Mine { class OrkClient { internal Task SendAsync() => Task.CompletedTask; } class C { Task Go() => new OrkClient().SendAsync(); } }
//# silent: a method of one's own called Send
enum Mode { Request }
class Log { internal void Send(Mode mode) { } }
class C { void Go(Log log) => log.Send(Mode.Request); }
//# silent Caller: a caller asks
class C(OrkClient client) { Task Go() => client.StatusAsync("c"); }
//# silent: runs the Worker runtime
class C { Task Go(Ork.Worker.OrkWorker worker, CancellationToken token) => worker.RunAsync(token); }
//# silent: the views of the SDK as data
class C { string Go(CommandView view) => view.CommandId; }
//# silent: handlers of the runtime
using Ork.Worker;
class C { WorkerDefinition Go(WorkerContract contract) => new WorkerDefinition("w", contract, ["d"]).OnCommand("reboot", async (call, _) => { await Task.Yield(); return CommandReply.Success(call.CommandId); }); }
//# reports: through a chain of generic helpers in several classes
class Outer<T>(Inner<T> inner) { Task Handle(T of) => inner.Pass(() => Task.CompletedTask, of); }
class Inner<T>(OrkClient client) { internal Task Pass(Func<Task> before, T of) => Last(of); Task Last(T of) => client.StatusAsync(of!.ToString()!); }
//# reports: in an async lambda that a handler is
class C { Ork.Worker.WorkerDefinition Go(Ork.Worker.WorkerDefinition definition, OrkClient client) => definition.OnCommand("reboot", async (call, _) => { await client.StatusAsync(call.CommandId); return Ork.Worker.CommandReply.Success(); }); }
//# reports: a real network, dialled
class C { async Task Go(Ork.Transport.SocketNetwork network, LinkEndpoint to) { await network.ConnectAsync(to, null, default); } }
