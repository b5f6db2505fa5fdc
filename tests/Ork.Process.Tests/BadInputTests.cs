using System.Text;
using System.Text.Json;
using Ork.Protocol;

namespace Ork.Process.Tests;

/// <summary>A kernel process against strangers on plain sockets.</summary>
public sealed class BadInputTests
{
    private const string Envelope = """{"id":"a","version":"0.2.0","type":"request","action":"worker.list","sender":"s","timestamp":1,"payload":{}}""";

    [Fact]
    public async Task Every_kind_of_bad_input_gets_its_code_and_others_are_served_meanwhile()
    {
        await using var kernel = new LiveKernel();
        kernel.Process.Start();
        kernel.StartHost(workers: 1, devices: 1);
        await kernel.InServiceAsync(1);
        using var socket = await kernel.CallerSocketAsync();
        ulong correlation = 0;
        foreach (var (payload, code) in BadEnvelopes())
        {
            await socket.SendFrameAsync(FrameKind.Request, ++correlation, payload);
            var answer = await socket.ReadFrameAsync();
            Assert.NotNull(answer);
            Assert.Equal((FrameKind.Response, correlation), (answer.Value.Kind, answer.Value.Correlation));
            Assert.Equal(code, JsonElement.Parse(answer.Value.Payload).GetProperty("payload").GetProperty("error").GetString());
            await kernel.Client.WorkersAsync();
        }

        foreach (var (bytes, code) in BadFrames())
        {
            using var stranger = await kernel.CallerSocketAsync();
            await stranger.SendAsync(bytes);
            var goodbye = await stranger.ReadFrameAsync();
            Assert.NotNull(goodbye);
            Assert.Equal(FrameKind.Goodbye, goodbye.Value.Kind);
            Assert.Contains(code, goodbye.Value.Payload, StringComparison.Ordinal);
            Assert.Null(await stranger.ReadFrameAsync());
        }

        Assert.Equal(CommandStatus.Success, await kernel.RunAsync("wm-001-0001"));
    }

    [Fact]
    public async Task A_flood_of_bad_input_leaves_the_kernel_up_and_its_memory_flat()
    {
        await using var kernel = new LiveKernel();
        kernel.Process.Start();
        await kernel.Client.WorkersAsync();
        await FloodAsync(kernel, 20);
        var before = kernel.Process.WorkingSetBytes;
        await FloodAsync(kernel, 200);
        Assert.InRange(kernel.Process.WorkingSetBytes - before, long.MinValue, 96L * 1024 * 1024);
        await kernel.Client.WorkersAsync();
    }

