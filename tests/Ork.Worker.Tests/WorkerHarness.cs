using System.Text;
using System.Text.Json;
using Ork.Protocol;
using OrkSim;

namespace Ork.Worker.Tests;

/// <summary>One Worker in memory, and the kernel's end of its link.</summary>
internal sealed class WorkerHarness : IAsyncDisposable
{
    internal static readonly LinkEndpoint Endpoint = LinkEndpoint.Unix("kernel");

    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _executed = [];
    private readonly IListener _listener;
    private ulong _correlation;

    internal WorkerHarness() => _listener = Network.As("kernel").Listen(Endpoint, Audience.Workers);

    internal MemoryNetwork Network { get; } = new();

    internal MemoryCommandJournal Journal { get; } = new();

    /// <summary>How long a Worker that is told to stop waits. Handlers that hang are not waited for, but where a test is about that.</summary>
    internal long DrainMs { get; set; }

    /// <summary>Ends when the Worker has.</summary>
    internal Task Running { get; private set; } = Task.CompletedTask;

    /// <summary>The commands whose handlers began, in turn.</summary>
    internal IReadOnlyList<string> Executed
    {
        get
        {
            lock (_executed) return [.. _executed];
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Close();
        if (!Running.IsFaulted) await Running.WaitAsync(TimeSpan.FromMinutes(1));
        _stop.Dispose();
    }

    /// <summary>Tells the Worker to stop.</summary>
    internal Task StopAsync() => _stop.CancelAsync();

    /// <summary>Ends when a handler has begun.</summary>
    internal async Task BegunAsync()
    {
        while (Executed.Count == 0) await Task.Yield();
    }

    internal async Task<IConnection> DialAsync(LinkEndpoint endpoint)
    {
        var connection = await Network.As("kernel").ConnectAsync(endpoint, null, CancellationToken.None);
        connection.Send(FrameKind.Hello, 0, new Greeting(Greeting.Kernel).ToBytes());
        return connection;
    }

    internal WorkerDefinition Define(Task? gate = null)
    {
        var contract = WorkerDefinition.ContractOf(new
        {
            metadata = new { deviceFamily = "test" },
            capabilities = new
            {
                commands = new object[]
                {
                    new { name = "act" }, new { name = "safe", idempotent = true }, new { name = "wait" }, new { name = "throw" }, new { name = "big" }, new { name = "patient" }, new { name = "unhandled" },
                },
            },
        });
        var definition = new WorkerDefinition("w", contract, ["d1", "d2"])
            .OnCommand("act", Act)
            .OnCommand("safe", Act)
            .OnCommand("throw", (_, _) => throw new InvalidOperationException("boom"))
            .OnCommand("big", (_, _) => new(CommandReply.Success(new string('x', 2_000_000))))
            .OnCommand("patient", async (_, cancellation) =>
            {
                await Task.Delay(Timeout.Infinite, cancellation);
                return CommandReply.Success();
            })
            .OnTelemetry("metrics", async (_, _) => await new TaskCompletionSource<object>().Task)
            .OnTelemetry("logs", (_, _) => new(new { log = new string('x', 2_000_000) }))
            .OnState((deviceId, _) => new(new { of = deviceId }));
        return definition.OnCommand("wait", async (call, _) =>
        {
            lock (_executed) _executed.Add(call.CommandId);
            await gate!;
            return CommandReply.Success();
        });
    }

    private ValueTask<CommandReply> Act(CommandCall call, CancellationToken cancellation)
    {
        lock (_executed) _executed.Add(call.CommandId);
        return new(CommandReply.Success(new { by = call.DeviceIds[0] }));
    }

    internal void Run(WorkerDefinition definition, WorkerOptions options, INetwork? network = null, TimeProvider? time = null, IEntropy? entropy = null, ICommandJournal? journal = null)
    {
        var ports = new WorkerPorts
        {
            Network = network ?? Network.As("worker"), Entropy = entropy ?? new NoEntropy(), Time = time ?? TimeProvider.System, Journal = journal ?? Journal,
        };
        Running = new OrkWorker(definition, options with { DrainMs = DrainMs }, ports).RunAsync(_stop.Token);
    }

    internal Task<IConnection> LinkAsync(WorkerDefinition definition, WorkerOptions? options = null)
    {
        Run(definition, options ?? new WorkerOptions { Announce = Endpoint });
        return GreetAsync();
    }

    internal async Task<IConnection> GreetAsync()
    {
        var connection = (await _listener.AcceptAsync())!;
        var hello = (await connection.ReceiveAsync())!.Value;
        Assert.Equal((FrameKind.Hello, "w"), (hello.Kind, Greeting.TryRead(hello.Payload)!.WorkerId));
        connection.Send(FrameKind.Welcome, 0, new Greeting(Greeting.Kernel).ToBytes());
        return connection;
    }

    internal static string Command(string id, string command, int attempt, long epoch = 1, string extra = "") =>
        $$"""{"commandId":"{{id}}","attempt":{{attempt}},"epoch":{{epoch}},"command":"{{command}}"{{extra}}}""";

    internal async Task<JsonElement> CommandAsync(IConnection kernel, string id, string command, int attempt, long epoch = 1, string extra = "") =>
        await ReceiveAsync(kernel, Send(kernel, Command(id, command, attempt, epoch, extra)));

    internal async Task<JsonElement> AskAsync(IConnection kernel, OrkAction action, string payload = "{}", string? deviceId = null) =>
        await ReceiveAsync(kernel, Send(kernel, payload, action, deviceId));

    internal ulong Send(IConnection kernel, string payload, OrkAction action = OrkAction.CommandRequest, string? deviceId = "d1")
    {
        var device = deviceId is null ? "null" : $"\"{deviceId}\"";
        var json = $$"""{"id":"m","version":"0.2.0","type":"request","action":"{{OrkActions.NameOf(action)}}","sender":"ork","deviceId":{{device}},"timestamp":1,"payload":{{payload}}}""";
        return SendFrame(kernel, json);
    }

    /// <summary>Sends a request as it is.</summary>
    internal ulong SendFrame(IConnection kernel, string frame)
    {
        kernel.Send(FrameKind.Request, ++_correlation, Encoding.UTF8.GetBytes(frame));
        return _correlation;
    }

    internal static async Task<JsonElement> ReceiveAsync(IConnection kernel, params ulong[] correlations)
    {
        var frame = (await kernel.ReceiveAsync())!.Value;
        Assert.Equal(FrameKind.Response, frame.Kind);
        Assert.Contains(frame.Correlation, correlations);
        Assert.Null(EnvelopeReader.Read(frame.Payload, out var envelope));
        Assert.Equal(MessageType.Response, envelope.Type);
        return JsonElement.Parse(envelope.Payload.Span);
    }

    private sealed class NoEntropy : IEntropy
    {
        public ulong NextBits() => 0;
    }
}