    [Fact]
    public async Task A_kernel_that_may_not_open_a_file_for_each_Worker_serves_those_it_has_room_for_and_its_callers()
    {
        await using var kernel = new LiveKernel(maxOpenFiles: 600);
        kernel.Process.Start();
        kernel.StartHost(workers: 300, devices: 1);
        var room = new Ork.Transport.SocketRoom(600);
        await kernel.InServiceAsync(room.MaxOthers);
        using var late = await kernel.WorkerSocketAsync();
        Assert.Contains("ERR_TOO_MANY_LINKS", (await late.ReadFrameAsync())!.Value.Payload, StringComparison.Ordinal);
        var device = (await kernel.InServiceAsync(room.MaxOthers)).Workers.First(worker => worker.Linked).WorkerId.Replace("sim-", "wm-", StringComparison.Ordinal) + "-0001";
        Assert.Equal(CommandStatus.Success, await kernel.RunAsync(device));
        Assert.Contains("600 open files", await kernel.FirstLogLineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kernel_whose_log_nobody_reads_goes_on()
    {
        await using var kernel = new LiveKernel(_ => new { log = new { level = "Trace" } }, isHeard: false);
        kernel.Process.Start();
        kernel.StartHost(workers: 1, devices: 10);
        await kernel.InServiceAsync(1);

        // Some eight lines a command: twice what a pipe and the logger's queue hold together.
        for (var round = 0; round < 100; round++)
        {
            var ends = await Task.WhenAll(Enumerable.Range(1, 10).Select(device => kernel.RunAsync($"wm-001-{device:d4}")));
            Assert.All(ends, status => Assert.Equal(CommandStatus.Success, status));
        }
    }

    [Fact]
    public async Task A_kernel_that_may_open_hardly_any_files_says_so_and_does_not_start()
    {
        await using var kernel = new LiveKernel(maxOpenFiles: 300);
        kernel.Process.Start();
        Assert.Equal(1, await kernel.Process.EndAsync(TimeSpan.FromMinutes(1)));
        Assert.Contains("ERR_CONFIG_INVALID: the system lets this process have 300 open files", await kernel.FirstLogLineAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(FrameKind.Request, 1UL)]
    [InlineData(FrameKind.Response, 999UL)]
    [InlineData(FrameKind.Hello, 0UL)]
    [InlineData(FrameKind.Welcome, 0UL)]
    public async Task S9_a_Worker_that_does_more_than_answer_loses_its_link(FrameKind kind, ulong correlation)
    {
        await using var kernel = new LiveKernel();
        kernel.Process.Start();
        await kernel.Client.WorkersAsync();
        using var worker = await kernel.WorkerSocketAsync();
        await worker.SendFrameAsync(FrameKind.Hello, 0, """{"role":"worker","workerId":"rogue"}""");
        Assert.Equal(FrameKind.Welcome, (await worker.ReadFrameAsync())!.Value.Kind);
        Assert.Equal(FrameKind.Request, (await worker.ReadFrameAsync())!.Value.Kind);
        await worker.SendFrameAsync(kind, correlation, Envelope);
        var last = await worker.ReadFrameAsync();
        while (last is { Kind: FrameKind.Request }) last = await worker.ReadFrameAsync();
        Assert.Equal(FrameKind.Goodbye, last!.Value.Kind);
        Assert.Contains("ERR_PULL_ONLY_VIOLATION", last.Value.Payload, StringComparison.Ordinal);
    }

    [Fact]
    public async Task S9_answering_twice_is_a_violation_too()
    {
        await using var kernel = new LiveKernel();
        kernel.Process.Start();
        await kernel.Client.WorkersAsync();
        using var worker = await kernel.WorkerSocketAsync();
        await worker.SendFrameAsync(FrameKind.Hello, 0, """{"role":"worker","workerId":"rogue"}""");
        Assert.Equal(FrameKind.Welcome, (await worker.ReadFrameAsync())!.Value.Kind);
        var ping = (await worker.ReadFrameAsync())!.Value;
        var pong = """{"id":"a","version":"0.2.0","type":"response","action":"health.pong","sender":"rogue","timestamp":1,"payload":{"status":"ok"}}""";
        await worker.SendFrameAsync(FrameKind.Response, ping.Correlation, pong);
        await worker.SendFrameAsync(FrameKind.Response, ping.Correlation, pong);
        var last = await worker.ReadFrameAsync();
        while (last is { Kind: FrameKind.Request }) last = await worker.ReadFrameAsync();
        Assert.Contains("ERR_PULL_ONLY_VIOLATION", last!.Value.Payload, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"role":"worker"}""")]
    [InlineData("""{"role":"caller","workerId":"w"}""")]
    [InlineData("not json")]
    public async Task A_Workers_greeting_that_is_none_is_refused(string hello)
    {
        await using var kernel = new LiveKernel();
        kernel.Process.Start();
        await kernel.Client.WorkersAsync();
        using var worker = await kernel.WorkerSocketAsync();
        await worker.SendFrameAsync(FrameKind.Hello, 0, hello);
        Assert.Contains("ERR_HANDSHAKE_INVALID", (await worker.ReadFrameAsync())!.Value.Payload, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Workers_garbage_answers_never_make_it_ready_and_harm_nobody()
    {
        await using var kernel = new LiveKernel();
        kernel.Process.Start();
        kernel.StartHost(workers: 1, devices: 1);
        await kernel.InServiceAsync(1);
        using var worker = await kernel.WorkerSocketAsync();
        await worker.SendFrameAsync(FrameKind.Hello, 0, """{"workerId":"rogue"}""");
        await worker.ReadFrameAsync();
        var fuzz = new Random(1);
        for (var i = 0; i < 2; i++)
        {
            var request = (await worker.ReadFrameAsync())!.Value;
            await worker.SendFrameAsync(FrameKind.Response, request.Correlation, Enumerable.Range(0, 500).Select(_ => (byte)fuzz.Next(256)).ToArray());
        }

        var fleet = await kernel.Client.WorkersAsync();
        Assert.DoesNotContain(fleet.Workers, view => view is { WorkerId: "rogue", State: "Ready" });
        Assert.Equal(CommandStatus.Success, await kernel.RunAsync("wm-001-0001"));
    }

    private static IEnumerable<(string Payload, string Code)> BadEnvelopes()
    {
        yield return ("hello", "ERR_FRAME_NOT_JSON");
        yield return (new string('[', 50_000), "ERR_FRAME_NOT_JSON");
        yield return ("[1]", "ERR_ENVELOPE_NOT_OBJECT");
        yield return ("{}", "ERR_ENVELOPE_ID_MISSING");
        yield return (Without("version"), "ERR_ENVELOPE_VERSION_MISSING");
        yield return (With("type", "\"shout\""), "ERR_ENVELOPE_TYPE_INVALID");
        yield return (With("type", "\"response\""), "ERR_ENVELOPE_TYPE_INVALID");
        yield return (With("action", "7"), "ERR_ENVELOPE_ACTION_INVALID");
        yield return (With("action", "\"coffee.make\""), "ERR_ENVELOPE_ACTION_UNKNOWN");
        yield return (With("action", "\"action.push\""), "ERR_NOT_SUPPORTED");
        yield return (Without("sender"), "ERR_ENVELOPE_SENDER_INVALID");
        yield return (With("timestamp", "0"), "ERR_ENVELOPE_TIMESTAMP_INVALID");
        yield return (With("payload", "[]"), "ERR_ENVELOPE_PAYLOAD_INVALID");
        yield return (With("action", "\"command.request\"", "payload", "null"), "ERR_PAYLOAD_NOT_OBJECT");
        yield return (With("action", "\"command.request\"", "payload", "{}"), "ERR_PAYLOAD_COMMAND_REQUIRED");
        yield return (With("action", "\"command.request\"", "payload", """{"command":"x","scope":"rack"}"""), "ERR_PAYLOAD_WORKER_ID_REQUIRED");
        yield return (With("action", "\"command.request\"", "payload", """{"command":"x"}"""), "ERR_DEVICE_ID_REQUIRED");
        yield return (With("action", "\"command.status\"", "payload", """{"commandId":"x"}"""), "ERR_COMMAND_NOT_FOUND");
        yield return (With("action", "\"command.cancel\"", "payload", "{}"), "ERR_PAYLOAD_COMMAND_ID_REQUIRED");
        yield return (With("action", "\"telemetry.pull\"", "payload", """{"query":{"type":"x"}}"""), "ERR_QUERY_INVALID");
        yield return (With("action", "\"worker.terminate\""), "ERR_PAYLOAD_WORKER_ID_REQUIRED");
    }

    private static IEnumerable<(byte[] Bytes, string Code)> BadFrames()
    {
        yield return (Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "ERR_FRAME_TOO_LARGE");
        yield return ([1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0], "ERR_FRAME_MALFORMED");
        yield return ([9, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0], "ERR_FRAME_MALFORMED");
        yield return ([1, 0, 16, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, .. new byte[300_000]], "ERR_FRAME_TOO_LARGE");
        yield return ([9, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0], "ERR_HANDSHAKE_INVALID");
    }

    private static async Task FloodAsync(LiveKernel kernel, int links)
    {
        var big = new string('x', 900_000);
        for (var link = 0; link < links; link++)
        {
            using var socket = await kernel.CallerSocketAsync();
            for (var i = 0; i < 5; i++)
            {
                await socket.SendFrameAsync(FrameKind.Request, 1, i == 0 ? big : new string('[', 10_000));
                await socket.ReadFrameAsync();
            }

            await socket.SendAsync(Encoding.ASCII.GetBytes("garbage at the end of every link"));
        }
    }

    private static string Without(string member)
    {
        var node = System.Text.Json.Nodes.JsonNode.Parse(Envelope)!.AsObject();
        node.Remove(member);
        return node.ToJsonString();
    }

    private static string With(params string[] pairs)
    {
        var node = System.Text.Json.Nodes.JsonNode.Parse(Envelope)!.AsObject();
        for (var i = 0; i < pairs.Length; i += 2) node[pairs[i]] = System.Text.Json.Nodes.JsonNode.Parse(pairs[i + 1]);
        return node.ToJsonString();
    }
}
